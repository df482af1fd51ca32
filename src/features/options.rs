//! What a person has switched on; made from settings by the outer layers.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::Version;
use crate::pages::{Page, Severity};

/// How much a hover says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verbosity {
    /// Title and summary.
    Brief,
    /// With the lines about this code and the link.
    #[default]
    Full,
}

/// The options of all views.
#[derive(Clone, Debug)]
pub struct Options {
    pub hover: bool,
    /// Hovers on keywords and other mere forms of syntax.
    pub keywords: bool,
    pub verbosity: Verbosity,
    /// Hovers also where a concept is used as it always is.
    pub ordinary_uses: bool,
    /// The ids and topics of the concepts that hovers do not speak of.
    pub hovers_off: BTreeSet<String>,
    pub inlay_hints: bool,
    /// The categories of hints that are off.
    pub hints_off: BTreeSet<String>,
    pub diagnostics: bool,
    /// By page id or topic: another severity, or `None` for off.
    pub severities: BTreeMap<String, Option<Severity>>,
    /// Leave to ruff what its default rules report, where ruff is in use.
    pub defer_to_ruff: bool,
    /// Whether the project uses ruff.
    pub uses_ruff: bool,
    /// The settings that are on, of those that pages name for diagnostics that are off by default.
    pub switched_on: BTreeSet<String>,
    /// Offer comments that suppress a diagnostic.
    pub suppression_actions: bool,
    /// The oldest Python the project supports: rewrites use nothing newer. Without one, the target counts.
    pub oldest_python: Option<Version>,
    /// The address of the store's pages; the page's id and `.html` are appended.
    pub pages_url: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            hover: true,
            keywords: true,
            verbosity: Verbosity::Full,
            ordinary_uses: false,
            hovers_off: BTreeSet::new(),
            inlay_hints: true,
            hints_off: BTreeSet::new(),
            diagnostics: true,
            severities: BTreeMap::new(),
            defer_to_ruff: true,
            uses_ruff: false,
            switched_on: BTreeSet::new(),
            suppression_actions: true,
            oldest_python: None,
            pages_url: None,
        }
    }
}

impl Options {
    /// Whether the findings of `page` are diagnostics.
    pub fn reports(&self, page: &Page) -> bool {
        let is_off = |setting: &String| !self.switched_on.contains(setting);
        page.message.is_some() && !page.setting.as_ref().is_some_and(is_off)
    }

    /// Whether hovers may speak of `page`.
    pub fn speaks_of(&self, page: &Page) -> bool {
        let is_off = self.hovers_off.contains(&page.id) || self.hovers_off.contains(page.topic());
        !is_off && (self.keywords || !page.is_about_syntax())
    }

    /// The configured severity of a concept: by its id, else by its topic; `Some(None)` is off.
    pub fn severity(&self, concept: &str) -> Option<Option<Severity>> {
        let topic = concept.split('/').next().unwrap_or_default();
        self.severities.get(concept).or_else(|| self.severities.get(topic)).copied()
    }
}
