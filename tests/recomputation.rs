//! A keystroke in one file works out anew only what depends on it: the questions that the engine and this crate answer anew are
//! counted, over a workspace of which six files reach the one that is edited.
#![cfg(debug_assertions)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dunderstand::analysis::{
    BlockingTable, CTypes, Execution, Knowledge, Project, RootSettings, RuntimeTable, STACK_SIZE, Snapshot,
};
use dunderstand::features::{Options, View, diagnostics};
use dunderstand::pages::{Store, table};

/// The files of the workspace.
const FILES: usize = 40;
/// Those from 1 to this one call what `part0.py` defines, each through the one before it.
const DEPENDENT: usize = 6;

/// The file that is edited.
const EDITED: &str = "\
import time

def leaf(seconds: float) -> None:
    time.sleep(seconds)

def other(seconds: float) -> None:
    time.sleep(seconds)
";

/// A way through the files before, in chains of six, and one that begins in this file.
fn part(number: usize) -> String {
    let before = number - 1;
    let first = match before {
        0 => "from .part0 import leaf as step0\n".to_string(),
        before if before % DEPENDENT == 0 => format!("from time import sleep as step{before}\n"),
        _ => format!("from .part{before} import step{before}\n"),
    };
    first
        + &format!(
            "from time import sleep\n\n\
         def step{number}(seconds: float) -> None:\n    step{before}(seconds)\n\n\
         def own{number}(seconds: float) -> None:\n    sleep(seconds)\n\n\
         async def run{number}() -> None:\n    step{number}(1)\n    own{number}(1)\n"
        )
}

/// A workspace in which nothing is known yet.
struct Workspace {
    project: Project,
    store: Store,
    root: PathBuf,
}

impl Workspace {
    fn open(name: &str) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&root);
        std::fs::create_dir_all(root.join("parts")).unwrap();
        let root = std::fs::canonicalize(&root).unwrap();
        std::fs::write(root.join("parts/__init__.py"), "").unwrap();
        std::fs::write(root.join("parts/part0.py"), EDITED).unwrap();
        for number in 1..FILES {
            std::fs::write(root.join(format!("parts/part{number}.py")), part(number)).unwrap();
        }
        let knowledge = Knowledge {
            c_types: CTypes::from_toml(table("c_types")).unwrap(),
            runtime: RuntimeTable::from_toml(table("runtime")).unwrap(),
            blocking: BlockingTable::from_toml(table("blocking")).unwrap(),
        };
        let settings =
            RootSettings { path: root.clone(), version: Some((3, 13)), isolated: true, ..RootSettings::default() };
        let mut project = Project::open(&[settings], Arc::new(knowledge)).unwrap();
        project.look_through_workspace();
        let mut workspace = Self { project, store: Store::embedded(), root };
        // An editor has the file open before somebody types.
        workspace.project.set_buffer(&workspace.path(0), EDITED);
        workspace
    }

    /// A workspace whose effects and diagnostics are known.
    fn known(name: &str) -> Self {
        let workspace = Self::open(name);
        assert_eq!(workspace.work_out(), 2 * (FILES - 1));
        workspace
    }

    fn path(&self, number: usize) -> PathBuf {
        self.root.join(format!("parts/part{number}.py"))
    }

    /// Works out the effects and the diagnostics of all files; gives the number of ways that are reported.
    fn work_out(&self) -> usize {
        let snapshot = self.project.snapshot();
        let (paths, store) = ((0..FILES).map(|number| self.path(number)).collect::<Vec<_>>(), &self.store);
        let count = |snapshot: &Snapshot| {
            let reported = paths.iter().map(|path| {
                snapshot.warm(path);
                let module = snapshot.module(path).unwrap();
                let options = Options::default();
                let view = View { module: &module, store, options: &options };
                let is_way = |id: &str| id == "asyncio/blocking-call-through";
                diagnostics(&view).iter().filter(|diagnostic| is_way(&diagnostic.concept)).count()
            });
            reported.sum()
        };
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(STACK_SIZE);
            let job = move || snapshot.read(count).unwrap();
            thread.spawn_scoped(scope, job).unwrap().join().unwrap()
        })
    }

    /// What is worked out anew when `part0.py` gets this text, and how many ways are reported then.
    fn edit(&mut self, text: &str) -> (Vec<Execution>, usize) {
        self.project.snapshot().note_executions();
        let path = self.path(0);
        self.project.set_buffer(&path, text);
        let reported = self.work_out();
        (self.project.snapshot().executions(), reported)
    }
}

