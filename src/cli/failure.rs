//! Why a command could not do its work, in words that tell what to do.

use std::io;

/// The end of a command.
#[derive(Debug)]
pub(super) enum Failure {
    /// Whoever read the output went away: no error.
    ReaderGone,
    /// For the person: what went wrong and what to do.
    Message(String),
}

impl Failure {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self::Message(message.into())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ReaderGone,
            _ => Self::Message(format!("the output cannot be written: {error}")),
        }
    }
}
