//! Hovers, hints, diagnostics and actions in the protocol's words.

use serde_json::{Value, json};

use super::client::{Client, abilities, abilities_but};
use super::document::{Document, codes};
use super::folder::Folder;

const BLOCKING: &str = "import time\nasync def f():\n    time.sleep(1)\n";
const DESCRIPTOR: &str = "\
class Typed:
    def __get__(self, instance, owner): ...
    def __set__(self, instance, value): ...

class P:
    age = Typed()

def f(p: P):
    p.age = 3
";

#[test]
fn a_hover_is_markdown_for_clients_that_show_it_and_plain_text_for_others() {
    let folder = Folder::new("hover");
    let client = Client::start(&folder);
    let hover = Document::open(&client, &folder, "a.py", BLOCKING).hover(2, 10);
    assert_eq!(hover["contents"]["kind"], "markdown");
    let markdown = hover["contents"]["value"].as_str().unwrap().to_string();
    assert!(markdown.starts_with("**"), "{markdown}");
    assert_eq!(hover["range"], json!({"start": {"line": 2, "character": 4}, "end": {"line": 2, "character": 14}}));

    let plain = abilities_but("/textDocument/hover", json!({"contentFormat": ["plaintext"]}));
    let client = Client::start_with(&folder, plain, json!({}));
    let hover = Document::open(&client, &folder, "a.py", BLOCKING).hover(2, 10);
    assert_eq!(hover["contents"]["kind"], "plaintext");
    let plain = hover["contents"]["value"].as_str().unwrap();
    assert!(!plain.contains(['*', '`']) && !plain.contains("](http"), "{plain}");
    assert!(markdown.contains("`time.sleep`") && plain.contains("time.sleep"), "{plain}");
    assert!(plain.contains(": https://docs.python.org/"), "links keep their address: {plain}");
}

#[test]
fn where_there_is_nothing_to_say_the_answer_is_null() {
    let folder = Folder::new("nothing");
    let client = Client::start(&folder);
    let document = Document::open(&client, &folder, "a.py", "x = 1\n");
    assert_eq!(document.hover(0, 0), Value::Null);
    assert_eq!(document.hover(77, 77), Value::Null);
    assert_eq!(document.hints(), [] as [Value; 0]);
    assert_eq!(document.actions(0, json!({"diagnostics": []})), [] as [Value; 0]);
}

#[test]
fn a_hint_leads_to_the_code_and_explains_itself_on_demand() {
    let folder = Folder::new("hint");
    let client = Client::start(&folder);
    let document = Document::open(&client, &folder, "a.py", DESCRIPTOR);
    let hints = document.hints();
    let hint = hints.iter().find(|hint| hint["position"]["line"] == 8).unwrap();
    assert_eq!(hint["label"][0]["value"], "→ Typed.__set__");
    assert_eq!(hint["label"][0]["location"]["range"]["start"]["line"], 2);
    assert_eq!(hint["label"][0]["location"]["uri"], document.uri);
    assert_eq!(hint["paddingLeft"], true);
    for absent in ["kind", "textEdits", "tooltip"] {
        assert_eq!(hint[absent], Value::Null, "{absent}");
    }
    let resolved = client.request("inlayHint/resolve", hint.clone()).unwrap();
    assert_eq!(resolved["tooltip"]["kind"], "markdown");
    assert!(resolved["tooltip"]["value"].as_str().unwrap().contains("`Typed.__set__"), "{resolved}");
}

#[test]
fn pages_are_links_where_the_client_has_a_command_for_them() {
    let folder = Folder::new("page-command");
    let hover = |client: &Client| {
        let hover = Document::open(client, &folder, "a.py", DESCRIPTOR).hover(8, 6);
        hover["contents"]["value"].as_str().unwrap().to_string()
    };
    let plain = hover(&Client::start(&folder));
    assert!(plain.contains("`descriptors/") && !plain.contains("command:"), "{plain}");

    let client = Client::start_with_options(&folder, json!({"pageCommand": "editor.page"}));
    let linked = hover(&client);
    let last = linked.lines().last().unwrap();
    assert!(!last.contains('`') && last.contains("](command:editor.page?%5B%7B%22id%22%3A%22descriptors%2F"), "{last}");
    assert!(last.contains(" · [Whole page](command:editor.page?%5B%7B%22position%22%3A%7B"), "{last}");
    assert_eq!(linked.lines().count(), plain.lines().count(), "{linked}");
}

#[test]
fn only_the_hints_in_the_range_are_sent() {
    let folder = Folder::new("hint-range");
    let client = Client::start(&folder);
    let document = Document::open(&client, &folder, "a.py", DESCRIPTOR);
    let range = json!({"start": {"line": 0, "character": 0}, "end": {"line": 4, "character": 0}});
    let params = json!({"textDocument": document.identifier(), "range": range});
    assert_eq!(client.request("textDocument/inlayHint", params), Ok(json!([])));
}

