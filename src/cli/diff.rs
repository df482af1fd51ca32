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

/// One file's change: its path, and its text before and after.
pub(super) type Change<'a> = (&'a Path, &'a str, &'a str);

/// Writes files that belong together: none, if one of them changed since it was read or may not be written.
pub(super) fn write(changes: &[Change]) -> Result<(), Failure> {
    let failure = |path: &Path, why: String| Failure::new(format!("{} is not written: {why}", files::shown(path)));
    for (path, before, _) in changes {
        let now = std::fs::read(path).map_err(|error| failure(path, error.to_string()))?;
        if now != before.as_bytes() {
            return Err(failure(path, "it changed in the meantime; run the command again".to_string()));
        }
        std::fs::OpenOptions::new().write(true).open(path).map_err(|error| failure(path, error.to_string()))?;
    }
    for (path, _, after) in changes {
        std::fs::write(path, after).map_err(|error| failure(path, error.to_string()))?;
    }
    Ok(())
}
