//! Pages that a team has spoiled: the server says so, and lives.

use serde_json::{Value, json};

use crate::client::Client;
use crate::document::Document;
use crate::folder::Folder;

const CODE: &str = "import helper\nhelper.fetch()\n";
const PAGE: &str = "+++\ntitle = \"Ours\"\nsymbols = [\"helper.fetch\"]\n+++\nAsks our queue.\n";

fn changed(client: &Client, path: &std::path::Path, kind: u8) {
    let uri = format!("file://{}", path.display());
    client.notify("workspace/didChangeWatchedFiles", json!({"changes": [{"uri": uri, "type": kind}]}));
}

fn told(client: &Client, path: &std::path::Path) -> String {
    let uri = format!("file://{}", path.display());
    let is_told =
        |it: &Value| it["uri"] == uri.as_str() && it["diagnostics"].as_array().is_some_and(|told| !told.is_empty());
    let params = client.wait_for_notification("textDocument/publishDiagnostics", is_told);
    params["diagnostics"][0]["message"].as_str().unwrap().to_string()
}

#[test]
fn spoiled_pages_are_told_of_and_the_others_speak() {
    let folder = Folder::new("spoiled-pages");
    folder.write("helper.py", "def fetch(): ...\n");
    folder.write(".dunderstand/explanations/team/good.md", PAGE);
    let huge = format!("{PAGE}{}", "A long line that says nothing.\n".repeat(170_000));
    let huge = folder.write(".dunderstand/explanations/team/huge.md", huge);
    let unknown = folder.write(
        ".dunderstand/explanations/team/unknown.md",
        PAGE.replace("Asks our queue.", "`{{nothing}}` has no such fact.\nAsks."),
    );
    let open = folder.write(".dunderstand/explanations/team/open.md", "+++\ntitle = \"Open\"\n");
    let bytes = folder.write(".dunderstand/explanations/team/bytes.md", [0xff, 0xfe, 0x00]);
    let client = Client::start(&folder);
    assert!(told(&client, &huge).contains("KB; a page has at most 256 KB"));
    assert!(told(&client, &unknown).contains("`{{nothing}}` is used, but not listed in `facts`"));
    assert!(told(&client, &open).contains("not closed"));
    assert!(told(&client, &bytes).contains("UTF-8"));
    let document = Document::open(&client, &folder, "a.py", CODE);
    assert!(document.hover(1, 9)["contents"]["value"].as_str().unwrap().contains("Asks our queue."));
}

#[test]
fn pages_that_name_each_other_in_a_circle_are_read() {
    let folder = Folder::new("circular-pages");
    folder.write("helper.py", "def fetch(): ...\n");
    let see = |other: &str| PAGE.replace("symbols", &format!("see = [\"{other}\"]\nsymbols"));
    folder.write(".dunderstand/explanations/team/one.md", see("team/other"));
    folder.write(".dunderstand/explanations/team/other.md", see("team/one").replace("helper.fetch", "helper.none"));
    folder.write(".dunderstand/explanations/guides/own.md", see("guides/own").replace("helper.fetch", "helper.no"));
    let client = Client::start(&folder);
    let document = Document::open(&client, &folder, "a.py", CODE);
    let hover = document.hover(1, 9);
    assert!(hover["contents"]["value"].as_str().unwrap().contains("`team/other`"), "{hover}");
    for id in ["team/one", "team/other", "guides/own"] {
        let explained = client.command("dunderstand.explain", json!([{"id": id}])).unwrap();
        assert_eq!(explained["title"], "Ours", "{explained}");
    }
}

#[test]
fn a_store_folder_that_vanishes_takes_its_pages_along() {
    let folder = Folder::new("vanishing-pages");
    folder.write("helper.py", "def fetch(): ...\n");
    let page = folder.write(".dunderstand/explanations/team/good.md", PAGE);
    let client = Client::start(&folder);
    let document = Document::open(&client, &folder, "a.py", CODE);
    assert!(document.hover(1, 9)["contents"]["value"].as_str().unwrap().contains("Asks our queue."));
    std::fs::remove_dir_all(folder.path().join(".dunderstand")).unwrap();
    // Before the server is told, it speaks from what it has read.
    assert!(document.hover(1, 9)["contents"]["value"].as_str().unwrap().contains("Asks our queue."));
    changed(&client, &page, 3);
    assert_eq!(document.hover(1, 9), Value::Null);
    folder.write(".dunderstand/explanations/team/good.md", PAGE);
    changed(&client, &page, 1);
    assert!(document.hover(1, 9)["contents"]["value"].as_str().unwrap().contains("Asks our queue."));
}
