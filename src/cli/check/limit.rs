//! How long the read of one file may take.
//!
//! The inference of types does not end for a few files. Such a read is asked to stop, which it does at its next question to
//! the engine; one that asks no more is left alone with what it holds.

use std::convert::Infallible;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::analysis::{Cancellation, Snapshot};

/// How long a file may take, on a machine that does ten things at once: twenty thousand lines with two thousand hazards and
/// their fixes took a minute there.
const LIMIT: Duration = Duration::from_secs(180);

/// How long a read may take to stop.
const PATIENCE: Duration = Duration::from_secs(10);

/// The files that are being read.
#[derive(Default)]
pub(super) struct Running(Mutex<Vec<Entry>>);

struct Entry {
    index: usize,
    since: Instant,
    limit: Duration,
    patience: Duration,
    cancellation: Cancellation,
    /// It was asked to stop.
    is_stopped: bool,
}

impl Entry {
    /// What is left until something has to be done about it.
    fn left(&self) -> Duration {
        let whole = if self.is_stopped { self.limit + self.patience } else { self.limit };
        whole.saturating_sub(self.since.elapsed())
    }
}

impl Running {
    /// A thread reads the file with this number; gives how long it may take.
    pub(super) fn begins(&self, index: usize, file: &Path, snapshot: &Snapshot) -> Duration {
        let (limit, patience) = match endless(file) {
            Some(_) => (Duration::ZERO, Duration::ZERO),
            None => (LIMIT, PATIENCE),
        };
        let cancellation = snapshot.cancellation();
        let entry = Entry { index, since: Instant::now(), limit, patience, cancellation, is_stopped: false };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
        limit
    }

    /// The file has been read, or will not be; says whether it was asked to stop.
    pub(super) fn ends(&self, index: usize) -> bool {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ended: Vec<Entry> = entries.extract_if(.., |entry| entry.index == index).collect();
        ended.iter().any(|entry| entry.is_stopped)
    }

    /// How long until [`Running::stop_overdue`] has something to do; a moment, while nothing is known to run.
    pub(super) fn next(&self) -> Duration {
        const MOMENT: Duration = Duration::from_millis(50);
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().map(Entry::left).min().unwrap_or(MOMENT)
    }

    /// Asks the reads to stop that have taken too long; gives those that did not, with their limits, and forgets them.
    pub(super) fn stop_overdue(&self) -> Vec<(usize, Duration)> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |entry: &mut Entry| entry.left().is_zero();
        let stuck: Vec<Entry> = entries.extract_if(.., |entry| entry.is_stopped && is_over(entry)).collect();
        for entry in entries.iter_mut().filter(|entry| !entry.is_stopped && entry.left().is_zero()) {
            entry.cancellation.cancel();
            entry.is_stopped = true;
        }
        stuck.into_iter().map(|entry| (entry.index, entry.limit)).collect()
    }
}

/// A read that does not end, for tests of debug builds.
#[derive(Clone, Copy)]
pub(super) enum Endless {
    /// It stops when it is asked to.
    Polite,
    /// It hears of nothing.
    Deaf,
}

/// Whether tests want the read of files with this name not to end.
pub(super) fn endless(file: &Path) -> Option<Endless> {
    let is_named = |variable: &str| {
        cfg!(debug_assertions) && std::env::var_os(variable).is_some_and(|name| file.file_name() == Some(&*name))
    };
    match (is_named("DUNDERSTAND_TEST_ENDLESS"), is_named("DUNDERSTAND_TEST_DEAF")) {
        (true, _) => Some(Endless::Polite),
        (_, true) => Some(Endless::Deaf),
        _ => None,
    }
}

impl Endless {
    pub(super) fn run(self, snapshot: &Snapshot) -> Infallible {
        loop {
            match self {
                Self::Polite => {
                    snapshot.stop_if_cancelled();
                    std::thread::yield_now();
                }
                Self::Deaf => std::thread::park(),
            }
        }
    }
}
