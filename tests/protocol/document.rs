//! A file in an editor, and where in it the `$0` of a test stands.

use serde_json::{Value, json};

use super::client::Client;
use super::folder::Folder;

/// An open text.
pub struct Document<'c> {
    client: &'c Client,
    pub uri: String,
    version: i64,
}

impl<'c> Document<'c> {
    /// Opens a text, which need not be on disk.
    pub fn open(client: &'c Client, folder: &Folder, name: &str, text: &str) -> Self {
        Self::open_uri(client, format!("file://{}", folder.path().join(name).display()), text)
    }

    pub fn open_uri(client: &'c Client, uri: String, text: &str) -> Self {
        let document = json!({"uri": uri, "languageId": "python", "version": 1, "text": text});
        client.notify("textDocument/didOpen", json!({"textDocument": document}));
        Self { client, uri, version: 1 }
    }

    pub fn identifier(&self) -> Value {
        json!({"uri": self.uri})
    }

    pub fn change(&mut self, changes: Value) {
        self.version += 1;
        let document = json!({"uri": self.uri, "version": self.version});
        self.client.notify("textDocument/didChange", json!({"textDocument": document, "contentChanges": changes}));
    }

    /// Replaces the whole text.
    pub fn set(&mut self, text: &str) {
        self.change(json!([{"text": text}]));
    }

    pub fn close(&self) {
        self.client.notify("textDocument/didClose", json!({"textDocument": self.identifier()}));
    }

    pub fn save(&self) {
        self.client.notify("textDocument/didSave", json!({"textDocument": self.identifier()}));
    }

    pub fn hover(&self, line: u32, character: u32) -> Value {
        self.client.request("textDocument/hover", self.at(line, character)).unwrap()
    }

    pub fn at(&self, line: u32, character: u32) -> Value {
        json!({"textDocument": self.identifier(), "position": {"line": line, "character": character}})
    }

    pub fn hints(&self) -> Vec<Value> {
        let range = json!({"start": {"line": 0, "character": 0}, "end": {"line": 9999, "character": 0}});
        let params = json!({"textDocument": self.identifier(), "range": range});
        self.client.request("textDocument/inlayHint", params).unwrap().as_array().unwrap().clone()
    }

    /// The whole report of a pull.
    pub fn pull(&self, previous: Option<&str>) -> Value {
        let mut params = json!({"textDocument": self.identifier()});
        if let Some(previous) = previous {
            params["previousResultId"] = json!(previous);
        }
        self.client.request("textDocument/diagnostic", params).unwrap()
    }

    /// The codes of the diagnostics with their lines, from 0.
    pub fn codes(&self) -> Vec<(String, u64)> {
        codes(&self.pull(None)["items"])
    }

    pub fn actions(&self, line: u32, context: Value) -> Vec<Value> {
        let range = json!({"start": {"line": line, "character": 0}, "end": {"line": line, "character": 999}});
        let params = json!({"textDocument": self.identifier(), "range": range, "context": context});
        self.client.request("textDocument/codeAction", params).unwrap().as_array().unwrap().clone()
    }

    /// The text that the engine sees.
    pub fn seen_text(&self) -> String {
        let text = self.client.request("dunderstand/debug", self.debug("text")).unwrap();
        text.as_str().unwrap().to_string()
    }

    /// What makes the server do `action` while it reads this file.
    pub fn debug(&self, action: &str) -> Value {
        json!({"textDocument": self.identifier(), "action": action})
    }
}

/// The codes in a list of diagnostics with their lines, from 0.
pub fn codes(items: &Value) -> Vec<(String, u64)> {
    let items = items.as_array().unwrap().iter();
    items
        .map(|item| (item["code"].as_str().unwrap().to_string(), item["range"]["start"]["line"].as_u64().unwrap()))
        .collect()
}
