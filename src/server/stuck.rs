//! Reads that do not end.
//!
//! A write waits until all reads have gone. The engine looks whether it is to stop whenever it asks one of its own questions;
//! a few computations of types ask none for minutes, and everything would wait behind them. Such a read is left alone with its
//! snapshot: the project is opened anew, and the file it was about is not explained any more.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::analysis::{Cancellation, Snapshot};

/// How long a read may take to stop.
const PATIENCE: Duration = Duration::from_secs(10);

/// The reads that hold a snapshot.
#[derive(Default)]
pub(super) struct Running {
    reads: Mutex<Vec<Entry>>,
    ended: Condvar,
}

struct Entry {
    number: usize,
    /// The file it is about.
    about: Option<PathBuf>,
    /// When a thread took it; `None` while it waits for one.
    since: Option<Instant>,
    cancellation: Cancellation,
}

/// A read that holds a snapshot, until this is dropped.
pub(super) struct Held {
    running: Arc<Running>,
    number: usize,
}

impl Running {
    /// Notes a read that holds `snapshot`.
    pub(super) fn hold(self: &Arc<Self>, about: Option<PathBuf>, snapshot: &Snapshot) -> Held {
        let mut reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        let number = reads.iter().map(|entry| entry.number + 1).max().unwrap_or_default();
        reads.push(Entry { number, about, since: None, cancellation: snapshot.cancellation() });
        Held { running: self.clone(), number }
    }

    /// Stops all reads; gives the files of those that do not stop in time.
    pub(super) fn stop(&self) -> Vec<Option<PathBuf>> {
        let mut reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        reads.iter().for_each(|entry| entry.cancellation.cancel());
        let end = Instant::now() + patience();
        while !reads.is_empty() {
            let Some(left) = end.checked_duration_since(Instant::now()) else { break };
            reads = self.ended.wait_timeout(reads, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        reads.iter().filter(|entry| entry.since.is_some()).map(|entry| entry.about.clone()).collect()
    }

    /// The files of the reads that have been running for longer than `limit` and should have stopped by then.
    pub(super) fn overdue(&self, limit: Duration) -> Vec<Option<PathBuf>> {
        let reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        let is_overdue = |entry: &&Entry| entry.since.is_some_and(|since| since.elapsed() > limit + patience());
        reads.iter().filter(is_overdue).map(|entry| entry.about.clone()).collect()
    }
}

impl Held {
    /// A thread takes the read.
    pub(super) fn begins(&self) {
        let mut reads = self.running.reads.lock().unwrap_or_else(PoisonError::into_inner);
        let own = reads.iter_mut().find(|entry| entry.number == self.number);
        if let Some(entry) = own {
            entry.since = Some(Instant::now());
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut reads = self.running.reads.lock().unwrap_or_else(PoisonError::into_inner);
        reads.retain(|entry| entry.number != self.number);
        self.running.ended.notify_all();
    }
}

/// How long a read may take to stop; tests of debug builds set another time.
fn patience() -> Duration {
    let set = if cfg!(debug_assertions) { std::env::var("DUNDERSTAND_TEST_PATIENCE_MS").ok() } else { None };
    set.and_then(|milliseconds| milliseconds.parse().ok()).map_or(PATIENCE, Duration::from_millis)
}
