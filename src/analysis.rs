//! What the code means: names, classes, attributes, where code runs. The only module that names the engine.
//!
//! A [`Project`] is the one mutable owner; a [`Snapshot`] is an immutable clone of it for one request, and a
//! [`Module`] is one file seen through a snapshot. Handles such as [`Class`] borrow from the snapshot, so the
//! compiler holds what salsa asks: nothing of the engine outlives the read it was made in.
//!
//! Absent on purpose: no type, no `Definition` and no salsa value is visible outside; nothing here fails on broken code, it
//! answers less. Text rules of the run time that the stubs do not know stand in `runtime`.

mod attributes;
mod blocking;
mod calls;
mod classes;
mod database;
mod dead_code;
mod definitions;
mod effects;
mod entry_points;
mod environment;
mod factories;
mod facts;
mod functions;
mod limits;
mod locks;
mod long_tables;
mod mentions;
mod module;
mod name_lookups;
mod names;
mod overlay;
mod references;
mod related;
mod runners;
mod runtime;
mod site;
mod stack;
mod syntax_index;
mod tokens;
mod tracing;
mod values;
mod warming;
mod words;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use attributes::{Access, Lookup, Member, MemberKind, Step};
pub use blocking::{BlockingCall, BlockingTable};
pub use classes::{Class, Metaclass};
#[cfg(debug_assertions)]
pub use database::Execution;
pub use database::Snapshot;
pub use dead_code::blocks;
pub use effects::{BlockingPath, PathStep};
pub use environment::{Environment, OLDEST, ProjectError, RootSettings, Version};
pub use facts::{ClassFacts, FileFacts, FunctionFacts, FunctionKind, GlobalFacts, MemberFacts};
pub use functions::Function;
pub use limits::{FILE_SIZE, TooMuch};
pub use locks::{LockId, LockTaken};
pub use module::{Module, Problem, count_syntax_errors, parses};
pub use names::{Origin, Symbol};
pub use references::{NotTold, Reference, ReferenceKind};
pub use runners::{Given, RunElsewhere, Runner};
pub use runtime::{DescriptorKind, RuntimeTable};
pub use site::{ExecutionContext, Site};
pub use tokens::{Token, tokens};

pub use values::{CTypes, Layout};
pub use warming::workspace_files;

use environment::system_path;
use overlay::OverlaySystem;

/// The stack a thread needs that reads a [`Snapshot`]: inference recurses deeply.
pub const STACK_SIZE: usize = ruff_db::STACK_SIZE;

/// What is known about libraries that their code or stubs do not say; read once at start.
#[derive(Debug, Default)]
pub struct Knowledge {
    pub runtime: RuntimeTable,
    pub c_types: CTypes,
    pub blocking: BlockingTable,
}

/// The mutable owner of everything known about the code. Writes wait until all snapshots are dropped, so never keep a
/// snapshot on the thread that writes.
pub struct Project {
    database: Snapshot,
    environments: Vec<Environment>,
}

impl Project {
    /// Opens the folders in `roots`; their environments are searched, nothing is run.
    ///
    /// # Errors
    /// When no root is given or a path is not valid UTF-8. A missing environment is no error: see [`Environment::problem`].
    pub fn open(roots: &[RootSettings], knowledge: Arc<Knowledge>) -> Result<Self, ProjectError> {
        let first = roots.first().ok_or(ProjectError::NoRoot)?;
        let system = OverlaySystem::new(&system_path(&first.path)?);
        let mut environments = vec![];
        let mut programs = vec![];
        for root in roots {
            let (program, environment) = environment::discover(root, &system)?;
            programs.push((system_path(&root.path)?, program));
            environments.push(environment);
        }
        Ok(Self { database: Snapshot::new(system, programs, knowledge), environments })
    }

    /// What was found for each root, in the order given.
    pub fn environments(&self) -> &[Environment] {
        &self.environments
    }

    /// A read-only view of the project as it is now; move it to another thread and drop it soon.
    pub fn snapshot(&self) -> Snapshot {
        self.database.fresh()
    }

