//! Many files at once.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rayon::prelude::*;

use crate::analysis::{STACK_SIZE, Snapshot};
use crate::cli::failure::Failure;
use crate::cli::workspace::{self, READER, Root, Workspace};
use crate::features::View;

/// Fewer files are read before a bar could be.
const FEW: usize = 50;

/// Threads with the stack that reading needs.
pub(in crate::cli) fn pool() -> Result<rayon::ThreadPool, Failure> {
    let builder = rayon::ThreadPoolBuilder::new().stack_size(STACK_SIZE).thread_name(|_| READER.to_string());
    builder.build().map_err(|error| Failure::new(format!("threads cannot be started: {error}")))
}

/// What `read` makes of each file, in the order of `files`.
///
/// A panic in one of them may leave behind what others need, so those that were interrupted are read once more, one by one.
pub(in crate::cli) fn read_all<T: Send>(
    workspace: &mut Workspace,
    files: &[PathBuf],
    pool: &rayon::ThreadPool,
    read: impl Fn(&View) -> T + Sync,
) -> Vec<Result<T, Failure>> {
    let bar = bar(files.len());
    let snapshot = workspace.snapshot();
    let mut jobs = vec![];
    for file in files {
        jobs.push((file, workspace.root(file), snapshot.clone()));
    }
    drop(snapshot);
    let read_one = |(file, root, snapshot): (&PathBuf, Option<&Root>, Snapshot)| {
        let result = match root {
            Some(root) => workspace::try_file(snapshot, root, file, &read),
            None => Ok(Err(Failure::new(format!("{} has no root", file.display())))),
        };
        bar.inc(1);
        result
    };
    let first: Vec<_> = pool.install(|| jobs.into_par_iter().map(read_one).collect());
    bar.finish_and_clear();
    let mut results = vec![];
    let mut is_clean = first.iter().all(Result::is_ok);
    for (file, result) in files.iter().zip(first) {
        results.push(result.or_else(|_| {
            if !is_clean {
                workspace.project_mut().recover();
            }
            let job = (file, workspace.root(file), workspace.snapshot());
            let again = pool.install(|| read_one(job));
            is_clean = again.is_ok();
            again
        }));
    }
    let told = files.iter().zip(results);
    told.map(|(file, result)| result.unwrap_or_else(|interrupted| Err(workspace::not_read(file, interrupted))))
        .collect()
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
