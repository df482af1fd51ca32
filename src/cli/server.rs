//! `server`: for editors.

/// Serve an editor: the language server protocol on standard input and output
///
/// Editors start this by themselves. It ends when the editor does; the exit code is 0 after a `shutdown` request, else 1.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// What the server does anyway; editors pass it
    #[arg(long, hide = true)]
    stdio: bool,
    /// Known from the protocol; editors pass it
    #[arg(long = "clientProcessId", hide = true, value_name = "PID")]
    client_process_id: Option<u32>,
}
