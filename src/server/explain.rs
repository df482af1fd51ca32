//! `dunderstand.explain`: a page to read, with links to other pages and to the code that is asked about.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tower_lsp_server::jsonrpc::{Error, Result};
use tower_lsp_server::ls_types::{Location, Position, Uri};

use super::concepts::{FILES, python_files};
use super::convert;
use super::handlers::Server;
use super::html;
use super::links::{linked, on_page};
use super::reading::Reading;
use crate::detectors::{findings, one_line};
use crate::features::{self, Card, Options, View, handbook_page, handbook_page_here};
use crate::pages::{Page, Store, nearest, search};
use crate::text::{Place, TextSize};

/// The most lines of the file that are named.
const PLACES: usize = 20;

/// Asks for the page with an id, the page that words mean, or the page about a place.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ExplainParams {
    id: Option<String>,
    words: Option<String>,
    /// The file from which it is asked; teams may have pages of their own.
    uri: Option<Uri>,
    position: Option<Position>,
    /// Whether the page is wanted as HTML, too.
    html: bool,
}

/// A page.
#[derive(Debug, Serialize)]
pub(super) struct Explanation {
    /// The page's id; none for a list of pages.
    id: Option<String>,
    title: String,
    /// Links to other pages are `dunderstand:ID`.
    markdown: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<String>,
}

impl Server {
    /// The page; none if there is nothing to explain at the place.
    pub(super) async fn explain(&self, params: ExplainParams) -> Result<Option<Explanation>> {
        let wants_html = params.html;
        let mut page = self.page(params).await?;
        if let Some(page) = page.as_mut().filter(|_| wants_html) {
            page.html = Some(html::of(&page.markdown));
        }
        Ok(page)
    }

    async fn page(&self, params: ExplainParams) -> Result<Option<Explanation>> {
        let path = params.uri.as_ref().map(convert::to_path);
        let about = path.clone();
        let store = self.queue.ask(move |session| session.store(about.as_deref())).await?;
        if let Some((path, position)) = path.clone().zip(params.position) {
            let read = move |reading: &Reading| Ok(explain_place(reading, &path, position));
            return self.queue.read(params.uri.as_ref().map(convert::to_path), read).await;
        }
        let page = match (&params.id, &params.words) {
            (Some(id), _) => store.page(id).cloned().ok_or_else(|| no_page(&store, id))?,
            (None, Some(words)) => match search(&store, words).as_slice() {
                [] => return Err(no_page(&store, words)),
                [page] => page.clone(),
                pages => return Ok(Some(list(words, pages))),
            },
            (None, None) => return Err(Error::invalid_params("`id`, `words`, or `uri` and `position` are missing")),
        };
        if page.is_guide() {
            let places = self.places_of_guide(&page).await?;
            return Ok(Some(explanation(&store, &page, handbook_page(&page) + &places)));
        }
        let Some(path) = path else { return Ok(Some(explanation(&store, &page, handbook_page(&page)))) };
        let read = move |reading: &Reading| {
            let markdown = handbook_page(&page) + &places(reading, &path, &page.id);
            Ok(Some(explanation(&reading.setting.store, &page, markdown)))
        };
        self.queue.read(params.uri.as_ref().map(convert::to_path), read).await
    }
}

impl Server {
    /// Where in the workspace the concepts that a guide names are at work, as links.
    async fn places_of_guide(&self, guide: &Arc<Page>) -> Result<String> {
        let roots: Vec<PathBuf> =
            self.queue.ask(|session| session.roots.iter().map(|root| root.path.clone()).collect()).await?;
        let files = tokio::task::spawn_blocking(move || python_files(&roots)).await;
        let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for file in files.map_err(|_| Error::internal_error())?.into_iter().take(FILES) {
            let guide = guide.clone();
            let read = move |reading: &Reading| Ok(guide_lines(reading, &file, &guide));
            // A file that changes meanwhile is left out.
            for (title, line) in self.queue.read(None, read).await.unwrap_or_default() {
                places.entry(title).or_default().push(line);
            }
        }
        let mut text = String::new();
        for (title, lines) in &places {
            text.push_str(&format!("\n### {title}\n\n"));
            text.extend(lines.iter().take(PLACES).map(String::as_str));
            if lines.len() > PLACES {
                text.push_str(&format!("- and {} more\n", lines.len() - PLACES));
            }
        }
        Ok(if text.is_empty() { text } else { format!("\n## In this workspace\n{text}") })
    }
}

