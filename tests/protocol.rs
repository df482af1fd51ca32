//! The server as an editor sees it, and the settings it reads. The only tests that build protocol messages.

#[path = "protocol/folder.rs"]
mod folder;
#[path = "protocol/settings.rs"]
mod settings;
