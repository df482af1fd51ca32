//! Messages over standard input and output.
//!
//! One thread reads and parses, one writes; between them every message is handed to the service in the order in which it
//! arrived. A handler's future is polled once on the spot, and a handler takes its place in the queue before it first waits:
//! so the queue has the order of arrival. What cannot be parsed is answered with an error, and reading goes on.

use std::io::{BufRead, Read as _, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::mpsc as blocking;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use serde::Deserialize;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tower_lsp_server::jsonrpc::{Error, Id, Request, RequestBuilder, Response};
use tower_lsp_server::{ClientSocket, ExitedError, LanguageServer, LspService};
use tower_service::Service as _;

use super::addresses;

/// The longest message that is read, in bytes.
const MESSAGE: usize = 1 << 30;
/// The longest header line, in bytes.
const HEADER: u64 = 8 * 1024;
/// How long answers may take to be written once the input has ended.
const DRAIN: Duration = Duration::from_secs(2);

/// A message from the client.
enum Incoming {
    Call(Request),
    Answer(Response),
    /// Not a message; the error says why.
    Malformed(Response),
}

/// A message to the client.
enum Outgoing {
    Call(Request),
    Answer(Response),
}

type Call = Pin<Box<dyn Future<Output = Result<Option<Response>, ExitedError>> + Send>>;

/// Serves until the client says `exit` or closes the input.
pub(super) async fn serve<S: LanguageServer>(mut service: LspService<S>, socket: ClientSocket) {
    let (sender, mut incoming) = mpsc::unbounded_channel();
    std::thread::spawn(move || read_messages(std::io::stdin().lock(), &|message| sender.send(message).is_ok()));
    let (output, outgoing) = blocking::channel();
    let (written, all_written) = oneshot::channel();
    std::thread::spawn(move || {
        write_messages(std::io::stdout().lock(), &outgoing);
        written.send(()).ok();
    });

    let (mut calls, mut answers) = socket.split();
    let client_calls = output.clone();
    let forwarding = tokio::spawn(async move {
        while let Some(call) = calls.next().await {
            client_calls.send(Outgoing::Call(call)).ok();
        }
    });
    let mut pending = JoinSet::new();
    while let Some(message) = incoming.recv().await {
        match message {
            Incoming::Malformed(error) => {
                output.send(Outgoing::Answer(error)).ok();
            }
            Incoming::Answer(answer) => {
                answers.send(answer).await.ok();
            }
            // The library passes over all that begins so: right for a notification; a request wants an answer (LSP 3.17).
            Incoming::Call(call) if call.method().starts_with("$/") && call.id().is_some() => {
                let id = call.id().cloned().unwrap_or_default();
                output.send(Outgoing::Answer(Response::from_error(id, Error::method_not_found()))).ok();
            }
            Incoming::Call(call) => {
                if std::future::poll_fn(|context| service.poll_ready(context)).await.is_err() {
                    break;
                }
                let (id, is_exit) = (call.id().cloned(), call.method() == "exit");
                start(id, service.call(addresses::mended(call)), &output, &mut pending);
                if is_exit {
                    break;
                }
            }
        }
        while pending.try_join_next().is_some() {}
    }
    let drained = async {
        while pending.join_next().await.is_some() {}
        forwarding.abort();
        forwarding.await.ok();
        drop(output);
        all_written.await.ok();
    };
    tokio::time::timeout(DRAIN, drained).await.ok();
}

/// Polls `call` once; if it waits, a task sees it through.
fn start(id: Option<Id>, mut call: Call, output: &blocking::Sender<Outgoing>, pending: &mut JoinSet<()>) {
    let answer = |output: &blocking::Sender<Outgoing>, response: Option<Response>| {
        if let Some(response) = response {
            output.send(Outgoing::Answer(response)).ok();
        }
    };
    let failed = |id: Option<Id>| id.map(|id| Response::from_error(id, Error::internal_error()));
    let first = catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(&mut Context::from_waker(Waker::noop()))));
    match first {
        Ok(Poll::Ready(result)) => answer(output, result.unwrap_or_default()),
        Err(_) => answer(output, failed(id)),
        Ok(Poll::Pending) => {
            let output = output.clone();
            pending.spawn(async move {
                match AssertUnwindSafe(call).catch_unwind().await {
                    Ok(result) => answer(&output, result.unwrap_or_default()),
                    Err(_) => answer(&output, failed(id)),
                }
            });
        }
    }
}

