//! What the server knows: the project, the open texts, the roots. Owned by one thread, changed in order of arrival.

mod make_way;
mod settings;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use tower_lsp_server::jsonrpc::{Error, ErrorCode};
use tower_lsp_server::ls_types::{
    DidChangeTextDocumentParams, DidOpenTextDocumentParams, FileEvent, MessageType, Uri, WorkspaceFoldersChangeEvent,
};

use super::capabilities::Abilities;
use super::documents::Documents;
use super::outbox::Outbox;
use super::queue::{Queue, Read, Ticket, Workers, failed, limit};
use super::reading::Setting;
use super::roots::{Changed, Roots};
use super::warming::{Milestone, News, Warming};
use super::{convert, diagnostics};
use crate::analysis::{BlockingTable, CTypes, Knowledge, Project, RuntimeTable};
use crate::pages::{Store, table};
use crate::settings::{Layer, ProjectFile};

/// From this many changed files on, everything is read again.
const MANY_FILES: usize = 200;

/// The server's state.
pub(super) struct Session {
    queue: Queue,
    workers: Workers,
    outbox: Outbox,
    knowledge: Arc<Knowledge>,
    project: Option<Project>,
    pub(super) roots: Roots,
    documents: Documents,
    abilities: Arc<Abilities>,
    /// The settings that `initialize` brought.
    initial: Layer,
    /// Reads that wait for the editor's settings.
    held: Option<Vec<Read>>,
    /// Open texts that the project has not been given yet.
    unsynced: BTreeSet<PathBuf>,
    /// Files whose diagnostics are to be published.
    unpublished: BTreeSet<PathBuf>,
    /// Whether hints and diagnostics of other files may be out of date.
    stale: bool,
    warming: Warming,
    /// Files whose reads do not end.
    given_up: BTreeSet<PathBuf>,
}

impl Session {
    pub(super) fn new(queue: &Queue, outbox: Outbox) -> Self {
        let knowledge = || {
            let runtime = RuntimeTable::from_toml(table("runtime"))?;
            let blocking = BlockingTable::from_toml(table("blocking"))?;
            let c_types = CTypes::from_toml(table("c_types"))?;
            Ok::<_, String>(Knowledge { runtime, c_types, blocking })
        };
        let knowledge = knowledge().unwrap_or_else(|error| {
            outbox.log(MessageType::ERROR, format!("a built-in table is broken: {error}"));
            Knowledge::default()
        });
        let workers = Workers::start(queue);
        Self {
            queue: queue.clone(),
            given_up: BTreeSet::new(),
            warming: Warming::start(queue, outbox.clone(), &workers, 0),
            workers,
            roots: Roots::new(outbox.clone()),
            outbox,
            knowledge: Arc::new(knowledge),
            project: None,
            documents: Documents::default(),
            abilities: Arc::default(),
            initial: Layer::default(),
            held: None,
            unsynced: BTreeSet::new(),
            unpublished: BTreeSet::new(),
            stale: false,
        }
    }

    /// Takes what `initialize` says.
    pub(super) fn initialize(&mut self, abilities: Abilities, folders: Vec<Uri>, settings: &Value) {
        self.abilities = Arc::new(abilities);
        self.initial = Layer::from_json(settings);
        for folder in folders {
            self.roots.add(folder, &self.initial);
        }
        self.roots.read_pages();
        self.open_project();
    }

    /// Opens the project anew, with all open texts.
    fn open_project(&mut self) {
        let settings = self.roots.settings();
        self.project = None;
        if settings.is_empty() {
            return;
        }
        match Project::open(&settings, self.knowledge.clone()) {
            Ok(project) => self.project = Some(project),
            Err(error) => self.outbox.warn(error.to_string()),
        }
        self.unsynced = self.documents.python().map(|(path, _)| path.clone()).collect();
        self.begin_warming();
        self.tell_of_environments();
    }

    /// Looks through the workspace, unless a person does not want that.
    fn begin_warming(&mut self) {
        match self.roots.are_looked_through() {
            true => self.warming.begin(),
            false => self.warming.stop(),
        }
    }

