//! The numbered cards of `annotate`: which findings tell something, and what they say.

use std::collections::HashSet;

use crate::detectors::findings;
use crate::features::{Card, CodeAction, View};
use crate::text::{TextRange, TextSize};

/// The most cards for one line of source.
const A_LINE: usize = 3;

/// One explanation, ready to be drawn.
pub(super) struct Note {
    pub(super) concept: String,
    pub(super) title: String,
    /// Markdown: the summary and the lines about this code.
    pub(super) lines: Vec<String>,
    pub(super) range: TextRange,
    /// The rewrites offered: their titles, and for refused ones why.
    pub(super) rewrites: Vec<Rewrite>,
}

pub(super) struct Rewrite {
    pub(super) title: String,
    pub(super) name: String,
    pub(super) refused: Option<String>,
}

/// The findings that tell something about this code, once per concept and line; a concept already explained in full
/// above is repeated without its general sentences.
pub(super) fn notes(view: &View, actions: &[CodeAction]) -> Vec<Note> {
    let found = findings(view.module, view.store, &|_| true);
    let mut cards: Vec<Card> = found.iter().filter_map(|finding| Card::new(view, finding)).collect();
    cards.retain(|card| is_telling(card));
    let lines = view.module.lines();
    let mut notes: Vec<Note> = vec![];
    let mut seen = HashSet::new();
    let mut on_line: (usize, usize) = (0, 0);
    for card in cards {
        let line = lines.line(card.finding.range.start());
        if !seen.insert((line, card.page.id.clone())) {
            continue;
        }
        let Some(summary) = card.summary() else { continue };
        let rewrites = rewrites(actions, &card.page.id, card.finding.range);
        let known = notes.iter().find(|note| note.concept == card.page.id);
        let mut text = vec![summary];
        text.extend(card.in_your_code());
        if let Some(known) = known {
            text.retain(|line| !known.lines.contains(line));
            if text.is_empty() && rewrites.is_empty() {
                continue;
            }
        }
        on_line = if on_line.0 == line { (line, on_line.1 + 1) } else { (line, 1) };
        if on_line.1 > A_LINE && card.page.message.is_none() {
            continue;
        }
        notes.push(Note {
            concept: card.page.id.clone(),
            title: card.page.title.clone(),
            lines: text,
            range: card.finding.range,
            rewrites,
        });
    }
    notes
}

/// Whether a card says more than what a name or a keyword means: hazards and judgement do, a page found by its
/// trigger alone does where a line about this code is known.
fn is_telling(card: &Card) -> bool {
    let page = &card.page;
    if page.message.is_some() || !page.is_data_only() {
        return true;
    }
    page.syntax.is_empty() && !card.in_your_code().is_empty()
}

fn rewrites(actions: &[CodeAction], concept: &str, range: TextRange) -> Vec<Rewrite> {
    let of_note = actions.iter().filter(|action| action.concept == concept && action.range == range);
    let rewrite = |action: &CodeAction| {
        let name = action.rewrite.clone()?;
        Some(Rewrite { title: action.title.clone(), name, refused: action.disabled.clone() })
    };
    of_note.filter_map(rewrite).collect()
}

/// A number in a circle, while there are such.
pub(super) fn number(index: usize) -> String {
    match u32::try_from(index).ok().filter(|index| *index < 20).and_then(|index| char::from_u32(0x2460 + index)) {
        Some(char) => char.to_string(),
        None => format!("({})", index + 1),
    }
}

/// The offset behind which a note's number stands: the end of the first line of its range.
pub(super) fn anchor(note: &Note) -> TextSize {
    note.range.start()
}
