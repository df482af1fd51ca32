//! The salsa database of the engine: files, unsaved buffers over them, search paths, settings.
//!
//! With `overlay`, the only module below `server` and `cli` that touches the disk. The engine's own project crate is not
//! published, so the five layered `Db` traits are implemented here.

mod executions;
mod listing;
mod marked;

#[cfg(debug_assertions)]
pub use executions::Execution;
pub(super) use listing::python_files_below;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ruff_db::diagnostic::Diagnostic;
use ruff_db::files::{File, FileRootKind, Files};
use ruff_db::system::{System, SystemPath, SystemPathBuf};
use ruff_db::vendored::VendoredFileSystem;
use salsa::Setter as _;
use ty_python_core::ProgramFile;
use ty_python_core::program::{Program, ProgramSettings};
use ty_python_semantic::lint::{LintRegistry, RuleSelection};
use ty_python_semantic::{AnalysisSettings, PythonVersionWithSource, default_lint_registry};

use super::Knowledge;
use super::overlay::{Buffer, OverlaySystem};
use super::stack::Stack;

/// One workspace root with the environment its imports are resolved in.
#[salsa::input]
pub(super) struct Root {
    #[returns(ref)]
    pub(super) path: SystemPathBuf,
    #[returns(ref)]
    pub(super) settings: ProgramSettings,
}

/// The files of the workspace, once it has been looked through.
#[salsa::input(singleton)]
pub(super) struct Workspace {
    #[returns(ref)]
    pub(super) files: Option<Vec<PathBuf>>,
}

/// Interning a program hashes every search path, so it is memoised behind the input.
#[salsa::tracked(returns(copy))]
fn program<'db>(db: &'db dyn Db, root: Root) -> Program<'db> {
    Program::from_settings(db, root.settings(db))
}

/// What the queries of this crate ask of the database beyond the engine's own traits.
#[salsa::db]
pub(super) trait Db: ty_python_semantic::Db {
    /// The root whose environment serves `file`: the longest one that holds it, or the first.
    fn root_of(&self, file: File) -> Root;

    /// What is known about libraries beside their code; the same for the whole life of the program.
    fn knowledge(&self) -> &Knowledge;

    /// The database itself, for queries that look at files as every other reader does.
    fn snapshot(&self) -> &Snapshot;

    /// Whether the text at `path` has one of `words` in it; cheaper than reading the file, as nothing is kept.
    fn mentions(&self, path: &SystemPath, words: &[&str]) -> bool;

    /// The stack of the thread that reads through this handle.
    fn stack(&self) -> &Stack;
}

/// An immutable view of the project, cheap to clone and to send to another thread. The project itself holds one through which
/// it writes; a write waits until every clone is dropped.
#[salsa::db]
#[derive(Clone)]
pub struct Snapshot {
    storage: salsa::Storage<Self>,
    files: Files,
    system: OverlaySystem,
    roots: Arc<Vec<(SystemPathBuf, Root)>>,
    knowledge: Arc<Knowledge>,
    open: Arc<HashSet<File>>,
    rules: Arc<RuleSelection>,
    analysis: Arc<AnalysisSettings>,
    revision: u128,
    stack: Stack,
    listing: listing::Listing,
    #[cfg(debug_assertions)]
    executions: executions::Log,
}

#[salsa::db]
impl salsa::Database for Snapshot {}

#[salsa::db]
impl ruff_db::Db for Snapshot {
    fn vendored(&self) -> &VendoredFileSystem {
        ty_vendored::file_system()
    }

    fn system(&self) -> &dyn System {
        &self.system
    }

    fn files(&self) -> &Files {
        &self.files
    }
}

#[salsa::db]
impl ty_module_resolver::Db for Snapshot {}

#[salsa::db]
impl ty_python_core::Db for Snapshot {
    fn should_check_file(&self, file: File) -> bool {
        !file.path(self).is_vendored_path()
    }
}

#[salsa::db]
impl ty_python_semantic::Db for Snapshot {
    fn check_file(&self, _file: File) -> Vec<Diagnostic> {
        Vec::new() // Types are the type checker's affair.
    }

    fn program_file(&self, file: File) -> ProgramFile<'_> {
        ProgramFile::new(self, file, program(self, self.root_of(file)))
    }

    fn python_version_with_source(&self, file: File) -> &PythonVersionWithSource {
        &self.root_of(file).settings(self).python_version
    }

    fn rule_selection(&self, _file: File) -> &RuleSelection {
        &self.rules
    }

    fn lint_registry(&self) -> &LintRegistry {
        default_lint_registry()
    }

    fn analysis_settings(&self, _file: File) -> &AnalysisSettings {
        &self.analysis
    }

    fn verbose(&self) -> bool {
        false
    }

    fn is_open_file(&self, file: File) -> bool {
        self.open.contains(&file)
    }

    fn dyn_clone(&self) -> Box<dyn ty_python_semantic::Db> {
        Box::new(self.clone())
    }
}

#[salsa::db]
impl Db for Snapshot {
    fn root_of(&self, file: File) -> Root {
        let path = file.path(self).as_system_path();
        let holds = |root: &&(SystemPathBuf, Root)| path.is_some_and(|path| path.starts_with(&root.0));
        let longest = self.roots.iter().filter(holds).max_by_key(|root| root.0.as_str().len());
        longest.unwrap_or(&self.roots[0]).1
    }