    /// Lays an unsaved text over the file at `path`, which need not exist.
    pub fn set_buffer(&mut self, path: &Path, text: impl Into<Arc<str>>) {
        if let Ok(path) = system_path(path) {
            self.database.set_buffer(&path, text.into());
        }
    }

    /// Takes the unsaved text away.
    pub fn close_buffer(&mut self, path: &Path) {
        if let Ok(path) = system_path(path) {
            self.database.close_buffer(&path);
        }
    }

    /// The unsaved text over `path`.
    pub fn buffer(&self, path: &Path) -> Option<Arc<str>> {
        self.database.buffer(path)
    }

    /// Takes notice of files created, changed or deleted on disk. An empty list stands for "anything".
    pub fn files_changed(&mut self, paths: &[PathBuf]) {
        if paths.is_empty() {
            self.database.sync_all();
        }
        for path in paths.iter().filter_map(|path| system_path(path).ok()) {
            self.database.sync(&path);
        }
    }

    /// Lets everything be computed anew that a panic left unfinished; until then, whoever needs it gets
    /// [`Interrupted::Panicked`]. Waits until all snapshots are dropped.
    pub fn recover(&mut self) {
        salsa::Database::synthetic_write(&mut self.database, salsa::Durability::LOW);
    }

    /// Searches the environments anew with other settings for the same roots.
    ///
    /// # Errors
    /// As [`Project::open`].
    pub fn reconfigure(&mut self, roots: &[RootSettings]) -> Result<(), ProjectError> {
        let first = roots.first().ok_or(ProjectError::NoRoot)?;
        let system = OverlaySystem::new(&system_path(&first.path)?);
        self.environments.clear();
        for root in roots {
            let (program, environment) = environment::discover(root, &system)?;
            self.database.set_settings(&system_path(&root.path)?, program);
            self.environments.push(environment);
        }
        Ok(())
    }
}

/// Why a read ended without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interrupted {
    /// A write came in or the request was cancelled; ask again on a new snapshot.
    Cancelled,
    /// A bug: the panic's message. The project is unharmed.
    Panicked(String),
}

impl Snapshot {
    /// Runs `read` on this snapshot, which is dropped before this returns, and catches cancellation and panics.
    ///
    /// # Errors
    /// [`Interrupted`] when a write or a panic ended the read.
    pub fn read<T>(self, read: impl FnOnce(&Snapshot) -> T) -> Result<T, Interrupted> {
        let caught = catch_unwind(AssertUnwindSafe(|| salsa::Cancelled::catch(AssertUnwindSafe(|| read(&self)))));
        // A write ends all reads by unwinding. One that waited for the result of another sees that as a panic of the other.
        let write_waits = || salsa::Cancelled::catch(AssertUnwindSafe(|| self.stop_if_cancelled())).is_err();
        match caught {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(salsa::Cancelled::PropagatedPanic)) if !write_waits() => {
                Err(Interrupted::Panicked("another thread panicked in the same query".to_string()))
            }
            Ok(Err(_)) => Err(Interrupted::Cancelled),
            Err(panic) => Err(Interrupted::Panicked(panic_message(panic.as_ref()))),
        }
    }

    /// A switch that ends reads of this snapshot from another thread.
    pub fn cancellation(&self) -> Cancellation {
        Cancellation(salsa::Database::cancellation_token(self))
    }

    /// Ends the read here if a write waits. For loops that ask the engine nothing.
    pub fn stop_if_cancelled(&self) {
        salsa::Database::unwind_if_revision_cancelled(self);
    }

    /// The file at `path`, parsed.
    ///
    /// # Errors
    /// A [`Problem`] that says why the file cannot be explained.
    pub fn module(&self, path: &Path) -> Result<Module<'_>, Problem> {
        Module::open(self, path)
    }

    /// The paths of the workspace roots.
    pub fn roots(&self) -> Vec<PathBuf> {
        self.root_paths().map(|path| path.as_std_path().to_path_buf()).collect()
    }
}

/// Ends the reads of one snapshot.
pub struct Cancellation(salsa::CancellationToken);

impl Cancellation {
    /// Makes the reads stop at their next question to the engine.
    pub fn cancel(&self) {
        self.0.cancel();
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without a message".to_string())
}
