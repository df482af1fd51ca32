//! A finding joined to its page: the page's lines, filled in.

use std::path::Path;
use std::sync::Arc;

use super::View;
use crate::detectors::{Fact, Finding};
use crate::pages::{EACH, Page, Template};

/// How a fact stands in a sentence about a file.
pub(super) type Show<'s> = &'s dyn Fn(&Fact, Option<&Path>) -> String;

/// One finding with its page.
pub struct Card<'a> {
    pub page: Arc<Page>,
    pub finding: &'a Finding,
    here: Option<&'a Path>,
    target: (u8, u8),
    is_reported: bool,
}

impl<'a> Card<'a> {
    /// Joins `finding` to its page; `None` if the page is gone, retired, or not yet true for the target Python.
    pub fn new(view: &View<'a, '_>, finding: &'a Finding) -> Option<Self> {
        let page = view.store.page(&finding.concept)?.clone();
        let target = view.module.version();
        if page.retired.is_some() || page.since > target {
            return None;
        }
        let is_reported = view.options.reports(&page);
        Some(Self { page, finding, here: view.module.path(), target, is_reported })
    }

    /// A line of the page with its facts; `None` if one is missing.
    pub fn fill(&self, template: &Template) -> Option<String> {
        self.fill_by(template, &Fact::show)
    }

    /// [`Card::fill`] with facts as `show` shows them.
    pub(super) fn fill_by(&self, template: &Template, show: Show) -> Option<String> {
        self.fill_with(template, &|fact, here| Some(show(fact, here)))
    }

    /// As [`Card::fill`], about one of several things.
    pub(super) fn fill_about(&self, template: &Template, number: usize) -> Option<String> {
        self.fill_with(template, &|fact, here| Some(fact.about(number)?.show(here)))
    }

    fn fill_with(&self, template: &Template, show: &dyn Fn(&Fact, Option<&Path>) -> Option<String>) -> Option<String> {
        template.fill(&|name| {
            if let Some(fact) = self.finding.facts.get(name) {
                return show(fact, self.here);
            }
            let mut decided = self.page.version_facts(self.target);
            if let Some((_, text)) = decided.find(|(fact, _)| *fact == name) {
                return Some(text.to_string());
            }
            // What the page says of this one of its names.
            let trigger = self.finding.facts.get("name").filter(|_| name == EACH)?.show(None);
            self.fill_with(self.page.each.get(&trigger)?, show)
        })
    }

    /// The first line of the summary all of whose facts are known.
    pub fn summary(&self) -> Option<String> {
        self.summary_by(&Fact::show)
    }

    pub(super) fn summary_by(&self, show: Show) -> Option<String> {
        self.page.summary.iter().find_map(|line| self.fill_by(line, show))
    }

    /// The lines about this code.
    pub fn in_your_code(&self) -> Vec<String> {
        self.in_your_code_by(&Fact::show)
    }

    pub(super) fn in_your_code_by(&self, show: Show) -> Vec<String> {
        renumbered(self.page.in_your_code.iter().flat_map(|line| self.repeated(line, show)).collect())
    }

    /// A line about each of several things, or about the one thing there is.
    fn repeated(&self, line: &Template, show: Show) -> Vec<String> {
        let count = line.facts().find_map(|name| match self.finding.facts.get(name)? {
            Fact::Each(facts) => Some(facts.len()),
            _ => None,
        });
        let about = |number| self.fill_with(line, &|fact, here| Some(show(fact.about(number)?, here)));
        (0..count.unwrap_or(1)).filter_map(about).collect()
    }

    /// Whether the finding is a diagnostic.
    pub fn is_reported(&self) -> bool {
        self.is_reported
    }

    /// Whether there is more to say than what is true of every such use. A hazard always tells.
    pub(super) fn is_telling(&self) -> bool {
        let name = self.finding.facts.get("name").map(|name| name.show(None));
        let is_of_version = |fact: &str| self.page.version_facts(self.target).any(|(name, _)| name == fact);
        let knows = |fact: &str| self.finding.facts.get(fact).is_some() || is_of_version(fact);
        self.is_reported || self.page.is_telling(name.as_deref(), knows)
    }

    /// The diagnostic's text; none if the diagnostic is off.
    pub fn message(&self) -> Option<String> {
        self.fill(self.page.message.as_ref().filter(|_| self.is_reported)?)
    }

    /// The hint's text.
    pub fn hint(&self) -> Option<String> {
        self.fill(self.page.hint.as_ref()?)
    }
}

/// Numbered lines count from 1 again, as some may have been dropped.
fn renumbered(lines: Vec<String>) -> Vec<String> {
    let mut number = 0;
    let renumber = |line: String| match line.split_once(". ") {
        Some((digits, rest)) if !digits.is_empty() && digits.chars().all(|char| char.is_ascii_digit()) => {
            number += 1;
            format!("{number}. {rest}")
        }
        _ => line,
    };
    lines.into_iter().map(renumber).collect()
}
