//! Hover: what happens at this place, in this code.

use ruff_python_ast::AnyNodeRef;
use ruff_python_ast::find_node::covering_node;

use super::{Card, Verbosity, View, keyword, suppression};
use crate::detectors::{Finding, findings_in};
use crate::pages::Page;
use crate::text::{Ranged as _, TextRange, TextSize};

/// The most lines and characters of a hover.
const LINES: usize = 15;
const CHARACTERS: usize = 900;

/// What is shown at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hover {
    /// What the text is about.
    pub range: TextRange,
    pub markdown: String,
    /// The id of the page it speaks from.
    pub concept: String,
}

/// The explanation at `offset`; `None` when there is nothing to add.
pub fn hover(view: &View, offset: TextSize) -> Option<Hover> {
    if !view.options.hover {
        return None;
    }
    if let Some(hover) = suppression::hover(view, offset) {
        return Some(hover);
    }
    let range = TextRange::empty(offset);
    let findings = findings_in(view.module, view.store, range, &|_| true);
    let mut cards: Vec<Card> = findings.iter().filter_map(|finding| Card::new(view, finding)).collect();
    cards.retain(|card| view.options.speaks_of(&card.page) && (view.options.ordinary_uses || card.is_telling()));
    cards.retain(|card| card.is_reported() || is_about(view, card.finding.range, offset));
    cards.sort_by_key(|card| rank(card, offset));
    let Some(primary) = cards.iter().find(|card| card.summary().is_some()) else {
        let at = keyword::works_on(view.module, offset).filter(|_| view.options.keywords)?;
        return hover(view, at);
    };
    let pitfall = cards.iter().filter(|card| card.page.id != primary.page.id).find_map(Card::message);
    Some(Hover {
        range: primary.finding.range,
        markdown: markdown(view, primary, pitfall),
        concept: primary.page.id.clone(),
    })
}

/// Whether what `offset` points at is what a finding in `range` is about, and not an argument, an item or a nested block of it.
fn is_about(view: &View, range: TextRange, offset: TextSize) -> bool {
    let covering = covering_node(view.module.syntax().into(), TextRange::empty(offset));
    let around: Vec<_> = covering.ancestors().take_while(|node| range.contains_range(node.range())).collect();
    !around.iter().enumerate().any(|(depth, node)| match node {
        AnyNodeRef::Arguments(arguments) if arguments.range() != range => {
            let argument = depth.checked_sub(1).map(|inner| around[inner]);
            argument.is_some_and(|argument| !is_named(argument))
        }
        AnyNodeRef::ExprSubscript(item) => item.slice.range().contains(offset) && !is_named((&*item.slice).into()),
        AnyNodeRef::ExprLambda(_) => node.range() != range && depth > 0,
        AnyNodeRef::ExprList(_) | AnyNodeRef::ExprDict(_) | AnyNodeRef::ExprSet(_) => depth > 0,
        _ => false,
    })
}

/// A name, an attribute or a string: as a part of a finding's code, it has nothing of its own to be asked about.
fn is_named(node: AnyNodeRef) -> bool {
    node.is_expr_name() || node.is_expr_attribute() || node.is_expr_string_literal()
}

/// The order in which findings at one place speak: those that hold the place before those that end at it, small ranges
/// before large ones, hazards before explanations, judgement before names, names before mere syntax.
fn rank(card: &Card, offset: TextSize) -> (bool, u32, bool, u8, String) {
    let Finding { range, .. } = *card.finding;
    let form = match card.page.is_data_only() {
        _ if card.page.is_about_syntax() => 2,
        false => 0,
        true => 1,
    };
    (!range.contains(offset), range.len().to_u32(), !card.is_reported(), form, card.page.id.clone())
}

/// A card as Markdown, within the limits: the last lines about the code give way first.
pub(super) fn markdown(view: &View, card: &Card, pitfall: Option<String>) -> String {
    let mut head = vec![format!("**{}**  ", card.page.title)];
    head.extend(card.summary());
    if view.options.verbosity == Verbosity::Brief {
        return head.join("\n");
    }
    let mut tail = vec![];
    if let Some(pitfall) = pitfall {
        tail.extend([String::new(), pitfall]);
    }
    let links = links(view, &card.page);
    if !links.is_empty() {
        tail.extend([String::new(), links.join(" · ")]);
    }
    let mut lines = card.in_your_code();
    loop {
        let mut all = head.clone();
        if !lines.is_empty() {
            all.push(String::new());
            all.extend(lines.iter().cloned());
        }
        all.extend(tail.iter().cloned());
        let text = all.join("\n");
        if lines.pop().is_none() || (all.len() <= LINES && text.chars().count() <= CHARACTERS) {
            return text;
        }
    }
}

/// Where to read on: the documentation, the guide that has to do with it, and the page next to it. Pages are links where they
/// are published, else the ids that `explain` takes.
fn links(view: &View, page: &Page) -> Vec<String> {
    let source = page.sources.first().map(|source| format!("[{}]({source})", link_label(source)));
    let read_on = |page: &Page| match &view.options.pages_url {
        Some(url) => format!("[{}]({}/{}.html)", page.title, url.trim_end_matches('/'), page.id),
        None => format!("`{}`", page.id),
    };
    let guide = view.store.guide(&page.id);
    let other = page.see.iter().filter_map(|id| view.store.page(id)).find(|other| !other.is_guide());
    source.into_iter().chain([guide, other].into_iter().flatten().map(|page| read_on(page))).collect()
}

/// What a link is called: the anchor of a reference entry, or the name of the page.
fn link_label(url: &str) -> String {
    let (page, anchor) = url.split_once('#').unwrap_or((url, ""));
    let name = page.trim_end_matches('/').rsplit('/').next().unwrap_or(page).trim_end_matches(".html");
    match url.contains("docs.python.org") {
        // In Markdown, `__del__` would be a bold "del".
        true if anchor.contains("__") => format!("`{anchor}`"),
        true if anchor.contains(['.', '_']) => anchor.to_string(),
        true => format!("Python documentation: {name}"),
        false => name.to_string(),
    }
}
