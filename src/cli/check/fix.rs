//! `--fix`: applies the fixes that change nothing but the hazard, in memory first.
//!
//! A pass applies fixes that do not touch one another; the files are read anew and the next pass applies what then remains.
//! So a fix is always one that was made for the text it is applied to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::parallel;
use super::report::{FileReport, Report, is_safe};
use crate::analysis::parses;
use crate::cli::diff;
use crate::cli::failure::Failure;
use crate::cli::terminal::Terminal;
use crate::cli::workspace::Workspace;
use crate::cli::{Outcome, counted, files};
use crate::features::CodeAction;
use crate::text::{Edit, apply};

/// The most passes: each has to apply something, so this ends only fixes that undo each other.
const PASSES: usize = 100;

/// What fixing changes.
#[derive(Default)]
pub(super) struct Changes {
    files: BTreeMap<PathBuf, Change>,
    /// How many fixes were applied.
    pub(super) count: usize,
}

struct Change {
    before: String,
    after: String,
}

/// Applies fixes in memory, pass by pass.
pub(super) fn changes(
    workspace: &mut Workspace,
    report: &Report,
    pool: &rayon::ThreadPool,
    terminal: &Terminal,
) -> Result<Changes, Failure> {
    let mut changes = Changes::default();
    let mut texts: BTreeMap<PathBuf, String> = BTreeMap::new();
    for file in &report.files {
        texts.insert(file.path.clone(), file.lines.text().to_string());
    }
    let mut pass = Pass::over(&report.files, &texts);
    for _ in 0..PASSES {
        if pass.edits.is_empty() {
            break;
        }
        let mut changed = vec![];
        for (path, edits) in &pass.edits {
            let Some(text) = texts.get_mut(path) else { continue };
            let Some(after) = apply(text, edits).filter(|after| parses(after) || !parses(text)) else {
                terminal.warning(&format!("{} is not fixed: its fixes do not fit together", files::shown(path)));
                return Ok(changes);
            };
            let change = changes.files.entry(path.clone());
            change.or_insert_with(|| Change { before: text.clone(), after: String::new() }).after.clone_from(&after);
            workspace.project_mut().set_buffer(path, after.as_str());
            *text = after;
            changed.push(path.clone());
        }
        changes.count += pass.count;
        let read = parallel::read_all(workspace, &changed, pool, |view| FileReport::of(view, true));
        let reports: Vec<FileReport> = read.into_iter().filter_map(|file| file.ok().flatten()).collect();
        pass = Pass::over(&reports, &texts);
    }
    changes.files.retain(|_, change| change.before != change.after);
    Ok(changes)
}

/// Fixes that do not touch one another.
#[derive(Default)]
struct Pass {
    edits: BTreeMap<PathBuf, Vec<Edit>>,
    count: usize,
}

impl Pass {
    /// The first safe fix of each hazard, unless it touches one already taken or a file that is not checked.
    fn over(reports: &[FileReport], texts: &BTreeMap<PathBuf, String>) -> Self {
        let mut pass = Self::default();
        for file in reports {
            for diagnostic in &file.diagnostics {
                let Some(fix) = file.rewrites(diagnostic).find(|action| is_safe(action)) else { continue };
                let is_free = |path: &Path, edit: &Edit| {
                    texts.contains_key(path)
                        && !pass.edits.get(path).is_some_and(|taken| taken.iter().any(|other| touch(other, edit)))
                };
                if fix.files.iter().all(|file| file.edits.iter().all(|edit| is_free(&file.path, edit))) {
                    pass.take(fix);
                }
            }
        }
        pass
    }

    fn take(&mut self, fix: &CodeAction) {
        for file in &fix.files {
            self.edits.entry(file.path.clone()).or_default().extend(file.edits.iter().cloned());
        }
        self.count += 1;
    }
}

fn touch(one: &Edit, other: &Edit) -> bool {
    one.range.intersect(other.range).is_some()
}

/// Prints what fixing would change.
pub(super) fn show(changes: &Changes, report: &Report, terminal: &mut Terminal) -> Result<Outcome, Failure> {
    let mut text = String::new();
    for (path, change) in &changes.files {
        text.push_str(&diff::unified(path, &change.before, &change.after, terminal));
    }
    terminal.print(&text)?;
    let (fixes, files) = (counted(changes.count, "fix", "fixes"), counted(changes.files.len(), "file", "files"));
    terminal.say(&format!("{fixes} would change {files}; nothing is written"));
    Ok(report.outcome())
}

/// Writes the files that changed.
pub(super) fn write(changes: &Changes) -> Result<(), Failure> {
    for (path, change) in &changes.files {
        diff::write(path, &change.before, &change.after)?;
    }
    Ok(())
}