/// The lines of one file that have to do with a guide, with the titles of the concepts.
fn guide_lines(reading: &Reading, path: &Path, guide: &Page) -> Vec<(String, String)> {
    let Some(module) = reading.module(path) else { return vec![] };
    let view = reading.view(&module);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut found = vec![];
    for finding in findings(&module, view.store, &|id| guide.see.iter().any(|see| see == id)) {
        let Some(page) = view.store.page(&finding.concept) else { continue };
        let start: TextSize = finding.range.start();
        let line = module.lines().line(start);
        let place = Place { path: path.to_path_buf(), line, start, end: start };
        let code = one_line(&module.text()[module.lines().line_range(line)]);
        if let Some(address) = reading.location(&place).as_ref().and_then(address) {
            let entry = (on_page(page), format!("- [{name} line {line}]({address}): `{code}`\n"));
            if !found.contains(&entry) {
                found.push(entry);
            }
        }
    }
    found
}

/// The page on what a hover at `position` is about, about this code.
fn explain_place(reading: &Reading, path: &Path, position: Position) -> Option<Explanation> {
    let module = reading.module(path)?;
    let asked = Options { hover: true, keywords: true, ordinary_uses: true, ..(*reading.setting.options).clone() };
    let view = View { options: &asked, ..reading.view(&module) };
    let offset = module.lines().offset(convert::from_position(position), reading.setting.abilities.encoding);
    let hover = features::hover(&view, offset)?;
    let page = view.store.page(&hover.concept)?.clone();
    let found = findings(&module, view.store, &|_| true);
    let finding = found.iter().find(|finding| finding.concept == page.id && finding.range == hover.range);
    let markdown = match finding.and_then(|finding| Card::new(&view, finding)) {
        Some(card) => handbook_page_here(&card, &|place| address(&reading.location(place)?)),
        None => handbook_page(&page),
    };
    Some(explanation(view.store, &page, markdown + &places(reading, path, &page.id)))
}

/// The lines of the file at which a concept is at work, as links.
fn places(reading: &Reading, path: &Path, concept: &str) -> String {
    let Some(module) = reading.module(path) else { return String::new() };
    let view = reading.view(&module);
    let mut lines: Vec<String> = vec![];
    for finding in findings(&module, view.store, &|id| id == concept) {
        let start: TextSize = finding.range.start();
        let line = module.lines().line(start);
        let place = Place { path: path.to_path_buf(), line, start, end: start };
        let code = one_line(&module.text()[module.lines().line_range(line)]);
        if let Some(address) = reading.location(&place).as_ref().and_then(address) {
            lines.push(format!("- [line {line}]({address}): `{code}`\n"));
        }
    }
    lines.dedup();
    let more = lines.len().saturating_sub(PLACES);
    lines.truncate(PLACES);
    if more > 0 {
        lines.push(format!("- and {more} more\n"));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if lines.is_empty() { String::new() } else { format!("\n## In {name}\n\n{}", lines.concat()) }
}

/// An address with a line, as editors write it.
fn address(location: &Location) -> Option<String> {
    let uri = location.uri.as_str();
    (!uri.contains(['(', ')', ' '])).then(|| format!("{uri}#L{}", location.range.start.line + 1))
}

fn explanation(store: &Store, page: &Page, markdown: String) -> Explanation {
    let markdown = linked(store, &page.id, &markdown, &on_page);
    Explanation { id: Some(page.id.clone()), title: page.title.clone(), markdown, html: None }
}

/// The pages that words mean, where they mean several.
fn list(words: &str, pages: &[Arc<Page>]) -> Explanation {
    let title = format!("Pages about “{}”", words.trim());
    let lines: Vec<String> = pages.iter().map(|page| format!("- {} · `{}`\n", on_page(page), page.id)).collect();
    Explanation { id: None, markdown: format!("# {title}\n\n{}", lines.concat()), title, html: None }
}

fn no_page(store: &Store, asked: &str) -> Error {
    let ids = store.pages().map(|page| page.id.as_str());
    Error::invalid_params(match nearest(asked, ids) {
        Some(id) => format!("there is no page about `{asked}`; did you mean `{id}`?"),
        None => format!("there is no page about `{asked}`"),
    })
}
