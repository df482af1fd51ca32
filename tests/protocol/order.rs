//! Everything happens in the order in which it was sent.

use serde_json::{Value, json};

use super::client::{Client, abilities_but};
use super::document::Document;
use super::folder::Folder;

/// Numbers that look random and are the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % limit
    }
}

/// The client's copy of a text, in UTF-16 code units; lines end in `\n` or `\r\n`.
struct Text(Vec<u16>);

impl Text {
    fn position(&self, offset: usize) -> Value {
        let newline = u16::from(b'\n');
        let before = &self.0[..offset];
        let line_start = before.iter().rposition(|unit| *unit == newline).map_or(0, |at| at + 1);
        let line = before.iter().filter(|unit| **unit == newline).count();
        json!({"line": line, "character": offset - line_start})
    }

    /// An offset that is neither inside a surrogate pair nor inside a line ending.
    fn offset(&self, numbers: &mut Numbers) -> usize {
        let mut offset = numbers.below(self.0.len() + 1);
        while self.0.get(offset).is_some_and(|unit| {
            (0xdc00..0xe000).contains(unit) || (*unit == u16::from(b'\n') && offset > 0 && self.0[offset - 1] == 13)
        }) {
            offset += 1;
        }
        offset
    }

    fn edit(&mut self, numbers: &mut Numbers) -> Value {
        let (one, other) = (self.offset(numbers), self.offset(numbers));
        let (start, end) = (one.min(other), one.max(other).min(one.min(other) + 12));
        let end = if end == one || end == other { end } else { start };
        let pieces = ["x = 1\n", "𝔘", "é", "\r\n", "await f()\n", "", "# 日本\n", "def f(): ...\n", "[", "    "];
        let new = pieces[numbers.below(pieces.len())];
        let change = json!({"range": {"start": self.position(start), "end": self.position(end)}, "text": new});
        self.0.splice(start..end, new.encode_utf16());
        change
    }
}

#[test]
#[cfg(debug_assertions)]
fn a_thousand_edits_between_requests_leave_the_clients_text() {
    let folder = Folder::new("order");
    let client = Client::start(&folder);
    let start = "import asyncio\r\nasync def f():\r\n    await asyncio.sleep(1)\r\n𝔘 = '日本'\n";
    let mut document = Document::open(&client, &folder, "a.py", start);
    let mut text = Text(start.encode_utf16().collect());
    let mut numbers = Numbers(7);
    let mut asked = vec![];
    for number in 0..1000 {
        document.change(json!([text.edit(&mut numbers)]));
        match number % 10 {
            0 => asked.push(client.ask("textDocument/hover", document.at(0, 8))),
            4 => asked.push(client.ask("textDocument/diagnostic", json!({"textDocument": document.identifier()}))),
            _ => {}
        }
    }
    let here = String::from_utf16(&text.0).unwrap();
    assert_eq!(document.seen_text(), here);
    for id in asked {
        if let Err(error) = client.wait(id) {
            let code = error["code"].as_i64();
            assert!(matches!(code, Some(-32801 | -32802)), "interrupted or answered, not {error}");
        }
    }
    assert_eq!(client.stop(), Some(0));
}

#[test]
fn an_answer_is_about_the_text_before_the_request() {
    let folder = Folder::new("edit-then-hover");
    let client = Client::start(&folder);
    let mut document = Document::open(&client, &folder, "a.py", "x = 1\n");
    for seconds in 1..30 {
        document.set(&format!("import time\n\nasync def f():\n    time.sleep({seconds})\n"));
        let items = document.pull(None)["items"].clone();
        assert_eq!(items[0]["code"], "asyncio/blocking-call", "{items}");
        assert_eq!(items[0]["range"]["start"]["line"], 3);
        document.set("\n");
        assert_eq!(document.pull(None)["items"], json!([]));
    }
}

#[test]
fn several_changes_in_one_message_apply_one_after_the_other() {
    let folder = Folder::new("changes");
    let client = Client::start(&folder);
    let mut document = Document::open(&client, &folder, "a.py", "");
    let at = |line: u32, character: u32| json!({"line": line, "character": character});
    document.change(json!([
        {"text": "import time\nasync def f():\n    pass\n"},
        {"range": {"start": at(2, 4), "end": at(2, 8)}, "text": "time.sleep(1)"},
        {"range": {"start": at(1, 0), "end": at(1, 0)}, "text": "\n\n"},
    ]));
    assert_eq!(document.codes(), [("asyncio/blocking-call".to_string(), 4)]);
}

/// The column of `time.sleep` on a line with an astral character, and what it is called by in each encoding.
fn column_with(encoding: &str) -> (Value, Value) {
    let folder = Folder::new("encoding");
    let abilities = abilities_but("/general/positionEncodings", json!([encoding, "utf-16"]));
    let client = Client::spawn();
    let chosen = client.initialize(&folder, abilities)["capabilities"]["positionEncoding"].clone();
    client.notify("initialized", json!({}));
    let text = "import time\nasync def f():\n    '𝔘é'; time.sleep(1)\n";
    let mut document = Document::open(&client, &folder, "a.py", text);
    let range = document.pull(None)["items"][0]["range"].clone();
    let start = range["start"]["character"].as_u64().unwrap() as u32;
    let hover = document.hover(2, start);
    assert_eq!(hover["range"], range, "hover and diagnostic mean the same place");
    // An edit in the same columns: `sleep` becomes `time`, which does not block.
    let end = range["end"]["character"].as_u64().unwrap();
    let name = json!({"start": {"line": 2, "character": end - 5}, "end": {"line": 2, "character": end}});
    document.change(json!([{"range": name, "text": "time"}]));
    assert_eq!(document.codes(), []);
    (chosen, range["start"]["character"].clone())
}

#[test]
fn columns_are_counted_as_agreed() {
    assert_eq!(column_with("utf-16"), (json!("utf-16"), json!(11)));
    assert_eq!(column_with("utf-8"), (json!("utf-8"), json!(14)));
    assert_eq!(column_with("utf-32"), (json!("utf-32"), json!(10)));
    assert_eq!(column_with("utf-7"), (json!("utf-16"), json!(11)));
}

#[test]
fn lines_may_end_in_crlf() {
    let folder = Folder::new("crlf");
    let client = Client::start(&folder);
    let text = "import time\r\n\r\nasync def f():\r\n    time.sleep(1)\r\n    await g()\r\n";
    let mut document = Document::open(&client, &folder, "a.py", text);
    assert_eq!(document.codes(), [("asyncio/blocking-call".to_string(), 3)]);
    // The end of a line is before its ending: what is put there stays on the line.
    let end = json!({"line": 3, "character": 400});
    document.change(
        json!([{"range": {"start": end, "end": end}, "text": "  # dunderstand: ignore[asyncio/blocking-call]"}]),
    );
    assert_eq!(document.codes(), []);
}
