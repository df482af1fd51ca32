//! From the first message to the last.

use std::process::Command;

use serde_json::{Value, json};

use super::client::{Client, abilities};
use super::document::Document;
use super::folder::Folder;

const BLOCKING: &str = "import time\nasync def f():\n    time.sleep(1)\n";

#[test]
fn the_server_says_who_it_is_and_what_it_can_do() {
    let folder = Folder::new("initialize");
    let client = Client::spawn();
    let answer = client.initialize(&folder, abilities());
    assert_eq!(answer["serverInfo"], json!({"name": "dunderstand", "version": env!("CARGO_PKG_VERSION")}));
    let offered = &answer["capabilities"];
    assert_eq!(offered["textDocumentSync"]["change"], 2);
    assert_eq!(offered["diagnosticProvider"]["interFileDependencies"], true);
    for foreign in ["completionProvider", "renameProvider", "documentFormattingProvider", "definitionProvider"] {
        assert_eq!(offered[foreign], Value::Null, "{foreign} is the type checker's affair");
    }
}

#[test]
fn the_exit_code_is_0_after_shutdown_and_1_without() {
    let folder = Folder::new("exit-code");
    assert_eq!(Client::start(&folder).stop(), Some(0));

    let client = Client::start(&folder);
    client.notify("exit", Value::Null);
    assert_eq!(client.wait_for_exit().code(), Some(1));

    let client = Client::start(&folder);
    client.close_input();
    assert_eq!(client.wait_for_exit().code(), Some(1));

    let client = Client::spawn();
    client.close_input();
    assert_eq!(client.wait_for_exit().code(), Some(1));
}

#[test]
fn requests_that_came_before_the_end_of_the_input_are_answered() {
    let folder = Folder::new("drain");
    let client = Client::start(&folder);
    let document = Document::open(&client, &folder, "a.py", BLOCKING);
    assert!(!document.hover(2, 10).is_null());
    let id = client.ask("textDocument/hover", document.at(2, 10));
    client.close_input();
    assert!(!client.wait(id).unwrap().is_null());
}

#[test]
#[cfg(target_os = "linux")]
fn the_server_ends_with_its_parent() {
    let mut parent = Command::new("sleep").arg("1000").spawn().unwrap();
    let client = Client::spawn();
    client.request("initialize", json!({"processId": parent.id(), "capabilities": {}})).unwrap();
    parent.kill().unwrap();
    // Its input stays open, and nobody has waited for the dead parent yet.
    assert_eq!(client.wait_for_exit().code(), Some(1));
    parent.wait().unwrap();
}

#[test]
fn before_initialize_and_after_shutdown_nothing_is_answered() {
    let folder = Folder::new("states");
    let client = Client::spawn();
    let hover = json!({"textDocument": {"uri": "file:///a.py"}, "position": {"line": 0, "character": 0}});
    assert_eq!(client.request("textDocument/hover", hover.clone()).unwrap_err()["code"], -32002);
    client.notify("textDocument/didOpen", json!({}));
    client.initialize(&folder, abilities());
    let again = client.request("initialize", json!({"capabilities": {}}));
    assert_eq!(again.unwrap_err()["code"], -32600);
    assert_eq!(client.request("shutdown", Value::Null), Ok(Value::Null));
    assert_eq!(client.request("textDocument/hover", hover).unwrap_err()["code"], -32600);
    client.notify("exit", Value::Null);
    assert_eq!(client.wait_for_exit().code(), Some(0));
}

#[test]
fn what_cannot_be_read_is_an_error_and_nothing_more() {
    let folder = Folder::new("malformed");
    let client = Client::start(&folder);
    let framed = |body: &[u8]| [format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat();

    client.send_raw(&framed(b"{\"jsonrpc\": \"2.0\", \"method\":"));
    assert_eq!(client.wait_for_nameless_error(), -32700);
    client.send_raw(&framed(b"\xff\xfe{}"));
    assert_eq!(client.wait_for_nameless_error(), -32700);
    client.send_raw(&framed(b"[1, 2]"));
    assert_eq!(client.wait_for_nameless_error(), -32600);
    client.send_raw(&framed(b"{\"method\": \"textDocument/hover\"}"));
    assert_eq!(client.wait_for_nameless_error(), -32600);
    client.send_raw(b"Content-Length: many\r\n\r\n");
    assert_eq!(client.wait_for_nameless_error(), -32700);
    client.send_raw(b"hello\r\n\r\n");
    assert_eq!(client.wait_for_nameless_error(), -32700);
    // A body without a length, with the next header right behind it.
    client.send_raw(b"Content-Length: 99999999999999999999\r\n\r\n{\"jsonrpc\": \"2.0\"}");
    assert_eq!(client.wait_for_nameless_error(), -32700);

    for method in ["no/such/method", "$/noSuchMethod"] {
        assert_eq!(client.request(method, json!({})).unwrap_err()["code"], -32601);
    }
    client.notify("no/such/notification", json!({}));
    client.notify("$/noSuchNotification", json!({}));
    client.notify("textDocument/didOpen", json!({"textDocument": 3}));
    assert_eq!(client.request("textDocument/hover", json!({"position": []})).unwrap_err()["code"], -32602);

    let document = Document::open(&client, &folder, "a.py", BLOCKING);
    assert!(!document.hover(2, 10).is_null());
    assert_eq!(client.stop(), Some(0));
}

#[test]
fn a_single_file_needs_no_folder() {
    let folder = Folder::new("single");
    folder.write("helper.py", "async def load(): ...\n");
    let client = Client::spawn();
    client.request("initialize", json!({"processId": null, "capabilities": abilities()})).unwrap();
    client.notify("initialized", json!({}));
    let document = Document::open(&client, &folder, "a.py", "from helper import load\nasync def f():\n    load()\n");
    assert_eq!(document.codes(), [("asyncio/never-awaited".to_string(), 2)]);
    let unsaved = Document::open_uri(&client, "untitled:Untitled-1".to_string(), BLOCKING);
    assert_eq!(unsaved.codes(), [("asyncio/blocking-call".to_string(), 2)]);
    assert!(!unsaved.hover(2, 10).is_null());
    assert_eq!(client.stop(), Some(0));
}

#[test]
fn folders_come_and_go() {
    let (one, two) = (Folder::new("one"), Folder::new("two"));
    two.write("helper.py", "async def load(): ...\n");
    let client = Client::start(&one);
    let document = Document::open(&client, &two, "a.py", "from helper import load\nasync def f():\n    load()\n");
    assert_eq!(document.codes(), []);
    let folder = json!({"uri": format!("file://{}", two.path().display()), "name": "two"});
    let change = |added: Value, removed: Value| {
        let event = json!({"event": {"added": added, "removed": removed}});
        client.notify("workspace/didChangeWorkspaceFolders", event);
    };
    change(json!([folder]), json!([]));
    assert_eq!(document.codes(), [("asyncio/never-awaited".to_string(), 2)]);
    change(json!([]), json!([folder]));
    assert_eq!(document.codes(), []);
}
