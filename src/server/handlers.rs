//! One method of the protocol each: convert, ask in turn, convert. A handler puts its job into the queue before it first
//! waits; `transport` relies on that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use tower_lsp_server::jsonrpc::{Error, ErrorCode, Result};
use tower_lsp_server::ls_types::{
    CodeAction, CodeActionOrCommand, CodeActionParams, CodeActionResponse, DidChangeConfigurationParams,
    DidChangeTextDocumentParams, DidChangeWatchedFilesParams, DidChangeWorkspaceFoldersParams,
    DidCloseTextDocumentParams, DidOpenTextDocumentParams, DidSaveTextDocumentParams, DocumentDiagnosticParams,
    DocumentDiagnosticReportResult, ExecuteCommandParams, Hover, HoverContents, HoverParams, InitializeParams,
    InitializeResult, InitializedParams, InlayHint, InlayHintParams, MarkupContent, MarkupKind, ServerInfo,
};
use tower_lsp_server::{Client, LanguageServer};

use super::capabilities::Abilities;
use super::concepts::Progresses;
use super::configuration;
use super::outbox::Outbox;
use super::queue::Queue;
use super::session::Session;
use super::{actions, convert, diagnostics, hints, links, parent, roots};
use crate::features;

/// Answers the client; what it knows is in the session at the other end of the queue.
pub(super) struct Server {
    pub(super) client: Client,
    pub(super) queue: Queue,
    pub(super) outbox: Outbox,
    pub(super) has_shut_down: Arc<AtomicBool>,
    pub(super) progresses: Progresses,
}

impl LanguageServer for Server {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        let folders = roots::folders_of(&params);
        let mut options = params.initialization_options.unwrap_or_default();
        let page_command = options.as_object_mut().and_then(|options| options.remove("pageCommand"));
        let abilities = Abilities::of(&params.capabilities, page_command.as_ref().and_then(Value::as_str));
        let capabilities = abilities.offered();
        parent::watch(params.process_id);
        let settings = options.get("settings").cloned().unwrap_or(options);
        self.queue.write(move |session| session.initialize(abilities, folders, &settings));
        let version = Some(env!("CARGO_PKG_VERSION").to_string());
        let server_info = Some(ServerInfo { name: "dunderstand".to_string(), version });
        Ok(InitializeResult { capabilities, server_info, ..InitializeResult::default() })
    }

    async fn initialized(&self, _: InitializedParams) {
        self.queue.write(Session::hold);
        tokio::spawn(configuration::begin(self.client.clone(), self.queue.clone()));
    }

    async fn shutdown(&self) -> Result<()> {
        self.has_shut_down.store(true, Ordering::SeqCst);
        Ok(())
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        self.queue.write(|session| session.open(params));
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        self.queue.write(|session| session.change(params));
    }

    async fn did_save(&self, params: DidSaveTextDocumentParams) {
        self.queue.write(move |session| session.files_changed(vec![convert::to_path(&params.text_document.uri)]));
    }

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        self.queue.write(move |session| session.close(&params.text_document.uri));
    }

    async fn did_change_watched_files(&self, params: DidChangeWatchedFilesParams) {
        self.queue.write(move |session| session.watched_files_changed(&params.changes));
    }

    async fn did_change_workspace_folders(&self, params: DidChangeWorkspaceFoldersParams) {
        self.queue.write(|session| session.folders_changed(params.event));
        tokio::spawn(configuration::ask(self.client.clone(), self.queue.clone(), Value::Null));
    }

    async fn did_change_configuration(&self, params: DidChangeConfigurationParams) {
        tokio::spawn(configuration::ask(self.client.clone(), self.queue.clone(), params.settings));
    }

    async fn hover(&self, params: HoverParams) -> Result<Option<Hover>> {
        let place = params.text_document_position_params;
        let (uri, position) = (place.text_document.uri, place.position);
        let path = convert::to_path(&uri);
        let read = self.queue.read(Some(path.clone()), move |reading| {
            let Some(module) = reading.module(&path) else { return Ok(None) };
            let abilities = &reading.setting.abilities;
            let offset = module.lines().offset(convert::from_position(position), abilities.encoding);
            Ok(features::hover(&reading.view(&module), offset).map(|hover| Hover {
                range: Some(reading.range(&module, hover.range)),
                contents: HoverContents::Markup(match abilities.hover_markdown {
                    true => MarkupContent {
                        kind: MarkupKind::Markdown,
                        value: links::in_hover(reading, hover.markdown, &uri, Some(position)),
                    },
                    false => MarkupContent { kind: MarkupKind::PlainText, value: convert::plain_text(&hover.markdown) },
                }),
            }))
        });
        read.await
    }

    async fn execute_command(&self, params: ExecuteCommandParams) -> Result<Option<Value>> {
        self.run_command(params).await.map(Some)
    }

    async fn inlay_hint(&self, params: InlayHintParams) -> Result<Option<Vec<InlayHint>>> {
        let (uri, range) = (params.text_document.uri, params.range);
        let path = convert::to_path(&uri);
        let read = self.queue.read(Some(path.clone()), move |reading| Ok(Some(hints::of(reading, &uri, &path, range))));
        read.await
    }

    async fn inlay_hint_resolve(&self, mut hint: InlayHint) -> Result<InlayHint> {
        let Some(data) = hint.data.clone().and_then(|data| serde_json::from_value::<hints::Data>(data).ok()) else {
            return Ok(hint);
        };
        let path = convert::to_path(&data.uri);
        hint.tooltip = self.queue.read(Some(path), move |reading| Ok(hints::tooltip(reading, &data))).await?;
        Ok(hint)
    }

    async fn diagnostic(&self, params: DocumentDiagnosticParams) -> Result<DocumentDiagnosticReportResult> {
        let path = convert::to_path(&params.text_document.uri);
        let previous = params.previous_result_id;
        let read = self.queue.read(Some(path.clone()), move |reading| {
            let report = diagnostics::report(diagnostics::of(reading, &path), previous.as_deref());
            Ok(DocumentDiagnosticReportResult::Report(report))
        });
        read.await.map_err(|error| match error.code {
            // LSP 3.17, `DiagnosticServerCancellationData`: the client is to ask again.
            ErrorCode::ContentModified => Error {
                code: ErrorCode::ServerError(-32802),
                message: "the text has changed".into(),
                data: Some(serde_json::json!({ "retriggerRequest": true })),
            },
            _ => error,
        })
    }

    async fn code_action(&self, params: CodeActionParams) -> Result<Option<CodeActionResponse>> {
        let (uri, range, context) = (params.text_document.uri, params.range, params.context);
        let path = convert::to_path(&uri);
        let read = self.queue.read(Some(path.clone()), move |reading| {
            let found = actions::of(reading, &uri, &path, range, &context);
            Ok(Some(found.into_iter().map(CodeActionOrCommand::CodeAction).collect()))
        });
        read.await
    }

    async fn code_action_resolve(&self, mut action: CodeAction) -> Result<CodeAction> {
        let Some(data) = action.data.clone().and_then(|data| serde_json::from_value::<actions::Data>(data).ok()) else {
            return Ok(action);
        };
        let path = convert::to_path(&data.uri);
        let edit = self.queue.read(Some(path), move |reading| Ok(actions::edit(reading, &data))).await?;
        action.edit = Some(edit.ok_or(Error::new(ErrorCode::ContentModified))?);
        Ok(action)
    }
}
