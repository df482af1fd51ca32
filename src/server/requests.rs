//! Requests of our own, for editors: a page to read, and where concepts are at work.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tower_lsp_server::NotCancellable;
use tower_lsp_server::OngoingProgress;
use tower_lsp_server::jsonrpc::{Error, Result};
use tower_lsp_server::ls_types::{ProgressToken, Range, TextDocumentIdentifier, Uri};

use super::convert;
use super::handlers::Server;
use super::reading::Reading;
use crate::detectors::findings;
use crate::features::{Card, handbook_page};

/// The most files that are looked through.
const FILES: usize = 5000;
/// The most places that are told of one concept.
const PLACES: usize = 500;

/// Asks for a page.
#[derive(Debug, Deserialize)]
pub(super) struct ExplainParams {
    id: String,
    /// The file from which it is asked: teams may have pages of their own.
    #[serde(default)]
    uri: Option<Uri>,
}

/// A page.
#[derive(Debug, Serialize)]
pub(super) struct Explanation {
    title: String,
    markdown: String,
}

/// Asks for places.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ConceptsParams {
    /// One file; without it, the whole workspace.
    text_document: Option<TextDocumentIdentifier>,
    work_done_token: Option<ProgressToken>,
}

/// A concept and where it is at work.
#[derive(Debug, Serialize)]
pub(super) struct Concept {
    id: String,
    title: String,
    topic: String,
    places: Vec<ConceptPlace>,
}

#[derive(Debug, Serialize)]
struct ConceptPlace {
    uri: Uri,
    range: Range,
    /// The sentence about this code.
    summary: Option<String>,
}

impl Server {
    /// `dunderstand/explain`
    pub(super) async fn explain(&self, params: ExplainParams) -> Result<Explanation> {
        let path = params.uri.as_ref().map(convert::to_path);
        let store = self.queue.ask(move |session| session.store(path.as_deref())).await?;
        let Some(page) = store.page(&params.id) else {
            return Err(Error::invalid_params(format!("there is no page `{}`", params.id)));
        };
        Ok(Explanation { title: page.title.clone(), markdown: handbook_page(page) })
    }

    /// `dunderstand/concepts`
    pub(super) async fn concepts(&self, params: ConceptsParams) -> Result<Vec<Concept>> {
        if let Some(document) = params.text_document {
            return Ok(self.concepts_in(convert::to_path(&document.uri)).await?.into_values().collect());
        }
        let (roots, has_progress) = self
            .queue
            .ask(|session| {
                let roots: Vec<PathBuf> = session.roots.iter().map(|root| root.path.clone()).collect();
                (roots, session.abilities().progress)
            })
            .await?;
        let files = tokio::task::spawn_blocking(move || python_files(&roots)).await;
        let files = files.map_err(|_| Error::internal_error())?;
        let progress = self.begin_progress(params.work_done_token, has_progress).await;
        let mut all: BTreeMap<String, Concept> = BTreeMap::new();
        for (index, file) in files.iter().enumerate() {
            if let Some(progress) = progress.as_ref().filter(|_| index % 16 == 0) {
                let percentage = u32::try_from(100 * index / files.len()).unwrap_or_default();
                progress.report_with_message(format!("{index} of {} files", files.len()), percentage).await;
            }
            // A file that changes meanwhile is left out; the others count.
            for (id, found) in self.concepts_in(file.clone()).await.unwrap_or_default() {
                match all.get_mut(&id) {
                    Some(known) => known.places.extend(found.places),
                    None => {
                        all.insert(id, found);
                    }
                }
            }
        }
        if let Some(progress) = progress {
            progress.finish().await;
        }
        let mut concepts: Vec<Concept> = all.into_values().collect();
        concepts.iter_mut().for_each(|concept| concept.places.truncate(PLACES));
        Ok(concepts)
    }

    async fn concepts_in(&self, path: PathBuf) -> Result<BTreeMap<String, Concept>> {
        self.queue.read(Some(path.clone()), move |reading| Ok(concepts_of(reading, &path))).await
    }

    async fn begin_progress(
        &self,
        token: Option<ProgressToken>,
        has_progress: bool,
    ) -> Option<OngoingProgress<tower_lsp_server::Bounded, NotCancellable>> {
        let token = match token {
            Some(token) => token,
            None if has_progress => {
                let token = ProgressToken::String("dunderstand/concepts".to_string());
                self.client.create_work_done_progress(token.clone()).await.ok()?;
                token
            }
            None => return None,
        };
        Some(self.client.progress(token, "Looking for concepts").with_percentage(0).begin().await)
    }
}

fn concepts_of(reading: &Reading, path: &Path) -> BTreeMap<String, Concept> {
    let mut concepts: BTreeMap<String, Concept> = BTreeMap::new();
    let (Some(module), Some(uri)) = (reading.module(path), reading.uri(path)) else { return concepts };
    let view = reading.view(&module);
    for finding in &findings(&module, view.store, &|_| true) {
        let Some(card) = Card::new(&view, finding) else { continue };
        let concept = concepts.entry(card.page.id.clone()).or_insert_with(|| Concept {
            id: card.page.id.clone(),
            title: card.page.title.clone(),
            topic: card.page.topic().to_string(),
            places: vec![],
        });
        if concept.places.len() < PLACES {
            let range = reading.range(&module, finding.range);
            concept.places.push(ConceptPlace { uri: uri.clone(), range, summary: card.summary() });
        }
    }
    concepts
}

/// The Python files below the roots that are not ignored, in order.
fn python_files(roots: &[PathBuf]) -> Vec<PathBuf> {
    let Some((first, others)) = roots.split_first() else { return vec![] };
    let mut walk = ignore::WalkBuilder::new(first);
    for other in others {
        walk.add(other);
    }
    let entries = walk.sort_by_file_path(Ord::cmp).build().flatten();
    let is_python = |path: &PathBuf| path.extension().is_some_and(|end| end == "py");
    let mut files: Vec<PathBuf> = entries.map(ignore::DirEntry::into_path).filter(is_python).take(FILES).collect();
    files.dedup();
    files
}
