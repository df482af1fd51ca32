//! Diagnostics in the protocol's words, pulled or pushed.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::str::FromStr as _;

use serde_json::json;
use tower_lsp_server::ls_types::{
    self as lsp, CodeDescription, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag,
    DocumentDiagnosticReport, FullDocumentDiagnosticReport, NumberOrString, RelatedFullDocumentDiagnosticReport,
    RelatedUnchangedDocumentDiagnosticReport, UnchangedDocumentDiagnosticReport, Uri,
};

use super::reading::Reading;
use crate::analysis::Module;
use crate::features::{self, Diagnostic, Related, Tag};
use crate::pages::Severity;

/// The name in front of every diagnostic.
pub(super) const SOURCE: &str = "dunderstand";

/// The diagnostics of the file at `path`.
pub(super) fn of(reading: &Reading, path: &Path) -> Vec<lsp::Diagnostic> {
    let Some(module) = reading.module(path) else { return vec![] };
    let found = features::diagnostics(&reading.view(&module));
    found.iter().map(|diagnostic| convert(reading, &module, diagnostic)).collect()
}

/// The answer to a pull: what has not changed since `previous` is not sent again.
pub(super) fn report(items: Vec<lsp::Diagnostic>, previous: Option<&str>) -> DocumentDiagnosticReport {
    let id = result_id(&items);
    match previous == Some(id.as_str()) {
        true => DocumentDiagnosticReport::Unchanged(RelatedUnchangedDocumentDiagnosticReport {
            related_documents: None,
            unchanged_document_diagnostic_report: UnchangedDocumentDiagnosticReport { result_id: id },
        }),
        false => DocumentDiagnosticReport::Full(RelatedFullDocumentDiagnosticReport {
            related_documents: None,
            full_document_diagnostic_report: FullDocumentDiagnosticReport { result_id: Some(id), items },
        }),
    }
}

/// The same for the same diagnostics.
fn result_id(items: &[lsp::Diagnostic]) -> String {
    let mut hasher = DefaultHasher::new();
    serde_json::to_string(items).unwrap_or_default().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn convert(reading: &Reading, module: &Module, diagnostic: &Diagnostic) -> lsp::Diagnostic {
    let abilities = &reading.setting.abilities;
    let related = diagnostic.related.iter().filter_map(|related| related_information(reading, related));
    let related: Vec<_> = related.collect();
    let href = href(reading, diagnostic).filter(|_| abilities.code_description);
    lsp::Diagnostic {
        range: reading.range(module, diagnostic.range),
        severity: Some(match diagnostic.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
            Severity::Information => DiagnosticSeverity::INFORMATION,
            Severity::Hint => DiagnosticSeverity::HINT,
        }),
        code: Some(NumberOrString::String(diagnostic.concept.clone())),
        code_description: href.map(|href| CodeDescription { href }),
        source: Some(SOURCE.to_string()),
        message: diagnostic.message.clone(),
        related_information: (abilities.related_information && !related.is_empty()).then_some(related),
        tags: match diagnostic.tag {
            Some(Tag::Unnecessary) if abilities.unnecessary_tag => Some(vec![DiagnosticTag::UNNECESSARY]),
            _ => None,
        },
        data: diagnostic.has_page.then(|| json!({ "concept": diagnostic.concept })),
    }
}

fn related_information(reading: &Reading, related: &Related) -> Option<DiagnosticRelatedInformation> {
    let location = reading.location(&related.place)?;
    Some(DiagnosticRelatedInformation { location, message: related.message.clone() })
}

/// The page on the web, where pages are published; else its first source.
fn href(reading: &Reading, diagnostic: &Diagnostic) -> Option<Uri> {
    let page = reading.setting.store.page(&diagnostic.concept).filter(|_| diagnostic.has_page)?;
    let address = match &reading.setting.options.pages_url {
        Some(url) => format!("{}/{}.html", url.trim_end_matches('/'), page.id),
        None => page.sources.first()?.clone(),
    };
    Uri::from_str(&address).ok()
}
