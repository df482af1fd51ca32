//! Code actions in the protocol's words.

use std::collections::HashMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tower_lsp_server::ls_types::{
    self as lsp, AnnotatedTextEdit, ChangeAnnotation, CodeActionContext, CodeActionDisabled, CodeActionKind,
    DocumentChanges, NumberOrString, OneOf, OptionalVersionedTextDocumentIdentifier, Range, TextDocumentEdit, TextEdit,
    Uri, WorkspaceEdit,
};

use super::capabilities::FIX_ALL;
use super::convert;
use super::diagnostics::SOURCE;
use super::reading::Reading;
use crate::analysis::Module;
use crate::features::{self, CodeAction};
use crate::rewrites::FileEdits;
use crate::text::{TextRange, TextSize};

/// What an action carries until it is resolved.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Data {
    pub(super) uri: Uri,
    version: Option<i32>,
    /// The concept, the title and the range of the action; without them, it is the one that fixes all.
    action: Option<(String, String, u32, u32)>,
}

/// The actions for `range` of the file at `path`.
pub(super) fn of(
    reading: &Reading,
    uri: &Uri,
    path: &Path,
    range: Range,
    context: &CodeActionContext,
) -> Vec<lsp::CodeAction> {
    let Some(module) = reading.module(path) else { return vec![] };
    let wanted = Wanted(context.only.as_deref());
    let version = reading.version(path);
    let mut actions = vec![];
    let mut found =
        features::code_actions(&reading.view(&module), reading.offsets(&module, range), &|kind| wanted.includes(kind));
    if !reading.setting.abilities.disabled_actions {
        found.retain(|action| action.disabled.is_none());
    }
    for action in found {
        let data = Data { uri: uri.clone(), version, action: Some(identity(&action)) };
        actions.push(convert_action(reading, &module, action, &data, context));
    }
    if wanted.names_source() {
        let edits = features::fix_all(&reading.view(&module));
        let data = Data { uri: uri.clone(), version, action: None };
        actions.extend(edits.map(|edits| fix_all(reading, &module, edits, &data)));
    }
    actions
}

/// The edit of an action; none if the text has changed since.
pub(super) fn edit(reading: &Reading, data: &Data) -> Option<WorkspaceEdit> {
    let path = convert::to_path(&data.uri);
    let module = reading.module(&path).filter(|_| reading.version(&path) == data.version)?;
    let view = reading.view(&module);
    let files = match &data.action {
        None => vec![features::fix_all(&view)?],
        Some(action) => {
            let range = TextRange::new(TextSize::new(action.2), TextSize::new(action.3.max(action.2)));
            let found = features::code_actions(&view, range, &|_| true);
            found.into_iter().find(|found| identity(found) == *action)?.files
        }
    };
    workspace_edit(reading, &module, &files)
}

/// The kinds a client asks for.
struct Wanted<'a>(Option<&'a [CodeActionKind]>);

impl Wanted<'_> {
    /// Whether `kind` is one of them, or below one.
    fn includes(&self, kind: &str) -> bool {
        let Some(only) = self.0.filter(|only| !only.is_empty()) else { return true };
        only.iter().any(|wanted| {
            let rest = kind.strip_prefix(wanted.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || wanted.as_str().is_empty())
        })
    }

    /// Whether the action that fixes all is asked for: only by name, so that it does not show on every line.
    fn names_source(&self) -> bool {
        let names = |kind: &CodeActionKind| kind.as_str().starts_with("source");
        self.0.is_some_and(|only| only.iter().any(names)) && self.includes(FIX_ALL)
    }
}

fn identity(action: &CodeAction) -> (String, String, u32, u32) {
    let (start, end) = (action.range.start().to_u32(), action.range.end().to_u32());
    (action.concept.clone(), action.title.clone(), start, end)
}

