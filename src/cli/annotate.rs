//! `annotate`: the source with everything that is known about it drawn in.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::features::{self, CodeAction, Diagnostic, InlayHint, View};
use crate::text::{TextLen as _, TextRange, TextSize};

use super::card::{self, Note};
use super::excerpt;
use super::failure::Failure;
use super::terminal::{BOLD, DIM, GOOD, HINT, NOTE, Terminal, columns, shown};
use super::workspace::Workspace;
use super::{Outcome, Reading, counted, files, markdown};

/// The demo program, for the command without a path.
const DEMO: &str = include_str!("demo.py");

/// Show source with everything that happens in it drawn in
///
/// Hints stand where an editor draws them, hazards under their lines, and numbered notes below each paragraph of the code
/// explain it. Without a path, a short demo program that is built in is explained.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  dunderstand annotate
  dunderstand annotate app/models.py
  dunderstand annotate --color always app/models.py | less -R

To see one place only: dunderstand hover FILE:LINE:COL")]
pub(super) struct Arguments {
    /// Python files
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Tell everything: all lines of every note
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    reading: Reading,
}

pub(super) fn run(arguments: &Arguments, terminal: &mut Terminal) -> Result<Outcome, Failure> {
    let python = arguments.reading.python.as_deref();
    if arguments.paths.is_empty() {
        // A folder that does not exist: nothing around the demo program has a part in it.
        let folder = std::env::temp_dir().join("dunderstand-demo-which-is-not-written");
        let file = folder.join("demo.py");
        let mut workspace = Workspace::of_roots(vec![folder], python, terminal)?;
        workspace.project_mut().set_buffer(&file, DEMO);
        let text = workspace.read(&file, |view| annotated(view, "demo.py (built in)", arguments.all, terminal))?;
        terminal.print(&text)?;
        return Ok(Outcome::Clean);
    }
    let files = arguments.paths.iter().map(|path| files::file(path)).collect::<Result<Vec<_>, _>>()?;
    let workspace = Workspace::open(&files, python, terminal)?;
    for (index, file) in files.iter().enumerate() {
        let title = files::shown(file);
        let text = workspace.read(file, |view| annotated(view, &title, arguments.all, terminal))?;
        let separator = if index > 0 { "\n" } else { "" };
        terminal.print(&format!("{separator}{text}"))?;
    }
    Ok(Outcome::Clean)
}

/// What is drawn into the source.
struct Annotations {
    hints: Vec<InlayHint>,
    diagnostics: Vec<Diagnostic>,
    notes: Vec<Note>,
}

fn annotated(view: &View, title: &str, all: bool, terminal: &Terminal) -> String {
    let whole = TextRange::up_to(view.module.text().text_len());
    let actions: Vec<CodeAction> = features::code_actions(view, whole, &|_| true);
    let annotations = Annotations {
        hints: features::inlay_hints(view, whole),
        diagnostics: features::diagnostics(view),
        notes: card::notes(view, &actions, all),
    };
    let mut text = heading(view, title, &annotations, terminal);
    Drawing::new(view, &annotations, terminal).draw(&mut text);
    text
}

fn heading(view: &View, title: &str, annotations: &Annotations, terminal: &Terminal) -> String {
    let offered = |note: &Note| note.rewrites.iter().filter(|rewrite| rewrite.refused.is_none()).count();
    let rewrites: usize = annotations.notes.iter().map(offered).sum();
    let (major, minor) = view.module.version();
    let counts = [
        format!("Python {major}.{minor}"),
        counted(annotations.notes.len(), "note", "notes"),
        counted(annotations.diagnostics.len(), "hazard", "hazards"),
        counted(rewrites, "rewrite", "rewrites"),
    ];
    let mut text = format!("{}  {}\n", terminal.paint(BOLD, title), terminal.paint(DIM, &counts.join(" · ")));
    if let Some(first) = view.module.syntax_errors().first() {
        let line = view.module.lines().line(first.start());
        let _ = writeln!(text, "line {line} is not valid Python: what hangs on it is left out");
    }
    if view.module.is_stub() {
        text.push_str("a stub: nothing in it runs\n");
    }
    text.push('\n');
    text
}

/// Draws one file.
struct Drawing<'a, 's> {
    view: &'a View<'a, 's>,
    annotations: &'a Annotations,
    terminal: &'a Terminal,
    /// The columns of a line number.
    gutter: usize,
    strings: Vec<TextRange>,
}

impl<'a, 's> Drawing<'a, 's> {
    fn new(view: &'a View<'a, 's>, annotations: &'a Annotations, terminal: &'a Terminal) -> Self {
        let gutter = view.module.lines().count().to_string().len().max(3);
        Self { view, annotations, terminal, gutter, strings: view.module.string_ranges() }
    }

    fn draw(&self, text: &mut String) {
        let lines = self.view.module.lines();
        let mut pending: Vec<usize> = vec![];
        let count = lines.count();
        for number in 1..=count {
            let range = lines.line_range(number);
            let is_blank = lines.text()[range].trim().is_empty();
            if is_blank && !self.is_in_string(range.start()) {
                self.draw_notes(text, &std::mem::take(&mut pending));
            }
            if is_blank && number == count {
                break; // The empty line behind the last line ending.
            }
            pending.extend(self.draw_line(text, number));
        }
        self.draw_notes(text, &pending);
    }

