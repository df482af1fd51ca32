//! What changes around a file: settings, project files, teams' pages, other files; and files that are no good.

use serde_json::{Value, json};

use super::client::{Client, abilities, abilities_but};
use super::document::Document;
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

fn watched(client: &Client, paths: &[&std::path::Path]) {
    let event = |path: &&std::path::Path| json!({"uri": format!("file://{}", path.display()), "type": 2});
    let changes: Vec<Value> = paths.iter().map(event).collect();
    client.notify("workspace/didChangeWatchedFiles", json!({ "changes": changes }));
}

#[test]
fn changed_settings_refresh_hints_and_diagnostics() {
    let folder = Folder::new("settings");
    let client = Client::start(&folder);
    let document = Document::open(&client, &folder, "a.py", &format!("{DESCRIPTOR}\n{BLOCKING}"));
    assert!(!document.hints().is_empty());
    assert_eq!(document.codes().len(), 1);
    client.change_settings(json!({
        "inlayHints": {"descriptors": {"enable": false}},
        "diagnostics": {"severity": {"asyncio/blocking-call": "off"}},
        "hover.enable": false,
    }));
    client.wait_for_request("workspace/inlayHint/refresh");
    client.wait_for_request("workspace/diagnostic/refresh");
    assert_eq!(document.hints(), [] as [Value; 0]);
    assert_eq!(document.codes(), []);
    assert_eq!(document.hover(12, 10), Value::Null);
    client.change_settings(json!({}));
    client.wait_for_request("workspace/inlayHint/refresh");
    assert!(!document.hints().is_empty());
}

#[test]
fn the_first_answer_is_by_the_editors_settings() {
    let folder = Folder::new("first");
    let client = Client::start_with(&folder, abilities(), json!({"diagnostics": {"enable": false}}));
    assert_eq!(Document::open(&client, &folder, "a.py", BLOCKING).codes(), []);
}

#[test]
fn settings_may_come_with_initialize_or_be_pushed() {
    let folder = Folder::new("initial");
    let client = Client::spawn();
    let folders = json!([{"uri": format!("file://{}", folder.path().display()), "name": "w"}]);
    let mut able = abilities();
    able["workspace"]["configuration"] = json!(false);
    let settings = json!({"settings": {"diagnostics": {"enable": false}}});
    let params = json!({
        "processId": null, "capabilities": able, "workspaceFolders": folders, "initializationOptions": settings,
    });
    client.request("initialize", params).unwrap();
    client.notify("initialized", json!({}));
    let document = Document::open(&client, &folder, "a.py", BLOCKING);
    assert_eq!(document.codes(), []);
    let pushed = json!({"settings": {"dunderstand": {"diagnostics": {"enable": true}}}});
    client.notify("workspace/didChangeConfiguration", pushed);
    client.wait_for_request("workspace/diagnostic/refresh");
    assert_eq!(document.codes().len(), 1);
}

#[test]
fn unknown_settings_do_no_harm_and_wrong_ones_are_told_once() {
    let folder = Folder::new("wrong");
    let settings = json!({"codeLens": {"enable": true}, "hover": {"enable": "yes"}, "diagnostics": {"enable": false}});
    let client = Client::start_with(&folder, abilities(), settings.clone());
    let document = Document::open(&client, &folder, "a.py", BLOCKING);
    let message = client.wait_for_notification("window/showMessage", |_| true);
    let text = "`dunderstand.hover.enable` must be true or false, not \"yes\"; it is ignored";
    assert_eq!(message["message"], text);
    assert!(!document.hover(2, 10).is_null(), "the default stays");
    assert_eq!(document.codes(), [], "the other settings count");
    client.change_settings(settings);
    client.wait_for_request("workspace/inlayHint/refresh");
    document.codes();
    assert_eq!(client.arrived("window/showMessage"), [] as [Value; 0]);
}

