//! The language server: the only module that names the protocol.
//!
//! ```text
//! transport -> handlers -> queue -> session (one thread, writes) -> readers (threads with snapshots) -> answer
//! ```
//!
//! Messages take their place in one queue in the order in which they arrive. A handler converts, asks, converts; what it asks
//! is a feature of the inner layers. What is open, configured and known is in the session, which one thread owns.

mod actions;
mod addresses;
mod async_steps;
mod capabilities;
mod commands;
mod concepts;
mod configuration;
mod convert;
#[cfg(debug_assertions)]
mod debug;
mod diagnostics;
mod documents;
mod explain;
mod handlers;
mod hints;
mod html;
mod links;
mod outbox;
mod parent;
mod queue;
mod reading;
mod roots;
mod session;
mod stuck;
mod transport;
mod warming;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tower_lsp_server::LspService;

use concepts::Progresses;
use handlers::Server;
use outbox::Outbox;
use queue::Queue;
use session::Session;

/// Serves over standard input and output until the client is done. The exit code is 0 after `shutdown`, 1 without.
pub fn run() -> ExitCode {
    outbox::install_panic_hook();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_time().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("the server cannot start: {error}");
            return ExitCode::from(2);
        }
    };
    let has_shut_down = Arc::new(AtomicBool::new(false));
    let served = runtime.block_on(serve(has_shut_down.clone()));
    if let Err(error) = served {
        eprintln!("the server cannot start: {error}");
        return ExitCode::from(2);
    }
    let code = u8::from(!has_shut_down.load(Ordering::SeqCst));
    // Threads may still wait for input or read code: nobody needs them any more.
    std::process::exit(code.into())
}

async fn serve(has_shut_down: Arc<AtomicBool>) -> std::io::Result<()> {
    let (queue, jobs) = Queue::new();
    let service = LspService::build(|client| {
        let outbox = Outbox::start(client.clone());
        Server { client, queue: queue.clone(), outbox, has_shut_down, progresses: Progresses::default() }
    });
    let service = service.custom_method("window/workDoneProgress/cancel", Server::cancel_progress);
    #[cfg(debug_assertions)]
    let service = service.custom_method("dunderstand/debug", Server::debug);
    let (service, socket) = service.finish();
    let outbox = service.inner().outbox.clone();
    jobs.start(move || Session::new(&queue, outbox))?;
    transport::serve(service, socket).await;
    Ok(())
}
