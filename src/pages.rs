//! The store: every page by id, by symbol, by method and by form of syntax.
//!
//! Knows no Python and names no other module. A page that cannot be read is reported and left out; the store lives on.

mod page;
mod template;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use page::{CodeFence, Page, PageError, Role, Severity};
pub use template::Template;

/// The files of `explanations/`, by path below it.
static EMBEDDED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/explanations.rs"));

/// The embedded table with this name (`"blocking"`), as TOML.
pub fn table(name: &str) -> &'static str {
    let path = format!("tables/{name}.toml");
    EMBEDDED.iter().find(|(file, _)| *file == path).map_or("", |(_, text)| text)
}

/// All pages, and how they are found. Immutable; a reload makes a new one.
#[derive(Debug, Default)]
pub struct Store {
    pages: BTreeMap<String, Arc<Page>>,
    by_symbol: HashMap<String, Vec<Arc<Page>>>,
    last_names: HashSet<String>,
    by_method: HashMap<String, Vec<Arc<Page>>>,
    by_syntax: HashMap<String, Vec<Arc<Page>>>,
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
        store.index();
        store
    }

    fn index(&mut self) {
        for page in self.pages.values().filter(|page| page.retired.is_none()) {
            let last_names = page.symbols.iter().filter_map(|symbol| symbol.rsplit('.').next());
            self.last_names.extend(last_names.map(str::to_string));
            for (index, names) in [
                (&mut self.by_symbol, &page.symbols),
                (&mut self.by_method, &page.methods),
                (&mut self.by_syntax, &page.syntax),
            ] {
                for name in names {
                    index.entry(name.clone()).or_default().push(page.clone());
                }
            }
        }
    }

    /// The page with this id.
    pub fn page(&self, id: &str) -> Option<&Arc<Page>> {
        self.pages.get(id)
    }

    /// All pages, by id.
    pub fn pages(&self) -> impl Iterator<Item = &Arc<Page>> {
        self.pages.values()
    }

    /// The pages of the library object with this public name.
    pub fn of_symbol(&self, symbol: &str) -> &[Arc<Page>] {
        self.by_symbol.get(symbol).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether the symbol of any page ends in `name`: a cheap question before names are resolved.
    pub fn has_symbol_named(&self, name: &str) -> bool {
        self.last_names.contains(name)
    }

    /// The pages of a method with this name.
    pub fn of_method(&self, method: &str) -> &[Arc<Page>] {
        self.by_method.get(method).map(Vec::as_slice).unwrap_or_default()
    }

    /// The pages of a form of syntax.
    pub fn of_syntax(&self, syntax: &str) -> &[Arc<Page>] {
        self.by_syntax.get(syntax).map(Vec::as_slice).unwrap_or_default()
    }

    /// The pages that could not be read.
    pub fn errors(&self) -> &[PageError] {
        &self.errors
    }
}
