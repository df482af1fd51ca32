//! The built binary on a terminal's other end: each Markdown file in `tests/cli/` is one test, named by its path; what
//! cannot be written down there follows in `cli/hard.rs`.
//!
//! `UPDATE=1 cargo test --test cli` rewrites what the commands print; the diff is the review.

#[path = "cli/hard.rs"]
mod hard;
#[path = "cli/session.rs"]
mod session;

use std::path::PathBuf;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

/// What a test says when it fails.
type Outcome = Result<(), Failed>;

fn main() -> ExitCode {
    let mut files: Vec<PathBuf> = std::fs::read_dir("tests/cli").unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "md") && !path.ends_with("README.md"));
    files.sort();
    let mut trials = vec![];
    for path in files {
        trials.push(Trial::test(path.display().to_string(), move || session::replay(&path)));
    }
    for (name, test) in hard::ALL {
        trials.push(Trial::test(*name, test));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