fn convert_action(
    reading: &Reading,
    module: &Module,
    action: CodeAction,
    data: &Data,
    context: &CodeActionContext,
) -> lsp::CodeAction {
    let abilities = &reading.setting.abilities;
    let range = reading.range(module, action.range);
    let is_its_own = |diagnostic: &&lsp::Diagnostic| {
        diagnostic.source.as_deref() == Some(SOURCE)
            && diagnostic.code == Some(NumberOrString::String(action.concept.clone()))
            && diagnostic.range == range
    };
    let diagnostics: Vec<_> = context.diagnostics.iter().filter(is_its_own).cloned().collect();
    let is_quick_fix = action.kind == CodeActionKind::QUICKFIX.as_str();
    let has_edit = action.disabled.is_none();
    lsp::CodeAction {
        edit: match has_edit && !abilities.resolves_edits {
            true => workspace_edit(reading, module, &action.files),
            false => None,
        },
        data: (has_edit && abilities.resolves_edits).then(|| serde_json::to_value(data).unwrap_or_default()),
        title: action.title,
        kind: Some(CodeActionKind::from(action.kind)),
        diagnostics: (is_quick_fix && !diagnostics.is_empty()).then_some(diagnostics),
        is_preferred: (action.is_preferred && abilities.preferred_actions).then_some(true),
        disabled: action.disabled.map(|reason| CodeActionDisabled { reason }),
        command: None,
    }
}

fn fix_all(reading: &Reading, module: &Module, edits: FileEdits, data: &Data) -> lsp::CodeAction {
    let resolves = reading.setting.abilities.resolves_edits;
    lsp::CodeAction {
        title: "Apply all safe fixes of dunderstand".to_string(),
        kind: Some(CodeActionKind::new(FIX_ALL)),
        edit: if resolves { None } else { workspace_edit(reading, module, &[edits]) },
        data: resolves.then(|| serde_json::to_value(data).unwrap_or_default()),
        ..lsp::CodeAction::default()
    }
}

/// Edits of several files, each in the version they were made for, and each with an annotation: so a person sees file by file
/// what changes. None asks for confirmation of its own: VS Code then leaves those out that nobody ticks, and half of such an edit is
/// broken code. The action's title says how many files change.
fn workspace_edit(reading: &Reading, module: &Module, files: &[FileEdits]) -> Option<WorkspaceEdit> {
    let abilities = &reading.setting.abilities;
    let mut documents = vec![];
    let mut changes = HashMap::new();
    let mut annotations = HashMap::new();
    let annotates = files.len() > 1 && abilities.change_annotations;
    for file in files {
        let is_elsewhere = module.path() != Some(file.path.as_path());
        let other = if is_elsewhere { Some(reading.module(&file.path)?) } else { None };
        let edited = other.as_ref().unwrap_or(module);
        let edits = file.edits.iter().map(|edit| {
            let range = reading.range(edited, edit.range);
            TextEdit { range, new_text: edit.text.clone() }
        });
        let uri = reading.uri(&file.path)?;
        if !abilities.document_changes {
            changes.insert(uri, edits.collect());
            continue;
        }
        let annotation_id = format!("dunderstand.file{}", annotations.len());
        let edits = edits.map(|text_edit| match annotates {
            true => OneOf::Right(AnnotatedTextEdit { text_edit, annotation_id: annotation_id.clone() }),
            false => OneOf::Left(text_edit),
        });
        let text_document = OptionalVersionedTextDocumentIdentifier { uri, version: reading.version(&file.path) };
        documents.push(TextDocumentEdit { text_document, edits: edits.collect() });
        if annotates {
            annotations.insert(annotation_id, annotation(file));
        }
    }
    Some(WorkspaceEdit {
        changes: (!abilities.document_changes).then_some(changes),
        document_changes: abilities.document_changes.then_some(DocumentChanges::Edits(documents)),
        change_annotations: annotates.then_some(annotations),
    })
}

fn annotation(file: &FileEdits) -> ChangeAnnotation {
    let name = file.path.file_name().unwrap_or_default().to_string_lossy();
    let places = match file.edits.len() {
        1 => "1 place".to_string(),
        count => format!("{count} places"),
    };
    ChangeAnnotation { label: format!("Changes in {name}"), needs_confirmation: None, description: Some(places) }
}
