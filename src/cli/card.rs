//! The numbered cards of `annotate`: which findings tell something, and what they say.

use std::collections::BTreeMap;

use crate::detectors::findings;
use crate::features::{Card, CodeAction, View};
use crate::text::TextRange;

/// The most lines of a note behind its summary.
const LINES: usize = 2;

/// One explanation, ready to be drawn.
pub(super) struct Note {
    pub(super) concept: String,
    pub(super) title: String,
    /// Markdown: the summary and the lines about this code.
    pub(super) lines: Vec<String>,
    /// Where its number stands, from 1.
    pub(super) line: usize,
    /// The rewrites offered: their titles, and for refused ones why.
    pub(super) rewrites: Vec<Rewrite>,
}

pub(super) struct Rewrite {
    pub(super) title: String,
    pub(super) name: String,
    pub(super) refused: Option<String>,
}

/// The findings that tell something about this code. With `all`, every one with all it says; else what a reader can take
/// in: the hazards of a line or else one explanation, each concept's sentences once, and of each its most telling ones.
pub(super) fn notes(view: &View, actions: &[CodeAction], all: bool) -> Vec<Note> {
    let found = findings(view.module, view.store, &|_| true);
    let lines = view.module.lines();
    let cards = found.iter().filter_map(|finding| Card::new(view, finding)).filter(is_telling);
    let mut on_lines: BTreeMap<usize, Vec<Card>> = BTreeMap::new();
    for card in cards {
        let on_line = on_lines.entry(lines.line(card.finding.range.start())).or_default();
        if !on_line.iter().any(|other| other.page.id == card.page.id) {
            on_line.push(card);
        }
    }
    let mut notes: Vec<Note> = vec![];
    for (line, cards) in on_lines {
        let (cards, most) = if all { (cards, usize::MAX) } else { most_telling(cards) };
        let before = notes.len();
        for card in cards {
            if notes.len() - before == most {
                break;
            }
            let Some(summary) = card.summary() else { continue };
            let mut text = vec![summary];
            let rewrites = rewrites(actions, &card.page.id, card.finding.range);
            if all {
                text.extend(card.in_your_code());
            } else {
                text.extend(specific_lines(&card));
                let of_concept = |note: &&Note| note.concept == card.page.id;
                text.retain(|line| !notes.iter().filter(of_concept).any(|note| note.lines.contains(line)));
                if text.is_empty() && rewrites.is_empty() {
                    continue;
                }
            }
            let (concept, title) = (card.page.id.clone(), card.page.title.clone());
            notes.push(Note { concept, title, lines: text, line, rewrites });
        }
    }
    notes
}

/// The hazards among the cards of one line, or else those that explain, of which one is enough: the one with a hint, or else
/// one that a detector gave, or else the first.
fn most_telling(mut cards: Vec<Card>) -> (Vec<Card>, usize) {
    let is_hazard = |card: &Card| card.page.message.is_some();
    if cards.iter().any(is_hazard) {
        cards.retain(is_hazard);
        return (cards, usize::MAX);
    }
    cards.sort_by_key(|card| (card.page.hint.is_none(), card.page.is_about_syntax(), card.page.is_data_only()));
    (cards, 1)
}

/// Whether a card says something about this code: a hazard does, others do where a line of theirs has a fact. Forms of
/// syntax that everybody knows are left to the hover.
fn is_telling(card: &Card) -> bool {
    let page = &card.page;
    if page.message.is_some() {
        return true;
    }
    let summary = page.summary.iter().find(|line| card.fill(line).is_some());
    let has_fact = summary.is_some_and(|line| line.facts().next().is_some());
    page.syntax.is_empty() && (has_fact || !specific_lines(card).is_empty())
}

/// The first lines about this code that name something of it.
fn specific_lines(card: &Card) -> Vec<String> {
    let specific = card.page.in_your_code.iter().filter(|line| line.facts().next().is_some());
    let lines: Vec<String> = specific.filter_map(|line| card.fill(line)).take(LINES).collect();
    // Steps of which some are left out are no longer numbered.
    lines.into_iter().map(unnumbered).collect()
}

fn unnumbered(line: String) -> String {
    match line.split_once(". ") {
        Some((number, rest)) if number.parse::<usize>().is_ok() => format!("- {rest}"),
        _ => line,
    }
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
