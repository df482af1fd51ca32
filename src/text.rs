//! Offsets, ranges, positions and edits; knows no Python.
//!
//! Inside the program a place in a text is a byte offset ([`TextSize`]) or a byte range ([`TextRange`]).
//! Editors count in lines and in code units of an [`Encoding`]; the conversion happens at the edge, here.

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use ruff_text_size::{Ranged, TextLen, TextRange, TextSize};

use ruff_source_file::{LineIndex, OneIndexed, PositionEncoding, SourceLocation};

/// The code unit in which a client counts columns (LSP 3.17, `PositionEncodingKind`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// UTF-16 code units: the protocol's default.
    #[default]
    Utf16,
    /// Code points.
    Utf32,
}

/// A place in a text as editors count it: both numbers from 0, `character` in code units of an [`Encoding`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: u32,
    pub character: u32,
}

/// Two positions; `end` is exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub start: Position,
    pub end: Position,
}

/// A text with its line starts: converts between offsets and positions.
#[derive(Clone, Debug)]
pub struct Lines {
    text: Arc<str>,
    index: LineIndex,
}

impl Lines {
    /// Indexes the line starts of `text` (LF, CRLF and CR end a line).
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let index = LineIndex::from_source_text(&text);
        Self { text, index }
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The number of the line that holds `offset`, from 1.
    pub fn line(&self, offset: TextSize) -> usize {
        self.index.line_index(offset.min(self.text.text_len())).get()
    }

    /// The number of lines, at least 1.
    pub fn count(&self) -> usize {
        self.index.line_count()
    }

    /// The byte range of line `line` (from 1) without its line ending; empty behind the last line.
    pub fn line_range(&self, line: usize) -> TextRange {
        let Some(line) = OneIndexed::new(line).filter(|line| line.get() <= self.count()) else {
            return TextRange::empty(self.text.text_len());
        };
        let range = self.index.line_range(line, &self.text);
        let content = self.text[range].trim_end_matches(['\r', '\n']);
        TextRange::at(range.start(), content.text_len())
    }

    /// The position of a byte offset. Offsets behind the end become the end.
    pub fn position(&self, offset: TextSize, encoding: Encoding) -> Position {
        let offset = self.char_boundary(offset);
        let location = self.index.source_location(offset, &self.text, encoding.into());
        Position {
            line: location.line.to_zero_indexed() as u32,
            character: location.character_offset.to_zero_indexed() as u32,
        }
    }

    /// The byte offset of a position. A column behind the line's end becomes the line's end, a line behind the
    /// last one becomes the text's end (LSP 3.17, `Position`).
    pub fn offset(&self, position: Position, encoding: Encoding) -> TextSize {
        if position.line as usize >= self.count() {
            return self.text.text_len();
        }
        let line = self.line_range(position.line as usize + 1);
        let offset = self.index.offset(
            SourceLocation {
                line: OneIndexed::from_zero_indexed(position.line as usize),
                character_offset: OneIndexed::from_zero_indexed(position.character as usize),
            },
            &self.text,
            encoding.into(),
        );
        self.char_boundary(offset.clamp(line.start(), line.end()))
    }

    /// The positions of a byte range.
    pub fn span(&self, range: TextRange, encoding: Encoding) -> Span {
        Span { start: self.position(range.start(), encoding), end: self.position(range.end(), encoding) }
    }

    /// The byte range of two positions; a reversed pair becomes an empty range.
    pub fn range(&self, span: Span, encoding: Encoding) -> TextRange {
        let start = self.offset(span.start, encoding);
        let end = self.offset(span.end, encoding);
        TextRange::new(start, end.max(start))
    }

    /// The white space at the start of the line that holds `offset`.
    pub fn indentation(&self, offset: TextSize) -> &str {
        let line = &self.text[self.line_range(self.line(offset))];
        &line[..line.len() - line.trim_start().len()]
    }

    /// The line ending the text uses: that of its first line, or LF.
    pub fn newline(&self) -> &'static str {
        match self.text.find('\n') {
            Some(at) if at > 0 && self.text.as_bytes()[at - 1] == b'\r' => "\r\n",
            _ => "\n",
        }
    }

    fn char_boundary(&self, offset: TextSize) -> TextSize {
        let mut offset = offset.min(self.text.text_len()).to_usize();
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        TextSize::try_from(offset).unwrap_or_default()
    }
}

impl From<Encoding> for PositionEncoding {
    fn from(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Utf8 => Self::Utf8,
            Encoding::Utf16 => Self::Utf16,
            Encoding::Utf32 => Self::Utf32,
        }
    }
}

/// A range of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Absolute path of the file.
    pub path: PathBuf,
    /// Line of the range's start, from 1.
    pub line: usize,
    /// Byte offsets of the range's start and end.
    pub start: TextSize,
    pub end: TextSize,
}

impl Place {
    /// The place of `range` in the file at `path`, whose text is `lines`.
    pub fn new(path: &Path, lines: &Lines, range: TextRange) -> Self {
        Self { path: path.to_path_buf(), line: lines.line(range.start()), start: range.start(), end: range.end() }
    }

    /// The byte range.
    pub fn range(&self) -> TextRange {
        TextRange::new(self.start, self.end)
    }
}

/// Replaces a byte range by a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub range: TextRange,
    pub text: String,
}

impl Edit {
    /// Puts `text` at `offset`.
    pub fn insert(offset: TextSize, text: impl Into<String>) -> Self {
        Self { range: TextRange::empty(offset), text: text.into() }
    }

    /// Puts `text` in the place of `range`.
    pub fn replace(range: TextRange, text: impl Into<String>) -> Self {
        Self { range, text: text.into() }
    }

    /// Removes `range`.
    pub fn delete(range: TextRange) -> Self {
        Self { range, text: String::new() }
    }
}

/// The text after all `edits`, or `None` if one lies outside the text, off a character's boundary, or two overlap.
pub fn apply(text: &str, edits: &[Edit]) -> Option<String> {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|edit| (edit.range.start(), edit.range.end()));
    let mut result = String::with_capacity(text.len());
    let mut done = 0;
    for edit in sorted {
        let (start, end) = (edit.range.start().to_usize(), edit.range.end().to_usize());
        if start < done {
            return None;
        }
        result.push_str(text.get(done..start)?);
        text.get(start..end)?;
        result.push_str(&edit.text);
        done = end;
    }
    result.push_str(text.get(done..)?);
    Some(result)
}
