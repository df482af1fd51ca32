//! What a project's own files say: `[tool.dunderstand]`, `requires-python`, and whether ruff is in use.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Layer;
use super::declared::version;
use crate::analysis::{OLDEST, Version};

/// The largest `pyproject.toml` that is read, in bytes.
const SIZE: u64 = 4 * 1024 * 1024;

/// What the files in a root folder say.
#[derive(Clone, Debug, Default)]
pub struct ProjectFile {
    /// The `pyproject.toml`, if there is one.
    pub path: Option<PathBuf>,
    /// The table `[tool.dunderstand]`.
    pub layer: Layer,
    /// The lowest version `requires-python` lets in.
    pub oldest_python: Option<Version>,
    /// `[tool.ruff]` or a file of ruff's.
    pub uses_ruff: bool,
    /// Why the file could not be read.
    pub problems: Vec<String>,
}

impl ProjectFile {
    /// The names of the files that are read.
    pub const NAMES: &[&str] = &["pyproject.toml", "ruff.toml", ".ruff.toml"];

    /// Reads the files in the folder `root`. A file that cannot be read is a problem, never an error.
    pub fn read(root: &Path) -> Self {
        let path = root.join("pyproject.toml");
        let mut project = match read_limited(&path) {
            Ok(Some(text)) => Self { path: Some(path), ..Self::parse(&text) },
            Ok(None) => Self::default(),
            Err(problem) => Self { path: Some(path), problems: vec![problem], ..Self::default() },
        };
        project.uses_ruff |= ["ruff.toml", ".ruff.toml"].iter().any(|name| root.join(name).is_file());
        project
    }

    /// Reads the text of a `pyproject.toml`.
    pub fn parse(text: &str) -> Self {
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(error) => {
                let line = error.span().map_or(1, |span| 1 + text[..span.start.min(text.len())].matches('\n').count());
                let problem = format!("line {line}: {}", error.message());
                return Self { problems: vec![problem], ..Self::default() };
            }
        };
        let tool = |name: &str| table.get("tool").and_then(|tools| tools.get(name));
        let ours = tool("dunderstand").and_then(|table| serde_json::to_value(table).ok()).unwrap_or(Value::Null);
        let requires = table.get("project").and_then(|project| project.get("requires-python"));
        Self {
            path: None,
            layer: Layer::from_json(&ours),
            oldest_python: requires.and_then(toml::Value::as_str).and_then(lowest_version),
            uses_ruff: tool("ruff").is_some(),
            problems: vec![],
        }
    }
}

fn read_limited(path: &Path) -> Result<Option<String>, String> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.len() > SIZE => return Err(format!("the file has over {} MB", SIZE >> 20)),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    }
    std::fs::read_to_string(path).map(Some).map_err(|error| error.to_string())
}

/// The lowest version a specifier such as `>=3.10, <4` lets in, which is not older than the oldest the pages describe.
fn lowest_version(specifier: &str) -> Option<Version> {
    let bounds = specifier.split(',').filter_map(|clause| {
        let clause = clause.trim();
        let operator = clause.chars().take_while(|char| "<>=~!".contains(*char)).count();
        let (operator, bound) = clause.split_at(operator);
        let bound = bound.trim().trim_end_matches(".*");
        match operator {
            ">=" | "~=" | "==" | "===" => major_minor(bound),
            // `>3.9` lets 3.9.1 in.
            ">" => major_minor(bound),
            _ => None,
        }
    });
    bounds.max().map(|bound| bound.max(OLDEST))
}

fn major_minor(bound: &str) -> Option<Version> {
    match bound.split_once('.') {
        None => Some((bound.parse().ok()?, 0)),
        Some(_) => version(bound).or_else(|| {
            let mut numbers = bound.split('.');
            Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
        }),
    }
}
