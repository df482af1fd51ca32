//! What the client can do, read once; and what the server offers it.

use tower_lsp_server::ls_types::{
    ClientCapabilities, CodeActionKind, CodeActionOptions, CodeActionProviderCapability, DiagnosticOptions,
    DiagnosticServerCapabilities, DiagnosticTag, ExecuteCommandOptions, HoverProviderCapability, InlayHintOptions,
    InlayHintServerCapabilities, MarkupKind, OneOf, PositionEncodingKind, SaveOptions, ServerCapabilities,
    TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions, TextDocumentSyncSaveOptions,
    WorkDoneProgressOptions, WorkspaceFoldersServerCapabilities, WorkspaceServerCapabilities,
};

use super::commands;
use crate::text::Encoding;

/// The kind of the action that applies every fix that is safe.
pub(super) const FIX_ALL: &str = "source.fixAll.dunderstand";

/// What the client can do.
#[derive(Clone, Debug, Default)]
pub(super) struct Abilities {
    pub(super) encoding: Encoding,
    pub(super) hover_markdown: bool,
    pub(super) pulls_diagnostics: bool,
    pub(super) refreshes_diagnostics: bool,
    pub(super) related_information: bool,
    pub(super) code_description: bool,
    pub(super) unnecessary_tag: bool,
    pub(super) resolves_hint_tooltips: bool,
    pub(super) refreshes_hints: bool,
    pub(super) code_action_literals: bool,
    pub(super) disabled_actions: bool,
    pub(super) preferred_actions: bool,
    pub(super) resolves_edits: bool,
    pub(super) document_changes: bool,
    pub(super) change_annotations: bool,
    pub(super) configuration: bool,
    pub(super) registers_configuration: bool,
    pub(super) registers_watchers: bool,
    pub(super) relative_patterns: bool,
    pub(super) progress: bool,
    /// The client's command that opens a page, by an argument of `dunderstand.explain`.
    pub(super) page_command: Option<String>,
}

impl Abilities {
    /// `page_command` is no matter of the protocol: the client says it among its initialization options.
    pub(super) fn of(client: &ClientCapabilities, page_command: Option<&str>) -> Self {
        let document = client.text_document.clone().unwrap_or_default();
        let workspace = client.workspace.clone().unwrap_or_default();
        let published = document.publish_diagnostics.unwrap_or_default();
        let pulled = document.diagnostic.clone().unwrap_or_default();
        let hover_formats = document.hover.and_then(|hover| hover.content_format).unwrap_or_default();
        let action = document.code_action.unwrap_or_default();
        let hint = document.inlay_hint.unwrap_or_default();
        let edit = workspace.workspace_edit.unwrap_or_default();
        let watching = workspace.did_change_watched_files.unwrap_or_default();
        let resolves = |properties: Option<Vec<String>>, property: &str| {
            properties.is_some_and(|properties| properties.iter().any(|name| name == property))
        };
        let yes = |ability: Option<bool>| ability.unwrap_or_default();
        let document_changes = yes(edit.document_changes);
        Self {
            encoding: encoding(client),
            hover_markdown: hover_formats.first() == Some(&MarkupKind::Markdown),
            pulls_diagnostics: document.diagnostic.is_some(),
            refreshes_diagnostics: yes(workspace.diagnostics.and_then(|client| client.refresh_support)),
            related_information: yes(published.related_information) || yes(pulled.related_information),
            code_description: yes(published.code_description_support) || yes(pulled.code_description_support),
            unnecessary_tag: published
                .tag_support
                .is_some_and(|tags| tags.value_set.contains(&DiagnosticTag::UNNECESSARY))
                || pulled.tag_support.is_some(),
            resolves_hint_tooltips: resolves(hint.resolve_support.map(|support| support.properties), "tooltip"),
            refreshes_hints: yes(workspace.inlay_hint.and_then(|client| client.refresh_support)),
            code_action_literals: action.code_action_literal_support.is_some(),
            disabled_actions: yes(action.disabled_support),
            preferred_actions: yes(action.is_preferred_support),
            resolves_edits: yes(action.data_support)
                && resolves(action.resolve_support.map(|support| support.properties), "edit"),
            document_changes,
            change_annotations: document_changes && edit.change_annotation_support.is_some(),
            configuration: yes(workspace.configuration),
            registers_configuration: yes(workspace.did_change_configuration.unwrap_or_default().dynamic_registration),
            registers_watchers: yes(watching.dynamic_registration),
            relative_patterns: yes(watching.relative_pattern_support),
            progress: yes(client.window.clone().unwrap_or_default().work_done_progress),
            page_command: page_command.map(ToString::to_string),
        }
    }

    /// What the server offers this client.
    pub(super) fn offered(&self) -> ServerCapabilities {
        let diagnostics = DiagnosticOptions {
            identifier: Some("dunderstand".to_string()),
            inter_file_dependencies: true,
            workspace_diagnostics: false,
            ..DiagnosticOptions::default()
        };
        let kinds = [CodeActionKind::QUICKFIX, CodeActionKind::REFACTOR_REWRITE, CodeActionKind::new(FIX_ALL)];
        ServerCapabilities {
            position_encoding: Some(match self.encoding {
                Encoding::Utf8 => PositionEncodingKind::UTF8,
                Encoding::Utf16 => PositionEncodingKind::UTF16,
                Encoding::Utf32 => PositionEncodingKind::UTF32,
            }),
            text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
                open_close: Some(true),
                change: Some(TextDocumentSyncKind::INCREMENTAL),
                save: Some(TextDocumentSyncSaveOptions::SaveOptions(SaveOptions { include_text: Some(false) })),
                ..TextDocumentSyncOptions::default()
            })),
            hover_provider: Some(HoverProviderCapability::Simple(true)),
            inlay_hint_provider: Some(OneOf::Right(InlayHintServerCapabilities::Options(InlayHintOptions {
                resolve_provider: Some(true),
                ..InlayHintOptions::default()
            }))),
            diagnostic_provider: self.pulls_diagnostics.then_some(DiagnosticServerCapabilities::Options(diagnostics)),
            code_action_provider: self.code_action_literals.then(|| {
                CodeActionProviderCapability::Options(CodeActionOptions {
                    code_action_kinds: Some(kinds.to_vec()),
                    resolve_provider: Some(self.resolves_edits),
                    ..CodeActionOptions::default()
                })
            }),
            execute_command_provider: Some(ExecuteCommandOptions {
                commands: commands::ALL.iter().map(ToString::to_string).collect(),
                work_done_progress_options: WorkDoneProgressOptions { work_done_progress: Some(true) },
            }),
            workspace: Some(WorkspaceServerCapabilities {
                workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                    supported: Some(true),
                    change_notifications: Some(OneOf::Left(true)),
                }),
                ..WorkspaceServerCapabilities::default()
            }),
            ..ServerCapabilities::default()
        }
    }
}

/// UTF-8 where the client knows it: then nothing needs to be converted.
fn encoding(client: &ClientCapabilities) -> Encoding {
    let offered = client.general.clone().unwrap_or_default().position_encodings.unwrap_or_default();
    let known = [(PositionEncodingKind::UTF8, Encoding::Utf8), (PositionEncodingKind::UTF32, Encoding::Utf32)];
    let first = offered.first().cloned().unwrap_or(PositionEncodingKind::UTF16);
    if offered.contains(&PositionEncodingKind::UTF8) {
        return Encoding::Utf8;
    }
    known.into_iter().find(|(kind, _)| *kind == first).map_or(Encoding::Utf16, |(_, encoding)| encoding)
}
