//! What was found, in the formats that are lines of text or JSON.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::{Format, json, parallel, sarif};
use crate::cli::failure::Failure;
use crate::cli::terminal::{BOLD, DIM, GOOD, Terminal, shown};
use crate::cli::workspace::Workspace;
use crate::cli::{Outcome, counted, excerpt, files};
use crate::features::{self, CodeAction, Diagnostic, View};
use crate::pages::Severity;
use crate::text::{Encoding, Lines, Place, TextLen as _, TextRange};

/// What is wrong in all files.
pub(super) struct Report {
    /// The files with hazards, in order.
    pub(super) files: Vec<FileReport>,
    /// Why files could not be read.
    pub(super) errors: Vec<String>,
    /// How many files were read.
    read: usize,
}

/// What is wrong in one file.
pub(super) struct FileReport {
    pub(super) path: PathBuf,
    pub(super) lines: Lines,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// The rewrites offered on the diagnostics.
    pub(super) actions: Vec<CodeAction>,
}

impl FileReport {
    /// Reads one file; `None` if nothing is wrong.
    pub(super) fn of(view: &View, with_actions: bool) -> Option<Self> {
        let diagnostics = features::diagnostics(view);
        if diagnostics.is_empty() {
            return None;
        }
        let whole = TextRange::up_to(view.module.text().text_len());
        let mut actions = match with_actions {
            true => features::code_actions(view, whole, &|kind| kind == features::QUICK_FIX),
            false => vec![],
        };
        actions.retain(|action| diagnostics.iter().any(|diagnostic| is_on(action, diagnostic)));
        Some(Self { path: view.module.path()?.to_path_buf(), lines: view.module.lines().clone(), diagnostics, actions })
    }

    /// The rewrites on one diagnostic.
    pub(super) fn rewrites(&self, diagnostic: &Diagnostic) -> impl Iterator<Item = &CodeAction> {
        self.actions.iter().filter(|action| is_on(action, diagnostic))
    }
}

/// The line of the first syntax error.
fn syntax_error(view: &View) -> Option<usize> {
    view.module.syntax_errors().first().map(|range| view.module.lines().line(range.start()))
}

fn is_on(action: &CodeAction, diagnostic: &Diagnostic) -> bool {
    action.rewrite.is_some() && action.concept == diagnostic.concept && action.range == diagnostic.range
}

/// Whether `--fix` may apply it.
pub(super) fn is_safe(action: &CodeAction) -> bool {
    action.kind == features::QUICK_FIX
        && action.disabled.is_none()
        && action.preserves_behaviour
        && action.files.len() == 1
}

impl Report {
    /// Reads all files; tells at once which ones cannot be read.
    pub(super) fn read(
        workspace: &mut Workspace,
        paths: &[PathBuf],
        with_actions: bool,
        terminal: &Terminal,
    ) -> Result<Self, Failure> {
        let read = move |view: &View| (FileReport::of(view, with_actions), syntax_error(view));
        let results = parallel::read_all(workspace, paths, read)?;
        let mut report = Self { files: vec![], errors: vec![], read: 0 };
        for (path, result) in paths.iter().zip(results) {
            match result {
                Ok((file, syntax_error)) => {
                    report.read += 1;
                    report.files.extend(file);
                    if let Some(line) = syntax_error {
                        let place = format!("{}:{line}", files::shown(path));
                        terminal
                            .warning(&format!("{place}: this is not valid Python; what hangs on it is not checked"));
                    }
                }
                Err(Failure::Message(message)) => {
                    terminal.error(&message);
                    report.errors.push(message);
                }
                Err(gone) => return Err(gone),
            }
        }
        Ok(report)
    }

    fn count(&self) -> usize {
        self.files.iter().map(|file| file.diagnostics.len()).sum()
    }

    /// All diagnostics with their files.
    pub(super) fn diagnostics(&self) -> impl Iterator<Item = (&FileReport, &Diagnostic)> {
        self.files.iter().flat_map(|file| file.diagnostics.iter().map(move |diagnostic| (file, diagnostic)))
    }

    pub(super) fn outcome(&self) -> Outcome {
        match (self.errors.is_empty(), self.files.is_empty()) {
            (false, _) => Outcome::Incomplete,
            (true, false) => Outcome::Findings,
            (true, true) => Outcome::Clean,
        }
    }

