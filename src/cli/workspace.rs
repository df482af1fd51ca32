//! What a command reads: roots, pages, files.

use std::collections::BTreeMap;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use crate::analysis::{
    BlockingTable, CTypes, Interrupted, Knowledge, Module, Problem, Project, RootSettings, RuntimeTable, STACK_SIZE,
    Snapshot,
};
use crate::features::{Options, View};
use crate::pages::{self, PageError, Store};
use crate::settings::{Configuration, Layer, page_sources};

use super::failure::Failure;
use super::files;
use super::terminal::Terminal;

/// The name of the threads that read code.
pub(super) const READER: &str = "reader";

/// The files of a command with their projects.
pub(super) struct Workspace {
    /// Never freed piece by piece: the process ends with the command, and a large project takes long to take apart.
    project: ManuallyDrop<Project>,
    /// By root.
    roots: BTreeMap<PathBuf, Root>,
    settings: Vec<RootSettings>,
}

/// What differs from root to root.
#[derive(Clone)]
pub(super) struct Root {
    pub(super) store: Arc<Store>,
    pub(super) options: Arc<Options>,
}

impl Workspace {
    /// Opens the projects that hold `files`, which are absolute. Tells what is not as it should be.
    pub(super) fn open(files: &[PathBuf], python: Option<&Path>, terminal: &Terminal) -> Result<Self, Failure> {
        let mut finder = RootFinder::default();
        Self::of_roots(files.iter().map(|file| finder.root(file)).collect(), python, terminal)
    }

    /// Opens the projects in the folders `paths`.
    pub(super) fn of_roots(
        mut paths: Vec<PathBuf>,
        python: Option<&Path>,
        terminal: &Terminal,
    ) -> Result<Self, Failure> {
        let command_line = match python {
            Some(python) => Layer::from_json(&json!({ "python": environment(python)? })),
            None => Layer::default(),
        };
        paths.sort();
        paths.dedup();
        let mut settings = vec![];
        let mut roots = BTreeMap::new();
        let embedded = Arc::new(Store::embedded());
        for path in paths {
            let configuration = configuration(&path, &command_line, terminal);
            let store = store(&configuration, &embedded, terminal);
            let options = Arc::new(Options { suppression_actions: false, ..configuration.options });
            settings.push(configuration.root);
            roots.insert(path, Root { store, options });
        }
        let project = open(&settings)?;
        for environment in project.environments() {
            match (&environment.problem, python) {
                (Some(problem), Some(python)) if !environment.is_too_old => {
                    return Err(Failure::new(format!("`--python {}` cannot be used: {problem}", python.display())));
                }
                (Some(problem), _) => terminal.warning(problem),
                (None, _) => {}
            }
        }
        Ok(Self { project: ManuallyDrop::new(project), roots, settings })
    }

    /// Opens the project anew, without the texts that were laid over files. What still reads keeps the old one.
    pub(super) fn reopen(&mut self) -> Result<(), Failure> {
        self.project = ManuallyDrop::new(open(&self.settings)?);
        Ok(())
    }

    pub(super) fn project_mut(&mut self) -> &mut Project {
        &mut self.project
    }

    pub(super) fn roots(&self) -> impl Iterator<Item = &Root> {
        self.roots.values()
    }

    pub(super) fn roots_mut(&mut self) -> impl Iterator<Item = &mut Root> {
        self.roots.values_mut()
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        self.project.snapshot()
    }

    /// The root that serves `file`: the longest that holds it.
    pub(super) fn root(&self, file: &Path) -> Option<&Root> {
        let holding = self.roots.iter().filter(|(path, _)| file.starts_with(path));
        holding.max_by_key(|(path, _)| path.as_os_str().len()).map(|(_, root)| root)
    }

    /// Reads one file on a thread with the stack that reading needs.
    pub(super) fn read<T: Send>(&self, file: &Path, read: impl FnOnce(&View) -> T + Send) -> Result<T, Failure> {
        let root = self.root(file).ok_or_else(|| Failure::new(format!("{} has no root", file.display())))?;
        let snapshot = self.snapshot();
        std::thread::scope(|scope| {
            let reader = std::thread::Builder::new().name(READER.to_string()).stack_size(STACK_SIZE);
            let thread = reader.spawn_scoped(scope, || read_file(snapshot, root, file, read))?;
            thread.join().unwrap_or_else(|_| Err(Failure::new("the reading thread ended early")))
        })
    }
}

fn open(settings: &[RootSettings]) -> Result<Project, Failure> {
    let opened = Project::open(settings, Arc::new(knowledge()?));
    let mut project = opened.map_err(|error| Failure::new(error.to_string()))?;
    project.look_through_workspace();
    Ok(project)
}

/// Reads one file on this thread, which must have a stack of `STACK_SIZE`.
pub(super) fn read_file<T>(
    snapshot: Snapshot,
    root: &Root,
    file: &Path,
    read: impl FnOnce(&View) -> T,
) -> Result<T, Failure> {
    try_file(snapshot, root, file, read).unwrap_or_else(|interrupted| Err(not_read(file, interrupted)))
}

