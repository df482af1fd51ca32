//! The server as an editor sees it, and the settings it reads. The only tests that build protocol messages.

#[path = "protocol/client.rs"]
mod client;
#[path = "protocol/commands.rs"]
mod commands;
#[path = "protocol/document.rs"]
mod document;
#[path = "protocol/folder.rs"]
mod folder;
#[path = "protocol/interruption.rs"]
mod interruption;
#[path = "protocol/lifecycle.rs"]
mod lifecycle;
#[path = "protocol/manifest.rs"]
mod manifest;
#[path = "protocol/order.rs"]
mod order;
#[path = "protocol/pages.rs"]
mod pages;
#[path = "protocol/recovery.rs"]
mod recovery;
#[path = "protocol/settings.rs"]
mod settings;
#[path = "protocol/stale_edits.rs"]
mod stale_edits;
#[path = "protocol/stuck.rs"]
mod stuck;
#[path = "protocol/views.rs"]
mod views;
#[path = "protocol/warming.rs"]
mod warming;
#[path = "protocol/workspace.rs"]
mod workspace;
