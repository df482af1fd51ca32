//! One walk over a file serves all detectors; a cursor's walk visits only the nodes around it.

use ruff_python_ast::AnyNodeRef;
use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal, walk_node};

use super::from_pages::Triggers;
use super::{ALL, Detector, Finding, Findings, Wanted};
use crate::analysis::{Module, Site};
use crate::pages::Store;
use crate::text::{Ranged as _, TextRange};

/// All findings of a file, in the order of their ranges.
pub fn findings(module: &Module, store: &Store, wanted: Wanted) -> Vec<Finding> {
    walk(module, store, module.syntax().range(), wanted)
}

/// The findings whose range touches `range`; an empty range stands for a cursor.
pub fn findings_in(module: &Module, store: &Store, range: TextRange, wanted: Wanted) -> Vec<Finding> {
    let mut found = walk(module, store, range, wanted);
    found.retain(|finding| finding.range.intersect(range).is_some());
    found
}

fn walk<'a>(module: &'a Module, store: &'a Store, range: TextRange, wanted: Wanted<'a>) -> Vec<Finding> {
    let detectors = Selection::new(store, wanted);
    let findings = Findings { wanted, found: vec![] };
    let triggers = Triggers::new(store, wanted);
    let mut walker = Walker { module, range, triggers, detectors, ancestors: vec![], findings };
    walk_node(&mut walker, module.syntax().into());
    retain(walker.findings, store, wanted)
}

fn retain(findings: Findings, store: &Store, wanted: Wanted) -> Vec<Finding> {
    let mut found = findings.into_sorted();
    found.retain(|finding| wanted(&finding.concept) && store.page(&finding.concept).is_some());
    found
}

/// The detectors that can yield a wanted concept, by the kind of node they want.
struct Selection {
    chosen: Vec<&'static Detector>,
    /// Whether one of them wants the kind of node, by its number.
    kinds: [bool; KINDS],
}

/// More kinds of nodes than there are.
const KINDS: usize = 256;

impl Selection {
    fn new(store: &Store, wanted: Wanted) -> Self {
        let is_wanted = |concept: &&str| wanted(concept) && store.page(concept).is_some();
        let chosen: Vec<_> = ALL.iter().filter(|detector| detector.concepts.iter().any(&is_wanted)).collect();
        let mut kinds = [false; KINDS];
        for kind in chosen.iter().flat_map(|detector| detector.nodes) {
            kinds[*kind as usize] = true;
        }
        Self { chosen, kinds }
    }
}

/// Visits the nodes that touch `range`.
struct Walker<'a, 's> {
    module: &'a Module<'s>,
    range: TextRange,
    triggers: Triggers<'a>,
    detectors: Selection,
    ancestors: Vec<AnyNodeRef<'a>>,
    findings: Findings<'a>,
}

impl<'a> Walker<'a, '_> {
    fn detect(&mut self, node: AnyNodeRef<'a>) {
        let is_whole_file = self.range.contains_range(self.module.syntax().range());
        let site = Site { module: self.module, node, ancestors: &self.ancestors, is_whole_file, asked: self.range };
        self.triggers.detect(&site, &mut self.findings);
        let kind = node.kind();
        if !self.detectors.kinds[kind as usize] {
            return;
        }
        for detector in &self.detectors.chosen {
            if detector.nodes.contains(&kind) {
                // A detector's `None` says that it has nothing to say.
                let _ = (detector.detect)(&site, &mut self.findings);
            }
        }
    }
}

impl<'a> SourceOrderVisitor<'a> for Walker<'a, '_> {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        let touches = node.range().intersect(self.range).is_some();
        if touches {
            if node.is_statement() {
                self.module.snapshot().stop_if_cancelled();
            }
            self.detect(node);
        }
        self.ancestors.push(node);
        if touches { TraversalSignal::Traverse } else { TraversalSignal::Skip }
    }

    fn leave_node(&mut self, _node: AnyNodeRef<'a>) {
        self.ancestors.pop();
    }
}
