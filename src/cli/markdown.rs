//! Markdown for a terminal: typography where output is styled, the markup itself where it is not.
//!
//! Covers what pages and hovers use: headings, lists, fences, tables as they are; bold, code and links in a line.

use anstyle::Style;

use super::terminal::{BOLD, CODE, DIM, LINK, Terminal, columns, shown};

/// A piece of a line in one style.
struct Piece {
    style: Style,
    text: String,
}

/// Blocks of Markdown, wrapped to `width` columns; without a line ending at the end.
pub(super) fn render(markdown: &str, width: usize, terminal: &Terminal) -> String {
    let mut lines: Vec<String> = vec![];
    let mut in_fence = false;
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            in_fence = !in_fence;
            if !terminal.styled {
                lines.push(line.to_string());
            }
            continue;
        }
        if in_fence {
            let indent = if terminal.styled { "    " } else { "" };
            lines.push(format!("{indent}{}", code(&shown(line), terminal)).trim_end().to_string());
            continue;
        }
        if let Some(heading) = line.strip_prefix('#') {
            let mark = if terminal.styled { heading.trim_start_matches('#').trim() } else { line };
            lines.push(terminal.paint(BOLD, mark));
            continue;
        }
        if line.starts_with('|') {
            lines.push(shown(line));
            continue;
        }
        lines.extend(wrapped(line.trim_end(), width, terminal));
    }
    lines.join("\n")
}

/// One paragraph or list item, wrapped; an item's further lines hang below its text.
pub(super) fn wrapped(line: &str, width: usize, terminal: &Terminal) -> Vec<String> {
    let (mark, text) = list_mark(line);
    let hang = " ".repeat(columns(mark));
    let mark = match mark.trim() {
        "-" | "*" if terminal.styled => format!("{}• ", &mark[..mark.len() - 2]),
        _ => mark.to_string(),
    };
    let room = width.saturating_sub(hang.len()).max(20);
    let mut lines: Vec<String> = vec![];
    let mut current = String::new();
    let mut used = 0;
    for word in words(&pieces(text, terminal.styled)) {
        let length: usize = word.iter().map(|piece| columns(&piece.text)).sum();
        if used > 0 && used + 1 + length > room {
            lines.push(std::mem::take(&mut current));
            used = 0;
        }
        if used > 0 {
            current.push(' ');
            used += 1;
        }
        for piece in &word {
            current.push_str(&terminal.paint(piece.style, &piece.text));
        }
        used += length;
    }
    lines.push(current);
    let indented = lines.into_iter().enumerate().map(|(index, line)| match index {
        0 => format!("{mark}{line}"),
        _ => format!("{hang}{line}"),
    });
    indented.collect()
}

/// A line of Python with its comment dimmed.
pub(super) fn code(line: &str, terminal: &Terminal) -> String {
    match comment_start(line) {
        Some(at) => format!("{}{}", &line[..at], terminal.paint(DIM, &line[at..])),
        None => line.to_string(),
    }
}

/// Where a comment starts in a line that starts outside strings.
fn comment_start(line: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, char) in line.char_indices() {
        match (quote, char) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), _) if open == char => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(char),
            (None, '#') => return Some(at),
            (None, _) => {}
        }
    }
    None
}

/// The mark of a list item with the space around it, and the rest.
fn list_mark(line: &str) -> (&str, &str) {
    let indent = line.len() - line.trim_start().len();
    let rest = &line[indent..];
    let length = match rest.split_once(' ') {
        Some(("-" | "*" | ">", _)) => 2,
        Some((number, _)) if is_number_mark(number) => number.len() + 1,
        _ => 0,
    };
    line.split_at(indent + length)
}

fn is_number_mark(word: &str) -> bool {
    word.strip_suffix('.').is_some_and(|digits| {
        !digits.is_empty() && digits.len() <= 3 && digits.chars().all(|char| char.is_ascii_digit())
    })
}

/// The pieces of a line: without markup when styled, else with it.
fn pieces(text: &str, styled: bool) -> Vec<Piece> {
    let mut pieces = vec![];
    let mut plain = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let found = match first {
            '`' => enclosed(rest, "`").map(|(inner, tail)| (CODE, inner.to_string(), tail)),
            '*' => enclosed(rest, "**").map(|(inner, tail)| (BOLD, inner.replace('`', ""), tail)),
            '[' => link(rest).map(|(label, url, tail)| (Style::new(), format!("{label} {url}"), tail)),
            '<' => address(rest).map(|(url, tail)| (LINK, url.to_string(), tail)),
            _ => None,
        };
        match found {
            Some((style, inner, tail)) if styled => {
                pieces.push(Piece { style: Style::new(), text: std::mem::take(&mut plain) });
                match (first, inner.rsplit_once(' ')) {
                    ('[', Some((label, url))) => {
                        pieces.push(Piece { style: BOLD, text: format!("{label} ") });
                        pieces.push(Piece { style: LINK, text: url.to_string() });
                    }
                    _ => pieces.push(Piece { style, text: inner }),
                }
                rest = tail;
            }
            Some((_, _, tail)) => {
                plain.push_str(&rest[..rest.len() - tail.len()]);
                rest = tail;
            }
            None => {
                plain.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    pieces.push(Piece { style: Style::new(), text: plain });
    pieces.retain(|piece| !piece.text.is_empty());
    for piece in &mut pieces {
        piece.text = shown(&piece.text);
    }
    pieces
}

/// What stands between two marks at the start of `text`, and what follows.
fn enclosed<'t>(text: &'t str, mark: &str) -> Option<(&'t str, &'t str)> {
    let (inner, tail) = text.strip_prefix(mark)?.split_once(mark)?;
    (!inner.is_empty()).then_some((inner, tail))
}

/// `[label](url)` at the start of `text`.
fn link(text: &str) -> Option<(&str, &str, &str)> {
    let (label, rest) = text.strip_prefix('[')?.split_once("](")?;
    let (url, tail) = rest.split_once(')')?;
    (!label.contains(['[', ']', '`']) && !url.contains(' ')).then_some((label, url, tail))
}

/// `<https://…>` at the start of `text`.
fn address(text: &str) -> Option<(&str, &str)> {
    let (url, tail) = text.strip_prefix('<')?.split_once('>')?;
    url.starts_with("http").then_some((url, tail))
}

/// The pieces, split at white space; a word may change its style inside.
fn words(pieces: &[Piece]) -> Vec<Vec<Piece>> {
    let mut words = vec![vec![]];
    for piece in pieces {
        for (index, part) in piece.text.split(' ').enumerate() {
            if index > 0 {
                words.push(vec![]);
            }
            if let (false, Some(word)) = (part.is_empty(), words.last_mut()) {
                word.push(Piece { style: piece.style, text: part.to_string() });
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
