//! No rewrite corrupts a file: every one that is offered anywhere is applied, by itself and in memory, and the result is held
//! against what every edit owes (see `rewrites/checks.rs`).
//!
//! Without more, over a part of the standard library at hand and over the programs of the pages, each in several disguises
//! (`rewrites/disguises.rs`), and over those of the cases as they are; `DUNDERSTAND_REWRITES_CASES=1` disguises these, too, which
//! takes long.
//! `DUNDERSTAND_REWRITES=FOLDER[:FOLDER…]` reads whole folders instead and prints how often each rewrite was applied; with
//! `DUNDERSTAND_REWRITES_WRITE=1` it writes to them all the edits that keep what the code does.

#[path = "rewrites/bulk.rs"]
mod bulk;
#[path = "rewrites/checks.rs"]
mod checks;
#[path = "rewrites/corpus.rs"]
mod corpus;
#[path = "rewrites/disguises.rs"]
mod disguises;
#[allow(dead_code)]
#[path = "markdown/document.rs"]
mod document;
#[path = "rewrites/folders.rs"]
mod folders;
#[allow(dead_code)]
#[path = "markdown/interpreters.rs"]
mod interpreters;
#[path = "rewrites/judge.rs"]
mod judge;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

/// What a test says when it fails.
type Outcome = Result<(), Failed>;

fn main() -> ExitCode {
    let mut trials = vec![];
    match std::env::var_os("DUNDERSTAND_REWRITES") {
        Some(named) => {
            for folder in std::env::split_paths(&named) {
                let is_bulk = std::env::var_os("DUNDERSTAND_REWRITES_WRITE").is_some();
                let run = if is_bulk { bulk::folder } else { folders::folder };
                trials.push(Trial::test(folder.display().to_string(), move || run(&folder)));
            }
        }
        None => {
            trials.push(Trial::test("standard library", folders::standard_library));
            for (name, disguise) in disguises::ALL {
                trials.push(Trial::test(format!("programs {name}"), move || folders::programs(name, *disguise)));
            }
        }
    }
    let mut arguments = Arguments::from_args();
    // The engine's own work is on one thread per corpus; what it knows of the standard library is large.
    arguments.test_threads = arguments.test_threads.or(Some(2));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The Markdown files in the folders below `folder`, sorted.
pub fn markdown_files(folder: &Path) -> Vec<PathBuf> {
    files(folder, "md").into_iter().filter(|path| path.parent() != Some(folder)).collect()
}

/// The files below `folder` with this extension, sorted.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = vec![];
    let mut folders = vec![folder.to_path_buf()];
    while let Some(current) = folders.pop() {
        for entry in std::fs::read_dir(&current).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
