//! What detectors yield: findings, and the list they push them into.

use super::{Fact, Facts};
use crate::pages::Severity;
use crate::text::{Place, TextRange, TextSize};

/// A concept at work in a range.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The id of its page.
    pub concept: String,
    /// Where it is: the smallest range that names the cause.
    pub range: TextRange,
    pub facts: Facts,
    /// Another severity than the page's.
    pub severity: Option<Severity>,
    /// Where the hint stands; without one, behind the range.
    pub hint_at: Option<TextSize>,
    /// What the hint leads to.
    pub hint_leads_to: Option<Place>,
    /// No rule of ruff reports this one, though the page names rules that report others.
    pub is_beyond_ruff: bool,
}

impl Finding {
    /// A finding without facts.
    pub fn new(concept: &str, range: TextRange) -> Self {
        Self {
            concept: concept.to_string(),
            range,
            facts: Facts::default(),
            severity: None,
            hint_at: None,
            hint_leads_to: None,
            is_beyond_ruff: false,
        }
    }

    /// Adds a fact; `None` and an empty list add nothing.
    #[must_use]
    pub fn fact(mut self, name: &'static str, fact: impl Into<Option<Fact>>) -> Self {
        self.facts.set(name, fact.into());
        self
    }

    /// Shows the diagnostic with another severity than the page's.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// Says that no rule of ruff reports this one.
    #[must_use]
    pub fn beyond_ruff(mut self, is_beyond_ruff: bool) -> Self {
        self.is_beyond_ruff = is_beyond_ruff;
        self
    }

    /// Puts the hint at `offset` instead of behind the range.
    #[must_use]
    pub fn hint_at(mut self, offset: TextSize) -> Self {
        self.hint_at = Some(offset);
        self
    }

    /// Lets the hint lead to `place`.
    #[must_use]
    pub fn hint_leads_to(mut self, place: Option<Place>) -> Self {
        self.hint_leads_to = place;
        self
    }
}

/// What detectors push into.
pub struct Findings<'w> {
    pub(super) wanted: Wanted<'w>,
    pub(super) found: Vec<Finding>,
}

impl Findings<'_> {
    /// Adds a finding.
    pub fn push(&mut self, finding: Finding) {
        self.found.push(finding);
    }

    /// Whether the view shows this concept. A detector asks before costly work for only one of its concepts.
    pub fn wants(&self, concept: &str) -> bool {
        (self.wanted)(concept)
    }

    /// Adds several findings, or one that may be missing.
    pub fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.found.extend(findings);
    }

    pub(super) fn into_sorted(mut self) -> Vec<Finding> {
        self.found.sort_by(|a, b| {
            let key = |finding: &Finding| (finding.range.start(), finding.range.end());
            key(a).cmp(&key(b)).then_with(|| a.concept.cmp(&b.concept))
        });
        self.found.dedup_by(|a, b| a.range == b.range && a.concept == b.concept);
        self.found
    }
}

/// Which findings are asked for: a view passes those of the concepts it shows.
pub type Wanted<'a> = &'a dyn Fn(&str) -> bool;
