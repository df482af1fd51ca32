//! What the server tells the client on its own: in order, and from any thread.

use std::backtrace::Backtrace;
use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tower_lsp_server::Client;
use tower_lsp_server::ls_types::{Diagnostic, MessageType, ProgressToken, Uri};

/// Takes messages for the client.
#[derive(Clone)]
pub(super) struct Outbox {
    sender: UnboundedSender<Message>,
    steps: UnboundedSender<Step>,
    /// What has been said and need not be said again.
    said: Arc<Mutex<HashSet<String>>>,
}

enum Message {
    Log(MessageType, String),
    Show(MessageType, String),
    Publish(Uri, Vec<Diagnostic>, Option<i32>),
    RefreshHints,
    RefreshDiagnostics,
}

/// What the client is told of work in the background.
pub(super) enum Step {
    Begin(&'static str),
    /// How much of it is done, in hundredths.
    Done(u32),
    End,
}

impl Outbox {
    /// Starts the task that passes messages on.
    pub(super) fn start(client: Client) -> Self {
        let (sender, receiver) = unbounded_channel();
        let (steps, progress) = unbounded_channel();
        tokio::spawn(pass_on(client.clone(), receiver));
        tokio::spawn(show_progress(client, progress));
        Self { sender, steps, said: Arc::default() }
    }

    /// Writes to the client's log, and to standard error.
    pub(super) fn log(&self, kind: MessageType, text: impl Into<String>) {
        let text = text.into();
        eprintln!("{text}");
        self.sender.send(Message::Log(kind, text)).ok();
    }

    /// Writes to the log what has not been written before.
    pub(super) fn log_once(&self, kind: MessageType, text: impl Into<String>) {
        let text = text.into();
        if self.said.lock().unwrap_or_else(PoisonError::into_inner).insert(text.clone()) {
            self.log(kind, text);
        }
    }

    /// Shows a message that a person has to act on, once.
    pub(super) fn warn(&self, text: impl Into<String>) {
        let text = text.into();
        if self.said.lock().unwrap_or_else(PoisonError::into_inner).insert(text.clone()) {
            eprintln!("{text}");
            self.sender.send(Message::Show(MessageType::WARNING, text)).ok();
        }
    }

    pub(super) fn publish(&self, uri: Uri, diagnostics: Vec<Diagnostic>, version: Option<i32>) {
        self.sender.send(Message::Publish(uri, diagnostics, version)).ok();
    }

    /// Shows work in the background; for clients that show progress.
    pub(super) fn progress(&self, step: Step) {
        self.steps.send(step).ok();
    }

    pub(super) fn refresh_hints(&self) {
        self.sender.send(Message::RefreshHints).ok();
    }

    pub(super) fn refresh_diagnostics(&self) {
        self.sender.send(Message::RefreshDiagnostics).ok();
    }

    /// Logs a panic of this thread with its backtrace; the hook has written it to standard error.
    pub(super) fn report_panic(&self, message: &str) {
        let backtrace = BACKTRACE.take();
        let text = format!("A bug in dunderstand, please report it: {message}\n{backtrace}");
        self.sender.send(Message::Log(MessageType::ERROR, text)).ok();
    }
}

thread_local! {
    /// Where this thread panicked last.
    static BACKTRACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Makes panics tell where they come from.
pub(super) fn install_panic_hook() {
    std::panic::set_hook(Box::new(|panic| {
        let backtrace = format!("{panic}\n{}", Backtrace::force_capture());
        eprintln!("{backtrace}");
        BACKTRACE.replace(backtrace);
    }));
}

async fn pass_on(client: Client, mut messages: UnboundedReceiver<Message>) {
    while let Some(message) = messages.recv().await {
        let client = client.clone();
        match message {
            Message::Log(kind, text) => client.log_message(kind, text).await,
            Message::Show(kind, text) => client.show_message(kind, text).await,
            Message::Publish(uri, diagnostics, version) => client.publish_diagnostics(uri, diagnostics, version).await,
            // These are answered: the next message need not wait for it.
            Message::RefreshHints => {
                tokio::spawn(async move { client.inlay_hint_refresh().await });
            }
            Message::RefreshDiagnostics => {
                tokio::spawn(async move { client.workspace_diagnostic_refresh().await });
            }
        }
    }
}

/// Tokens of progress begin like this.
pub(super) const BACKGROUND: &str = "dunderstand/background/";

/// Shows one piece of work after the other. The client is asked for each, and may decline.
async fn show_progress(client: Client, mut steps: UnboundedReceiver<Step>) {
    let mut count = 0;
    let mut shown = None;
    while let Some(step) = steps.recv().await {
        match (step, &shown) {
            (Step::Begin(title), _) => {
                count += 1;
                let token = ProgressToken::String(format!("{BACKGROUND}{count}"));
                if client.create_work_done_progress(token.clone()).await.is_ok() {
                    let progress = client.progress(token, title).with_percentage(0).with_cancel_button();
                    shown = Some(progress.begin().await);
                }
            }
            (Step::Done(hundredths), Some(progress)) => progress.report(hundredths, None).await,
            (Step::End, _) => {
                if let Some(progress) = shown.take() {
                    progress.finish().await;
                }
            }
            (Step::Done(_), None) => {}
        }
    }
}
