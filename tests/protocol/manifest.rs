//! The settings in the VS Code extension's manifest are those of the server.

use dunderstand::settings::{ALL, Kind, SEVERITIES, Setting};
use serde_json::{Map, Value, json};

const MANIFEST: &str = "editors/vscode/package.json";
const START: &str = "\"properties\": ";

/// What the editor has to know of a setting.
fn property(setting: &Setting) -> Value {
    let mut property = match setting.kind {
        Kind::Switch => json!({"type": "boolean"}),
        Kind::Choice(words) => json!({"type": "string", "enum": words}),
        Kind::Text => json!({"type": ["string", "null"]}),
        Kind::Version => json!({"type": ["string", "null"], "pattern": "^3\\.[0-9]+(\\.[0-9]+)*$"}),
        Kind::Texts => json!({"type": "array", "items": {"type": "string"}}),
        Kind::Severities => json!({"type": "object", "additionalProperties": {"type": "string", "enum": SEVERITIES}}),
    };
    property["default"] = setting.default_value();
    property["markdownDescription"] = json!(setting.description);
    property["scope"] = json!(match setting.key {
        "path" => "machine", // A workspace must not name a program to run.
        "trace.server" => "window",
        _ => "resource",
    });
    property
}

fn properties() -> Value {
    let mut properties = Map::new();
    for setting in ALL {
        properties.insert(format!("dunderstand.{}", setting.key), property(setting));
    }
    Value::Object(properties)
}

/// The object that starts at the beginning of `text`; no text in it holds a brace that is not closed.
fn object(text: &str) -> &str {
    let mut depth = 0;
    let end = text.char_indices().find(|(_, char)| {
        depth += i32::from(*char == '{') - i32::from(*char == '}');
        depth == 0
    });
    &text[..=end.unwrap().0]
}

#[test]
fn the_manifest_of_vs_code_documents_every_setting() {
    let text = std::fs::read_to_string(MANIFEST).unwrap();
    let at = text.find(START).unwrap() + START.len();
    let written = object(&text[at..]);
    if std::env::var_os("UPDATE").is_some() {
        let indented = serde_json::to_string_pretty(&properties()).unwrap().replace('\n', "\n      ");
        std::fs::write(MANIFEST, text.replacen(written, &indented, 1)).unwrap();
        return;
    }
    let manifest: Value = serde_json::from_str(&text).unwrap();
    let written = &manifest["contributes"]["configuration"]["properties"];
    assert_eq!(*written, properties(), "UPDATE=1 cargo test --test protocol manifest writes {MANIFEST}");
    assert_eq!(manifest["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn the_client_knows_every_command_and_no_python() {
    let source = |name: &str| std::fs::read_to_string(format!("editors/vscode/src/{name}.ts")).unwrap();
    let names = ["binary", "concepts", "explanation", "extension", "steps"];
    let all: String = names.iter().map(|name| source(name)).collect();
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with(['/', '*']);
    let lines = all.lines().filter(is_code).count();
    assert!(
        lines < 200,
        "the client has {lines} lines of code: logic belongs to the server, where every editor has it"
    );
    for word in ["asyncio", "weakref", "__get__", "await asyncio", "metaclass"] {
        assert!(!all.contains(word), "the client knows no Python, but names `{word}`");
    }
}
