//! The one ordered queue, and the threads that serve it.
//!
//! Everything that happens is a [`Job`] in arrival order. One thread takes them: it owns the [`Session`], writes, and hands
//! reads out to worker threads, each with a snapshot. A write cancels the reads under way; a cancelled read comes back into
//! the queue and is tried again, unless its own document has changed since or nobody waits for it any more.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tower_lsp_server::jsonrpc::{Error, ErrorCode, Result};

use super::reading::{Reading, Setting};
use super::session::Session;
use super::stuck::{Held, Running};
use crate::analysis::{Cancellation, Interrupted, STACK_SIZE, Snapshot};

/// The longest a request may take, from its arrival.
const LIMIT: Duration = Duration::from_secs(30);

/// Something to do, in order.
pub(super) enum Job {
    Write(Box<dyn FnOnce(&mut Session) + Send>),
    Read(Read),
}

/// A question about the code as it is when the question's turn comes.
pub(super) struct Read {
    pub(super) ticket: Arc<Ticket>,
    /// The document it is about.
    pub(super) path: Option<PathBuf>,
    /// That document's revision when the question was first handed out.
    pub(super) revision: Option<u64>,
    run: Box<dyn FnMut(Turn) -> Option<Interrupted> + Send>,
}

enum Turn {
    Read(Snapshot, Setting),
    Fail(Error),
}

impl Read {
    /// Asks `work` until it is not interrupted; `done` gets its answer or an error, once.
    pub(super) fn new<T: 'static>(
        ticket: Arc<Ticket>,
        path: Option<PathBuf>,
        work: impl Fn(&Reading) -> Result<T> + Send + 'static,
        done: impl FnOnce(Result<T>) + Send + 'static,
    ) -> Self {
        let mut done = Some(done);
        let mut finish = move |result| {
            if let Some(done) = done.take() {
                done(result);
            }
        };
        let run = move |turn: Turn| {
            let result = match turn {
                Turn::Fail(error) => Err(error),
                Turn::Read(snapshot, setting) => {
                    let read = snapshot.read(|snapshot| {
                        snapshot.stop_if_cancelled();
                        work(&Reading::new(snapshot, &setting))
                    });
                    match read {
                        Ok(result) => result,
                        Err(interrupted) => return Some(interrupted),
                    }
                }
            };
            finish(result);
            None
        };
        Self { ticket, path, revision: None, run: Box::new(run) }
    }

    /// Answers with an error.
    pub(super) fn fail(mut self, error: Error) {
        (self.run)(Turn::Fail(error));
    }
}

/// Says whether somebody still waits for a read, and stops it when nobody does.
#[derive(Default)]
pub(super) struct Ticket {
    is_cancelled: AtomicBool,
    running: Mutex<Option<Cancellation>>,
}

impl Ticket {
    pub(super) fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::SeqCst)
    }

    pub(super) fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::SeqCst);
        if let Some(running) = self.running.lock().unwrap_or_else(PoisonError::into_inner).take() {
            running.cancel();
        }
    }

    fn starts(&self, running: Cancellation) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(running);
        if self.is_cancelled() {
            self.cancel();
        }
    }
}

/// Stops a read whose request is dropped: cancelled by the client, or over its time limit.
struct CancelOnDrop(Arc<Ticket>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Where jobs are put.
#[derive(Clone)]
pub(super) struct Queue(Sender<Job>);

impl Queue {
    /// A queue, and the jobs that are put into it.
    pub(super) fn new() -> (Self, Jobs) {
        let (sender, jobs) = channel();
        (Self(sender), Jobs(jobs))
    }

    pub(super) fn put(&self, job: Job) {
        self.0.send(job).ok();
    }

    /// Changes the session in its turn.
    pub(super) fn write(&self, write: impl FnOnce(&mut Session) + Send + 'static) {
        self.put(Job::Write(Box::new(write)));
    }

    /// Asks the session in its turn.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut Session) -> T + Send + 'static,
    ) -> Result<T> {
        let (send, answer) = oneshot::channel();
        self.write(move |session| {
            send.send(ask(session)).ok();
        });
        answer.await.map_err(|_| Error::internal_error())
    }

    /// Asks about the code in its turn. The place in the queue is taken when the future is first polled.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        path: Option<PathBuf>,
        work: impl Fn(&Reading) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let ticket = Arc::new(Ticket::default());
        let _guard = CancelOnDrop(ticket.clone());
        let (send, answer) = oneshot::channel();
        let done = |result| {
            send.send(result).ok();
        };
        self.put(Job::Read(Read::new(ticket, path, work, done)));
        match tokio::time::timeout(limit(), answer).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(Error::internal_error())),
            Err(_) => Err(failed(format!("no answer within {:?}", limit()))),
        }
    }
}

