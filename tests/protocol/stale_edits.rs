//! Edits over several files, and files that change between the offer and the edit.

use serde_json::{Value, json};

use super::client::Client;
use super::document::Document;
use super::folder::Folder;

const LOAD: &str = "import time\n\ndef load(n):\n    time.sleep(1)\n    return n\n";
const TOTAL: &str = "from load import load\n\ndef total(ns):\n    return [load(n) for n in ns]\n";

/// The action that makes the functions of both files asynchronous.
fn offer(total: &Document) -> Value {
    let actions = total.actions(2, json!({"diagnostics": []}));
    let found = actions.iter().find(|action| action["title"].as_str().unwrap().starts_with("Make "));
    found.unwrap_or_else(|| panic!("{actions:?}")).clone()
}

/// The version that the edit gives for a file.
fn version(action: &Value, name: &str) -> Value {
    let documents = action["edit"]["documentChanges"].as_array().unwrap_or_else(|| panic!("{action}"));
    let is_it = |document: &&Value| document["textDocument"]["uri"].as_str().unwrap().ends_with(name);
    documents.iter().find(is_it).unwrap_or_else(|| panic!("{name}: {action}"))["textDocument"]["version"].clone()
}

/// An editor refuses an edit of a version that it does not have any more; so each open file's has to be in it.
#[test]
fn an_edit_names_the_version_of_every_open_file_it_was_made_for() {
    let folder = Folder::new("stale-versions");
    let client = Client::start(&folder);
    let mut load = Document::open(&client, &folder, "load.py", LOAD);
    let total = Document::open(&client, &folder, "total.py", TOTAL);
    load.set(&format!("# more\n{LOAD}"));
    let resolved = client.request("codeAction/resolve", offer(&total)).unwrap();
    assert_eq!((version(&resolved, "load.py"), version(&resolved, "total.py")), (json!(2), json!(1)));
}

/// What is asked for later is made for the text that is there then, also where only another file of it changed.
#[test]
fn an_edit_is_made_anew_when_another_file_of_it_changed_since_the_offer() {
    let folder = Folder::new("stale-other");
    let client = Client::start(&folder);
    let mut load = Document::open(&client, &folder, "load.py", LOAD);
    let total = Document::open(&client, &folder, "total.py", TOTAL);
    let action = offer(&total);
    load.set(&format!("# one\n# two\n{LOAD}"));
    let resolved = client.request("codeAction/resolve", action).unwrap();
    assert_eq!((version(&resolved, "load.py"), version(&resolved, "total.py")), (json!(2), json!(1)));
    let documents = resolved["edit"]["documentChanges"].as_array().unwrap();
    let edited = documents.iter().find(|it| it["textDocument"]["uri"].as_str().unwrap().ends_with("load.py")).unwrap();
    let lines: Vec<u64> = edited["edits"].as_array().unwrap().iter().map(line).collect();
    assert!(lines.contains(&4), "`def load` is two lines further down: {lines:?}");
}

fn line(edit: &Value) -> u64 {
    edit["range"]["start"]["line"].as_u64().unwrap()
}

#[test]
fn an_edit_is_refused_when_its_own_file_changed_since_the_offer() {
    let folder = Folder::new("stale-own");
    let client = Client::start(&folder);
    let _load = Document::open(&client, &folder, "load.py", LOAD);
    let mut total = Document::open(&client, &folder, "total.py", TOTAL);
    let action = offer(&total);
    total.set(&format!("\n{TOTAL}"));
    assert_eq!(client.request("codeAction/resolve", action).unwrap_err()["code"], -32801);
    let resolved = client.request("codeAction/resolve", {
        let actions = total.actions(3, json!({"diagnostics": []}));
        actions.iter().find(|action| action["title"].as_str().unwrap().starts_with("Make ")).unwrap().clone()
    });
    assert_eq!(version(&resolved.unwrap(), "total.py"), json!(2));
}

/// Where the other file is changed so that there is nothing to do any more, no half of the edit is made.
#[test]
fn an_edit_is_refused_when_the_other_file_left_nothing_to_do() {
    let folder = Folder::new("stale-gone");
    let client = Client::start(&folder);
    let mut load = Document::open(&client, &folder, "load.py", LOAD);
    let total = Document::open(&client, &folder, "total.py", TOTAL);
    let action = offer(&total);
    load.set("def fetch(n):\n    return n\n");
    let error = client.request("codeAction/resolve", action).unwrap_err();
    assert_eq!(error["code"], -32801, "{error}");
}
