//! `check`: the hazards in files and trees.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::analysis::STACK_SIZE;
use crate::features::{self, Diagnostic};
use crate::text::Lines;

use super::failure::Failure;
use super::terminal::Terminal;
use super::workspace::{self, READER, Workspace};
use super::{Outcome, Reading, excerpt};

/// Report the hazards in files and trees
///
/// Folders are searched for Python files; what `.gitignore` excludes is left out.
#[derive(clap::Args)]
#[command(after_help = "\
Exit codes: 0 no hazards, 1 hazards, 2 something could not be read.")]
pub(super) struct Arguments {
    /// Files and folders
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    reading: Reading,
}

/// What one file gave.
struct Report {
    path: PathBuf,
    lines: Lines,
    diagnostics: Vec<Diagnostic>,
}

pub(super) fn run(arguments: &Arguments, terminal: &mut Terminal) -> Result<Outcome, Failure> {
    let files = files(&arguments.paths)?;
    let workspace = Workspace::open(&files, arguments.reading.python.as_deref(), terminal)?;
    let pool = rayon::ThreadPoolBuilder::new()
        .stack_size(STACK_SIZE)
        .thread_name(|_| READER.to_string())
        .build()
        .map_err(|error| Failure::new(format!("threads cannot be started: {error}")))?;
    let snapshot = workspace.snapshot();
    let jobs: Vec<_> = files.iter().filter_map(|file| Some((file, workspace.root(file)?, snapshot.clone()))).collect();
    drop(snapshot);
    let results: Vec<Result<Report, Failure>> = pool.install(|| {
        let read = |(file, root, snapshot): (&PathBuf, _, _)| {
            workspace::read_file(snapshot, root, file, |view| Report {
                path: file.clone(),
                lines: view.module.lines().clone(),
                diagnostics: features::diagnostics(view),
            })
        };
        jobs.into_par_iter().map(read).collect()
    });
    let mut found = 0;
    let mut outcome = Outcome::Clean;
    for result in results {
        let report = match result {
            Ok(report) => report,
            Err(Failure::Message(message)) => {
                terminal.error(&message);
                outcome = Outcome::Incomplete;
                continue;
            }
            Err(failure) => return Err(failure),
        };
        found += report.diagnostics.len();
        let other = |path: &Path| std::fs::read_to_string(path).ok().map(Lines::new);
        for diagnostic in &report.diagnostics {
            let text = excerpt::diagnostic(diagnostic, &report.path, &report.lines, &other, terminal);
            terminal.print(&format!("{text}\n"))?;
        }
    }
    terminal.say(&format!("{found} hazards in {} files", files.len()));
    Ok(match (outcome, found) {
        (Outcome::Clean, 1..) => Outcome::Findings,
        _ => outcome,
    })
}

/// The Python files at and below `paths`, absolute, each once.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = vec![];
    for path in paths {
        let absolute = workspace::existing(path)?;
        if !absolute.is_dir() {
            files.push(absolute);
            continue;
        }
        let before = files.len();
        for entry in ignore::WalkBuilder::new(&absolute).require_git(false).build().filter_map(Result::ok) {
            let is_python = entry.path().extension().is_some_and(|extension| extension == "py");
            if is_python && entry.file_type().is_some_and(|kind| kind.is_file()) {
                files.push(entry.into_path());
            }
        }
        if files.len() == before {
            return Err(Failure::new(format!("there are no Python files in {}", path.display())));
        }
    }
    files.sort();
    files.dedup();
    Ok(files)
}
