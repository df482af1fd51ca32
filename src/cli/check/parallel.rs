//! Many files at once, each within a limit.

use std::collections::VecDeque;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::limit::{Running, endless};
use crate::analysis::{Interrupted, STACK_SIZE, Snapshot};
use crate::cli::failure::Failure;
use crate::cli::files;
use crate::cli::workspace::{self, READER, Root, Workspace};
use crate::features::View;

/// Fewer files are read before a bar could be.
const FEW: usize = 50;

/// What `read` makes of each file, in the order of `files`. A file that takes too long is given up; one that does not even
/// stop is left alone, and the workspace opens its project anew.
///
/// A panic in one of them may leave behind what others need, so those that were interrupted are read once more, one by one.
pub(in crate::cli) fn read_all<T: Send + 'static>(
    workspace: &mut Workspace,
    files: &[PathBuf],
    read: impl Fn(&View) -> T + Send + Sync + 'static,
) -> Result<Vec<Result<T, Failure>>, Failure> {
    let bar = bar(files.len());
    let read = Arc::new(read);
    let mut round = round(workspace, files, &read, &bar)?;
    bar.finish_and_clear();
    let mut must_recover = round.iter().any(|outcome| matches!(outcome, Outcome::Panicked(_)));
    for (index, file) in files.iter().enumerate() {
        if !matches!(round[index], Outcome::Panicked(_)) {
            continue;
        }
        if must_recover {
            workspace.project_mut().recover();
        }
        let hidden = ProgressBar::hidden();
        round[index] = self::round(workspace, std::slice::from_ref(file), &read, &hidden)?.remove(0);
        must_recover = matches!(round[index], Outcome::Panicked(_));
    }
    Ok(files.iter().zip(round).map(|(file, outcome)| outcome.result(file)).collect())
}

/// What became of the read of one file.
enum Outcome<T> {
    Read(Result<T, Failure>),
    Panicked(String),
    Cancelled,
    /// It took longer than this.
    GivenUp(Duration),
}

impl<T> Outcome<T> {
    fn result(self, file: &Path) -> Result<T, Failure> {
        match self {
            Self::Read(result) => result,
            Self::Panicked(message) => Err(workspace::not_read(file, Interrupted::Panicked(message))),
            Self::Cancelled => Err(workspace::not_read(file, Interrupted::Cancelled)),
            Self::GivenUp(limit) => Err(Failure::new(format!(
                "{}: given up after {} s: working out its types did not end; the other files are read",
                files::shown(file),
                limit.as_secs()
            ))),
        }
    }
}

/// A file to read.
struct Job {
    index: usize,
    file: PathBuf,
    root: Option<Root>,
    snapshot: Snapshot,
}

/// What the reading threads share.
struct Shared<T, R> {
    jobs: Mutex<VecDeque<Job>>,
    running: Running,
    read: Arc<R>,
    done: Sender<(usize, Outcome<T>)>,
}

/// Reads all files once.
fn round<T: Send + 'static, R: Fn(&View) -> T + Send + Sync + 'static>(
    workspace: &mut Workspace,
    files: &[PathBuf],
    read: &Arc<R>,
    bar: &ProgressBar,
) -> Result<Vec<Outcome<T>>, Failure> {
    let (done, outcomes) = channel();
    let snapshot = workspace.snapshot();
    let jobs = files.iter().enumerate().map(|(index, file)| Job {
        index,
        file: file.clone(),
        root: workspace.root(file).cloned(),
        snapshot: snapshot.clone(),
    });
    let jobs = Mutex::new(jobs.collect());
    drop(snapshot);
    let shared = Arc::new(Shared { jobs, running: Running::default(), read: read.clone(), done });
    let threads = std::thread::available_parallelism().map_or(2, usize::from).min(files.len());
    for _ in 0..threads {
        start(&shared)?;
    }
    let mut found: Vec<Option<Outcome<T>>> = files.iter().map(|_| None).collect();
    let mut is_stuck = false;
    while found.iter().any(Option::is_none) {
        match outcomes.recv_timeout(shared.running.next()) {
            Ok((index, outcome)) => {
                bar.inc(1);
                found[index].get_or_insert(outcome);
            }
            Err(_) => {
                for (index, limit) in shared.running.stop_overdue() {
                    bar.inc(1);
                    found[index].get_or_insert(Outcome::GivenUp(limit));
                    is_stuck = true;
                    start(&shared)?;
                }
            }
        }
    }
    if is_stuck {
        workspace.reopen()?;
    }
    Ok(found.into_iter().flatten().collect())
}

/// Starts a thread, with the stack that reading needs, that works off the jobs.
fn start<T: Send + 'static, R: Fn(&View) -> T + Send + Sync + 'static>(
    shared: &Arc<Shared<T, R>>,
) -> Result<(), Failure> {
    let shared = shared.clone();
    let thread = std::thread::Builder::new().name(READER.to_string()).stack_size(STACK_SIZE);
    let started = thread.spawn(move || {
        loop {
            let job = shared.jobs.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(job) = job else { return };
            let index = job.index;
            let limit = shared.running.begins(index, &job.file, &job.snapshot);
            let outcome = read_one(job, &*shared.read);
            let was_stopped = shared.running.ends(index);
            let outcome = match outcome {
                // Whoever waited for something that another thread was stopped in reads it again.
                Outcome::Cancelled | Outcome::Panicked(_) if was_stopped => Outcome::GivenUp(limit),
                other => other,
            };
            if shared.done.send((index, outcome)).is_err() {
                return;
            }
        }
    });
    started.map(drop).map_err(|error| Failure::new(format!("threads cannot be started: {error}")))
}

fn read_one<T>(job: Job, read: &impl Fn(&View) -> T) -> Outcome<T> {
    let Some(root) = &job.root else {
        return Outcome::Read(Err(Failure::new(format!("{} has no root", job.file.display()))));
    };
    if let Some(endless) = endless(&job.file) {
        let Err(interrupted) = job.snapshot.read(|snapshot| endless.run(snapshot));
        return Outcome::from(interrupted);
    }
    match workspace::try_file(job.snapshot, root, &job.file, read) {
        Ok(result) => Outcome::Read(result),
        Err(interrupted) => Outcome::from(interrupted),
    }
}

impl<T> From<Interrupted> for Outcome<T> {
    fn from(interrupted: Interrupted) -> Self {
        match interrupted {
            Interrupted::Cancelled => Self::Cancelled,
            Interrupted::Panicked(message) => Self::Panicked(message),
        }
    }
}

/// A progress bar for many files, hidden for a few and where nobody looks.
pub(in crate::cli) fn bar(files: usize) -> ProgressBar {
    if files < FEW || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(files as u64), ProgressDrawTarget::stderr_with_hz(10));
    if let Ok(style) = ProgressStyle::with_template("{bar:40.cyan/dim} {pos}/{len} files, {elapsed}") {
        bar.set_style(style.progress_chars("━━─"));
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
