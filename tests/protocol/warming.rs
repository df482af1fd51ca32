//! The work in the background: requests and edits are served meanwhile, it can be stopped, and what it finds is shown.

use serde_json::{Value, json};

use super::client::{Client, abilities};
use super::document::Document;
use super::folder::Folder;

const STARTER: &str = "\
import threading
from store import notify

def start(event):
    threading.Thread(target=notify, args=(event,)).start()
";
/// Only the other file says that a thread runs the function.
const STORE: &str = "\
import asyncio

def notify(event: asyncio.Event):
    event.set()
";

/// A workspace of more files than are done at once.
fn workspace(name: &str) -> Folder {
    let folder = Folder::new(name);
    for number in 0..60 {
        folder.write(&format!("filler/part{number}.py"), "async def wait():\n    pass\n");
    }
    folder.write("starter.py", STARTER);
    folder.write("store.py", STORE);
    folder
}

fn with_progress() -> Value {
    let mut able = abilities();
    able["window"] = json!({"workDoneProgress": true});
    able
}

fn start(folder: &Folder, able: Value, variables: &[(&str, &str)]) -> Client {
    let client = Client::spawn_with(variables);
    client.initialize(folder, able);
    client.notify("initialized", json!({}));
    client
}

fn token(client: &Client) -> Value {
    client.wait_for_request("window/workDoneProgress/create")["token"].clone()
}

fn wait_for(client: &Client, token: &Value, kind: &str) -> Value {
    let is_it = |progress: &Value| progress["token"] == *token && progress["value"]["kind"] == kind;
    client.wait_for_notification("$/progress", is_it)["value"].clone()
}

#[test]
fn what_other_files_say_is_shown_once_the_workspace_is_known() {
    let folder = workspace("warm");
    let client = start(&folder, with_progress(), &[]);
    let document = Document::open(&client, &folder, "store.py", STORE);
    let token = token(&client);
    let begin = wait_for(&client, &token, "begin");
    assert_eq!((&begin["cancellable"], &begin["percentage"]), (&json!(true), &json!(0)), "{begin}");
    wait_for(&client, &token, "end");
    client.wait_for_request("workspace/diagnostic/refresh");
    assert_eq!(document.codes(), [("asyncio/not-threadsafe".to_string(), 3)]);
    let hover = document.hover(2, 6);
    let text = hover["contents"]["value"].as_str().unwrap();
    assert!(text.contains("`threading.Thread` at starter.py line 5"), "{text}");
}

#[test]
fn diagnostics_are_published_anew_to_clients_that_do_not_pull() {
    let folder = workspace("warm-push");
    let mut able = with_progress();
    able["textDocument"]["diagnostic"] = Value::Null;
    let client = start(&folder, able, &[]);
    let document = Document::open(&client, &folder, "store.py", STORE);
    let is_it = |params: &Value| params["uri"] == document.uri && params["diagnostics"] != json!([]);
    let published = client.wait_for_notification("textDocument/publishDiagnostics", is_it);
    assert_eq!(super::document::codes(&published["diagnostics"]), [("asyncio/not-threadsafe".to_string(), 3)]);
}

#[test]
fn the_workspace_is_left_alone_where_a_person_wants_that() {
    let folder = workspace("warm-off");
    let off = json!({"workspace": {"enable": false}});
    let client = Client::start_with(&folder, abilities(), off.clone());
    let document = Document::open(&client, &folder, "store.py", STORE);
    assert_eq!(document.codes(), []);
    client.change_settings(json!({"workspace": {"enable": true}}));
    client.wait_for_request("workspace/diagnostic/refresh"); // The settings are others.
    client.wait_for_request("workspace/diagnostic/refresh"); // The workspace is known.
    assert_eq!(document.codes(), [("asyncio/not-threadsafe".to_string(), 3)]);
    client.change_settings(off);
    client.wait_for_request("workspace/diagnostic/refresh");
    assert_eq!(document.codes(), []);
}

#[test]
fn a_client_that_shows_no_progress_is_not_asked_to() {
    let folder = workspace("warm-quietly");
    let client = start(&folder, abilities(), &[]);
    let document = Document::open(&client, &folder, "store.py", STORE);
    client.wait_for_request("workspace/diagnostic/refresh");
    assert_eq!(document.codes(), [("asyncio/not-threadsafe".to_string(), 3)]);
    assert_eq!(client.arrived("$/progress"), [] as [Value; 0]);
}

#[test]
fn a_small_workspace_shows_no_progress() {
    let folder = Folder::new("warm-small");
    folder.write("starter.py", STARTER);
    let client = start(&folder, with_progress(), &[]);
    let document = Document::open(&client, &folder, "store.py", STORE);
    client.wait_for_request("workspace/diagnostic/refresh");
    assert_eq!(document.codes(), [("asyncio/not-threadsafe".to_string(), 3)]);
    assert_eq!(client.arrived("$/progress"), [] as [Value; 0]);
}

#[test]
fn the_function_is_known_to_run_on_a_thread_after_its_file_and_the_other_one_changed() {
    let folder = workspace("warm-edit");
    let client = start(&folder, abilities(), &[]);
    let mut store = Document::open(&client, &folder, "store.py", STORE);
    client.wait_for_request("workspace/diagnostic/refresh");
    store.set(&format!("# A remark.\n{STORE}"));
    assert_eq!(store.codes(), [("asyncio/not-threadsafe".to_string(), 4)]);
    let mut starter = Document::open(&client, &folder, "starter.py", STARTER);
    starter.set("from store import notify\n\ndef start(event):\n    notify(event)\n");
    assert_eq!(store.codes(), []);
    starter.set(STARTER);
    assert_eq!(store.codes(), [("asyncio/not-threadsafe".to_string(), 4)]);
}

#[cfg(debug_assertions)]
#[test]
fn requests_and_edits_are_served_meanwhile_and_it_goes_on_afterwards() {
    let folder = workspace("warm-busy");
    let client = start(&folder, with_progress(), &[("DUNDERSTAND_TEST_SPIN_WARMING", "part7.py")]);
    client.wait_for_error_output("warming spins");
    let text = "import time\nasync def f():\n    time.sleep(1)\n";
    let mut document = Document::open(&client, &folder, "open.py", text);
    assert_eq!(document.codes(), [("asyncio/blocking-call".to_string(), 2)]);
    client.wait_for_error_output("warming spins");
    assert!(!document.hover(2, 10).is_null(), "a hover does not wait for it");
    for number in 0..3 {
        // Nothing but an edit ends what runs there.
        document.set(&format!("{text}\nnumber = {number}\n"));
        assert_eq!(document.codes(), [("asyncio/blocking-call".to_string(), 2)]);
        client.wait_for_error_output("warming spins");
    }
    let store = Document::open(&client, &folder, "store.py", STORE);
    assert_eq!(store.codes(), [], "what is not known is not said");
    assert_eq!(client.stop(), Some(0));
}

#[cfg(debug_assertions)]
#[test]
fn a_person_can_stop_it() {
    let folder = workspace("warm-stop");
    let client = start(&folder, with_progress(), &[("DUNDERSTAND_TEST_SPIN_WARMING", "part7.py")]);
    let token = token(&client);
    client.wait_for_error_output("warming spins");
    client.notify("window/workDoneProgress/cancel", json!({"token": token}));
    wait_for(&client, &token, "end");
    let document = Document::open(&client, &folder, "store.py", STORE);
    assert_eq!(document.codes(), []);
    assert_eq!(client.stop(), Some(0));
}
