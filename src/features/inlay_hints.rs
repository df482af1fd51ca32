//! Inlay hints: a few words at the end of what happens; never a type, never text to insert.

use super::{Card, View, hover};
use crate::detectors::{findings, findings_in};
use crate::pages::Store;
use crate::text::{Place, TextRange, TextSize};

/// The longest label, in characters.
const LABEL: usize = 25;

/// A hint in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InlayHint {
    pub offset: TextSize,
    pub label: String,
    /// The code that the label leads to.
    pub leads_to: Option<Place>,
    /// The id of the page it speaks from.
    pub concept: String,
}

/// The hints in `range`, at most one for each place.
pub fn inlay_hints(view: &View, range: TextRange) -> Vec<InlayHint> {
    if !view.options.inlay_hints {
        return vec![];
    }
    let wanted = |concept: &str| is_shown(view, concept);
    let whole = range.contains_range(TextRange::up_to(crate::text::TextLen::text_len(view.module.text())));
    let found = match whole {
        true => findings(view.module, view.store, &wanted),
        false => findings_in(view.module, view.store, range, &wanted),
    };
    let mut hints: Vec<InlayHint> = vec![];
    for finding in &found {
        let Some(card) = Card::new(view, finding) else { continue };
        let Some(label) = card.hint().map(|label| shortened(&label)) else { continue };
        let offset = finding.hint_at.unwrap_or(finding.range.end());
        if range.contains_inclusive(offset) && !hints.iter().any(|hint| hint.offset == offset) {
            let leads_to = finding.hint_leads_to.clone();
            hints.push(InlayHint { offset, label, leads_to, concept: finding.concept.clone() });
        }
    }
    hints.sort_by_key(|hint| hint.offset);
    hints
}

/// The explanation behind a hint, for its tooltip.
pub fn hint_tooltip(view: &View, concept: &str, offset: TextSize) -> Option<String> {
    let found = findings(view.module, view.store, &|id| id == concept);
    let finding = found.iter().find(|finding| finding.hint_at.unwrap_or(finding.range.end()) == offset)?;
    Some(hover::markdown(view, &Card::new(view, finding)?, None))
}

fn is_shown(view: &View, concept: &str) -> bool {
    has_hint(view.store, concept).is_some_and(|category| !view.options.hints_off.contains(&category))
}

fn has_hint(store: &Store, concept: &str) -> Option<String> {
    let page = store.page(concept)?;
    page.hint.as_ref()?;
    page.category.clone()
}

fn shortened(label: &str) -> String {
    if label.chars().count() <= LABEL {
        return label.to_string();
    }
    let cut: String = label.chars().take(LABEL - 1).collect();
    format!("{}…", cut.trim_end())
}
