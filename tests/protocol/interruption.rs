//! Cancelled, overtaken and broken requests: each gets exactly one answer, and the server lives on.
#![cfg(debug_assertions)]

use serde_json::json;

use super::client::Client;
use super::document::Document;
use super::folder::Folder;

#[test]
fn a_running_request_can_be_cancelled() {
    let folder = Folder::new("cancel");
    let client = Client::start(&folder);
    let document = Document::open(&client, &folder, "a.py", "x = 1\n");
    let id = client.ask("dunderstand/debug", document.debug("spin"));
    client.wait_for_error_output("spinning");
    client.notify("$/cancelRequest", json!({"id": id}));
    assert_eq!(client.wait(id).unwrap_err()["code"], -32800);
    // The thread that served it is free again: there are at most four.
    for _ in 0..6 {
        let id = client.ask("dunderstand/debug", document.debug("spin"));
        client.wait_for_error_output("spinning");
        client.notify("$/cancelRequest", json!({"id": id}));
        assert_eq!(client.wait(id).unwrap_err()["code"], -32800);
    }
    assert_eq!(client.stop(), Some(0));
}

#[test]
fn a_change_of_its_document_ends_a_request() {
    let folder = Folder::new("modified");
    let client = Client::start(&folder);
    let mut document = Document::open(&client, &folder, "a.py", "x = 1\n");
    let id = client.ask("dunderstand/debug", document.debug("spin"));
    client.wait_for_error_output("spinning");
    document.set("x = 2\n");
    assert_eq!(client.wait(id).unwrap_err()["code"], -32801);
    assert_eq!(document.seen_text(), "x = 2\n");
}

#[test]
fn a_change_of_another_document_begins_a_request_anew() {
    let folder = Folder::new("retry");
    let client = Client::start(&folder);
    let document = Document::open(&client, &folder, "a.py", "x = 1\n");
    let mut other = Document::open(&client, &folder, "b.py", "x = 1\n");
    let id = client.ask("dunderstand/debug", document.debug("spin"));
    for version in 0..3 {
        client.wait_for_error_output("spinning");
        other.set(&format!("x = {version}\n"));
        assert_eq!(other.seen_text(), format!("x = {version}\n"));
    }
    client.wait_for_error_output("spinning");
    client.notify("$/cancelRequest", json!({"id": id}));
    assert_eq!(client.wait(id).unwrap_err()["code"], -32800);
}

#[test]
fn a_request_overtaken_by_a_change_is_given_back() {
    let folder = Folder::new("overtaken");
    let client = Client::spawn();
    client.hold_settings();
    client.initialize(&folder, super::client::abilities());
    client.notify("initialized", json!({}));
    let mut document = Document::open(&client, &folder, "a.py", "x = 1\n");
    // Reads wait for the settings, so both are there before the change.
    let hover = client.ask("textDocument/hover", document.at(0, 0));
    let pull = client.ask("textDocument/diagnostic", json!({"textDocument": document.identifier()}));
    document.set("x = 2\n");
    client.answer_settings();
    assert_eq!(client.wait(hover).unwrap_err()["code"], -32801);
    let error = client.wait(pull).unwrap_err();
    assert_eq!(error["code"], -32802);
    assert_eq!(error["data"], json!({"retriggerRequest": true}));
    assert_eq!(document.seen_text(), "x = 2\n");
}

#[test]
fn a_panic_is_answered_and_logged() {
    let folder = Folder::new("panic");
    let client = Client::start(&folder);
    let document = Document::open(&client, &folder, "a.py", "import time\nasync def f():\n    time.sleep(1)\n");
    for _ in 0..6 {
        let error = client.request("dunderstand/debug", document.debug("panic")).unwrap_err();
        assert_eq!(error["code"], -32603);
        let log = client.wait_for_notification("window/logMessage", |params| params["type"] == 1);
        let text = log["message"].as_str().unwrap();
        assert!(text.contains("a panic that was asked for"), "{text}");
        assert!(text.contains("server::debug"), "the log has the backtrace: {text}");
    }
    assert!(!document.hover(2, 10).is_null());
    assert_eq!(client.stop(), Some(0));
}

#[test]
fn the_end_does_not_wait_for_requests() {
    let folder = Folder::new("exit");
    let client = Client::start(&folder);
    let document = Document::open(&client, &folder, "a.py", "x = 1\n");
    client.ask("dunderstand/debug", document.debug("spin"));
    client.wait_for_error_output("spinning");
    assert_eq!(client.stop(), Some(0));
}

#[test]
fn a_request_that_takes_too_long_is_given_up() {
    let folder = Folder::new("limit");
    let client = Client::spawn_with(&[("DUNDERSTAND_TEST_LIMIT_MS", "1000")]);
    client.initialize(&folder, super::client::abilities());
    let document = Document::open(&client, &folder, "a.py", "x = 1\n");
    // More than there are threads: some wait until others are given up, and are given up themselves.
    let ids: Vec<i64> = (0..6).map(|_| client.ask("dunderstand/debug", document.debug("spin"))).collect();
    for id in ids {
        let error = client.wait(id).unwrap_err();
        assert_eq!((&error["code"], &error["message"]), (&json!(-32803), &json!("no answer within 1s")));
    }
    // The threads are free again. A slow machine may need more than a second for the first answer.
    let answers = (0..60).find_map(|_| client.request("dunderstand/debug", document.debug("text")).ok());
    assert_eq!(answers, Some(json!("x = 1\n")));
}

/// A read that waits for the result of another, which a change ends, was once taken for a bug.
#[test]
fn changes_while_several_reads_share_work_are_no_bug() {
    let folder = Folder::new("shared-work");
    let client = Client::start(&folder);
    let texts = [
        ("prices.py", "import time\n\ndef load(item):\n    time.sleep(1)\n    return item\n"),
        ("cart.py", "from prices import load\n\ndef total(items):\n    return sum([load(item) for item in items])\n"),
        ("checkout.py", "from cart import total\n\nasync def checkout(items):\n    return total(items)\n"),
    ];
    let mut documents: Vec<Document> =
        texts.iter().map(|(name, text)| Document::open(&client, &folder, name, text)).collect();
    let mut ids = vec![];
    for round in 0..150_usize {
        for document in &documents {
            let whole = json!({"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}});
            ids.push(client.ask("textDocument/diagnostic", json!({"textDocument": document.identifier()})));
            let hints = json!({"textDocument": document.identifier(), "range": whole});
            ids.push(client.ask("textDocument/inlayHint", hints));
        }
        // Every few rounds some are answered, so that the changes meet the reads at different points of their work.
        if round % 3 == 0 {
            let id = ids.len() - 1 - round % 5;
            client.wait(ids.remove(id)).ok();
        }
        documents[round % 3].set(&format!("{}\ndef extra():\n    return {round}\n", texts[round % 3].1));
    }
    let bugs: Vec<_> = ids.into_iter().filter_map(|id| client.wait(id).err()).filter(|e| e["code"] == -32603).collect();
    assert_eq!(bugs, [] as [serde_json::Value; 0]);
}
