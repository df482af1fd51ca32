//! Changes to files, shown and written.

use std::fmt::Write as _;
use std::path::Path;

use similar::TextDiff;

use super::failure::Failure;
use super::files;
use super::terminal::{BAD, BOLD, GOOD, NOTE, Terminal, shown};

/// The change as a unified diff that `patch -p0` reads.
pub(super) fn unified(path: &Path, before: &str, after: &str, terminal: &Terminal) -> String {
    let name = files::shown(path);
    let diff = TextDiff::from_lines(before, after);
    let plain = diff.unified_diff().context_radius(3).header(&name, &name).to_string();
    if !terminal.styled {
        return plain;
    }
    let mut text = String::new();
    for (index, line) in plain.lines().enumerate() {
        let style = match line.chars().next() {
            _ if index < 2 => BOLD,
            Some('@') => NOTE,
            Some('+') => GOOD,
            Some('-') => BAD,
            _ => anstyle::Style::new(),
        };
        let _ = writeln!(text, "{}", terminal.paint(style, &shown(line)));
    }
    text
}

/// Writes a file, unless it changed since it was read.
pub(super) fn write(path: &Path, before: &str, after: &str) -> Result<(), Failure> {
    let failure = |why: String| Failure::new(format!("{} is not written: {why}", files::shown(path)));
    let now = std::fs::read(path).map_err(|error| failure(error.to_string()))?;
    if now != before.as_bytes() {
        return Err(failure("it changed in the meantime; run the command again".to_string()));
    }
    std::fs::write(path, after).map_err(|error| failure(error.to_string()))
}
