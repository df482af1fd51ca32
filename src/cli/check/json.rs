//! The report as one JSON array. Keys are written in the order of the fields; lines and columns count from 1, columns in
//! characters.

use serde::Serialize;

use super::report::{FileReport, Report, is_safe};
use crate::cli::failure::Failure;
use crate::cli::{excerpt, files};
use crate::features::Diagnostic;
use crate::text::Encoding;

#[derive(Serialize)]
struct Hazard<'r> {
    id: &'r str,
    severity: &'static str,
    message: &'r str,
    path: String,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    related: Vec<Related<'r>>,
    rewrites: Vec<Rewrite<'r>>,
}

#[derive(Serialize)]
struct Related<'r> {
    path: String,
    line: usize,
    message: &'r str,
}

#[derive(Serialize)]
struct Rewrite<'r> {
    name: Option<&'r str>,
    title: &'r str,
    /// Whether `--fix` applies it.
    fix: bool,
    /// Why it is not offered here.
    refused: Option<&'r str>,
}

/// The whole array.
pub(super) fn array(report: &Report) -> Result<String, Failure> {
    let hazards: Vec<Hazard> = report.diagnostics().map(|(file, diagnostic)| hazard(file, diagnostic)).collect();
    let text = serde_json::to_string_pretty(&hazards);
    text.map(|text| text + "\n").map_err(|error| Failure::new(format!("the report cannot be written: {error}")))
}

fn hazard<'r>(file: &'r FileReport, diagnostic: &'r Diagnostic) -> Hazard<'r> {
    let span = file.lines.span(diagnostic.range, Encoding::Utf32);
    let related = diagnostic.related.iter().map(|related| Related {
        path: files::shown(&related.place.path),
        line: related.place.line,
        message: &related.message,
    });
    let rewrites = file.rewrites(diagnostic).map(|action| Rewrite {
        name: action.rewrite.as_deref(),
        title: &action.title,
        fix: is_safe(action),
        refused: action.disabled.as_deref(),
    });
    Hazard {
        id: &diagnostic.concept,
        severity: excerpt::severity(diagnostic.severity).0,
        message: &diagnostic.message,
        path: files::shown(&file.path),
        line: span.start.line + 1,
        column: span.start.character + 1,
        end_line: span.end.line + 1,
        end_column: span.end.character + 1,
        related: related.collect(),
        rewrites: rewrites.collect(),
    }
}