/// The longest a request may take; tests of debug builds set another one.
pub(super) fn limit() -> Duration {
    let set = if cfg!(debug_assertions) { std::env::var("DUNDERSTAND_TEST_LIMIT_MS").ok() } else { None };
    set.and_then(|milliseconds| milliseconds.parse().ok()).map_or(LIMIT, Duration::from_millis)
}

/// The request is right, but there is no answer (LSP 3.17, `RequestFailed`).
pub(super) fn failed(message: String) -> Error {
    Error { code: ErrorCode::ServerError(-32803), message: message.into(), data: None }
}

/// What is to be done.
pub(super) struct Jobs(Receiver<Job>);

impl Jobs {
    /// Starts the thread that owns the session that `make` makes.
    pub(super) fn start(self, make: impl FnOnce() -> Session + Send + 'static) -> std::io::Result<()> {
        let thread = std::thread::Builder::new().name("session".to_string()).stack_size(STACK_SIZE);
        thread.spawn(move || work_off(&self.0, make()))?;
        Ok(())
    }
}

fn work_off(jobs: &Receiver<Job>, mut session: Session) {
    loop {
        let job = match jobs.try_recv() {
            Ok(job) => job,
            Err(TryRecvError::Disconnected) => return,
            Err(TryRecvError::Empty) => {
                guarded(|| session.settle());
                match jobs.recv() {
                    Ok(job) => job,
                    Err(_) => return,
                }
            }
        };
        guarded(|| match job {
            Job::Write(write) => write(&mut session),
            Job::Read(read) => session.hand_out(read),
        });
    }
}

/// A bug in one job must not end the others; the panic hook has told of it.
fn guarded(work: impl FnOnce()) {
    catch_unwind(AssertUnwindSafe(work)).ok();
}

/// How many requests are being read.
pub(super) struct Activity {
    running: AtomicUsize,
    /// Whether the session wants to be called when there are none.
    is_called: AtomicBool,
    queue: Queue,
}

impl Activity {
    pub(super) fn is_idle(&self) -> bool {
        self.running.load(Ordering::SeqCst) == 0
    }

    /// Has the session look for things to do when no request is being read any more, or at once if none is.
    pub(super) fn call_when_idle(&self, call: bool) {
        self.is_called.store(call, Ordering::SeqCst);
        if call && self.is_idle() {
            self.call();
        }
    }

    fn call(&self) {
        if self.is_called.swap(false, Ordering::SeqCst) {
            self.queue.write(|_| {}); // When that is done, the session settles.
        }
    }

    fn begins(&self) {
        self.running.fetch_add(1, Ordering::SeqCst);
    }

    fn ends(&self) {
        if self.running.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.call();
        }
    }
}

/// A read for the threads. The note that it holds a snapshot goes last.
struct Task {
    read: Read,
    snapshot: Snapshot,
    setting: Setting,
    held: Held,
}

/// The threads that read.
pub(super) struct Workers {
    tasks: Sender<Task>,
    pub(super) activity: Arc<Activity>,
    pub(super) running: Arc<Running>,
}

impl Workers {
    pub(super) fn start(queue: &Queue) -> Self {
        let (sender, receiver) = channel::<Task>();
        let receiver = Arc::new(Mutex::new(receiver));
        let is_called = AtomicBool::new(false);
        let activity = Arc::new(Activity { running: AtomicUsize::new(0), is_called, queue: queue.clone() });
        let count = std::thread::available_parallelism().map_or(2, |count| count.get().clamp(2, 4));
        for number in 0..count {
            let (receiver, queue, activity) = (receiver.clone(), queue.clone(), activity.clone());
            let thread = std::thread::Builder::new().name(format!("reader {number}")).stack_size(STACK_SIZE);
            let started = thread.spawn(move || {
                loop {
                    let task = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    match task {
                        Ok(Task { read, snapshot, setting, held }) => {
                            held.begins();
                            guarded(|| run(read, snapshot, setting, &queue));
                            drop(held);
                            activity.ends();
                        }
                        Err(_) => return,
                    }
                }
            });
            if let Err(error) = started {
                eprintln!("a thread could not be started: {error}");
            }
        }
        Self { tasks: sender, activity, running: Arc::default() }
    }

    pub(super) fn run(&self, read: Read, snapshot: Snapshot, setting: Setting) {
        read.ticket.starts(snapshot.cancellation());
        self.activity.begins();
        let held = self.running.hold(read.path.clone(), &snapshot);
        self.tasks.send(Task { read, snapshot, setting, held }).ok();
    }
}

fn run(mut read: Read, snapshot: Snapshot, setting: Setting, queue: &Queue) {
    let outbox = setting.outbox.clone();
    match (read.run)(Turn::Read(snapshot, setting)) {
        None => {}
        Some(Interrupted::Cancelled) => queue.put(Job::Read(read)),
        Some(Interrupted::Panicked(message)) => {
            outbox.report_panic(&message);
            queue.write(Session::recover);
            read.fail(Error { message: format!("a bug in dunderstand: {message}").into(), ..Error::internal_error() });
        }
    }
}
