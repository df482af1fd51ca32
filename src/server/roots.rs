//! The workspace folders, each with its configuration and its pages.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tower_lsp_server::ls_types::{
    Diagnostic, DiagnosticSeverity, InitializeParams, MessageType, Position, Range, Uri, WorkspaceFolder,
};

use super::convert;
use super::outbox::Outbox;
use crate::analysis::RootSettings;
use crate::features::Options;
use crate::pages::{PageError, Store};
use crate::settings::{Configuration, Layer, PageFolders, page_sources};

/// What marks the folder of a project.
const MARKS: &[&str] = &["pyproject.toml", "setup.py", "setup.cfg", ".git", ".venv"];
/// The most roots that files outside of every workspace folder may add.
const IMPLICIT: usize = 8;

/// One workspace folder.
pub(super) struct Root {
    pub(super) path: PathBuf,
    /// The address the client knows it by; `None` for one that was made for a single file.
    pub(super) uri: Option<Uri>,
    pub(super) store: Arc<Store>,
    pub(super) options: Arc<Options>,
    pub(super) page_folders: PageFolders,
    settings: RootSettings,
    looks_through_workspace: bool,
    /// What the editor says.
    editor: Layer,
}

/// What a change of settings asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Changed {
    /// Another environment or version: everything is looked up anew.
    pub(super) environment: bool,
    /// Whether the workspace is looked through.
    pub(super) workspace: bool,
}

/// All workspace folders.
pub(super) struct Roots {
    roots: Vec<Root>,
    embedded: Arc<Store>,
    defaults: Arc<Options>,
    outbox: Outbox,
    /// The page files with a diagnostic, and what it says.
    reported: BTreeMap<PathBuf, Vec<PageError>>,
}

/// The folders that `initialize` names.
pub(super) fn folders_of(params: &InitializeParams) -> Vec<Uri> {
    let folders = params.workspace_folders.iter().flatten().map(|folder| folder.uri.clone());
    let folders: Vec<Uri> = folders.collect();
    if !folders.is_empty() {
        return folders;
    }
    #[expect(deprecated, reason = "clients without workspace folders name their one root so")]
    let (uri, path) = (params.root_uri.clone(), params.root_path.clone());
    uri.or_else(|| convert::to_uri(Path::new(&path?))).into_iter().collect()
}

