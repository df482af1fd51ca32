//! `dunderstand.concepts`: where in the workspace which concept is at work.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tower_lsp_server::jsonrpc::{Error, ErrorCode, Result};
use tower_lsp_server::ls_types::{MessageType, ProgressToken, Range, Uri, WorkDoneProgressCancelParams};
use tower_lsp_server::{Bounded, Cancellable, OngoingProgress};

use super::convert;
use super::handlers::Server;
use super::outbox::BACKGROUND;
use super::reading::Reading;
use super::session::Session;
use crate::detectors::findings;
use crate::features::Card;

/// The most files that are looked through.
pub(super) const FILES: usize = 5000;
/// The most places that are told of one concept.
const PLACES: usize = 500;

/// Asks for places.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ConceptsParams {
    /// One file; without it, the whole workspace.
    uri: Option<Uri>,
}

/// A concept and where it is at work.
#[derive(Debug, Serialize)]
pub(super) struct Concept {
    /// The id of its page.
    concept: String,
    title: String,
    places: Vec<ConceptPlace>,
    /// How many places more there are than are told.
    omitted: usize,
}

#[derive(Debug, Serialize)]
struct ConceptPlace {
    uri: Uri,
    range: Range,
    /// The line of code.
    text: String,
    /// The sentence about this code.
    summary: Option<String>,
}

impl Server {
    /// The concepts of a file, or of all files in the workspace, by id.
    pub(super) async fn concepts(&self, params: ConceptsParams, token: Option<ProgressToken>) -> Result<Vec<Concept>> {
        if let Some(uri) = params.uri {
            return Ok(self.concepts_in(convert::to_path(&uri)).await?.into_values().collect());
        }
        let (roots, has_progress) = self
            .queue
            .ask(|session| {
                let roots: Vec<PathBuf> = session.roots.iter().map(|root| root.path.clone()).collect();
                (roots, session.abilities().progress)
            })
            .await?;
        let files = tokio::task::spawn_blocking(move || python_files(&roots)).await;
        let mut files = files.map_err(|_| Error::internal_error())?;
        if files.len() > FILES {
            files.truncate(FILES);
            self.outbox.log(MessageType::WARNING, format!("Only the first {FILES} files are looked through."));
        }
        let mut shown = self.show_progress(token, has_progress).await;
        let mut all: BTreeMap<String, Concept> = BTreeMap::new();
        for (index, file) in files.iter().enumerate() {
            if index % 16 == 0 {
                shown.report(index, files.len()).await;
            }
            if shown.is_cancelled() {
                return Err(Error { code: ErrorCode::RequestCancelled, message: "cancelled".into(), data: None });
            }
            // A file that changes meanwhile is left out; the others count.
            for (id, found) in self.concepts_in(file.clone()).await.unwrap_or_default() {
                match all.get_mut(&id) {
                    Some(known) => {
                        let room = PLACES.saturating_sub(known.places.len()).min(found.places.len());
                        known.omitted += found.omitted + found.places.len() - room;
                        known.places.extend(found.places.into_iter().take(room));
                    }
                    None => {
                        all.insert(id, found);
                    }
                }
            }
        }
        shown.end().await;
        Ok(all.into_values().collect())
    }

    async fn concepts_in(&self, path: PathBuf) -> Result<BTreeMap<String, Concept>> {
        let read = self.queue.read(Some(path.clone()), move |reading| {
            #[cfg(debug_assertions)]
            super::debug::spin_on(reading, &path);
            Ok(concepts_of(reading, &path))
        });
        read.await
    }

    /// Shows progress where the client has given a token for it, or can be asked for one.
    async fn show_progress(&self, token: Option<ProgressToken>, has_progress: bool) -> Shown {
        let token = match token {
            Some(token) => Some(token),
            None if has_progress => {
                let token = self.progresses.new_token();
                let created = self.client.create_work_done_progress(token.clone()).await;
                created.is_ok().then_some(token)
            }
            None => None,
        };
        let Some(token) = token else { return Shown::default() };
        let is_cancelled = self.progresses.begin(token.clone());
        let progress = self.client.progress(token.clone(), "Looking for concepts").with_percentage(0);
        let progress = Some(progress.with_cancel_button().begin().await);
        Shown { progress, is_cancelled: Some(is_cancelled) }
    }