    fn tell_of_environments(&self) {
        for environment in self.project.iter().flat_map(Project::environments) {
            if let Some(problem) = &environment.problem {
                self.outbox.warn(problem.clone());
            } else if environment.prefix.is_none() {
                let (major, minor) = environment.version;
                self.outbox.warn(format!(
                    "no Python was found: the code is explained as Python {major}.{minor} runs it, and third-party packages are not resolved; set `dunderstand.python` to an interpreter or environment."
                ));
            }
        }
    }

    pub(super) fn open(&mut self, params: DidOpenTextDocumentParams) {
        let document = params.text_document;
        let path = convert::to_path(&document.uri);
        let is_python = document.language_id == "python" || path.extension().is_some_and(|end| end == "py");
        if is_python && self.roots.add_for_file(&path, &self.initial) {
            self.roots.read_pages();
            self.open_project();
        }
        if is_python {
            self.mark_changed(&path);
        }
        self.documents.open(path, document.uri, document.version, is_python, document.text);
    }

    pub(super) fn change(&mut self, params: DidChangeTextDocumentParams) {
        let path = convert::to_path(&params.text_document.uri);
        let (version, encoding) = (params.text_document.version, self.abilities.encoding);
        match self.documents.change(&path, version, params.content_changes, encoding) {
            Some(true) => self.mark_changed(&path),
            Some(false) => {}
            None => {
                let uri = params.text_document.uri.as_str();
                self.outbox.log_once(MessageType::WARNING, format!("a text that is not open was changed: {uri}"));
            }
        }
    }

    fn mark_changed(&mut self, path: &Path) {
        self.unsynced.insert(path.to_path_buf());
        self.unpublished.insert(path.to_path_buf());
    }

    pub(super) fn close(&mut self, uri: &Uri) {
        let path = convert::to_path(uri);
        let Some(uri) = self.documents.close(&path) else { return };
        self.unsynced.remove(&path);
        self.unpublished.remove(&path);
        if let Some(project) = self.project_to_change() {
            project.close_buffer(&path);
        }
        if !self.abilities.pulls_diagnostics {
            self.outbox.publish(uri, vec![], None);
        }
    }

    /// Takes notice of files that changed on disk.
    pub(super) fn files_changed(&mut self, paths: Vec<PathBuf>) {
        let is_configuration = |path: &PathBuf| ProjectFile::NAMES.iter().any(|name| path.ends_with(name));
        if paths.iter().any(is_configuration) {
            let changed = self.roots.reconfigure();
            self.take(changed);
        } else if paths.iter().any(|path| self.roots.hold_page(path)) {
            self.roots.read_pages();
            self.everything_is_stale();
        }
        if paths.iter().any(|path| path.ends_with("pyvenv.cfg")) {
            self.take(Changed { environment: true, ..Changed::default() });
        }
        let is_code = |path: &PathBuf| path.extension().is_none_or(|end| end == "py" || end == "pyi");
        let code: Vec<PathBuf> = paths.into_iter().filter(is_code).collect();
        if !code.is_empty() {
            if let Some(project) = self.project_to_change() {
                project.files_changed(if code.len() > MANY_FILES { &[] } else { &code });
            }
            if code.len() > MANY_FILES {
                self.begin_warming();
            }
            self.everything_is_stale();
        }
    }

    pub(super) fn watched_files_changed(&mut self, events: &[FileEvent]) {
        self.files_changed(events.iter().map(|event| convert::to_path(&event.uri)).collect());
    }

    pub(super) fn folders_changed(&mut self, event: WorkspaceFoldersChangeEvent) {
        self.roots.remove(&event.removed);
        for folder in event.added {
            self.roots.add(folder.uri, &self.initial);
        }
        // When the last folder goes, open files are explained as single ones.
        for (path, _) in self.documents.python() {
            self.roots.add_for_file(path, &self.initial);
        }
        self.roots.read_pages();
        self.open_project();
        self.everything_is_stale();
    }

    fn everything_is_stale(&mut self) {
        self.stale = true;
        self.unpublished.extend(self.documents.python().map(|(path, _)| path.clone()));
    }

    /// Keeps reads back until [`Session::release`].
    pub(super) fn hold(&mut self) {
        self.held.get_or_insert_default();
    }

    pub(super) fn release(&mut self) {
        let held = self.held.take().unwrap_or_default();
        self.stale = false; // Nothing has been answered yet.
        for read in held {
            self.hand_out(read);
        }
    }

