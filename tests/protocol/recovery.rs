//! A panic of the engine leaves behind what others need: the server lets it be computed anew.
#![cfg(debug_assertions)]

use super::client::{Client, abilities};
use super::document::Document;
use super::folder::Folder;

/// The question fails as long as there is a file of this name, and its failure is kept until the project changes.
#[test]
fn what_a_panic_left_unfinished_is_computed_anew() {
    let folder = Folder::new("recovery");
    let client = Client::spawn();
    client.initialize(&folder, abilities());
    let document = Document::open(&client, &folder, "a.py", "x = 1\n");
    let mark = folder.write("a.panic", "");
    let error = client.request("dunderstand/debug", document.debug("panicInQuery")).unwrap_err();
    assert_eq!(error["code"], -32603, "{error}");
    std::fs::remove_file(mark).unwrap();
    let answer = client.request("dunderstand/debug", document.debug("panicInQuery"));
    assert!(answer.is_ok(), "{answer:?}");
    assert_eq!(client.stop(), Some(0));
}

/// The panic does not wait for a read that does not end.
#[test]
fn a_panic_beside_a_read_that_does_not_end_is_recovered_from() {
    let folder = Folder::new("recovery-stuck");
    let client = Client::spawn_with(&[("DUNDERSTAND_TEST_PATIENCE_MS", "300")]);
    client.initialize(&folder, abilities());
    let hanging = Document::open(&client, &folder, "b.py", "x = 1\n");
    let document = Document::open(&client, &folder, "a.py", "x = 1\n");
    assert_eq!(document.seen_text(), "x = 1\n");
    client.ask("dunderstand/debug", hanging.debug("hang"));
    client.wait_for_error_output("hanging");
    let error = client.request("dunderstand/debug", document.debug("panic")).unwrap_err();
    assert_eq!(error["code"], -32603, "{error}");
    assert_eq!(document.seen_text(), "x = 1\n");
    assert_eq!(client.stop(), Some(0));
}
