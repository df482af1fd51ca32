//! What kind of word stands where in a text: for views that colour code themselves.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode, ParseOptions, parse_unchecked};

use crate::text::{Ranged as _, TextRange};

/// The kinds of words that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    Keyword,
    Text,
    Number,
    Comment,
}

/// The words of `text` that have a kind, in order; broken code has them, too. None where the text is too much to read.
pub fn tokens(text: &str) -> Vec<(TextRange, Token)> {
    if super::limits::check(text).is_err() {
        return vec![];
    }
    let parsed = parse_unchecked(text, ParseOptions::from(Mode::Module));
    let mut found = vec![];
    for token in parsed.tokens() {
        let kind = token.kind();
        let kept = match kind {
            TokenKind::Comment => Some(Token::Comment),
            TokenKind::Int | TokenKind::Float | TokenKind::Complex => Some(Token::Number),
            TokenKind::String | TokenKind::FStringStart | TokenKind::FStringMiddle | TokenKind::FStringEnd => {
                Some(Token::Text)
            }
            TokenKind::TStringStart | TokenKind::TStringMiddle | TokenKind::TStringEnd => Some(Token::Text),
            // `match`, `case` and `type` are names where they are no keywords: the parser has told them apart.
            _ if kind.is_keyword() => Some(Token::Keyword),
            _ => None,
        };
        found.extend(kept.map(|kept| (token.range(), kept)));
    }
    found
}
