//! What in a program calls up a page without a detector of its own: names, methods, forms of syntax.

use std::collections::HashMap;
use std::sync::Arc;

use super::Page;

/// The pages that are not retired, by what calls them up. Pages go by number here, so that a reader may choose among them
/// once and then look up often.
#[derive(Debug, Default)]
pub struct Triggers {
    pages: Vec<Arc<Page>>,
    symbols: HashMap<String, Vec<usize>>,
    last_names: HashMap<String, Vec<usize>>,
    methods: HashMap<String, Vec<usize>>,
    syntax: HashMap<String, Vec<usize>>,
}

impl Triggers {
    pub(super) fn of<'p>(pages: impl Iterator<Item = &'p Arc<Page>>) -> Self {
        let mut triggers = Self::default();
        for page in pages.filter(|page| page.retired.is_none()) {
            let number = triggers.pages.len();
            for symbol in &page.symbols {
                triggers.symbols.entry(symbol.clone()).or_default().push(number);
                let last = symbol.rsplit('.').next().unwrap_or(symbol);
                triggers.last_names.entry(last.to_string()).or_default().push(number);
            }
            for method in &page.methods {
                triggers.methods.entry(method.clone()).or_default().push(number);
            }
            for form in &page.syntax {
                triggers.syntax.entry(form.clone()).or_default().push(number);
            }
            triggers.pages.push(page.clone());
        }
        triggers
    }

    /// The pages in the order of their numbers.
    pub fn pages(&self) -> &[Arc<Page>] {
        &self.pages
    }

    /// The pages about the object with this canonical name (`"asyncio.gather"`).
    pub fn of_symbol(&self, symbol: &str) -> &[usize] {
        self.symbols.get(symbol).map(Vec::as_slice).unwrap_or_default()
    }

    /// The pages about objects whose canonical name ends in this: a cheap question before a name is resolved.
    pub fn of_last_name(&self, name: &str) -> &[usize] {
        self.last_names.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The pages about methods of this name in class bodies.
    pub fn of_method(&self, name: &str) -> &[usize] {
        self.methods.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The pages about a form of syntax (`"async-for"`).
    pub fn of_syntax(&self, form: &str) -> &[usize] {
        self.syntax.get(form).map(Vec::as_slice).unwrap_or_default()
    }
}
