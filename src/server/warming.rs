//! Effects of the whole workspace, worked out in the background before somebody asks.
//!
//! A thread of its own lists the files, without a snapshot, and then works on a snapshot file by file. A write ends its read
//! like every other; it comes back into the queue and goes on when the queue is empty and no request is being read. Once all
//! files are done, the session knows the workspace, and what other files say about a function is shown.

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::outbox::{Outbox, Step};
use super::queue::{Activity, Queue, Workers};
use super::stuck::Running;
use crate::analysis::{Cancellation, Interrupted, STACK_SIZE, Snapshot, workspace_files};

/// For fewer files no progress is shown: they are done before a person has read of it.
const FEW: usize = 50;

/// What the client shows while it lasts.
const TITLE: &str = "Looking for what blocks, and for threads";

/// The state of the work, owned by the session.
pub(super) struct Warming {
    tasks: Sender<Task>,
    outbox: Outbox,
    activity: Arc<Activity>,
    stage: Stage,
    /// Counts the beginnings: what comes back from an earlier one is dropped.
    pub(super) round: u64,
}

/// How far it is.
enum Stage {
    /// Nothing to do: never begun, finished, or stopped by a person.
    Idle,
    /// To be begun when there is nothing else to do.
    Due,
    Listing,
    Ready(Work),
    Running(Work, Cancellation),
}

/// The files, and how many of them are done.
#[derive(Clone)]
struct Work {
    files: Arc<Vec<PathBuf>>,
    done: usize,
    shows_progress: bool,
    /// All files are done, and the project has been told: what is left is what takes all of them.
    is_known: bool,
}

enum Task {
    List { round: u64, roots: Vec<PathBuf> },
    Files { round: u64, work: Work, snapshot: Box<Snapshot> },
}

/// What the thread has to say.
pub(super) enum News {
    Listed(Option<Vec<PathBuf>>),
    /// Interrupted after so many files.
    Paused(usize),
    /// Done with the files, or with what takes all of them: then whether that says anything about any function.
    Finished(bool),
}

/// What the session has to do about the news.
pub(super) enum Milestone {
    /// These are the files of the workspace, and each of them has been worked on.
    Known(Vec<PathBuf>),
    /// Everything is done; `true` if views may show more than before.
    Done(bool),
}

impl Warming {
    /// Starts the thread. Rounds are counted from `round` on.
    pub(super) fn start(queue: &Queue, outbox: Outbox, workers: &Workers, round: u64) -> Self {
        let (tasks, receiver) = channel();
        let (activity, running) = (workers.activity.clone(), workers.running.clone());
        let worker = Worker { queue: queue.clone(), outbox: outbox.clone(), activity: activity.clone(), running };
        let thread = std::thread::Builder::new().name("warming".to_string()).stack_size(STACK_SIZE);
        if let Err(error) = thread.spawn(move || worker.work(&receiver)) {
            eprintln!("a thread could not be started: {error}");
        }
        Self { tasks, outbox, activity, stage: Stage::Idle, round }
    }

    /// Begins again, when there is time.
    pub(super) fn begin(&mut self) {
        self.stop();
        self.stage = Stage::Due;
    }

    /// Stops for good.
    pub(super) fn stop(&mut self) {
        self.round += 1;
        self.activity.call_when_idle(false);
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Running(work, cancellation) => {
                cancellation.cancel();
                self.end_progress(&work);
            }
            Stage::Ready(work) => self.end_progress(&work),
            Stage::Idle | Stage::Due | Stage::Listing => {}
        }
    }

    /// Does the next thing, if there is one. `snapshot` is asked for at the last moment.
    pub(super) fn go_on(&mut self, roots: impl FnOnce() -> Vec<PathBuf>, snapshot: impl FnOnce() -> Snapshot) {
        let round = self.round;
        self.stage = match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Due => {
                self.tasks.send(Task::List { round, roots: roots() }).ok();
                Stage::Listing
            }
            Stage::Ready(work) if self.activity.is_idle() => {
                let snapshot = Box::new(snapshot());
                let cancellation = snapshot.cancellation();
                self.tasks.send(Task::Files { round, work: work.clone(), snapshot }).ok();
                Stage::Running(work, cancellation)
            }
            Stage::Ready(work) => {
                self.activity.call_when_idle(true);
                Stage::Ready(work)
            }
            other => other,
        };
    }

    /// Takes what the thread says.
    pub(super) fn hear(&mut self, round: u64, news: News, shows_progress: bool) -> Option<Milestone> {
        if round != self.round {
            return None;
        }
        match (std::mem::replace(&mut self.stage, Stage::Idle), news) {
            (Stage::Listing, News::Listed(Some(files))) => {
                let shows_progress = shows_progress && files.len() >= FEW;
                if shows_progress {
                    self.outbox.progress(Step::Begin(TITLE));
                }
                let files = Arc::new(files);
                self.stage = Stage::Ready(Work { files, done: 0, shows_progress, is_known: false });
            }
            (Stage::Running(work, _), News::Paused(done)) => self.stage = Stage::Ready(Work { done, ..work }),
            (Stage::Running(work, _), News::Finished(_)) if !work.is_known => {
                let files = work.files.to_vec();
                self.stage = Stage::Ready(Work { done: files.len(), is_known: true, ..work });
                return Some(Milestone::Known(files));
            }
            (Stage::Running(work, _), News::Finished(says_more)) => {
                self.end_progress(&work);
                return Some(Milestone::Done(says_more));
            }
            // Too many files, or nothing that was waited for.
            _ => {}
        }
        None
    }

    fn end_progress(&self, work: &Work) {
        if work.shows_progress {
            self.outbox.progress(Step::End);
        }
    }
}

/// The thread.
struct Worker {
    queue: Queue,
    outbox: Outbox,
    activity: Arc<Activity>,
    running: Arc<Running>,
}

impl Worker {
    fn work(&self, tasks: &Receiver<Task>) {
        for task in tasks {
            let (round, news) = match task {
                Task::List { round, roots } => (round, News::Listed(workspace_files(&roots))),
                Task::Files { round, work, snapshot } => (round, self.warm(&work, *snapshot)),
            };
            self.queue.write(move |session| session.hear_of_warming(round, news));
        }
    }

    fn warm(&self, work: &Work, snapshot: Snapshot) -> News {
        let done = Cell::new(work.done);
        let held = self.running.hold(None, &snapshot);
        let read = snapshot.read(|snapshot| {
            if work.is_known {
                held.begins();
                return Some(snapshot.warm_runners());
            }
            for file in work.files.iter().skip(work.done) {
                // A person waits for an answer: that comes first.
                if !self.activity.is_idle() {
                    return None;
                }
                let of_file = self.running.hold(Some(file.clone()), snapshot);
                of_file.begins();
                #[cfg(debug_assertions)]
                super::debug::spin_while_warming(snapshot, file);
                snapshot.warm(file);
                let hundredths = |done: usize| u32::try_from(100 * done / work.files.len()).unwrap_or_default();
                let before = hundredths(done.get());
                done.set(done.get() + 1);
                if work.shows_progress && hundredths(done.get()) != before {
                    self.outbox.progress(Step::Done(hundredths(done.get())));
                }
            }
            Some(false)
        });
        match read {
            Ok(Some(says_more)) => News::Finished(says_more),
            Ok(None) | Err(Interrupted::Cancelled) => News::Paused(done.get()),
            Err(Interrupted::Panicked(message)) => {
                self.outbox.report_panic(&message);
                match work.is_known {
                    true => News::Finished(true),
                    false => News::Paused(done.get() + 1),
                }
            }
        }
    }
}
