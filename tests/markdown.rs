//! The pages prove themselves and the cases hold the edges: each Markdown file is one test, named by its path.
//!
//! `UPDATE=1 cargo test --test markdown` rewrites the expected fences of the cases; the diff is the review.

#[path = "markdown/cases.rs"]
mod cases;
#[path = "markdown/document.rs"]
mod document;
#[path = "markdown/interpreters.rs"]
mod interpreters;
#[path = "markdown/pages.rs"]
mod pages;
#[path = "markdown/project.rs"]
mod project;

#[path = "markdown/version_programs.rs"]
mod version_programs;
#[path = "markdown/versions.rs"]
mod versions;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

/// What a test of a file says when it fails.
type Outcome = Result<(), Failed>;

fn main() -> ExitCode {
    let mut trials = vec![];
    for (folder, test) in [("tests/cases", cases::case as fn(&Path) -> Outcome), ("explanations", pages::page)] {
        for path in markdown_files(Path::new(folder)) {
            trials.push(Trial::test(path.display().to_string(), move || test(&path)));
        }
    }
    trials.push(Trial::test("facts that differ between versions", versions::facts));
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    if conclusion.num_passed + conclusion.num_failed > 0 {
        interpreters::tell_runs();
    }
    conclusion.exit_code()
}

/// The Markdown files in the folders below `folder`, sorted.
pub fn markdown_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    let mut folders = vec![folder.to_path_buf()];
    while let Some(current) = folders.pop() {
        for entry in std::fs::read_dir(&current).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if current != folder && path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