impl Roots {
    pub(super) fn new(outbox: Outbox) -> Self {
        Self {
            roots: vec![],
            embedded: Arc::new(Store::embedded()),
            defaults: Arc::new(crate::settings::Settings::default().options),
            outbox,
            reported: BTreeMap::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Root> {
        self.roots.iter()
    }

    /// Whether files that nobody has opened are read: what only a part of them says is worth nothing.
    pub(super) fn are_looked_through(&self) -> bool {
        self.roots.iter().all(|root| root.looks_through_workspace)
    }

    /// What the analysis needs to know about each root.
    pub(super) fn settings(&self) -> Vec<RootSettings> {
        self.roots.iter().map(|root| root.settings.clone()).collect()
    }

    /// The root that serves `path`: the longest that holds it, or the first.
    pub(super) fn serving(&self, path: Option<&Path>) -> Option<&Root> {
        let holding = self.roots.iter().filter(|root| path.is_some_and(|path| path.starts_with(&root.path)));
        holding.max_by_key(|root| root.path.as_os_str().len()).or(self.roots.first())
    }

    /// The pages and options for `path`.
    pub(super) fn store_and_options(&self, path: Option<&Path>) -> (Arc<Store>, Arc<Options>) {
        match self.serving(path) {
            Some(root) => (root.store.clone(), root.options.clone()),
            None => (self.embedded.clone(), self.defaults.clone()),
        }
    }

    /// Adds a workspace folder. Folders that are not on disk are left out.
    pub(super) fn add(&mut self, uri: Uri, editor: &Layer) {
        if !convert::is_file(&uri) {
            return;
        }
        let path = convert::to_path(&uri);
        if !self.roots.iter().any(|root| root.path == path) {
            self.push(path, Some(uri), editor);
        }
    }

    /// Adds a root for a single file, if none holds it and no folder is open; says whether it did.
    pub(super) fn add_for_file(&mut self, file: &Path, editor: &Layer) -> bool {
        let is_held = self.roots.iter().any(|root| file.starts_with(&root.path));
        let has_folders = self.roots.iter().any(|root| root.uri.is_some());
        let Some(parent) = file.parent() else { return false };
        if is_held || has_folders || self.roots.len() >= IMPLICIT {
            return false;
        }
        let marked = parent.ancestors().find(|folder| MARKS.iter().any(|mark| folder.join(mark).exists()));
        self.push(marked.unwrap_or(parent).to_path_buf(), None, editor);
        true
    }

    fn push(&mut self, path: PathBuf, uri: Option<Uri>, editor: &Layer) {
        let mut root = Root {
            path,
            uri,
            store: self.embedded.clone(),
            options: self.defaults.clone(),
            page_folders: PageFolders::default(),
            settings: RootSettings::default(),
            looks_through_workspace: true,
            editor: editor.clone(),
        };
        configure(&mut root, &self.outbox);
        self.roots.push(root);
    }

    pub(super) fn remove(&mut self, folders: &[WorkspaceFolder]) {
        // By the path: an address can be spelled in several ways.
        let gone: Vec<PathBuf> = folders.iter().map(|folder| convert::to_path(&folder.uri)).collect();
        self.roots.retain(|root| root.uri.is_none() || !gone.contains(&root.path));
    }

    /// Takes the editor's settings, one layer for each root in order; the last serves those that are left.
    pub(super) fn set_editor(&mut self, layers: &[Layer]) -> Changed {
        for (index, root) in self.roots.iter_mut().enumerate() {
            if let Some(layer) = layers.get(index).or(layers.last()) {
                root.editor = layer.clone();
            }
        }
        self.reconfigure()
    }

    /// Reads all project files and pages again.
    pub(super) fn reconfigure(&mut self) -> Changed {
        let mut changed = Changed::default();
        let looked_through = self.are_looked_through();
        for root in &mut self.roots {
            changed.environment |= configure(root, &self.outbox);
        }
        changed.workspace = self.are_looked_through() != looked_through;
        self.read_pages();
        changed
    }

    /// Reads the teams' pages again. A page that cannot be used gets a diagnostic, and is left out.
    pub(super) fn read_pages(&mut self) {
        let mut errors: BTreeMap<PathBuf, Vec<PageError>> = BTreeMap::new();
        for root in &mut self.roots {
            let (sources, unreadable) = page_sources(&root.page_folders);
            root.store = match sources.is_empty() {
                true => self.embedded.clone(),
                false => Arc::new(Store::with(sources)),
            };
            let embedded = self.embedded.errors();
            let of_team = root.store.errors().iter().filter(|error| !embedded.contains(error)).cloned();
            for error in unreadable.into_iter().chain(of_team) {
                errors.entry(error.path.clone()).or_default().push(error);
            }
        }
        errors.values_mut().for_each(|errors| errors.dedup());
        let paths: BTreeSet<&PathBuf> = self.reported.keys().chain(errors.keys()).collect();
        for path in paths.into_iter().filter(|path| self.reported.get(*path) != errors.get(*path)) {
            if let Some(uri) = convert::to_uri(path) {
                let diagnostics = errors.get(path).into_iter().flatten().map(page_diagnostic);
                self.outbox.publish(uri, diagnostics.collect(), None);
            }
        }
        self.reported = errors;
    }

    /// Whether `path` is a page of a team's.
    pub(super) fn hold_page(&self, path: &Path) -> bool {
        self.roots.iter().any(|root| root.page_folders.hold(path))
    }
}

/// Reads a root's project file; says whether its environment is another one now.
fn configure(root: &mut Root, outbox: &Outbox) -> bool {
    let configuration = Configuration::load(&root.path, &root.editor, &Layer::default());
    for problem in &configuration.problems {
        outbox.warn(problem.to_string());
    }
    if !root.editor.unknown().is_empty() {
        outbox
            .log_once(MessageType::LOG, format!("Unknown settings are ignored: {}", root.editor.unknown().join(", ")));
    }
    let changed = root.settings != configuration.root;
    root.options = Arc::new(configuration.options);
    root.page_folders = configuration.page_folders;
    root.looks_through_workspace = configuration.settings.looks_through_workspace;
    root.settings = configuration.root;
    changed
}

fn page_diagnostic(error: &PageError) -> Diagnostic {
    let line = u32::try_from(error.line.saturating_sub(1)).unwrap_or_default();
    Diagnostic {
        range: Range::new(Position::new(line, 0), Position::new(line + 1, 0)),
        severity: Some(DiagnosticSeverity::ERROR),
        source: Some("dunderstand".to_string()),
        message: error.message.clone(),
        ..Diagnostic::default()
    }
}
