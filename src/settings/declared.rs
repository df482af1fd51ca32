//! The list of all settings. Editors' manifests and the documentation are checked against it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Settings, Trace};
use crate::analysis::Version;
use crate::features::Verbosity;
use crate::pages::Severity;

/// One setting.
pub struct Setting {
    /// Its dotted key, without the leading `dunderstand.`.
    pub key: &'static str,
    pub kind: Kind,
    /// The default, as JSON.
    pub default: &'static str,
    /// One sentence.
    pub description: &'static str,
    set: fn(&mut Settings, &Value),
}

/// What a value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Switch,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A text, or `null` for none.
    Text,
    /// A version such as `3.12`, or `null` for none.
    Version,
    /// A list of texts.
    Texts,
    /// An object from a concept's id or a topic to one of [`SEVERITIES`].
    Severities,
}

/// What a diagnostic can be shown as.
pub const SEVERITIES: &[&str] = &["error", "warning", "information", "hint", "off"];

/// All settings, alphabetical by key.
pub const ALL: &[Setting] = &[
    Setting {
        key: "codeAction.disableRuleComment.enable",
        kind: Kind::Switch,
        default: "true",
        description: "Offer to suppress a diagnostic by a comment on its line.",
        set: |settings, value| settings.options.suppression_actions = is_true(value),
    },
    Setting {
        key: "diagnostics.deferToRuff",
        kind: Kind::Switch,
        default: "true",
        description: "In a project that uses ruff, leave out the diagnostics that ruff's default rules report.",
        set: |settings, value| settings.options.defer_to_ruff = is_true(value),
    },
    Setting {
        key: "diagnostics.enable",
        kind: Kind::Switch,
        default: "true",
        description: "Report hazards as diagnostics.",
        set: |settings, value| settings.options.diagnostics = is_true(value),
    },
    Setting {
        key: "diagnostics.fileIo.enable",
        kind: Kind::Switch,
        default: "false",
        description: "Report the reading and writing of files in async functions, too.",
        set: |settings, value| switch_on(settings, "diagnostics.fileIo.enable", value),
    },
    Setting {
        key: "diagnostics.severity",
        kind: Kind::Severities,
        default: "{}",
        description: "By concept (`asyncio/blocking-call`) or topic (`asyncio`): `error`, `warning`, `information`, `hint` or `off`.",
        set: |settings, value| settings.options.severities.extend(severities(value)),
    },
    Setting {
        key: "explanationPaths",
        kind: Kind::Texts,
        default: "[]",
        description: "Folders with more explanation pages; relative paths start at the workspace folder.",
        set: |settings, value| settings.explanation_paths = texts(value),
    },
    Setting {
        key: "hover.disable",
        kind: Kind::Texts,
        default: "[]",
        description: "Concepts (`keywords/with`) and topics (`keywords`) of which hovers say nothing.",
        set: |settings, value| settings.options.hovers_off = texts(value).into_iter().collect(),
    },
    Setting {
        key: "hover.enable",
        kind: Kind::Switch,
        default: "true",
        description: "Explain the code under the cursor.",
        set: |settings, value| settings.options.hover = is_true(value),
    },
    Setting {
        key: "hover.keywords.enable",
        kind: Kind::Switch,
        default: "true",
        description: "Explain keywords such as `await` and `yield`, too.",
        set: |settings, value| settings.options.keywords = is_true(value),
    },
    Setting {
        key: "hover.verbosity",
        kind: Kind::Choice(&["brief", "full"]),
        default: "\"full\"",
        description: "`brief` shows the title and one sentence, `full` what holds for this code and a link, too.",
        set: |settings, value| {
            settings.options.verbosity = match value.as_str() {
                Some("brief") => Verbosity::Brief,
                _ => Verbosity::Full,
            }
        },
    },
    Setting {
        key: "inlayHints.asyncio.enable",
        kind: Kind::Switch,
        default: "true",
        description: "Show inlay hints about coroutines, tasks and the event loop.",
        set: |settings, value| set_hints(settings, "asyncio", value),
    },
    Setting {
        key: "inlayHints.attributes.enable",
        kind: Kind::Switch,
        default: "false",
        description: "Show inlay hints about where an attribute comes from.",
        set: |settings, value| set_hints(settings, "attributes", value),
    },
    Setting {
        key: "inlayHints.descriptors.enable",
        kind: Kind::Switch,
        default: "true",
        description: "Show inlay hints about descriptors that an attribute access calls.",
        set: |settings, value| set_hints(settings, "descriptors", value),
    },
    Setting {
        key: "inlayHints.enable",
        kind: Kind::Switch,
        default: "true",
        description: "Show inlay hints, of the categories that are on.",
        set: |settings, value| settings.options.inlay_hints = is_true(value),
    },
    Setting {
        key: "inlayHints.memory.enable",
        kind: Kind::Switch,
        default: "false",
        description: "Show inlay hints about references and lifetimes.",
        set: |settings, value| set_hints(settings, "memory", value),
    },
    Setting {
        key: "inlayHints.metaclasses.enable",
        kind: Kind::Switch,
        default: "true",
        description: "Show inlay hints about metaclasses that build a class.",
        set: |settings, value| set_hints(settings, "metaclasses", value),
    },
    Setting {
        key: "inlayHints.threads.enable",
        kind: Kind::Switch,
        default: "false",
        description: "Show inlay hints about threads.",
        set: |settings, value| set_hints(settings, "threads", value),
    },
    Setting {
        key: "pagesUrl",
        kind: Kind::Text,
        default: "null",
        description: "Address of the published pages, to which diagnostics link; without it they link to the page's first source.",
        set: |settings, value| settings.options.pages_url = text(value),
    },
    Setting {
        key: "path",
        kind: Kind::Text,
        default: "null",
        description: "The program `dunderstand` that the editor starts; without it, the one that came with the editor's extension, else the first on `PATH`.",
        set: |_, _| {}, // The editor's client has read it before there is a server.
    },
    Setting {
        key: "python",
        kind: Kind::Text,
        default: "null",
        description: "Interpreter or environment whose packages the code imports; it is read, never started.",
        set: |settings, value| settings.python = text(value),
    },
    Setting {
        key: "pythonVersion",
        kind: Kind::Version,
        default: "null",
        description: "The Python version to explain the code for, such as `3.12`; without it, that of the environment.",
        set: |settings, value| settings.python_version = value.as_str().and_then(version),
    },
    Setting {
        key: "trace.server",
        kind: Kind::Choice(&["off", "messages", "verbose"]),
        default: "\"off\"",
        description: "Log the messages between the editor and the server.",
        set: |settings, value| {
            settings.trace = match value.as_str() {
                Some("messages") => Trace::Messages,
                Some("verbose") => Trace::Verbose,
                _ => Trace::Off,
            }
        },
    },
    Setting {
        key: "workspace.enable",
        kind: Kind::Switch,
        default: "true",
        description: "Look through all files of the workspace in the background, for the threads that run a function of another file; takes memory. It is off where it is off for one folder.",
        set: |settings, value| settings.looks_through_workspace = is_true(value),
    },
];

