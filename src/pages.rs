//! The store: every page by id.
//!
//! Knows no Python and names no other module. A page that cannot be read is reported and left out; the store lives on.

mod body;
mod page;
mod search;
mod severity;
mod template;
mod triggers;
mod vocabulary;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use page::{CodeFence, EACH, Page, PageError, Role};
pub use search::{nearest, search};
pub use severity::Severity;
pub use template::Template;
pub use triggers::Triggers;

/// The files of `explanations/`, by path below it.
static EMBEDDED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/explanations.rs"));

/// The embedded table with this name (`"blocking"`), as TOML.
pub fn table(name: &str) -> &'static str {
    let path = format!("tables/{name}.toml");
    EMBEDDED.iter().find(|(file, _)| *file == path).map_or("", |(_, text)| text)
}

/// All pages. Immutable; a reload makes a new one.
#[derive(Debug, Default)]
pub struct Store {
    pages: BTreeMap<String, Arc<Page>>,
    triggers: Triggers,
    errors: Vec<PageError>,
}

/// A page's file: where it is from and what it says.
pub struct Source {
    /// Its path, for messages.
    pub path: PathBuf,
    /// The id: the path below the store's folder, without `.md`.
    pub id: String,
    pub text: String,
}

impl Store {
    /// The embedded pages.
    pub fn embedded() -> Self {
        Self::with(vec![])
    }

    /// The embedded pages, overlaid by `sources`, of which a later one wins.
    pub fn with(sources: Vec<Source>) -> Self {
        let embedded = EMBEDDED.iter().filter_map(|(path, text)| {
            let id = path.strip_suffix(".md")?.to_string();
            Some(Source { path: Path::new("explanations").join(path), id, text: (*text).to_string() })
        });
        let mut store = Self::default();
        for source in embedded.chain(sources) {
            match Page::parse(&source.id, &source.path, &source.text) {
                Ok(page) => {
                    store.pages.insert(source.id, Arc::new(page));
                }
                Err(error) => store.errors.push(error),
            }
        }
        store.triggers = Triggers::of(store.pages.values());
        store
    }

    /// The page with this id.
    pub fn page(&self, id: &str) -> Option<&Arc<Page>> {
        self.pages.get(id)
    }

    /// The first guide that names the page with this id.
    pub fn guide(&self, id: &str) -> Option<&Arc<Page>> {
        let guides = self.pages.range("guides/".to_string()..).map(|(_, page)| page);
        let mut guides = guides.take_while(|page| page.is_guide()).filter(|page| page.retired.is_none());
        guides.find(|guide| guide.see.iter().any(|see| see == id))
    }

    /// The pages by what calls them up.
    pub fn triggers(&self) -> &Triggers {
        &self.triggers
    }

    /// All pages, by id.
    pub fn pages(&self) -> impl Iterator<Item = &Arc<Page>> {
        self.pages.values()
    }

    /// The pages that could not be read.
    pub fn errors(&self) -> &[PageError] {
        &self.errors
    }
}