    /// Does what can wait until the queue is empty.
    pub(super) fn settle(&mut self) {
        self.sync();
        if self.held.is_some() {
            return;
        }
        if std::mem::take(&mut self.stale) {
            if self.abilities.refreshes_hints {
                self.outbox.refresh_hints();
            }
            if self.abilities.refreshes_diagnostics && self.abilities.pulls_diagnostics {
                self.outbox.refresh_diagnostics();
            }
        }
        for path in std::mem::take(&mut self.unpublished) {
            if !self.abilities.pulls_diagnostics {
                self.publish(path);
            }
        }
        if let Some(project) = &self.project {
            self.warming.go_on(|| self.roots.iter().map(|root| root.path.clone()).collect(), || project.snapshot());
        }
    }

    /// Takes news of the work in the background. What the workspace says is shown once all of it is known.
    pub(super) fn hear_of_warming(&mut self, round: u64, news: News) {
        let news = match news {
            News::Listed(Some(files)) => {
                News::Listed(Some(files.into_iter().filter(|file| !self.given_up.contains(file)).collect()))
            }
            other => other,
        };
        match self.warming.hear(round, news, self.abilities.progress) {
            Some(Milestone::Known(files)) => {
                if let Some(project) = self.project_to_change() {
                    project.know_workspace(files);
                }
            }
            Some(Milestone::Done(true)) => self.everything_is_stale(),
            _ => {}
        }
    }

    /// A person has had enough of it.
    pub(super) fn stop_warming(&mut self) {
        self.warming.stop();
    }

    fn publish(&mut self, path: PathBuf) {
        let Some((uri, version)) = self.documents.open_files().get(&path).cloned() else { return };
        let (outbox, about) = (self.outbox.clone(), path.clone());
        let done = move |result: Result<_, Error>| {
            // An interrupted read is of a text that has changed: its diagnostics come with the change.
            if let Ok(items) = result {
                outbox.publish(uri, items, Some(version));
            }
        };
        let ticket = Arc::new(Ticket::default());
        self.hand_out(Read::new(ticket, Some(path), move |reading| Ok(diagnostics::of(reading, &about)), done));
    }

    /// Lets the next reads compute anew what a panic left unfinished.
    pub(super) fn recover(&mut self) {
        if let Some(project) = self.project_to_change() {
            project.recover();
        }
    }

    /// Gives the project the open texts it does not have yet.
    fn sync(&mut self) {
        if self.unsynced.is_empty() {
            return;
        }
        self.make_way();
        let Some(project) = &mut self.project else { return };
        for path in std::mem::take(&mut self.unsynced) {
            if let Some(document) = self.documents.get(&path) {
                project.set_buffer(&path, document.text());
            }
        }
    }

    /// Starts a read, unless nobody waits for it or its document is not the one it was about.
    pub(super) fn hand_out(&mut self, mut read: Read) {
        if read.ticket.is_cancelled() {
            return;
        }
        let document = read.path.as_deref().and_then(|path| self.documents.get(path));
        let revision = document.map_or(0, |document| document.revision);
        if *read.revision.get_or_insert(revision) != revision {
            read.fail(Error::new(ErrorCode::ContentModified));
            return;
        }
        if let Some(held) = &mut self.held {
            held.push(read);
            return;
        }
        self.sync();
        let overdue = self.workers.running.overdue(limit());
        if !overdue.is_empty() {
            self.give_up(overdue);
            self.sync();
        }
        let path = read.path.as_deref();
        if path.is_some_and(|path| self.given_up.contains(path)) {
            read.fail(failed("the file is not explained: working out its types did not end".to_string()));
            return;
        }
        let Some(project) = &self.project else {
            read.fail(failed("no folder and no Python file is open".to_string()));
            return;
        };
        let (store, options) = self.roots.store_and_options(path);
        let setting = Setting {
            store,
            options,
            abilities: self.abilities.clone(),
            open: self.documents.open_files().clone(),
            outbox: self.outbox.clone(),
        };
        self.workers.run(read, project.snapshot(), setting);
    }

    /// The pages for a document, or for the first root.
    pub(super) fn store(&self, path: Option<&Path>) -> Arc<Store> {
        self.roots.store_and_options(path).0
    }

    pub(super) fn abilities(&self) -> &Abilities {
        &self.abilities
    }
}