#[test]
fn without_a_python_there_is_one_message_and_the_code_is_explained() {
    let folder = Folder::new("no-python");
    let client = Client::spawn_with(&[("PATH", "/nowhere")]);
    client.initialize(&folder, abilities());
    client.notify("initialized", json!({}));
    let document = Document::open(&client, &folder, "a.py", BLOCKING);
    assert_eq!(document.codes().len(), 1);
    let message = client.wait_for_notification("window/showMessage", |_| true);
    let text = message["message"].as_str().unwrap();
    assert!(text.starts_with("no Python was found: the code is explained as Python 3."), "{text}");
    document.codes();
    assert_eq!(client.arrived("window/showMessage"), [] as [Value; 0]);
}

#[test]
fn the_project_file_wins_over_the_editor_and_is_watched() {
    let folder = Folder::new("project-file");
    let project = folder.write("pyproject.toml", "[tool.dunderstand]\ndiagnostics.enable = false\n");
    let client = Client::start_with(&folder, abilities(), json!({"diagnostics": {"enable": true}}));
    let document = Document::open(&client, &folder, "a.py", BLOCKING);
    assert_eq!(document.codes(), []);
    let registered = client.wait_for_request("client/registerCapability");
    assert!(registered.to_string().contains("pyproject"), "{registered}");
    folder.write("pyproject.toml", "[tool.dunderstand]\n");
    watched(&client, &[&project]);
    client.wait_for_request("workspace/diagnostic/refresh");
    assert_eq!(document.codes().len(), 1);
    folder.write("pyproject.toml", "[tool.dunderstand\n");
    watched(&client, &[&project]);
    let message = client.wait_for_notification("window/showMessage", |_| true);
    assert!(message["message"].as_str().unwrap().starts_with(&format!("{}: line 1: ", project.display())));
    assert_eq!(document.codes().len(), 1);
}

const PAGE: &str = "+++\ntitle = \"Our own queue\"\nsymbols = [\"helper.fetch\"]\n+++\nAsks the queue of our team.\n";

#[test]
fn a_teams_page_is_used_and_a_broken_one_is_a_diagnostic_on_it() {
    let folder = Folder::new("pages");
    folder.write("helper.py", "def fetch(): ...\n");
    let page = folder.write(".dunderstand/explanations/asyncio/our-queue.md", PAGE.replace("title", "titel"));
    let client = Client::start(&folder);
    let uri = format!("file://{}", page.display());
    let published = || {
        let params = client.wait_for_notification("textDocument/publishDiagnostics", |it| it["uri"] == uri.as_str());
        params["diagnostics"].as_array().unwrap().clone()
    };
    let broken = published();
    assert_eq!(broken[0]["range"]["start"]["line"], 1, "{broken:?}");
    assert!(broken[0]["message"].as_str().unwrap().contains("titel"), "{broken:?}");

    let document = Document::open(&client, &folder, "a.py", "import helper\nhelper.fetch()\n");
    assert_eq!(document.hover(1, 9), Value::Null);
    folder.write(".dunderstand/explanations/asyncio/our-queue.md", PAGE);
    watched(&client, &[&page]);
    assert_eq!(published(), [] as [Value; 0]);
    let hover = document.hover(1, 9);
    assert!(hover["contents"]["value"].as_str().unwrap().contains("Asks the queue of our team."), "{hover}");

    folder.write(".dunderstand/explanations/asyncio/our-queue.md", format!("{PAGE}[run](command:x)\n"));
    watched(&client, &[&page]);
    assert!(published()[0]["message"].as_str().unwrap().contains("`command:` links"));
    assert_eq!(document.hover(1, 9), Value::Null);
    let explained = client.command("dunderstand.explain", json!([{"id": "asyncio/our-queue"}]));
    assert_eq!(explained.unwrap_err()["code"], -32602);
}