impl Setting {
    /// The default.
    pub fn default_value(&self) -> Value {
        serde_json::from_str(self.default).unwrap_or_default()
    }

    /// Sets a value that [`Kind::mistake`] has nothing against.
    pub(super) fn set(&self, settings: &mut Settings, value: &Value) {
        (self.set)(settings, value);
    }
}

impl Kind {
    /// What a value of this kind would be, if `value` is none. `null` stands for "not set" and is always right.
    pub(super) fn mistake(self, value: &Value) -> Option<String> {
        let is_text = |value: &Value| value.is_string();
        let is_right = match (self, value) {
            (_, Value::Null) => true,
            (Self::Switch, value) => value.is_boolean(),
            (Self::Choice(words), Value::String(word)) => words.contains(&word.as_str()),
            (Self::Text, Value::String(text)) => !text.is_empty(),
            (Self::Version, Value::String(text)) => version(text).is_some(),
            (Self::Texts, Value::Array(items)) => items.iter().all(is_text),
            (Self::Severities, Value::Object(entries)) => {
                entries.values().all(|value| value.as_str().is_some_and(|word| SEVERITIES.contains(&word)))
            }
            _ => false,
        };
        (!is_right).then(|| match self {
            Self::Switch => "true or false".to_string(),
            Self::Choice(words) => format!("one of {}", quoted(words)),
            Self::Text => "a text that is not empty".to_string(),
            Self::Version => "a version such as \"3.12\", from \"3.9\" on".to_string(),
            Self::Texts => "a list of texts".to_string(),
            Self::Severities => format!("an object whose values are {}", quoted(SEVERITIES)),
        })
    }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}

fn is_true(value: &Value) -> bool {
    value.as_bool().unwrap_or_default()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_string)
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(text).collect()
}

/// Reads a version such as `3.12` or `3.12.1`.
pub(super) fn version(text: &str) -> Option<Version> {
    let mut numbers = text.trim().split('.');
    let version = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
    let rest_is_numeric = numbers.all(|number| number.chars().all(|char| char.is_ascii_digit()));
    (rest_is_numeric && version >= crate::analysis::OLDEST && version.0 == 3).then_some(version)
}

fn severities(value: &Value) -> BTreeMap<String, Option<Severity>> {
    let severity = |word: &str| match word {
        "error" => Some(Severity::Error),
        "warning" => Some(Severity::Warning),
        "information" => Some(Severity::Information),
        "hint" => Some(Severity::Hint),
        _ => None,
    };
    let entries = value.as_object().into_iter().flatten();
    entries.filter_map(|(concept, word)| Some((concept.clone(), severity(word.as_str()?)))).collect()
}

/// For diagnostics whose pages name the setting.
fn switch_on(settings: &mut Settings, key: &str, value: &Value) {
    match is_true(value) {
        true => settings.options.switched_on.insert(key.to_string()),
        false => settings.options.switched_on.remove(key),
    };
}

fn set_hints(settings: &mut Settings, category: &str, value: &Value) {
    match is_true(value) {
        true => settings.options.hints_off.remove(category),
        false => settings.options.hints_off.insert(category.to_string()),
    };
}