#[test]
fn a_diagnostic_has_all_that_a_client_can_show() {
    let folder = Folder::new("diagnostic");
    let client = Client::start(&folder);
    let text = format!("{BLOCKING}    x = 1  # dunderstand: ignore[asyncio/blocking-call]\n");
    let report = Document::open(&client, &folder, "a.py", &text).pull(None);
    let [blocking, unused] = report["items"].as_array().unwrap().as_slice() else { panic!("{report}") };
    assert_eq!((&blocking["source"], &blocking["severity"]), (&json!("dunderstand"), &json!(2)));
    let href = blocking["codeDescription"]["href"].as_str().unwrap();
    assert!(href.starts_with("https://docs.python.org/3/"), "the page's first source: {href}");
    assert_eq!(blocking["data"], json!({"concept": "asyncio/blocking-call"}));
    assert_eq!(unused["tags"], json!([1]));
    assert_eq!(unused["codeDescription"], Value::Null, "there is no page on it");

    let settings = json!({"pagesUrl": "https://example.org/pages/"});
    let client = Client::start_with(&folder, abilities(), settings);
    let report = Document::open(&client, &folder, "a.py", BLOCKING).pull(None);
    let href = &report["items"][0]["codeDescription"]["href"];
    assert_eq!(href, "https://example.org/pages/asyncio/blocking-call.html");

    let bare = abilities_but("/textDocument/publishDiagnostics", Value::Null);
    let client = Client::start_with(&folder, bare, json!({}));
    let report = Document::open(&client, &folder, "a.py", &text).pull(None);
    assert_eq!(report["items"][0]["codeDescription"], Value::Null);
    assert_eq!(report["items"][1]["tags"], Value::Null);
}

#[test]
fn some_diagnostics_are_off_until_their_setting_is_on() {
    let folder = Folder::new("opt-in");
    let text = "async def f():\n    open('data.txt')\n";
    let client = Client::start(&folder);
    let document = Document::open(&client, &folder, "a.py", text);
    assert_eq!(document.codes(), []);
    assert!(document.hover(1, 5).to_string().contains("Local file"), "it is explained all the same");
    client.change_settings(json!({"diagnostics": {"fileIo": {"enable": true}}}));
    client.wait_for_request("workspace/diagnostic/refresh");
    assert_eq!(document.codes(), [("asyncio/file-access".to_string(), 1)]);
}

#[test]
fn a_report_that_has_not_changed_is_not_sent_again() {
    let folder = Folder::new("result-id");
    let client = Client::start(&folder);
    let mut document = Document::open(&client, &folder, "a.py", BLOCKING);
    let report = document.pull(None);
    assert_eq!(report["kind"], "full");
    let id = report["resultId"].as_str().unwrap();
    assert_eq!(document.pull(Some(id)), json!({"kind": "unchanged", "resultId": id}));
    document.set(&format!("{BLOCKING}\n# more\n"));
    assert_eq!(document.pull(Some(id))["kind"], "unchanged", "the diagnostics are the same");
    document.set(&format!("\n{BLOCKING}"));
    let moved = document.pull(Some(id));
    assert_eq!(moved["kind"], "full");
    assert_eq!(codes(&moved["items"]), [("asyncio/blocking-call".to_string(), 3)]);
    assert_ne!(moved["resultId"], json!(id));
}

#[test]
fn clients_that_do_not_pull_are_sent_diagnostics() {
    let folder = Folder::new("push");
    let client = Client::start_with(&folder, abilities_but("/textDocument/diagnostic", Value::Null), json!({}));
    let published = |version: Value| {
        let params = client.wait_for_notification("textDocument/publishDiagnostics", |it| it["version"] == version);
        codes(&params["diagnostics"])
    };
    let blocking = |line| [("asyncio/blocking-call".to_string(), line)];
    let mut document = Document::open(&client, &folder, "a.py", BLOCKING);
    assert_eq!(published(json!(1)), blocking(2));
    document.set(&format!("\n{BLOCKING}"));
    assert_eq!(published(json!(2)), blocking(3));
    document.set("\n");
    assert_eq!(published(json!(3)), []);
    document.set(BLOCKING);
    assert_eq!(published(json!(4)), blocking(2));
    document.close();
    assert_eq!(published(Value::Null), [], "a closed file has none");
}

#[test]
fn actions_are_of_the_kinds_asked_for() {
    let folder = Folder::new("kinds");
    let client = Client::start(&folder);
    let document = Document::open(&client, &folder, "a.py", BLOCKING);
    let diagnostics = document.pull(None)["items"].clone();
    let kinds = |only: Value| -> Vec<String> {
        let actions = document.actions(2, json!({"diagnostics": diagnostics, "only": only}));
        actions.iter().map(|action| action["kind"].as_str().unwrap().to_string()).collect()
    };
    assert!(kinds(Value::Null).contains(&"quickfix".to_string()));
    assert!(!kinds(Value::Null).iter().any(|kind| kind.starts_with("source")));
    assert!(!kinds(json!(["quickfix"])).is_empty());
    assert_eq!(kinds(json!(["quick"])), [] as [&str; 0]);
    assert_eq!(kinds(json!(["refactor.extract"])), [] as [&str; 0]);
    for action in document.actions(2, json!({"diagnostics": diagnostics})) {
        assert_eq!(action["diagnostics"], diagnostics, "a fix belongs to its diagnostic: {action}");
        assert_eq!(action["edit"], Value::Null, "the edit comes when the action is chosen");
    }
    let suppression = document.actions(2, json!({"diagnostics": []})).pop().unwrap();
    assert_eq!(suppression["title"], "Suppress `asyncio/blocking-call` on this line", "it comes last");
}

