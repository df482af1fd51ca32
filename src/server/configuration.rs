//! What is asked of the client once it is ready: its settings, and to watch files.

use std::time::Duration;

use serde_json::{Value, json};
use tower_lsp_server::Client;
use tower_lsp_server::ls_types::{
    ConfigurationItem, DidChangeWatchedFilesRegistrationOptions, FileSystemWatcher, GlobPattern, OneOf, Registration,
    RelativePattern,
};

use super::convert;
use super::queue::Queue;
use super::session::Session;

const SECTION: &str = "dunderstand";
/// How long requests wait for the client's settings.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks for the settings, lets the reads begin that waited for them, and registers what the client is to tell of.
pub(super) async fn begin(client: Client, queue: Queue) {
    let waits = tokio::time::timeout(PATIENCE, ask(client.clone(), queue.clone(), Value::Null));
    waits.await.ok();
    queue.write(Session::release);
    let Ok(registrations) = queue.ask(|session| registrations(session)).await else { return };
    if !registrations.is_empty() {
        client.register_capability(registrations).await.ok();
    }
}

/// Asks for the settings of each root; `pushed` counts where the client cannot be asked.
pub(super) async fn ask(client: Client, queue: Queue, pushed: Value) {
    let Ok((scopes, can_ask)) = queue.ask(|session| (session.scopes(), session.abilities().configuration)).await else {
        return;
    };
    let mut settings = vec![];
    if can_ask {
        let item = |scope_uri| ConfigurationItem { scope_uri, section: Some(SECTION.to_string()) };
        match client.configuration(scopes.into_iter().map(item).collect()).await {
            Ok(answer) => settings = answer,
            Err(_) => return,
        }
    } else if !pushed.is_null() {
        settings.push(pushed);
    }
    if !settings.is_empty() {
        queue.write(move |session| session.settings_changed(&settings));
    }
}

fn registrations(session: &Session) -> Vec<Registration> {
    let mut registrations = vec![];
    let abilities = session.abilities();
    if abilities.registers_configuration {
        registrations.push(Registration {
            id: "settings".to_string(),
            method: "workspace/didChangeConfiguration".to_string(),
            register_options: Some(json!({ "section": SECTION })),
        });
    }
    if abilities.registers_watchers {
        let patterns = [
            "**/*.{py,pyi}",
            "**/{pyproject,ruff,.ruff}.toml",
            "**/pyvenv.cfg",
            "**/.dunderstand/explanations/**/*.md",
        ];
        let watcher = |glob_pattern| FileSystemWatcher { glob_pattern, kind: None };
        let mut watchers: Vec<_> =
            patterns.iter().map(|pattern| watcher(GlobPattern::String((*pattern).to_string()))).collect();
        let folders = session.roots.iter().flat_map(|root| root.page_folders.iter());
        for folder in folders.filter(|_| abilities.relative_patterns) {
            if let Some(base) = convert::to_uri(folder) {
                let relative = RelativePattern { base_uri: OneOf::Right(base), pattern: "**/*.md".to_string() };
                watchers.push(watcher(GlobPattern::Relative(relative)));
            }
        }
        registrations.push(Registration {
            id: "files".to_string(),
            method: "workspace/didChangeWatchedFiles".to_string(),
            register_options: serde_json::to_value(DidChangeWatchedFilesRegistrationOptions { watchers }).ok(),
        });
    }
    registrations
}
