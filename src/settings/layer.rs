//! The settings from one source: checked values by key.

use serde_json::{Map, Value};

use super::Settings;
use super::declared::{ALL, Setting};

/// The name before all keys in an editor's settings.
const SECTION: &str = "dunderstand";

/// What one source says, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Layer {
    /// Values that fit, by their index in [`ALL`].
    values: Vec<(usize, Value)>,
    problems: Vec<String>,
    unknown: Vec<String>,
}

impl Layer {
    /// Reads nested objects or dotted keys, with or without the section's name before them. `null` says nothing.
    pub fn from_json(json: &Value) -> Self {
        let mut layer = Self::default();
        match json {
            Value::Null => {}
            Value::Object(object) => layer.read(object, ""),
            other => layer.problems.push(format!("the settings must be an object, not {}", shown(other))),
        }
        layer
    }

    /// This layer with `json` laid over it.
    #[must_use]
    pub fn overlaid(&self, json: &Value) -> Self {
        let mut layer = self.clone();
        let upper = Self::from_json(json);
        layer.values.extend(upper.values);
        layer.problems.extend(upper.problems);
        layer.unknown.extend(upper.unknown);
        layer
    }

    fn read(&mut self, object: &Map<String, Value>, prefix: &str) {
        for (name, value) in object {
            let name = camel_case(name);
            let key = match prefix {
                "" if name == SECTION => String::new(),
                "" => name.strip_prefix(SECTION).and_then(|rest| rest.strip_prefix('.')).unwrap_or(&name).to_string(),
                _ => format!("{prefix}.{name}"),
            };
            let starts = |setting: &Setting| setting.key.strip_prefix(key.as_str()).is_some_and(|r| r.starts_with('.'));
            match (ALL.iter().position(|setting| setting.key == key), value) {
                (Some(index), value) => self.check(index, value),
                (None, Value::Object(inner)) if key.is_empty() || ALL.iter().any(starts) => self.read(inner, &key),
                (None, _) => self.unknown.push(key),
            }
        }
    }

    fn check(&mut self, index: usize, value: &Value) {
        let setting = &ALL[index];
        match setting.kind.mistake(value) {
            Some(expected) => self.problems.push(format!(
                "`{SECTION}.{}` must be {expected}, not {}; it is ignored",
                setting.key,
                shown(value)
            )),
            None if value.is_null() => {}
            None => self.values.push((index, value.clone())),
        }
    }

    /// Sets what this source says.
    pub(super) fn apply(&self, settings: &mut Settings) {
        for (index, value) in &self.values {
            ALL[*index].set(settings, value);
        }
    }

    /// Values of the wrong type, as sentences.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// Keys that are no setting.
    pub fn unknown(&self) -> &[String] {
        &self.unknown
    }
}

/// `inlay-hints` as `inlayHints`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('-');
    let mut result = words.next().unwrap_or_default().to_string();
    for word in words {
        let mut chars = word.chars();
        result.extend(chars.next().map(|first| first.to_ascii_uppercase()));
        result.push_str(chars.as_str());
    }
    result
}

/// A value for a message, shortened.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