#[test]
fn an_action_is_resolved_for_the_version_it_was_made_for() {
    let folder = Folder::new("resolve");
    let client = Client::start(&folder);
    let mut document = Document::open(&client, &folder, "a.py", BLOCKING);
    let action = document.actions(2, json!({"diagnostics": []})).pop().unwrap();
    let resolved = client.request("codeAction/resolve", action.clone()).unwrap();
    let [change] = resolved["edit"]["documentChanges"].as_array().unwrap().as_slice() else { panic!("{resolved}") };
    assert_eq!(change["textDocument"], json!({"uri": document.uri, "version": 1}));
    let end = json!({"line": 2, "character": 17});
    let comment = "  # dunderstand: ignore[asyncio/blocking-call]";
    assert_eq!(change["edits"], json!([{"range": {"start": end, "end": end}, "newText": comment}]));
    document.change(json!([{"range": {"start": end, "end": end}, "text": comment}]));
    assert_eq!(document.codes(), []);
    assert_eq!(client.request("codeAction/resolve", action).unwrap_err()["code"], -32801);
}

#[test]
fn simple_clients_get_whole_edits() {
    let folder = Folder::new("simple");
    let mut simple = abilities_but("/textDocument/codeAction/resolveSupport", Value::Null);
    simple["workspace"]["workspaceEdit"] = Value::Null;
    let client = Client::start_with(&folder, simple, json!({}));
    let document = Document::open(&client, &folder, "a.py", BLOCKING);
    let action = document.actions(2, json!({"diagnostics": []})).pop().unwrap();
    assert_eq!(action["edit"]["documentChanges"], Value::Null);
    assert_eq!(action["edit"]["changes"][&document.uri].as_array().unwrap().len(), 1);
    assert_eq!(action["data"], Value::Null);
}

#[test]
fn a_refused_rewrite_says_why_where_the_client_shows_it() {
    let folder = Folder::new("disabled");
    // `main` is no coroutine function, so its call of a coroutine function cannot be awaited.
    let text = "async def load(): ...\n\ndef main():\n    load()\n";
    let refused = |abilities: Value| -> Vec<Value> {
        let client = Client::start_with(&folder, abilities, json!({}));
        let document = Document::open(&client, &folder, "a.py", text);
        let actions = document.actions(3, json!({"diagnostics": []}));
        actions.into_iter().filter(|action| !action["disabled"].is_null()).collect()
    };
    let with = refused(abilities());
    assert!(!with.is_empty());
    for action in &with {
        assert!(!action["disabled"]["reason"].as_str().unwrap().is_empty());
        assert_eq!(client_edit(action), Value::Null);
    }
    assert_eq!(refused(abilities_but("/textDocument/codeAction/disabledSupport", json!(false))), [] as [Value; 0]);
}

fn client_edit(action: &Value) -> Value {
    json!([action["edit"], action["data"]]).as_array().unwrap().iter().find(|it| !it.is_null()).cloned().into()
}

#[test]
fn all_safe_fixes_are_one_action_that_is_asked_for_by_name() {
    let folder = Folder::new("fix-all");
    let client = Client::start_with(&folder, abilities(), json!({"pythonVersion": "3.11"}));
    let text = "\
import threading

lock = threading.Lock()
log = []

def one():
    lock.acquire()
    log.remove(1)
    lock.release()

def two():
    lock.acquire()
    log.remove(2)
    lock.release()
";
    let document = Document::open(&client, &folder, "a.py", text);
    for only in ["source", "source.fixAll", "source.fixAll.dunderstand"] {
        let actions = document.actions(0, json!({"diagnostics": [], "only": [only]}));
        let [action] = actions.as_slice() else { panic!("{only}: {actions:?}") };
        assert_eq!(action["kind"], "source.fixAll.dunderstand");
        let resolved = client.request("codeAction/resolve", action.clone()).unwrap();
        let edits = resolved["edit"]["documentChanges"][0]["edits"].as_array().unwrap();
        let touches = |first: u64, last: u64| {
            let line = |edit: &Value| edit["range"]["start"]["line"].as_u64().unwrap();
            edits.iter().any(|edit| (first..=last).contains(&line(edit)))
        };
        assert!(touches(6, 8) && touches(11, 13), "both functions are mended: {edits:?}");
    }
    for only in ["source.organizeImports", "source.fixAll.ruff", "quickfix"] {
        let actions = document.actions(0, json!({"diagnostics": [], "only": [only]}));
        assert!(!actions.iter().any(|action| action["kind"] == "source.fixAll.dunderstand"), "{only}");
    }
}