    /// Draws a line and what belongs under it; gives the notes whose numbers it shows.
    fn draw_line(&self, text: &mut String, number: usize) -> Vec<usize> {
        let lines = self.view.module.lines();
        let range = lines.line_range(number);
        let hints = self.hints(range);
        let mut source = String::new();
        let mut from = range.start();
        for hint in hints {
            source.push_str(&shown(&lines.text()[TextRange::new(from, hint.offset)]));
            source.push_str(&self.terminal.paint(HINT, &self.label(hint)));
            from = hint.offset;
        }
        let rest = shown(&lines.text()[TextRange::new(from, range.end())]);
        source.push_str(&if self.is_in_string(from) { rest } else { markdown::code(&rest, self.terminal) });
        let first = self.annotations.notes.partition_point(|note| note.line < number);
        let notes: Vec<usize> = (first..self.annotations.notes.partition_point(|note| note.line <= number)).collect();
        let numbers: String = notes.iter().map(|index| format!(" {}", card::number(*index))).collect();
        let numbers = if numbers.is_empty() { numbers } else { format!(" {}", self.terminal.paint(NOTE, &numbers)) };
        let gutter = self.terminal.paint(DIM, &format!("{number:>width$} │", width = self.gutter));
        let _ = writeln!(text, "{}", format!("{gutter} {source}{numbers}").trim_end());
        let diagnostics = &self.annotations.diagnostics;
        let first = diagnostics.partition_point(|diagnostic| diagnostic.range.start() < range.start());
        let on_line = diagnostics[first..].iter().take_while(|diagnostic| diagnostic.range.start() <= range.end());
        for diagnostic in on_line {
            self.draw_diagnostic(text, number, diagnostic, hints);
        }
        notes
    }

    /// The hints in a line.
    fn hints(&self, line: TextRange) -> &'a [InlayHint] {
        let hints = &self.annotations.hints;
        let first = hints.partition_point(|hint| hint.offset < line.start());
        let last = hints.partition_point(|hint| hint.offset <= line.end());
        &hints[first..last]
    }

    fn is_in_string(&self, offset: TextSize) -> bool {
        let before = self.strings.partition_point(|string| string.start() <= offset);
        self.strings[..before].last().is_some_and(|string| string.contains(offset))
    }

    fn label(&self, hint: &InlayHint) -> String {
        match self.terminal.styled {
            true => format!(" {}", shown(&hint.label)),
            false => format!(" ‹{}›", shown(&hint.label)),
        }
    }

    fn draw_diagnostic(&self, text: &mut String, number: usize, diagnostic: &Diagnostic, hints: &[InlayHint]) {
        let lines = self.view.module.lines();
        let Some((start, length)) = excerpt::underline(lines, number, diagnostic.range) else { return };
        let width = |hint: &InlayHint| columns(&self.label(hint));
        let before = hints.iter().filter(|hint| hint.offset <= diagnostic.range.start());
        let start = start + before.map(width).sum::<usize>();
        let inside =
            hints.iter().filter(|hint| diagnostic.range.start() < hint.offset && hint.offset < diagnostic.range.end());
        let length = length + inside.map(width).sum::<usize>();
        let (label, style) = excerpt::severity(diagnostic.severity);
        let bar = self.bar();
        let carets = self.terminal.paint(style, &"^".repeat(length));
        let room = self.terminal.width.saturating_sub(self.gutter + 3);
        let message = format!("{label}: {}", diagnostic.message);
        let beside = start + length + 1;
        let (mut indent, mut above) = (beside, format!("{:start$}{carets} ", ""));
        if beside + columns(&message) > room {
            let _ = writeln!(text, "{bar} {}", above.trim_end());
            indent = start.min(8);
            above = " ".repeat(indent);
        }
        for (index, line) in markdown::wrapped(&message, room.saturating_sub(indent), self.terminal).iter().enumerate()
        {
            let _ = match line.strip_prefix(label).filter(|_| index == 0) {
                Some(rest) => writeln!(text, "{bar} {above}{}{rest}", self.terminal.paint(style, label)),
                None => writeln!(text, "{bar} {:indent$}{line}", ""),
            };
        }
        for related in &diagnostic.related {
            let place = &related.place;
            let at = match Some(place.path.as_path()) == self.view.module.path() {
                true => format!("line {}", place.line),
                false => format!("{}:{}", files::shown(&place.path), place.line),
            };
            let line = self.terminal.paint(DIM, &format!("{at}: {}", shown(&related.message)));
            let _ = writeln!(text, "{bar} {:indent$}{line}", "");
        }
    }

    fn draw_notes(&self, text: &mut String, indices: &[usize]) {
        let bar = self.bar();
        let room = self.terminal.width.saturating_sub(self.gutter + 6);
        for index in indices {
            let _ = writeln!(text, "{bar}");
            let Some(note) = self.annotations.notes.get(*index) else { continue };
            let number = self.terminal.paint(NOTE, &card::number(*index));
            let title = self.terminal.paint(BOLD, &note.title);
            let concept = self.terminal.paint(DIM, &note.concept);
            let _ = writeln!(text, "{bar}  {number} {title}  {concept}");
            for line in &note.lines {
                for line in markdown::wrapped(line, room, self.terminal) {
                    let _ = writeln!(text, "{bar}    {line}");
                }
            }
            for rewrite in &note.rewrites {
                let (mark, title) = match &rewrite.refused {
                    None => (self.terminal.paint(GOOD, "↻"), format!("{} ({})", rewrite.title, rewrite.name)),
                    Some(reason) => (self.terminal.paint(DIM, "✗"), format!("{}: {reason}", rewrite.title)),
                };
                for (index, line) in markdown::wrapped(&title, room - 2, self.terminal).iter().enumerate() {
                    let mark = if index == 0 { mark.as_str() } else { " " };
                    let _ = writeln!(text, "{bar}    {mark} {line}");
                }
            }
        }
    }

    fn bar(&self) -> String {
        self.terminal.paint(DIM, &format!("{:width$} │", "", width = self.gutter))
    }
}