#[test]
fn an_unsaved_new_file_can_be_imported() {
    let folder = Folder::new("unsaved");
    let client = Client::start(&folder);
    let document = Document::open(&client, &folder, "a.py", "from helper import load\nasync def f():\n    load()\n");
    assert_eq!(document.codes(), []);
    let mut helper = Document::open(&client, &folder, "helper.py", "async def load(): ...\n");
    assert_eq!(document.codes(), [("asyncio/never-awaited".to_string(), 2)]);
    helper.set("def load(): ...\n");
    assert_eq!(document.codes(), []);
    helper.set("async def load(): ...\n");
    assert_eq!(document.codes().len(), 1);
    helper.close();
    assert_eq!(document.codes(), [], "it was never saved");
}

#[test]
fn files_that_change_on_disk_are_read_again() {
    let folder = Folder::new("disk");
    let helper = folder.write("helper.py", "def load(): ...\n");
    let client = Client::start(&folder);
    let document = Document::open(&client, &folder, "a.py", "from helper import load\nasync def f():\n    load()\n");
    assert_eq!(document.codes(), []);
    folder.write("helper.py", "async def load(): ...\n");
    watched(&client, &[&helper]);
    client.wait_for_request("workspace/diagnostic/refresh");
    assert_eq!(document.codes().len(), 1);
    std::fs::remove_file(&helper).unwrap();
    watched(&client, &[&helper]);
    assert_eq!(document.codes(), []);
}

#[test]
fn a_save_brings_the_diagnostics_of_other_files_up_to_date() {
    let folder = Folder::new("save");
    folder.write("helper.py", "def load(): ...\n");
    let client = Client::start_with(&folder, abilities_but("/textDocument/diagnostic", Value::Null), json!({}));
    let _document = Document::open(&client, &folder, "a.py", "from helper import load\nasync def f():\n    load()\n");
    let published = |count: usize| {
        client.wait_for_notification("textDocument/publishDiagnostics", |params| {
            params["uri"].as_str().unwrap().ends_with("/a.py")
                && params["diagnostics"].as_array().unwrap().len() == count
        })
    };
    published(0);
    let helper = Document::open(&client, &folder, "helper.py", "async def load(): ...\n");
    helper.save();
    published(1);
}

#[test]
fn files_that_are_no_good_are_passed_over_with_a_word_in_the_log() {
    let folder = Folder::new("no-good");
    folder.write("latin.py", b"name = '\xe9'\n");
    folder.write("folder.py/inner.py", "");
    let client = Client::start(&folder);
    let logged = |text: &str| {
        client.wait_for_notification("window/logMessage", |it| it["message"].as_str().unwrap().contains(text))
    };

    let huge = "x = 1\n".repeat(20 * 1024 * 1024 / 6);
    let huge = Document::open(&client, &folder, "huge.py", &huge);
    assert_eq!(huge.hover(0, 0), Value::Null);
    assert_eq!(huge.codes(), []);
    assert_eq!(logged("MB")["type"], 2);

    let nested = format!("x = {}{}\n", "[".repeat(5000), "]".repeat(5000));
    let mut nested = Document::open(&client, &folder, "nested.py", &nested);
    assert_eq!(nested.hover(0, 0), Value::Null);
    assert_eq!(nested.hints(), [] as [Value; 0]);
    logged("brackets");

    let document = Document::open(&client, &folder, "a.py", &format!("import latin, huge, nested, folder\n{BLOCKING}"));
    assert_eq!(document.codes().len(), 1);
    for name in ["latin.py", "folder.py", "missing.py"] {
        let uri = format!("file://{}", folder.path().join(name).display());
        let params = json!({"textDocument": {"uri": uri}, "position": {"line": 0, "character": 0}});
        assert_eq!(client.request("textDocument/hover", params), Ok(Value::Null), "{name}");
    }
    logged("latin.py");
    nested.set(BLOCKING);
    assert_eq!(nested.codes().len(), 1, "it is explained once it is not too deep any more");
    assert_eq!(client.stop(), Some(0));
}
