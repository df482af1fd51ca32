//! `check`: the hazards in files and trees.

mod fix;
mod json;
mod limit;
pub(super) mod parallel;
mod report;
mod rules;
mod sarif;

pub(super) use parallel::bar;

use std::path::PathBuf;

use clap::ValueEnum;

use super::failure::Failure;
use super::terminal::Terminal;
use super::workspace::Workspace;
use super::{Outcome, Reading, files};

use report::Report;

/// Report the hazards in files and trees
///
/// Folders are searched for Python files; hidden ones and those that .gitignore excludes are left out. Without a path, the
/// folder you stand in is searched. A comment `# dunderstand: ignore[ID]` on its line suppresses a hazard.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  dunderstand check src tests
  dunderstand check --select asyncio,weakref/defeated
  dunderstand check --fix --diff                what would be fixed
  dunderstand check --format github             in a workflow on GitHub
  dunderstand check --format sarif > report.sarif

A file whose types take longer than three minutes to work out is given up; standard error names it.

Exit codes: 0 no hazards, 1 hazards, 2 something could not be read, or was given up.")]
pub(super) struct Arguments {
    /// Files and folders
    #[arg(value_name = "PATH", default_value = ".", hide_default_value = true)]
    paths: Vec<PathBuf>,
    /// How hazards are written
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    /// Apply the fixes that change nothing but the hazard
    #[arg(long)]
    fix: bool,
    /// Show what `--fix` would change, and write nothing
    #[arg(long)]
    diff: bool,
    /// Report only these: ids of pages, or topics such as `asyncio`
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    select: Vec<String>,
    /// Leave these out: ids of pages, or topics
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    ignore: Vec<String>,
    #[command(flatten)]
    reading: Reading,
}

/// How `check` writes hazards.
#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// With the source and the places that have to do with it
    #[default]
    Full,
    /// One line each
    Concise,
    /// One array of objects
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Workflow commands of GitHub Actions
    Github,
}

pub(super) fn run(arguments: &Arguments, terminal: &mut Terminal) -> Result<Outcome, Failure> {
    let files = files::python_files(&arguments.paths, terminal)?;
    let mut workspace = Workspace::open(&files, arguments.reading.python.as_deref(), terminal)?;
    rules::choose(&mut workspace, &arguments.select, &arguments.ignore)?;
    let needs_fixes = matches!(arguments.format, Format::Full | Format::Json) || arguments.fix || arguments.diff;
    let mut report = Report::read(&mut workspace, &files, needs_fixes, terminal)?;
    let mut fixed = None;
    if arguments.fix || arguments.diff {
        let changes = fix::changes(&mut workspace, &report)?;
        if arguments.diff {
            return fix::show(&changes, &report, terminal);
        }
        fix::write(&changes)?;
        if !changes.is_empty() {
            report = Report::read(&mut workspace, &files, needs_fixes, terminal)?;
        }
        fixed = Some(changes.fixed());
    }
    report.print(&workspace, arguments.format, fixed, terminal)?;
    Ok(report.outcome())
}