/// Reads until the input ends or `take` says that nobody listens.
fn read_messages(mut input: impl BufRead, take: &dyn Fn(Incoming) -> bool) {
    loop {
        let body = match read_header(&mut input) {
            Ok(Header::Length(length)) => {
                let mut body = vec![];
                match (&mut input).take(length as u64).read_to_end(&mut body) {
                    Ok(read) if read == length => body,
                    _ => return,
                }
            }
            Ok(Header::Malformed) => {
                if !take(Incoming::Malformed(Response::from_error(Id::Null, Error::parse_error()))) {
                    return;
                }
                continue;
            }
            Ok(Header::End) | Err(_) => return,
        };
        if !take(parse(&body)) {
            return;
        }
    }
}

enum Header {
    /// The length of the body that follows.
    Length(usize),
    /// Something else; reading may go on with the next line.
    Malformed,
    End,
}

fn read_header(input: &mut impl BufRead) -> std::io::Result<Header> {
    let mut length = None;
    let mut is_malformed = false;
    loop {
        let mut line = vec![];
        if input.by_ref().take(HEADER).read_until(b'\n', &mut line)? == 0 {
            return Ok(Header::End);
        }
        let line = String::from_utf8_lossy(&line).to_ascii_lowercase();
        // Behind a body without a length, the next header follows on the same line.
        if let Some((_, value)) = line.split_once("content-length:") {
            length = value.trim().parse().ok().filter(|length| *length <= MESSAGE);
            is_malformed = length.is_none();
        } else if line.trim().is_empty() {
            match length {
                Some(length) => return Ok(Header::Length(length)),
                None if is_malformed => return Ok(Header::Malformed),
                None => {} // Empty lines between messages do no harm.
            }
        } else {
            is_malformed |= !line.starts_with("content-type:");
        }
    }
}

/// What tells requests, notifications and responses apart.
#[derive(Deserialize)]
struct Shape {
    method: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    id: Option<Id>,
}

fn parse(body: &[u8]) -> Incoming {
    let malformed = |id: Option<Id>, error| Incoming::Malformed(Response::from_error(id.unwrap_or_default(), error));
    let text = match std::str::from_utf8(body) {
        Ok(text) => text,
        Err(_) => return malformed(None, Error::parse_error()),
    };
    let shape: Shape = match serde_json::from_str(text) {
        Ok(shape) if text.trim_start().starts_with('{') => shape,
        Ok(_) => return malformed(None, Error::invalid_request()),
        Err(error) if error.is_data() => return malformed(None, Error::invalid_request()),
        Err(_) => return malformed(None, Error::parse_error()),
    };
    let parsed = match shape.method {
        Some(_) => serde_json::from_str(text).map(Incoming::Call),
        None => serde_json::from_str(text).map(Incoming::Answer),
    };
    parsed.unwrap_or_else(|_| malformed(shape.id, Error::invalid_request()))
}

fn write_messages(mut output: impl Write, messages: &blocking::Receiver<Outgoing>) {
    for message in messages {
        let body = match &message {
            // Parameters are an object, a list or nothing (JSON-RPC 2.0); the library writes `null` for nothing.
            Outgoing::Call(call) if call.params().is_some_and(serde_json::Value::is_null) => {
                let bare = Request::build(call.method().to_string());
                serde_json::to_vec(&call.id().cloned().into_iter().fold(bare, RequestBuilder::id).finish())
            }
            Outgoing::Call(call) => serde_json::to_vec(call),
            Outgoing::Answer(answer) => serde_json::to_vec(answer),
        };
        let Ok(body) = body else { continue };
        let written = write!(output, "Content-Length: {}\r\n\r\n", body.len())
            .and_then(|()| output.write_all(&body))
            .and_then(|()| output.flush());
        if written.is_err() {
            return; // The client is gone; the end of the input says so, too.
        }
    }
}
