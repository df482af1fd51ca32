//! Diagnostics: hazards, each with what, why and where.

use super::suppression::Suppressions;
use super::{Card, View};
use crate::detectors::{Fact, Finding, findings};
use crate::pages::Severity;
use crate::text::{Place, TextRange};

/// How a client may draw a diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    Unnecessary,
}

/// A hazard in a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub range: TextRange,
    /// The id of its page, which is also its code.
    pub concept: String,
    pub severity: Severity,
    pub message: String,
    pub related: Vec<Related>,
    pub tag: Option<Tag>,
    /// Whether the concept has a page to open.
    pub has_page: bool,
}

/// Another place that has to do with a diagnostic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    pub place: Place,
    pub message: String,
}

/// The diagnostics of a file, without the suppressed ones; and a hint for each suppression that suppresses nothing.
pub fn diagnostics(view: &View) -> Vec<Diagnostic> {
    if !view.options.diagnostics || view.module.is_stub() {
        return vec![];
    }
    let mut suppressions = Suppressions::of(view.module);
    let mut shown: Vec<Diagnostic> = unsuppressed(view)
        .into_iter()
        .filter(|diagnostic| {
            let page = view.store.page(&diagnostic.concept);
            !page.is_some_and(|page| suppressions.is_meant(view.module, page, diagnostic.range))
                && !suppressions.suppresses(view.module, &diagnostic.concept, diagnostic.range)
        })
        .collect();
    shown.extend(suppressions.unused(view.store, view.options));
    shown.sort_by_key(|diagnostic| (diagnostic.range.start(), diagnostic.range.end()));
    shown
}

/// All diagnostics that the options let through.
pub(super) fn unsuppressed(view: &View) -> Vec<Diagnostic> {
    let is_hazard = |concept: &str| {
        let is_off = view.options.severity(concept) == Some(None);
        !is_off && view.store.page(concept).is_some_and(|page| view.options.reports(page))
    };
    let found = findings(view.module, view.store, &is_hazard);
    let runs = |finding: &&Finding| !view.module.never_runs(finding.range);
    found.iter().filter(runs).filter_map(|finding| diagnostic(view, &Card::new(view, finding)?)).collect()
}

fn diagnostic(view: &View, card: &Card) -> Option<Diagnostic> {
    let page = &card.page;
    let ruff_reports = !page.ruff.is_empty() && !card.finding.is_beyond_ruff;
    if view.options.defer_to_ruff && view.options.uses_ruff && ruff_reports {
        return None;
    }
    let configured = view.options.severity(&page.id).flatten();
    Some(Diagnostic {
        range: card.finding.range,
        concept: page.id.clone(),
        severity: configured.or(card.finding.severity).unwrap_or(page.severity),
        message: card.message()?,
        related: related(card),
        tag: None,
        has_page: true,
    })
}

fn related(card: &Card) -> Vec<Related> {
    let mut related = vec![];
    for (name, template) in &card.page.related {
        match card.finding.facts.get(name) {
            Some(Fact::Place(place)) => {
                let message = card.fill(template);
                related.extend(message.map(|message| Related { place: place.clone(), message }));
            }
            Some(Fact::Places(places)) => {
                let message = card.fill(template).unwrap_or_default();
                related.extend(places.iter().map(|place| Related { place: place.clone(), message: message.clone() }));
            }
            Some(Fact::Each(facts)) => {
                for (number, fact) in facts.iter().enumerate() {
                    let (Fact::Place(place), Some(message)) = (fact, card.fill_about(template, number)) else {
                        continue;
                    };
                    related.push(Related { place: place.clone(), message });
                }
            }
            _ => {}
        }
    }
    related
}
