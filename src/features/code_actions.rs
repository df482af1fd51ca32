//! Code actions: the rewrites of the pages at work in a range, and comments that suppress their diagnostics.

use super::{Card, View, suppression};
use crate::detectors::{Finding, findings_in};
use crate::pages::Page;
use crate::rewrites::{FileEdits, Offer, offer};
use crate::text::{Edit, TextRange};

/// An action in the light-bulb menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeAction {
    pub title: String,
    /// The protocol's kind, such as `quickfix`.
    pub kind: String,
    /// The name of the rewrite; `None` for a comment that suppresses a diagnostic.
    pub rewrite: Option<String>,
    /// The finding it belongs to: its page and range.
    pub concept: String,
    pub range: TextRange,
    /// The edits; empty when refused.
    pub files: Vec<FileEdits>,
    /// Why it is not available here.
    pub disabled: Option<String>,
    /// Whether only defects change: results, order and exceptions stay.
    pub preserves_behaviour: bool,
    /// Whether it is the one fix of its diagnostic that changes nothing else.
    pub is_preferred: bool,
}

/// The kind of an action that mends what is reported.
pub const QUICK_FIX: &str = "quickfix";

/// The actions for `range` whose kind is `wanted`; nothing is worked out for the others, and a rewrite may search the
/// whole workspace. Suppressing comments come last.
pub fn code_actions(view: &View, range: TextRange, wanted: &dyn Fn(&str) -> bool) -> Vec<CodeAction> {
    let of_wanted_kind = |concept: &str| {
        view.store.page(concept).is_some_and(|page| wanted(&refactoring(page)) || view.options.reports(page))
    };
    let found = findings_in(view.module, view.store, range, &of_wanted_kind);
    let mut actions = vec![];
    for finding in &found {
        actions.extend(rewrites_of(view, finding, wanted));
    }
    // A hazard and an explanation at one place may offer the same edit: the fix stays.
    let fixes: Vec<String> =
        actions.iter().filter(|action| action.kind == QUICK_FIX).map(|action| action.title.clone()).collect();
    actions.retain(|action| action.kind == QUICK_FIX || !fixes.contains(&action.title));
    if wanted(QUICK_FIX) && view.options.suppression_actions && view.options.diagnostics {
        let reported = super::diagnostics(view);
        for finding in &found {
            let is_reported = |diagnostic: &super::Diagnostic| {
                diagnostic.concept == finding.concept && diagnostic.range == finding.range
            };
            if reported.iter().any(is_reported) {
                actions.extend(suppress(view, finding));
            }
        }
    }
    actions
}

/// The kind of a rewrite where nothing is reported.
fn refactoring(page: &Page) -> String {
    format!("refactor.rewrite.{}", page.topic())
}

fn rewrites_of(view: &View, finding: &Finding, wanted: &dyn Fn(&str) -> bool) -> Vec<CodeAction> {
    let Some(card) = Card::new(view, finding) else { return vec![] };
    let page = &card.page;
    let oldest = view.options.oldest_python.unwrap_or_else(|| view.module.version());
    let kind = match card.is_reported() {
        true => QUICK_FIX.to_string(),
        false => refactoring(page),
    };
    if !wanted(&kind) {
        return vec![];
    }
    let mut actions: Vec<CodeAction> = vec![];
    for name in &page.rewrites {
        let Some(offer) = offer(view.module, finding, name, oldest) else { continue };
        let (title, files, disabled, preserves_behaviour) = match offer {
            Offer::Edit { title, files, preserves_behaviour } => (title, files, None, preserves_behaviour),
            Offer::Refused { title, reason } => (title, vec![], Some(reason), false),
        };
        actions.push(CodeAction {
            title,
            kind: kind.clone(),
            rewrite: Some(name.clone()),
            concept: page.id.clone(),
            range: finding.range,
            files,
            disabled,
            preserves_behaviour,
            is_preferred: false,
        });
    }
    let mut safe = actions.iter_mut().filter(|action| action.preserves_behaviour && action.disabled.is_none());
    if let (Some(only), None) = (safe.next(), safe.next()) {
        only.is_preferred = true;
    }
    actions
}

fn suppress(view: &View, finding: &Finding) -> Option<CodeAction> {
    let module = view.module;
    let line = module.lines().line(finding.range.start());
    let edit = match suppression::comment_on(module, line) {
        Some((rules, _)) if rules.contains(&finding.concept) => return None,
        Some((_, end)) => Edit::insert(end, format!(", {}", finding.concept)),
        None => {
            let end = module.lines().line_range(line).end();
            if module.string_ranges().iter().any(|string| string.contains(end)) {
                return None; // The line ends inside a string.
            }
            Edit::insert(end, format!("  # dunderstand: ignore[{}]", finding.concept))
        }
    };
    let ends_in_backslash = module.text()[module.lines().line_range(line)].ends_with('\\');
    let files = vec![FileEdits { path: module.path()?.to_path_buf(), edits: vec![edit] }];
    (!ends_in_backslash).then(|| CodeAction {
        title: format!("Suppress `{}` on this line", finding.concept),
        kind: QUICK_FIX.to_string(),
        rewrite: None,
        concept: finding.concept.clone(),
        range: finding.range,
        files,
        disabled: None,
        preserves_behaviour: true,
        is_preferred: false,
    })
}
