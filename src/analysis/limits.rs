//! What the engine can be shown. It recurses over the tree, and a stack overflow ends the process, so a text
//! with absurd nesting or chains is refused by a scan over its bytes before it is parsed.

use std::fmt;

/// The largest file that is explained, in bytes.
pub const FILE_SIZE: usize = 10 * 1024 * 1024;
/// The deepest nesting of brackets.
pub const BRACKETS: usize = 200;
/// The longest chain of operators in one expression.
pub const OPERATORS: usize = 1000;
/// The longest chain of attributes, calls and subscripts in one expression.
pub const ATTRIBUTES: usize = 250;

/// Why a text is not shown to the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TooMuch {
    Size { bytes: usize },
    Brackets { line: usize },
    Operators { line: usize },
    Attributes { line: usize },
}

impl fmt::Display for TooMuch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size { bytes } => {
                write!(f, "the file has {} MB; files over {} MB are not explained", bytes >> 20, FILE_SIZE >> 20)
            }
            Self::Brackets { line } => write!(f, "line {line} nests more than {BRACKETS} brackets"),
            Self::Operators { line } => write!(f, "the expression at line {line} chains over {OPERATORS} operators"),
            Self::Attributes { line } => {
                write!(f, "the expression at line {line} chains over {ATTRIBUTES} attributes or calls")
            }
        }
    }
}

#[derive(Clone, Copy, Default)]
struct Chain {
    operators: usize,
    attributes: usize,
}

/// Accepts a text that the engine can be shown, or says which limit it breaks. Linear in its length.
pub fn check(text: &str) -> Result<(), TooMuch> {
    if text.len() > FILE_SIZE {
        return Err(TooMuch::Size { bytes: text.len() });
    }
    let bytes = text.as_bytes();
    let mut open: Vec<Chain> = vec![];
    let mut chain = Chain::default();
    let mut line = 1;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\n' => {
                line += 1;
                if open.is_empty() && at > 0 && bytes[at - 1] != b'\\' {
                    chain = Chain::default();
                }
            }
            b'#' => {
                while at + 1 < bytes.len() && bytes[at + 1] != b'\n' {
                    at += 1;
                }
            }
            quote @ (b'"' | b'\'') => at = end_of_string(bytes, at, quote, &mut line),
            b'(' | b'[' | b'{' => {
                chain.attributes += 1;
                open.push(std::mem::take(&mut chain));
                if open.len() > BRACKETS {
                    return Err(TooMuch::Brackets { line });
                }
            }
            b')' | b']' | b'}' => chain = open.pop().unwrap_or_default(),
            b',' | b';' => chain = Chain::default(),
            b'.' => chain.attributes += 1,
            b'+' | b'-' | b'*' | b'/' | b'%' | b'|' | b'&' | b'^' | b'@' | b'<' | b'>' | b'~' | b'=' | b':' => {
                chain.operators += 1;
            }
            byte if byte.is_ascii_alphabetic() || byte == b'_' => {
                let start = at;
                while at + 1 < bytes.len() && (bytes[at + 1].is_ascii_alphanumeric() || bytes[at + 1] == b'_') {
                    at += 1;
                }
                if matches!(
                    &bytes[start..=at],
                    b"and" | b"or" | b"not" | b"in" | b"is" | b"if" | b"else" | b"for" | b"await" | b"lambda"
                ) {
                    chain.operators += 1;
                }
            }
            _ => {}
        }
        if chain.operators > OPERATORS {
            return Err(TooMuch::Operators { line });
        }
        if chain.attributes > ATTRIBUTES {
            return Err(TooMuch::Attributes { line });
        }
        at += 1;
    }
    Ok(())
}

/// The index of the last byte of the string that starts at `at`; an unclosed one ends with its line or the text.
fn end_of_string(bytes: &[u8], at: usize, quote: u8, line: &mut usize) -> usize {
    let triple = bytes[at..].starts_with(&[quote; 3]);
    let mut at = if triple { at + 3 } else { at + 1 };
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => {
                at += 1;
                if bytes.get(at) == Some(&b'\n') {
                    *line += 1;
                }
            }
            b'\n' if !triple => return at - 1,
            b'\n' => *line += 1,
            byte if byte == quote && !triple => return at,
            byte if byte == quote && bytes[at..].starts_with(&[quote; 3]) => return at + 2,
            _ => {}
        }
        at += 1;
    }
    at
}