/// As [`read_file`]; whoever asks may try again where the read was interrupted.
pub(super) fn try_file<T>(
    snapshot: Snapshot,
    root: &Root,
    file: &Path,
    read: impl FnOnce(&View) -> T,
) -> Result<Result<T, Failure>, Interrupted> {
    snapshot.read(|snapshot| {
        let module: Module = snapshot.module(file).map_err(|problem| problem_with(file, &problem))?;
        Ok(read(&View { module: &module, store: &root.store, options: &root.options }))
    })
}

/// What is told of a file whose read was interrupted.
pub(super) fn not_read(file: &Path, interrupted: Interrupted) -> Failure {
    let why = match interrupted {
        Interrupted::Cancelled => "the read was cancelled".to_string(),
        Interrupted::Panicked(message) => format!("this is a bug in dunderstand, please report it: {message}"),
    };
    Failure::new(format!("{}: {why}", files::shown(file)))
}

/// Why a file cannot be read, and what to do about it.
fn problem_with(file: &Path, problem: &Problem) -> Failure {
    let shown = files::shown(file);
    match problem {
        Problem::Missing(_) => Failure::new(format!("{shown} is not there any more, or it is no file")),
        Problem::Unreadable(_, why) if why.contains("UTF-8") => {
            Failure::new(format!("{shown}: {why}; save it as UTF-8, if it is Python"))
        }
        Problem::Unreadable(_, why) => Failure::new(format!("{shown}: {why}")),
    }
}

/// The absolute path of an environment; not canonical, as an environment's interpreter is a link out of it.
pub(super) fn environment(path: &Path) -> Result<String, Failure> {
    files::existing(path)?;
    let absolute = std::path::absolute(path)?;
    let text = absolute.to_str().map(str::to_string);
    text.ok_or_else(|| Failure::new(format!("the path {} is not valid UTF-8; rename it", path.display())))
}

/// A page's problem with its place.
fn shown_error(error: &PageError) -> String {
    format!("{}:{}: {}", files::shown(&error.path), error.line, error.message)
}

pub(super) fn knowledge() -> Result<Knowledge, Failure> {
    let table = |name: &str, error: String| Failure::new(format!("the table {name} in this program: {error}"));
    Ok(Knowledge {
        c_types: CTypes::from_toml(pages::table("c_types")).map_err(|error| table("c_types", error))?,
        runtime: RuntimeTable::from_toml(pages::table("runtime"))
            .map_err(|error| table("runtime", error.to_string()))?,
        blocking: BlockingTable::from_toml(pages::table("blocking"))
            .map_err(|error| table("blocking", error.to_string()))?,
    })
}

/// The pages that hold for a person in `folder`.
pub(super) fn store_at(folder: &Path, terminal: &Terminal) -> Arc<Store> {
    let root = RootFinder::default().root(&folder.join("file.py"));
    let configuration = configuration(&root, &Layer::default(), terminal);
    store(&configuration, &Arc::new(Store::embedded()), terminal)
}

/// The settings of a root; tells what is wrong in them.
fn configuration(root: &Path, command_line: &Layer, terminal: &Terminal) -> Configuration {
    let configuration = Configuration::load(root, &Layer::default(), command_line);
    for problem in &configuration.problems {
        let place = problem.path.as_deref().map(|path| format!("{}: ", files::shown(path))).unwrap_or_default();
        terminal.warning(&format!("{place}{}", problem.message));
    }
    configuration
}

/// The embedded pages with those of a team laid over them; tells which ones are left out.
fn store(configuration: &Configuration, embedded: &Arc<Store>, terminal: &Terminal) -> Arc<Store> {
    let (sources, errors) = page_sources(&configuration.page_folders);
    let store = match sources.is_empty() {
        true => embedded.clone(),
        false => Arc::new(Store::with(sources)),
    };
    for error in errors.iter().chain(store.errors()) {
        terminal.warning(&format!("{}; the page is left out", shown_error(error)));
    }
    store
}

/// Finds the roots of files, folder by folder.
#[derive(Default)]
struct RootFinder {
    known: BTreeMap<PathBuf, PathBuf>,
}

impl RootFinder {
    /// The nearest folder above `file` with a project's mark; without one, the folder above the topmost package.
    fn root(&mut self, file: &Path) -> PathBuf {
        let folder = file.parent().unwrap_or(file);
        if let Some(root) = self.known.get(folder) {
            return root.clone();
        }
        const MARKS: [&str; 4] = ["pyproject.toml", "setup.py", ".git", ".venv"];
        let is_marked = |folder: &&Path| MARKS.iter().any(|mark| folder.join(mark).exists());
        let is_package = |folder: &&Path| folder.join("__init__.py").is_file();
        let root = folder.ancestors().find(is_marked).or_else(|| folder.ancestors().find(|folder| !is_package(folder)));
        let root = root.unwrap_or(folder).to_path_buf();
        self.known.insert(folder.to_path_buf(), root.clone());
        root
    }
}