/// The numbers of the files that a question was worked out for; `None` stands for every question.
fn files(executions: &[Execution], query: Option<&str>) -> BTreeSet<usize> {
    let asked = executions.iter().filter(|execution| query.is_none_or(|query| execution.query == query));
    let number = |execution: &Execution| {
        execution.path.as_ref()?.file_stem()?.to_str()?.strip_prefix("part")?.parse::<usize>().ok()
    };
    asked.filter_map(number).collect()
}

/// The functions that a question was worked out for.
fn functions(executions: &[Execution], query: &str) -> BTreeSet<String> {
    executions.iter().filter(|it| it.query == query).filter_map(|it| it.name.clone()).collect()
}

/// What was worked out for other files than the edited one, for a message.
fn elsewhere(executions: &[Execution]) -> Vec<&Execution> {
    executions
        .iter()
        .filter(|execution| !files(std::slice::from_ref(execution), None).is_subset(&only_edited()))
        .collect()
}

fn only_edited() -> BTreeSet<usize> {
    BTreeSet::from([0])
}

#[test]
fn at_first_everything_is_worked_out() {
    let mut workspace = Workspace::open("recompute-first");
    let (executions, reported) = workspace.edit(EDITED);
    assert_eq!(reported, 2 * (FILES - 1));
    assert_eq!(files(&executions, Some("frame")).len(), FILES);
    // `part0.py` has no coroutine function.
    assert_eq!(files(&executions, Some("way")).len(), FILES - 1);
    assert_eq!(files(&executions, Some("semantic_index")).len(), FILES);
}

#[test]
fn without_an_edit_nothing_is_worked_out() {
    let mut workspace = Workspace::known("recompute-nothing");
    let (executions, reported) = workspace.edit(EDITED);
    assert_eq!(reported, 2 * (FILES - 1));
    assert!(files(&executions, None).is_subset(&only_edited()), "{:#?}", elsewhere(&executions));
    assert_eq!(functions(&executions, "way"), BTreeSet::new());
}

#[test]
fn a_line_above_a_function_changes_no_effect() {
    let mut workspace = Workspace::known("recompute-above");
    let (executions, reported) = workspace.edit(&EDITED.replace("def leaf", "# Waits.\n\ndef leaf"));
    assert_eq!(reported, 2 * (FILES - 1));
    assert_eq!(files(&executions, Some("semantic_index")), only_edited());
    // Who imports the name looks it up anew, and finds what it had found.
    assert_eq!(files(&executions, Some("frame")), BTreeSet::from([0, 1]));
    assert!(files(&executions, None).is_subset(&BTreeSet::from([0, 1])), "{:#?}", elsewhere(&executions));
    assert_eq!(functions(&executions, "way"), BTreeSet::new());
}

#[test]
fn a_change_in_a_body_reaches_those_who_call_it() {
    let mut workspace = Workspace::known("recompute-body");
    let (executions, reported) = workspace.edit(&EDITED.replacen("    time.sleep", "    print()\n    time.sleep", 1));
    assert_eq!(reported, 2 * (FILES - 1));
    // The way to `time.sleep` is another one for all that come through `leaf`, and for nobody else.
    let through: BTreeSet<String> = (1..=DEPENDENT).map(|number| format!("step{number}")).collect();
    assert_eq!(functions(&executions, "way"), through);
    assert!(files(&executions, None).is_subset(&(0..=DEPENDENT).collect()), "{:#?}", elsewhere(&executions));
    // What a function calls is its own affair, and that of those who import it.
    assert_eq!(files(&executions, Some("frame")), BTreeSet::from([0, 1]));
    assert_eq!(files(&executions, Some("semantic_index")), only_edited());
    assert_eq!(files(&executions, Some("infer_definition_types")), only_edited());
}

#[test]
fn a_call_that_is_gone_is_gone_for_all_who_came_through() {
    let mut workspace = Workspace::known("recompute-gone");
    let (executions, reported) = workspace.edit(&EDITED.replacen("    time.sleep(seconds)", "    print(seconds)", 1));
    // Those who came through have only their own calls left.
    assert_eq!(reported, 2 * (FILES - 1) - DEPENDENT);
    assert!(files(&executions, Some("way")).is_subset(&(0..=DEPENDENT).collect()), "{:#?}", elsewhere(&executions));
}
