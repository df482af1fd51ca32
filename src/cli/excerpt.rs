//! Source with the range that a message is about underlined.

use std::fmt::Write as _;
use std::path::Path;

use anstyle::Style;

use crate::features::{Diagnostic, Related};
use crate::pages::Severity;
use crate::text::{Encoding, Lines, TextRange};

use super::files;
use super::terminal::{BOLD, DIM, ERROR, NOTE, Terminal, WARNING, columns, shown};

/// The most lines of one excerpt.
const LINES: usize = 4;

/// How a severity is called and painted.
pub(super) fn severity(severity: Severity) -> (&'static str, Style) {
    match severity {
        Severity::Error => ("error", ERROR),
        Severity::Warning => ("warning", WARNING),
        Severity::Information => ("info", NOTE),
        Severity::Hint => ("hint", NOTE),
    }
}

/// A diagnostic with its source and the places that have to do with it. `other` gives the text of other files.
pub(super) fn diagnostic(
    diagnostic: &Diagnostic,
    path: &Path,
    lines: &Lines,
    other: &dyn Fn(&Path) -> Option<Lines>,
    terminal: &Terminal,
) -> String {
    let (label, style) = severity(diagnostic.severity);
    let mut text = format!(
        "{}{}{} {}\n",
        terminal.paint(style, label),
        terminal.paint(DIM, &format!("[{}]", diagnostic.concept)),
        terminal.paint(BOLD, ":"),
        terminal.paint(BOLD, &shown(&diagnostic.message)),
    );
    let related: Vec<(&Related, Option<Lines>)> = diagnostic
        .related
        .iter()
        .map(|related| (related, (related.place.path != path).then(|| other(&related.place.path)).flatten()))
        .collect();
    let last = |lines: &Lines, range: TextRange| lines.line(range.end());
    let mut largest = last(lines, diagnostic.range);
    for (related, other) in &related {
        largest = largest.max(last(other.as_ref().unwrap_or(lines), related.place.range()));
    }
    let gutter = largest.to_string().len();
    text.push_str(&snippet("-->", path, lines, diagnostic.range, ("", '^', style), gutter, terminal));
    for (related, other) in &related {
        let lines = match other {
            Some(other) => other,
            None if related.place.path == path => lines,
            None => {
                let place = format!("{}:{}", files::shown(&related.place.path), related.place.line);
                let _ = writeln!(text, "{:gutter$} {} {place}: {}", "", terminal.paint(NOTE, ":::"), related.message);
                continue;
            }
        };
        let mark = (related.message.as_str(), '-', NOTE);
        text.push_str(&snippet(":::", &related.place.path, lines, related.place.range(), mark, gutter, terminal));
    }
    text
}

/// The lines of `range` below a line that says where they are; `mark` is a label, a character and its style.
fn snippet(
    arrow: &str,
    path: &Path,
    lines: &Lines,
    range: TextRange,
    mark: (&str, char, Style),
    gutter: usize,
    terminal: &Terminal,
) -> String {
    let bar = terminal.paint(NOTE, "|");
    let position = lines.position(range.start(), Encoding::Utf32);
    let place = format!("{}:{}:{}", files::shown(path), position.line + 1, position.character + 1);
    let mut text = format!("{:gutter$}{} {place}\n{:gutter$} {bar}\n", "", terminal.paint(NOTE, arrow), "");
    let (first, last) = (lines.line(range.start()), lines.line(range.end()));
    for number in first..=last.min(first + LINES - 1) {
        let source = shown(&lines.text()[lines.line_range(number)]);
        let shown_number = terminal.paint(NOTE, &format!("{number:>gutter$}"));
        let _ = writeln!(text, "{}", format!("{shown_number} {bar} {source}").trim_end());
        let (label, char, style) = mark;
        if let Some((start, length)) = underline(lines, number, range) {
            let carets = terminal.paint(style, &char.to_string().repeat(length));
            let label = if number == last.min(first + LINES - 1) { label } else { "" };
            let line = format!("{:gutter$} {bar} {:start$}{carets} {}", "", "", terminal.paint(style, &shown(label)));
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }
    if last >= first + LINES {
        let _ = writeln!(text, "{}", terminal.paint(NOTE, &format!("{:gutter$}...", "")));
    }
    let _ = writeln!(text, "{:gutter$} {bar}", "");
    text
}

/// The column and the length of the part of `range` in a line, as the line is shown.
pub(super) fn underline(lines: &Lines, number: usize, range: TextRange) -> Option<(usize, usize)> {
    let line = lines.line_range(number);
    let text = &lines.text()[line];
    let indent = text.len() - text.trim_start().len();
    let first_code = line.start() + crate::text::TextSize::try_from(indent).ok()?;
    let start = range.start().max(line.start());
    let start = if range.start() < line.start() { start.max(first_code) } else { start };
    let end = range.end().min(line.end());
    if start > end {
        return None;
    }
    let before = columns(&shown(&lines.text()[TextRange::new(line.start(), start)]));
    let length = columns(&shown(&lines.text()[TextRange::new(start, end)]));
    Some((before, length.max(1)))
}