    fn knowledge(&self) -> &Knowledge {
        &self.knowledge
    }

    fn snapshot(&self) -> &Snapshot {
        self
    }

    fn mentions(&self, path: &SystemPath, words: &[&str]) -> bool {
        self.system.mentions(path, words)
    }

    fn stack(&self) -> &Stack {
        &self.stack
    }
}

impl Snapshot {
    /// A database over `roots`, of which there must be at least one.
    pub(super) fn new(
        system: OverlaySystem,
        roots: Vec<(SystemPathBuf, ProgramSettings)>,
        knowledge: Arc<Knowledge>,
    ) -> Self {
        debug_assert!(!roots.is_empty(), "a project has at least one root");
        #[cfg(debug_assertions)]
        let executions = executions::Log::default();
        #[cfg(debug_assertions)]
        let callback = Some(executions.callback());
        #[cfg(not(debug_assertions))]
        let callback = None;
        let mut database = Self {
            storage: salsa::Storage::new(callback),
            files: Files::default(),
            system,
            roots: Arc::default(),
            knowledge,
            open: Arc::default(),
            rules: Arc::new(RuleSelection::from_registry(default_lint_registry())),
            analysis: Arc::new(AnalysisSettings::default()),
            revision: 0,
            stack: Stack::default(),
            listing: listing::Listing::default(),
            #[cfg(debug_assertions)]
            executions,
        };
        Workspace::new(&database, None);
        // Roots are registered before any file is looked up: they set the durability of the files below them.
        for (path, settings) in &roots {
            database.files.try_add_root(&database, path, FileRootKind::Project);
            settings.search_paths.try_register_static_roots(&database);
        }
        let inputs = roots.into_iter().map(|(path, settings)| {
            let root = Root::new(&database, path.clone(), settings);
            (path, root)
        });
        database.roots = Arc::new(inputs.collect());
        database
    }

    /// Lays `text` over the file at `path`. Cancels every snapshot and waits for them.
    pub(super) fn set_buffer(&mut self, path: &SystemPath, text: Arc<str>) {
        // Readers must be gone before the buffers change, as the map is not under salsa's control:
        // a reader of the old revision would see the new text.
        salsa::Database::trigger_cancellation(self);
        self.revision += 1;
        let buffer = Buffer { revision: self.revision, text };
        if self.system.buffers.insert(path.to_path_buf(), buffer).is_none() {
            self.system.touch_folder_of(path);
        }
        self.sync(path);
        if let Ok(file) = ruff_db::files::system_path_to_file(self, path) {
            Arc::make_mut(&mut self.open).insert(file);
            self.learn_of(path);
        }
    }

    /// Takes the buffer off the file at `path`; the disk's text counts again.
    pub(super) fn close_buffer(&mut self, path: &SystemPath) {
        salsa::Database::trigger_cancellation(self);
        if self.system.buffers.remove(path).is_some() {
            self.system.touch_folder_of(path);
        }
        if let Ok(file) = ruff_db::files::system_path_to_file(self, path) {
            Arc::make_mut(&mut self.open).remove(&file);
        }
        self.sync(path);
    }

    /// Takes notice that the file or folder at `path` changed on disk.
    pub(super) fn sync(&mut self, path: &SystemPath) {
        File::sync_path(self, path);
        if path.as_std_path().is_file() {
            self.learn_of(path);
        }
        if let Some(parent) = path.parent() {
            File::sync_path(self, parent);
        }
    }

    /// Says which files make up the workspace.
    pub(super) fn set_workspace(&mut self, files: Option<Vec<PathBuf>>) {
        Workspace::get(self).set_files(self).to(files);
    }

    /// Adds a Python file to the workspace, if that is known and does not have it.
    fn learn_of(&mut self, path: &SystemPath) {
        let (workspace, path) = (Workspace::get(self), path.as_std_path());
        let Some(files) = workspace.files(self) else { return };
        if listing::is_python(path)
            && let Err(index) = files.binary_search_by(|file| file.as_path().cmp(path))
        {
            let mut files = files.clone();
            files.insert(index, path.to_path_buf());
            workspace.set_files(self).to(Some(files));
        }
    }

    /// Forgets what was read from the disk below all roots.
    pub(super) fn sync_all(&mut self) {
        Files::sync_all(self);
    }

    /// Gives the root at `path` other settings.
    pub(super) fn set_settings(&mut self, path: &SystemPath, settings: ProgramSettings) {
        settings.search_paths.try_register_static_roots(self);
        let root = self.roots.iter().find(|(root, _)| root.as_path() == path).map(|(_, root)| *root);
        if let Some(root) = root {
            root.set_settings(self).to(settings);
        }
    }

    /// The text of the editor's buffer over `path`, if there is one.
    pub(super) fn buffer(&self, path: &Path) -> Option<Arc<str>> {
        let path = SystemPath::from_std_path(path)?;
        self.system.buffers.get(path).map(|buffer| buffer.text.clone())
    }

    /// The program of the first root, for questions that do not depend on a root.
    pub(super) fn first_program(&self) -> Program<'_> {
        program(self, self.roots[0].1)
    }

    /// The paths of all roots.
    pub(super) fn root_paths(&self) -> impl Iterator<Item = &SystemPath> {
        self.roots.iter().map(|(path, _)| path.as_path())
    }
}