    pub(super) fn print(
        &self,
        workspace: &Workspace,
        format: Format,
        fixed: Option<usize>,
        terminal: &mut Terminal,
    ) -> Result<(), Failure> {
        let mut text = String::new();
        match format {
            Format::Full => {
                for (file, diagnostic) in self.diagnostics() {
                    text.push_str(&full(file, diagnostic, terminal));
                    text.push('\n');
                }
            }
            Format::Concise => {
                for (file, diagnostic) in self.diagnostics() {
                    text.push_str(&concise(file, diagnostic, terminal));
                }
            }
            Format::Github => {
                for (file, diagnostic) in self.diagnostics() {
                    text.push_str(&github(file, diagnostic));
                }
            }
            Format::Json => {
                text = json::array(self)?;
            }
            Format::Sarif => text = format!("{:#}\n", sarif::log(self, workspace)),
        }
        if matches!(format, Format::Full | Format::Concise) {
            text.push_str(&self.summary(fixed, terminal));
        }
        Ok(terminal.print(&text)?)
    }

    fn summary(&self, fixed: Option<usize>, terminal: &Terminal) -> String {
        let files = counted(self.read, "file", "files");
        let mut text = match self.count() {
            0 if self.read == 0 => "No file was read.".to_string(),
            0 => format!("{} in {files}.", terminal.paint(GOOD, "No hazards")),
            count => format!("{} in {} of {files}.", counted(count, "hazard", "hazards"), self.files.len()),
        };
        if self.read > 0 && !self.errors.is_empty() {
            let _ = write!(text, " {} could not be read.", counted(self.errors.len(), "file", "files"));
        }
        if let Some(fixed) = fixed {
            let _ = write!(text, " {fixed} fixed.");
        }
        let fixable = self.diagnostics().filter(|(file, diagnostic)| file.rewrites(diagnostic).any(is_safe)).count();
        if fixable > 0 && fixed.is_none() {
            let _ = write!(text, " {fixable} can be fixed with `--fix`.");
        }
        format!("{text}\n")
    }
}

fn full(file: &FileReport, diagnostic: &Diagnostic, terminal: &Terminal) -> String {
    let other = |path: &Path| std::fs::read_to_string(path).ok().map(Lines::new);
    let mut text = excerpt::diagnostic(diagnostic, &file.path, &file.lines, &other, terminal);
    for action in file.rewrites(diagnostic) {
        let line = match &action.disabled {
            None => format!("{} {}", terminal.paint(BOLD, "rewrite:"), shown(&action.title)),
            Some(reason) => terminal.paint(DIM, &format!("no rewrite: {}: {}", shown(&action.title), shown(reason))),
        };
        let _ = writeln!(text, "   = {line}");
    }
    text
}

fn concise(file: &FileReport, diagnostic: &Diagnostic, terminal: &Terminal) -> String {
    let at = file.lines.position(diagnostic.range.start(), Encoding::Utf32);
    let (label, style) = excerpt::severity(diagnostic.severity);
    format!(
        "{}:{}:{}: {}{} {}\n",
        terminal.paint(BOLD, &files::shown(&file.path)),
        at.line + 1,
        at.character + 1,
        terminal.paint(style, label),
        terminal.paint(DIM, &format!("[{}]", diagnostic.concept)),
        shown(&diagnostic.message)
    )
}

/// A workflow command; see "Workflow commands for GitHub Actions".
fn github(file: &FileReport, diagnostic: &Diagnostic) -> String {
    let command = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Information | Severity::Hint => "notice",
    };
    let span = file.lines.span(diagnostic.range, Encoding::Utf32);
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let mut message = diagnostic.message.clone();
    for related in &diagnostic.related {
        let Place { path, line, .. } = &related.place;
        let _ = write!(message, "\n{}:{line}: {}", files::shown(path), related.message);
    }
    format!(
        "::{command} title=dunderstand ({}),file={},line={},col={},endLine={},endColumn={}::{}\n",
        property(&diagnostic.concept),
        property(&files::shown(&file.path)),
        span.start.line + 1,
        span.start.character + 1,
        span.end.line + 1,
        span.end.character + 1,
        data(&message)
    )
}
