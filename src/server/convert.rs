//! Between the protocol's words and ours: places, addresses, texts.

use std::path::{Path, PathBuf};

use tower_lsp_server::ls_types::{self as lsp, Uri};

use crate::text::{Position, Span};

pub(super) fn from_position(position: lsp::Position) -> Position {
    Position { line: position.line, character: position.character }
}

pub(super) fn from_range(range: lsp::Range) -> Span {
    Span { start: from_position(range.start), end: from_position(range.end) }
}

pub(super) fn to_position(position: Position) -> lsp::Position {
    lsp::Position::new(position.line, position.character)
}

pub(super) fn to_range(span: Span) -> lsp::Range {
    lsp::Range::new(to_position(span.start), to_position(span.end))
}

/// Whether an address names a file on disk.
pub(super) fn is_file(uri: &Uri) -> bool {
    uri.scheme().as_str().eq_ignore_ascii_case("file")
}

/// The path a document is known by. Texts that are no files (`untitled:…`) get a path where nothing imports them from.
pub(super) fn to_path(uri: &Uri) -> PathBuf {
    let of_file = uri.to_file_path().filter(|path| is_file(uri) && path.is_absolute());
    if let Some(path) = of_file {
        return path.into_owned();
    }
    // Two addresses never become one name.
    let safe = |byte: u8| match byte.is_ascii_alphanumeric() {
        true => char::from(byte).to_string(),
        false => format!("_{byte:02x}"),
    };
    let name: String = uri.as_str().bytes().map(safe).collect();
    std::env::temp_dir().join("dunderstand-unsaved").join(name).with_extension("py")
}

/// The address of a file.
pub(super) fn to_uri(path: &Path) -> Option<Uri> {
    Uri::from_file_path(path)
}

/// Markdown for a client that shows plain text: marks are dropped, links keep their address.
pub(super) fn plain_text(markdown: &str) -> String {
    let mut plain = String::with_capacity(markdown.len());
    for line in markdown.lines() {
        let mut rest = line.trim_end();
        while let Some(at) = rest.find(['`', '*', '[', '<']) {
            plain.push_str(&rest[..at]);
            let marked = &rest[at..];
            rest = match &marked[..1] {
                "`" => match marked[1..].split_once('`') {
                    Some((code, behind)) => {
                        plain.push_str(code);
                        behind
                    }
                    None => &marked[1..],
                },
                "*" => marked.trim_start_matches('*'),
                "[" => match marked[1..].split_once("](").and_then(|(label, behind)| {
                    let (address, behind) = behind.split_once(')')?;
                    Some((label, address, behind))
                }) {
                    Some((label, address, behind)) => {
                        plain.push_str(&format!("{label}: {address}"));
                        behind
                    }
                    None => {
                        plain.push('[');
                        &marked[1..]
                    }
                },
                _ => match marked[1..].split_once('>').filter(|(address, _)| address.starts_with("http")) {
                    Some((address, behind)) => {
                        plain.push_str(address);
                        behind
                    }
                    None => {
                        plain.push('<');
                        &marked[1..]
                    }
                },
            };
        }
        plain.push_str(rest);
        plain.push('\n');
    }
    plain.trim_end().to_string()
}
