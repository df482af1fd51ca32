//! Reads that do not end: the others are served, edits are taken, and the person is told once.
#![cfg(debug_assertions)]

use serde_json::json;

use super::client::{Client, abilities};
use super::document::Document;
use super::folder::Folder;

const BLOCKING: &str = "import time\nasync def f():\n    time.sleep(1)\n";

#[test]
fn a_change_does_not_wait_for_a_read_that_does_not_end() {
    let folder = Folder::new("stuck");
    let client = Client::spawn_with(&[("DUNDERSTAND_TEST_PATIENCE_MS", "300")]);
    client.initialize(&folder, abilities());
    client.notify("initialized", json!({}));
    let hanging = Document::open(&client, &folder, "a.py", "x = 1\n");
    let mut other = Document::open(&client, &folder, "b.py", "x = 1\n");
    assert_eq!(other.seen_text(), "x = 1\n");
    client.ask("dunderstand/debug", hanging.debug("hang"));
    client.wait_for_error_output("hanging");
    other.set(BLOCKING);
    assert_eq!(other.seen_text(), BLOCKING);
    assert!(!other.hover(2, 10).is_null());
    let told = client.wait_for_notification("window/showMessage", |params| params["type"] == 2);
    assert!(told["message"].as_str().unwrap().contains("a.py` is not explained any more"), "{told}");
    let error = client.request("textDocument/hover", hanging.at(0, 0)).unwrap_err();
    assert_eq!(error["code"], -32803, "{error}");
    assert_eq!(client.stop(), Some(0));
}

#[test]
fn reads_that_do_not_end_leave_threads_for_others() {
    let folder = Folder::new("stuck-threads");
    let client = Client::spawn_with(&[("DUNDERSTAND_TEST_PATIENCE_MS", "300"), ("DUNDERSTAND_TEST_LIMIT_MS", "1000")]);
    client.initialize(&folder, abilities());
    client.notify("initialized", json!({}));
    let hanging = Document::open(&client, &folder, "a.py", "x = 1\n");
    let other = Document::open(&client, &folder, "b.py", BLOCKING);
    // As many as there can be threads.
    for _ in 0..4 {
        client.ask("dunderstand/debug", hanging.debug("hang"));
    }
    let answer = (0..60).find_map(|_| client.request("dunderstand/debug", other.debug("text")).ok());
    assert_eq!(answer, Some(json!(BLOCKING)));
    assert_eq!(client.stop(), Some(0));
}
