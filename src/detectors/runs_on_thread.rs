//! The `def` of a function that this file hands to another thread, or that such a function calls.

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind};

use super::nodes::{all_nodes, calls};
use super::threads::{calls_on, created, given_to_thread, hand_over};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, PathStep, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["threads/runs-on-thread"], nodes: &[NodeKind::StmtFunctionDef], detect };

/// The most functions handed to threads that are looked at for one that is called by them.
const ENTRIES: usize = 20;

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtFunctionDef(function) = site.node else { return None };
    if function.is_async || !findings.wants("threads/runs-on-thread") {
        return None;
    }
    let module = site.module;
    let finding = Finding::new("threads/runs-on-thread", function.name.range());
    if let Some(call) = hand_over(module, function) {
        let started = created(module, call).map(|_| calls_on(module, call.range(), "start")).unwrap_or_default();
        let is_thread = !started.is_empty();
        let handed_at = module.place(call.func.range()).filter(|_| !is_thread);
        findings.push(
            finding
                .fact("function", Fact::from(function.name.as_str()))
                .fact("callee", Fact::from(module.source(&*call.func)))
                .fact("started_at", Fact::from(started))
                .fact("handed_at", handed_at.map(Fact::from)),
        );
        return Some(());
    }
    let (entry, steps) = caller_on_thread(module, function)?;
    let each = |fact: &dyn Fn(&PathStep) -> Fact| Fact::Each(steps.iter().map(fact).collect());
    findings.push(
        finding
            .fact("function", Fact::from(function.name.as_str()))
            .fact("entry", Fact::from(entry))
            .fact("caller", each(&|step| Fact::from(step.caller.as_str())))
            .fact("called", each(&|step| Fact::from(step.called.as_str())))
            .fact("called_at", each(&|step: &PathStep| Fact::Place(Place::clone(&step.place)))),
    );
    Some(())
}

/// A function that is handed to a thread and reaches `function`, with the calls on the way.
fn caller_on_thread(module: &Module, function: &ast::StmtFunctionDef) -> Option<(String, Vec<PathStep>)> {
    let handed = calls(&all_nodes(&module.syntax().body)).into_iter().filter_map(|call| given_to_thread(module, call));
    handed.take(ENTRIES).find_map(|target| {
        let steps = module.way_to(target, function).filter(|steps| !steps.is_empty())?;
        Some((module.source(target).to_string(), steps))
    })
}
