//! What a request sees: the code as it is at the request's turn, and what holds for the document's root.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tower_lsp_server::ls_types::{Location, MessageType, Range, Uri};

use super::capabilities::Abilities;
use super::convert;
use super::documents::OpenFiles;
use super::outbox::Outbox;
use crate::analysis::{Module, Problem, Snapshot};
use crate::features::{Options, View};
use crate::pages::Store;
use crate::text::{Place, Span, TextRange};

/// What holds around a request, but for the code.
#[derive(Clone)]
pub(super) struct Setting {
    pub(super) store: Arc<Store>,
    pub(super) options: Arc<Options>,
    pub(super) abilities: Arc<Abilities>,
    pub(super) open: Arc<OpenFiles>,
    pub(super) outbox: Outbox,
}

/// A request's view of everything.
pub(super) struct Reading<'s> {
    pub(super) snapshot: &'s Snapshot,
    pub(super) setting: &'s Setting,
    /// Places already converted: many hints lead to the same line.
    places: RefCell<BTreeMap<Place, Option<Span>>>,
}

impl<'s> Reading<'s> {
    pub(super) fn new(snapshot: &'s Snapshot, setting: &'s Setting) -> Self {
        Self { snapshot, setting, places: RefCell::default() }
    }

    /// The file at `path`; one that cannot be explained is mentioned in the log, once.
    pub(super) fn module(&self, path: &Path) -> Option<Module<'s>> {
        match self.snapshot.module(path) {
            Ok(module) => Some(module),
            Err(Problem::Missing(_)) => None,
            Err(problem) => {
                self.setting.outbox.log_once(MessageType::WARNING, problem.to_string());
                None
            }
        }
    }

    pub(super) fn view<'a>(&'a self, module: &'a Module<'s>) -> View<'a, 's> {
        View { module, store: &self.setting.store, options: &self.setting.options }
    }

    /// The protocol's range of a range in `module`.
    pub(super) fn range(&self, module: &Module, range: TextRange) -> Range {
        convert::to_range(module.lines().span(range, self.setting.abilities.encoding))
    }

    /// The byte range of a range of the protocol's.
    pub(super) fn offsets(&self, module: &Module, range: Range) -> TextRange {
        module.lines().range(convert::from_range(range), self.setting.abilities.encoding)
    }

    /// The protocol's location of a place in any file.
    pub(super) fn location(&self, place: &Place) -> Option<Location> {
        let known = self.places.borrow().get(place).copied();
        let span = known.unwrap_or_else(|| {
            let module = self.snapshot.module(&place.path).ok();
            let span = module.map(|module| module.lines().span(place.range(), self.setting.abilities.encoding));
            self.places.borrow_mut().insert(place.clone(), span);
            span
        });
        Some(Location { uri: self.uri(&place.path)?, range: convert::to_range(span?) })
    }

    /// The address the client knows a file by.
    pub(super) fn uri(&self, path: &Path) -> Option<Uri> {
        let open = self.setting.open.get(path).map(|(uri, _)| uri.clone());
        open.or_else(|| convert::to_uri(path))
    }

    /// The version of an open file.
    pub(super) fn version(&self, path: &Path) -> Option<i32> {
        self.setting.open.get(path).map(|(_, version)| *version)
    }
}