    /// `window/workDoneProgress/cancel`
    pub(super) async fn cancel_progress(&self, params: WorkDoneProgressCancelParams) {
        if matches!(&params.token, ProgressToken::String(token) if token.starts_with(BACKGROUND)) {
            self.queue.write(Session::stop_warming);
        }
        self.progresses.cancel(&params.token);
    }
}

fn concepts_of(reading: &Reading, path: &Path) -> BTreeMap<String, Concept> {
    let mut concepts: BTreeMap<String, Concept> = BTreeMap::new();
    let (Some(module), Some(uri)) = (reading.module(path), reading.uri(path)) else { return concepts };
    let view = reading.view(&module);
    for finding in &findings(&module, view.store, &|_| true) {
        let Some(card) = Card::new(&view, finding) else { continue };
        let concept = concepts.entry(card.page.id.clone()).or_insert_with(|| Concept {
            concept: card.page.id.clone(),
            title: card.page.title.clone(),
            places: vec![],
            omitted: 0,
        });
        if concept.places.len() == PLACES {
            concept.omitted += 1;
            continue;
        }
        let range = reading.range(&module, finding.range);
        let line = module.lines().line(finding.range.start());
        let text = module.text()[module.lines().line_range(line)].trim().to_string();
        concept.places.push(ConceptPlace { uri: uri.clone(), range, text, summary: card.summary() });
    }
    concepts
}

/// The Python files below the roots that are not ignored, in order; one more than are looked through says that there are more.
pub(super) fn python_files(roots: &[PathBuf]) -> Vec<PathBuf> {
    let Some((first, others)) = roots.split_first() else { return vec![] };
    let mut walk = ignore::WalkBuilder::new(first);
    for other in others {
        walk.add(other);
    }
    let entries = walk.sort_by_file_path(Ord::cmp).build().flatten();
    let is_python = |path: &PathBuf| path.extension().is_some_and(|end| end == "py");
    let mut files: Vec<PathBuf> = entries.map(ignore::DirEntry::into_path).filter(is_python).take(FILES + 1).collect();
    files.dedup();
    files
}

/// Progress under way, and whether the client has had enough of it.
#[derive(Default)]
pub(super) struct Progresses {
    running: Arc<Mutex<HashMap<ProgressToken, bool>>>,
    count: AtomicU32,
}

impl Progresses {
    fn new_token(&self) -> ProgressToken {
        ProgressToken::String(format!("dunderstand/concepts/{}", self.count.fetch_add(1, Ordering::Relaxed)))
    }

    fn begin(&self, token: ProgressToken) -> Running {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(token.clone(), false);
        Running { token, all: self.running.clone() }
    }

    fn cancel(&self, token: &ProgressToken) {
        if let Some(is_cancelled) = self.running.lock().unwrap_or_else(PoisonError::into_inner).get_mut(token) {
            *is_cancelled = true;
        }
    }
}

/// One of [`Progresses`] until it is dropped.
struct Running {
    token: ProgressToken,
    all: Arc<Mutex<HashMap<ProgressToken, bool>>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.token);
    }
}

/// The progress of one request; it ends with the request, also when that is cancelled.
#[derive(Default)]
struct Shown {
    progress: Option<OngoingProgress<Bounded, Cancellable>>,
    is_cancelled: Option<Running>,
}

impl Shown {
    async fn report(&self, index: usize, count: usize) {
        let Some(progress) = &self.progress else { return };
        let percentage = u32::try_from(100 * index / count.max(1)).unwrap_or_default();
        progress.report_with_message(format!("{index} of {count} files"), percentage, None).await;
    }

    fn is_cancelled(&self) -> bool {
        let Some(Running { token, all }) = &self.is_cancelled else { return false };
        all.lock().unwrap_or_else(PoisonError::into_inner).get(token).copied().unwrap_or_default()
    }

    async fn end(&mut self) {
        if let Some(progress) = self.progress.take() {
            progress.finish().await;
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        if let Some(progress) = self.progress.take() {
            tokio::spawn(progress.finish());
        }
    }
}
