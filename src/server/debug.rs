//! A request for the protocol's tests, in debug builds only: shows the text the engine sees, and goes wrong on demand.

use std::path::Path;

use serde::Deserialize;
use tower_lsp_server::jsonrpc::Result;
use tower_lsp_server::ls_types::TextDocumentIdentifier;

use super::convert;
use super::handlers::Server;
use super::reading::Reading;
use crate::analysis::Snapshot;

/// What is to happen while a document is read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DebugParams {
    text_document: TextDocumentIdentifier,
    action: Action,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Action {
    /// Answers with the text.
    Text,
    /// Panics.
    Panic,
    /// Panics in a question of the engine, as long as there is a file beside it that ends in `.panic`.
    PanicInQuery,
    /// Reads until it is stopped. Tells on standard error when it begins.
    Spin,
    /// Reads for ever, and hears of nothing. Tells on standard error when it begins.
    Hang,
}

impl Server {
    /// `dunderstand/debug`
    pub(super) async fn debug(&self, params: DebugParams) -> Result<Option<String>> {
        let path = convert::to_path(&params.text_document.uri);
        let read = self.queue.read(Some(path.clone()), move |reading| match params.action {
            Action::Text => Ok(reading.module(&path).map(|module| module.text().to_string())),
            Action::Panic => std::panic::panic_any("a panic that was asked for"),
            Action::PanicInQuery => Ok(reading.snapshot.panic_if_marked(&path)),
            Action::Spin => spin(reading),
            Action::Hang => hang(),
        });
        read.await
    }
}

/// Reads until it is stopped, if tests want that for files with this name.
pub(super) fn spin_on(reading: &Reading, path: &Path) {
    let wanted = std::env::var_os("DUNDERSTAND_TEST_SPIN");
    if wanted.is_some_and(|name| path.file_name() == Some(name.as_os_str())) {
        spin(reading);
    }
}

/// The same for the work in the background; it tells on standard error that it is that.
pub(super) fn spin_while_warming(snapshot: &Snapshot, path: &Path) {
    let wanted = std::env::var_os("DUNDERSTAND_TEST_SPIN_WARMING");
    if wanted.is_some_and(|name| path.file_name() == Some(name.as_os_str())) {
        eprintln!("warming spins");
        spin_on_snapshot(snapshot);
    }
}

fn hang() -> ! {
    eprintln!("hanging");
    loop {
        std::thread::park();
    }
}

fn spin(reading: &Reading) -> ! {
    eprintln!("spinning");
    spin_on_snapshot(reading.snapshot)
}

fn spin_on_snapshot(snapshot: &Snapshot) -> ! {
    loop {
        snapshot.stop_if_cancelled();
        std::thread::yield_now();
    }
}
