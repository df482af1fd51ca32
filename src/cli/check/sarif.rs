//! The report as SARIF 2.1.0, which code scanning services read.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::report::{FileReport, Report};
use crate::cli::files;
use crate::cli::workspace::Workspace;
use crate::features::Diagnostic;
use crate::pages::Severity;
use crate::text::{Encoding, Lines, TextRange};

/// The whole log: one run.
pub(super) fn log(report: &Report, workspace: &Workspace) -> Value {
    let mut rules: BTreeMap<&str, Value> = BTreeMap::new();
    for (file, diagnostic) in report.diagnostics() {
        rules.entry(&diagnostic.concept).or_insert_with(|| rule(diagnostic, file, workspace));
    }
    let indices: BTreeMap<&str, usize> = rules.keys().enumerate().map(|(index, id)| (*id, index)).collect();
    let results = report.diagnostics().map(|(file, diagnostic)| {
        json!({
            "ruleId": diagnostic.concept,
            "ruleIndex": indices.get(diagnostic.concept.as_str()),
            "level": level(diagnostic.severity),
            "message": { "text": diagnostic.message },
            "locations": [{ "physicalLocation": location(&file.path, &file.lines, diagnostic.range) }],
            "relatedLocations": related(diagnostic),
        })
    });
    let results: Vec<Value> = results.collect();
    let notifications = report.errors.iter().map(|error| json!({ "level": "error", "message": { "text": error } }));
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "dunderstand",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.into_values().collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": report.errors.is_empty(),
                "toolExecutionNotifications": notifications.collect::<Vec<_>>(),
            }],
            "results": results,
        }],
    })
}

fn rule(diagnostic: &Diagnostic, file: &FileReport, workspace: &Workspace) -> Value {
    let page = workspace.root(&file.path).and_then(|root| root.store.page(&diagnostic.concept));
    let Some(page) = page else { return json!({ "id": diagnostic.concept }) };
    let general = page.summary.iter().rev().find_map(|line| line.fill(&|_| None));
    let mut rule = json!({
        "id": page.id,
        "shortDescription": { "text": page.title },
        "fullDescription": { "text": general.unwrap_or_else(|| page.title.clone()) },
        "defaultConfiguration": { "level": level(page.severity) },
    });
    if let Some(source) = page.sources.first() {
        rule["helpUri"] = json!(source);
    }
    rule
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Information | Severity::Hint => "note",
    }
}

fn location(path: &Path, lines: &Lines, range: TextRange) -> Value {
    let span = lines.span(range, Encoding::Utf32);
    json!({
        "artifactLocation": { "uri": uri(path) },
        "region": {
            "startLine": span.start.line + 1,
            "startColumn": span.start.character + 1,
            "endLine": span.end.line + 1,
            "endColumn": span.end.character + 1,
        },
    })
}

fn related(diagnostic: &Diagnostic) -> Vec<Value> {
    let locations = diagnostic.related.iter().enumerate().map(|(index, related)| {
        json!({
            "id": index,
            "message": { "text": related.message },
            "physicalLocation": {
                "artifactLocation": { "uri": uri(&related.place.path) },
                "region": { "startLine": related.place.line },
            },
        })
    });
    locations.collect()
}

/// A path as a URI reference: relative to where the program was started, if it is below, else absolute.
fn uri(path: &Path) -> String {
    let (prefix, path) = match files::relative(path) {
        Some(relative) => ("", relative),
        None => ("file://", path),
    };
    let mut uri = String::from(prefix);
    for byte in path.to_string_lossy().replace('\\', "/").bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
