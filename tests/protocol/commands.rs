//! Commands: a page to read, and where concepts are at work.

use serde_json::{Value, json};

use super::client::{Client, abilities};
use super::document::Document;
use super::folder::Folder;

const BLOCKING: &str = "import time\nasync def f():\n    time.sleep(1)\n";
const FIELDS: &str = "\
class Typed:
    def __get__(self, instance, owner):
        return instance.__dict__[\"age\"]

    def __set__(self, instance, value):
        instance.__dict__[\"age\"] = value
";
const RAW: &str = "+++\ntitle = \"Raw\"\nsymbols = [\"team.raw\"]\n+++\nA page with <script>alert(1)</script> in it.\n";
const PERSON: &str = "\
from fields import Typed

class Person:
    age = Typed()

def birthday(person: Person):
    person.age = 3
";

#[test]
fn the_commands_are_offered_and_others_are_refused() {
    let folder = Folder::new("offered");
    let client = Client::spawn();
    let offered = client.initialize(&folder, abilities());
    let commands = offered["capabilities"]["executeCommandProvider"]["commands"].as_array().unwrap().clone();
    let names: Vec<&str> = commands.iter().map(|name| name.as_str().unwrap()).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(names, sorted);
    assert!(names.contains(&"dunderstand.explain") && names.contains(&"dunderstand.concepts"), "{names:?}");
    client.notify("initialized", json!({}));
    for name in names {
        let error = client.command(name, json!([7])).unwrap_err();
        assert_eq!(error["code"], -32602, "{name} is known, and wants an object: {error}");
    }
    assert_eq!(client.command("dunderstand.dance", json!([])).unwrap_err()["code"], -32602);
}

#[test]
fn a_page_is_explained_by_its_id_and_by_words() {
    let folder = Folder::new("explain");
    let client = Client::start(&folder);
    let explain = |asked: Value| client.command("dunderstand.explain", json!([asked]));
    let page = explain(json!({"id": "asyncio/blocking-call"})).unwrap();
    assert_eq!((&page["id"], &page["title"]), (&json!("asyncio/blocking-call"), &json!("Blocks the event loop")));
    let markdown = page["markdown"].as_str().unwrap();
    assert!(markdown.starts_with("# Blocks the event loop\n") && !markdown.contains("# finds:"), "{markdown}");
    assert!(markdown.contains("](dunderstand:asyncio/"), "other pages are links: {markdown}");
    assert_eq!(explain(json!({"words": "blocks the event loop"})).unwrap(), page);

    let several = explain(json!({"words": "weakref"})).unwrap();
    assert_eq!((&several["id"], &several["title"]), (&Value::Null, &json!("Pages about “weakref”")));
    assert!(several["markdown"].as_str().unwrap().contains("](dunderstand:weakref/"), "{several}");

    for nothing in [json!({"id": "asyncio/blocking-cal"}), json!({"words": "zyzzyva"}), json!({})] {
        assert_eq!(explain(nothing.clone()).unwrap_err()["code"], -32602, "{nothing}");
    }
    let error = explain(json!({"id": "asyncio/blocking-cal"})).unwrap_err();
    assert!(error["message"].as_str().unwrap().ends_with("did you mean `asyncio/blocking-call`?"), "{error}");
}

#[test]
fn a_page_comes_as_html_where_it_is_asked_for() {
    let folder = Folder::new("html");
    folder.write(".dunderstand/explanations/team/raw.md", RAW);
    let client = Client::start(&folder);
    let explain = |asked: Value| client.command("dunderstand.explain", json!([asked])).unwrap();
    assert_eq!(explain(json!({"id": "asyncio/blocking-call"}))["html"], Value::Null);
    let page = explain(json!({"id": "asyncio/blocking-call", "html": true}));
    let html = page["html"].as_str().unwrap();
    for part in [
        "<h1>Blocks the event loop</h1>",
        "<a href=\"dunderstand:asyncio/",
        "<span class=\"hljs-keyword\">async</span> <span class=\"hljs-keyword\">def</span> ",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    let html = explain(json!({"id": "team/raw", "html": true}))["html"].as_str().unwrap().to_string();
    assert!(html.contains("&lt;script&gt;") && !html.contains("<script"), "raw HTML is shown, not passed on: {html}");
}

#[test]
fn a_place_is_explained_with_links_to_the_code() {
    let folder = Folder::new("place");
    let fields = folder.write("fields.py", FIELDS);
    let client = Client::start(&folder);
    let document = Document::open(&client, &folder, "a.py", PERSON);
    let explain = |line: u32| {
        let asked = json!({"uri": document.uri, "position": {"line": line, "character": 12}});
        client.command("dunderstand.explain", json!([asked])).unwrap()
    };
    let page = explain(6);
    assert_eq!(page["id"], "descriptors/assignment");
    let markdown = page["markdown"].as_str().unwrap();
    assert!(markdown.contains("`person.age = …` calls `Typed.__set__("), "the sentence is about this code: {markdown}");
    for (text, path, line) in [("line 4", folder.path().join("a.py"), 4), ("fields.py line 5", fields, 5)] {
        let link = format!("[{text}](file://{}#L{line})", path.display());
        assert!(markdown.contains(&link), "{link}: {markdown}");
    }
    let here = format!("\n## In a.py\n\n- [line 7]({}#L7): `person.age = 3`\n", document.uri);
    assert!(markdown.contains(&here), "{here} {markdown}");
    assert_eq!(explain(1), Value::Null, "there is nothing to explain on an empty line");

    let by_id = json!([{"id": "descriptors/assignment", "uri": document.uri}]);
    let by_id = client.command("dunderstand.explain", by_id).unwrap();
    assert!(by_id["markdown"].as_str().unwrap().contains(&here));
}

#[test]
fn hovers_of_a_concept_or_of_a_topic_can_be_switched_off() {
    let folder = Folder::new("hover-disable");
    let text = "def rows():\n    try:\n        yield 1\n    finally:\n        print()\n";
    for (off, is_told) in [
        (json!([]), true),
        (json!(["keywords/with"]), true),
        (json!(["keywords/yield"]), false),
        (json!(["keywords"]), false),
    ] {
        let client = Client::start_with(&folder, abilities(), json!({"hover": {"disable": off}}));
        let document = Document::open(&client, &folder, "a.py", text);
        assert_eq!(!document.hover(2, 9).is_null(), is_told, "{off}");
    }
}

#[test]
fn a_place_is_explained_even_where_hovers_are_off() {
    let folder = Folder::new("hover-off");
    let client = Client::start_with(&folder, abilities(), json!({"hover": {"enable": false}}));
    let document = Document::open(&client, &folder, "a.py", BLOCKING);
    assert_eq!(document.hover(2, 10), Value::Null);
    let asked = json!([{"uri": document.uri, "position": {"line": 2, "character": 10}}]);
    assert_eq!(client.command("dunderstand.explain", asked).unwrap()["id"], "asyncio/blocking-call");
}

#[test]
fn concepts_are_listed_with_their_places() {
    let folder = Folder::new("concepts");
    folder.write("b.py", BLOCKING);
    folder.write("sub/c.py", BLOCKING);
    folder.write(".gitignore", "ignored/\n");
    folder.write(".git/HEAD", "");
    folder.write("ignored/d.py", BLOCKING);
    let client = Client::start(&folder);
    let document = Document::open(&client, &folder, "a.py", BLOCKING);
    let files = |arguments: Value| -> Vec<String> {
        let concepts = client.command("dunderstand.concepts", arguments).unwrap();
        let concepts = concepts.as_array().unwrap();
        let blocking = concepts.iter().find(|it| it["concept"] == "asyncio/blocking-call").unwrap();
        assert_eq!((&blocking["title"], &blocking["omitted"]), (&json!("Blocks the event loop"), &json!(0)));
        let places = blocking["places"].as_array().unwrap();
        for place in places {
            assert_eq!((&place["text"], &place["range"]["start"]["line"]), (&json!("time.sleep(1)"), &json!(2)));
            assert!(place["summary"].as_str().unwrap().contains("time.sleep"), "{place}");
        }
        places.iter().map(|place| place["uri"].as_str().unwrap().rsplit('/').next().unwrap().to_string()).collect()
    };
    assert_eq!(files(json!([{"uri": document.uri}])), ["a.py"]);
    assert_eq!(files(json!([])), ["b.py", "c.py"], "the files on disk that are not ignored");
}

fn with_progress(folder: &Folder) -> Client {
    let mut able = abilities();
    able["window"] = json!({"workDoneProgress": true});
    Client::start_with(folder, able, json!({}))
}

fn kinds(client: &Client, token: &Value) -> Vec<Value> {
    let is_end = |progress: &Value| progress["token"] == *token && progress["value"]["kind"] == "end";
    client.wait_for_notification("$/progress", is_end);
    let of_token = client.arrived("$/progress").into_iter().filter(|progress| progress["token"] == *token);
    of_token.map(|progress| progress["value"]["kind"].clone()).collect()
}

#[test]
fn looking_through_the_workspace_shows_how_far_it_is() {
    let folder = Folder::new("progress");
    folder.write("b.py", BLOCKING);
    let client = with_progress(&folder);
    client.command("dunderstand.concepts", json!([])).unwrap();
    let token = client.wait_for_request("window/workDoneProgress/create")["token"].clone();
    assert_eq!(kinds(&client, &token), ["begin", "report"]);

    let own = json!({"command": "dunderstand.concepts", "workDoneToken": "mine"});
    client.request("workspace/executeCommand", own).unwrap();
    assert_eq!(kinds(&client, &json!("mine")), ["begin", "report"], "the client's own token");
}

#[test]
fn looking_through_the_workspace_can_be_cancelled() {
    let folder = Folder::new("cancel");
    for number in 0..400 {
        folder.write(&format!("m{number}.py"), BLOCKING);
    }
    let client = with_progress(&folder);
    let started = |token: &str| {
        let params = json!({"command": "dunderstand.concepts", "workDoneToken": token});
        let id = client.ask("workspace/executeCommand", params);
        let is_begin = |it: &Value| it["token"] == token && it["value"]["kind"] == "begin";
        client.wait_for_notification("$/progress", is_begin);
        id
    };
    let by_button = started("button");
    client.notify("window/workDoneProgress/cancel", json!({"token": "button"}));
    assert_eq!(client.wait(by_button).unwrap_err()["code"], -32800);
    kinds(&client, &json!("button"));

    let by_request = started("request");
    client.notify("$/cancelRequest", json!({"id": by_request}));
    assert_eq!(client.wait(by_request).unwrap_err()["code"], -32800);
    kinds(&client, &json!("request"));
}

const HELPER: &str = "import time\n\ndef helper():\n    time.sleep(1)\n";
const CALLER: &str = "from helper import helper\n\nasync def handler():\n    helper()\n";

#[cfg(debug_assertions)]
#[test]
fn hovers_and_edits_are_served_while_the_workspace_is_looked_through() {
    let folder = Folder::new("meanwhile");
    folder.write("slow.py", CALLER);
    let client = Client::spawn_with(&[("DUNDERSTAND_TEST_SPIN", "slow.py")]);
    client.initialize(&folder, abilities());
    client.notify("initialized", json!({}));
    client.wait_for_request("workspace/configuration");
    let mut helper = Document::open(&client, &folder, "helper.py", HELPER);
    let caller = Document::open(&client, &folder, "caller.py", CALLER);
    let pass =
        client.ask("workspace/executeCommand", json!({"command": "dunderstand.concepts", "workDoneToken": "pass"}));
    client.wait_for_notification("$/progress", |it: &Value| it["value"]["kind"] == "begin");
    // The pass is inside a file and stays there.
    client.wait_for_error_output("spinning");
    let text = caller.hover(3, 5)["contents"]["value"].as_str().unwrap().to_string();
    assert!(text.contains("1. `helper` calls `time.sleep` at helper.py line 4."), "{text}");
    assert_eq!(caller.codes(), [("asyncio/blocking-call-through".to_string(), 3)]);
    // An edit in the other file counts at once; the pass takes the file up again.
    helper.set("def helper():\n    return 1\n");
    assert_eq!(caller.codes(), []);
    client.wait_for_error_output("spinning");
    client.notify("$/cancelRequest", json!({"id": pass}));
    assert_eq!(client.wait(pass).unwrap_err()["code"], -32800);
}

const LOAD: &str = "import time\n\ndef load(n):\n    time.sleep(1)\n    return n\n";
const TOTAL: &str = "from load import load\n\ndef total(ns):\n    return [load(n) for n in ns]\n";

#[test]
fn steps_to_async_come_with_what_stands_in_their_way() {
    let folder = Folder::new("steps");
    let client = Client::start(&folder);
    folder.write("load.py", LOAD);
    let opened = Document::open(&client, &folder, "total.py", TOTAL);
    let steps = |asked: Value| client.command("dunderstand.asyncSteps", json!([asked])).unwrap();
    let found = steps(json!({"uri": opened.uri}));
    let [step] = found.as_array().unwrap().as_slice() else { panic!("{found}") };
    assert_eq!(
        (&step["rewrite"], &step["applies"], &step["reason"]),
        (&json!("make_async"), &json!(true), &Value::Null)
    );
    assert!(
        step["title"].as_str().unwrap().starts_with("Make `load` async, with its caller `total`, in 2 files"),
        "{step}"
    );
    assert_eq!(step["range"]["start"], json!({"line": 2, "character": 0}));
    assert_eq!(steps(json!({"uri": opened.uri, "position": {"line": 0, "character": 0}})), json!([]));

    let passed = format!("{TOTAL}\nfirst = map(load, [1])\n");
    let refused = Document::open(&client, &folder, "passed.py", &passed);
    let found = steps(json!({"uri": refused.uri, "position": {"line": 3, "character": 8}}));
    assert_eq!(found[0]["applies"], false);
    let reason = found[0]["reason"].as_str().unwrap();
    assert!(reason.contains("is passed to `map(…)` (passed.py:6)"), "{reason}");
}

#[test]
fn an_edit_of_several_files_is_versioned_and_annotated_file_by_file() {
    let folder = Folder::new("several");
    let client = Client::start(&folder);
    folder.write("load.py", LOAD);
    let total = Document::open(&client, &folder, "total.py", TOTAL);
    let actions = total.actions(2, json!({"diagnostics": []}));
    let action = actions.iter().find(|action| action["title"].as_str().unwrap().starts_with("Make ")).unwrap();
    let action = client.request("codeAction/resolve", action.clone()).unwrap();
    let edit = &action["edit"];
    let documents = edit["documentChanges"].as_array().unwrap();
    assert_eq!(documents.len(), 2, "{edit}");
    for document in documents {
        let is_open = document["textDocument"]["uri"].as_str().unwrap().ends_with("total.py");
        assert_eq!(document["textDocument"]["version"].is_null(), !is_open, "a closed file has no version: {document}");
        let id = document["edits"][0]["annotationId"].as_str().unwrap();
        let annotation = &edit["changeAnnotations"][id];
        assert_eq!(annotation["needsConfirmation"], Value::Null, "half of the edit would be broken code: {annotation}");
        let name = if is_open { "total.py" } else { "load.py" };
        assert_eq!(annotation["label"], format!("Changes in {name}"));
    }
}
