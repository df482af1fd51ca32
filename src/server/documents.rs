//! The texts that the client has open.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tower_lsp_server::ls_types::{TextDocumentContentChangeEvent, Uri};

use super::convert;
use crate::text::{Encoding, Lines};

/// An open text.
pub(super) struct Document {
    /// Rises with every change, and does not start again when the file is closed and opened.
    pub(super) revision: u64,
    pub(super) is_python: bool,
    lines: Lines,
}

impl Document {
    pub(super) fn text(&self) -> &str {
        self.lines.text()
    }

    fn apply(&mut self, changes: Vec<TextDocumentContentChangeEvent>, encoding: Encoding) {
        for change in changes {
            let text = match change.range {
                None => change.text,
                Some(range) => {
                    let range = self.lines.range(convert::from_range(range), encoding);
                    let old = self.lines.text();
                    let (before, behind) = (&old[..range.start().to_usize()], &old[range.end().to_usize()..]);
                    [before, &change.text, behind].concat()
                }
            };
            self.lines = Lines::new(text);
        }
    }
}

/// Which files are open, for readers.
pub(super) type OpenFiles = BTreeMap<PathBuf, (Uri, i32)>;

/// All open texts, by path.
#[derive(Default)]
pub(super) struct Documents {
    documents: BTreeMap<PathBuf, Document>,
    open: Arc<OpenFiles>,
    last_revision: u64,
}

impl Documents {
    pub(super) fn open(&mut self, path: PathBuf, uri: Uri, version: i32, is_python: bool, text: String) {
        self.last_revision += 1;
        let document = Document { revision: self.last_revision, is_python, lines: Lines::new(text) };
        self.documents.insert(path.clone(), document);
        Arc::make_mut(&mut self.open).insert(path, (uri, version));
    }

    /// Changes an open text; says whether it is one of Python's.
    pub(super) fn change(
        &mut self,
        path: &Path,
        version: i32,
        changes: Vec<TextDocumentContentChangeEvent>,
        encoding: Encoding,
    ) -> Option<bool> {
        let document = self.documents.get_mut(path)?;
        self.last_revision += 1;
        document.revision = self.last_revision;
        document.apply(changes, encoding);
        if let Some(open) = Arc::make_mut(&mut self.open).get_mut(path) {
            open.1 = version;
        }
        Some(document.is_python)
    }

    pub(super) fn close(&mut self, path: &Path) -> Option<Uri> {
        self.documents.remove(path)?;
        self.last_revision += 1;
        Arc::make_mut(&mut self.open).remove(path).map(|(uri, _)| uri)
    }

    pub(super) fn get(&self, path: &Path) -> Option<&Document> {
        self.documents.get(path)
    }

    /// The open texts of Python's.
    pub(super) fn python(&self) -> impl Iterator<Item = (&PathBuf, &Document)> {
        self.documents.iter().filter(|(_, document)| document.is_python)
    }

    pub(super) fn open_files(&self) -> &Arc<OpenFiles> {
        &self.open
    }
}
