//! The one project all tests read. A fresh, unoptimised engine spends most of a second on the standard library's stubs, so
//! all programs are written to one folder first, and the tests only take snapshots.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};

use dunderstand::analysis::{
    BlockingTable, CTypes, Knowledge, Module, Project, RootSettings, RuntimeTable, STACK_SIZE, Snapshot,
};
use dunderstand::pages::{Store, table};

use crate::document::Document;

pub const TARGET: (u8, u8) = (3, 13);

pub struct Shared {
    project: Mutex<Project>,
    pub store: Store,
    root: PathBuf,
}

pub static SHARED: LazyLock<Shared> = LazyLock::new(Shared::new);

impl Shared {
    fn new() -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("markdown");
        let _ = std::fs::remove_dir_all(&root);
        std::fs::create_dir_all(&root).unwrap();
        let root = std::fs::canonicalize(&root).unwrap();
        let store = Store::embedded();
        for page in store.pages() {
            for (index, fence) in page.fences.iter().enumerate() {
                write(&example(&root, &page.id, index), &fence.code);
            }
        }
        for document in Document::all(Path::new("tests/cases")) {
            for case in document.cases.iter().filter(|case| !case.needs_own_project()) {
                for program in &case.programs {
                    write(&case.path(&root, &document.path, &program.file), &program.code);
                }
            }
        }
        let project = Mutex::new(open(&root, TARGET));
        Self { project, store, root }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the programs stand that have a project of their own: searches of the shared one do not come across them.
    pub fn own_root(&self) -> PathBuf {
        self.root.with_file_name("markdown-own")
    }

    /// Reads one file of the shared project.
    pub fn read<T: Send>(&self, path: &Path, read: impl FnOnce(&Module) -> T + Send) -> T {
        let snapshot = self.project.lock().unwrap().snapshot();
        on_large_stack(snapshot, path, read)
    }
}

/// Reads one file on a thread whose stack the engine can work on.
pub fn on_large_stack<T: Send>(snapshot: Snapshot, path: &Path, read: impl FnOnce(&Module) -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_SIZE);
        let job = move || snapshot.read(|snapshot| read(&snapshot.module(path).unwrap())).unwrap();
        thread.spawn_scoped(scope, job).unwrap().join().unwrap()
    })
}

/// Opens a folder without any Python environment, so that the results are the same on every machine.
pub fn open(root: &Path, version: (u8, u8)) -> Project {
    let knowledge = Knowledge {
        c_types: CTypes::from_toml(table("c_types")).unwrap(),
        runtime: RuntimeTable::from_toml(table("runtime")).unwrap(),
        blocking: BlockingTable::from_toml(table("blocking")).unwrap(),
    };
    let settings =
        RootSettings { path: root.to_path_buf(), version: Some(version), isolated: true, ..RootSettings::default() };
    Project::open(&[settings], Arc::new(knowledge)).unwrap()
}

/// Where a page's fence is written.
pub fn example(root: &Path, id: &str, index: usize) -> PathBuf {
    root.join("pages").join(id.replace('-', "_")).join(format!("fence{index}.py"))
}

pub fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}
