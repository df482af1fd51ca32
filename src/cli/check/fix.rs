//! `--fix`: applies the fixes that change nothing but the hazard, in memory first.
//!
//! A pass applies fixes that do not touch one another; the files are read anew and the next pass applies what then remains.
//! So a fix is always one that was made for the text it is applied to.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::parallel;
use super::report::{FileReport, Report, is_safe};
use crate::cli::diff;
use crate::cli::failure::Failure;
use crate::cli::terminal::Terminal;
use crate::cli::workspace::Workspace;
use crate::cli::{Outcome, counted};
use crate::features;
use crate::text::apply;

/// The most passes: each has to apply something, so this ends only fixes that undo each other.
const PASSES: usize = 100;

/// What fixing changes.
#[derive(Default)]
pub(super) struct Changes {
    files: BTreeMap<PathBuf, Change>,
}

struct Change {
    before: String,
    after: String,
    /// The number of hazards in either text.
    hazards: (usize, usize),
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// How many hazards went away.
    pub(super) fn fixed(&self) -> usize {
        self.files.values().map(|change| change.hazards.0.saturating_sub(change.hazards.1)).sum()
    }
}

/// Applies fixes in memory, pass by pass.
pub(super) fn changes(workspace: &mut Workspace, report: &Report) -> Result<Changes, Failure> {
    let mut changes = Changes::default();
    let is_fixable = |file: &&FileReport| file.actions.iter().any(is_safe);
    for file in report.files.iter().filter(is_fixable) {
        let text = file.lines.text().to_string();
        let hazards = (file.diagnostics.len(), file.diagnostics.len());
        changes.files.insert(file.path.clone(), Change { before: text.clone(), after: text, hazards });
    }
    let mut paths: Vec<PathBuf> = changes.files.keys().cloned().collect();
    for _ in 0..PASSES {
        let read =
            parallel::read_all(workspace, &paths, |view| (features::fix_all(view), features::diagnostics(view).len()))?;
        let mut changed = vec![];
        for (path, result) in paths.into_iter().zip(read) {
            let (fixes, hazards) = result?;
            let Some(change) = changes.files.get_mut(&path) else { continue };
            change.hazards.1 = hazards;
            let Some(after) = fixes.and_then(|fixes| apply(&change.after, &fixes.edits)) else { continue };
            workspace.project_mut().set_buffer(&path, after.as_str());
            change.after = after;
            changed.push(path);
        }
        if changed.is_empty() {
            break;
        }
        paths = changed;
    }
    changes.files.retain(|_, change| change.before != change.after);
    Ok(changes)
}

/// Prints what fixing would change.
pub(super) fn show(changes: &Changes, report: &Report, terminal: &mut Terminal) -> Result<Outcome, Failure> {
    let mut text = String::new();
    for (path, change) in &changes.files {
        text.push_str(&diff::unified(path, &change.before, &change.after, terminal));
    }
    terminal.print(&text)?;
    let (hazards, files) =
        (counted(changes.fixed(), "hazard", "hazards"), counted(changes.files.len(), "file", "files"));
    terminal.say(&format!("{hazards} would be fixed in {files}; nothing is written"));
    Ok(report.outcome())
}

/// Writes the files that changed.
pub(super) fn write(changes: &Changes) -> Result<(), Failure> {
    let together: Vec<diff::Change> = changes
        .files
        .iter()
        .map(|(path, change)| (path.as_path(), change.before.as_str(), change.after.as_str()))
        .collect();
    diff::write(&together)
}
