//! The `def` of a function that this file or another one hands to another thread or process, or that such a function calls.

use ruff_python_ast::{AnyNodeRef, Expr, NodeKind};

use super::threads::{calls_on, created, hand_over};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{PathStep, RunElsewhere, Runner, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["processes/runs-in-process", "threads/runs-on-thread"],
    nodes: &[NodeKind::StmtFunctionDef],
    detect,
};

const ON_THREAD: &str = "threads/runs-on-thread";
const IN_PROCESS: &str = "processes/runs-in-process";

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtFunctionDef(function) = site.node else { return None };
    let is_asked = site.is_asked(function.name.range());
    if function.is_async || !is_asked || !(findings.wants(ON_THREAD) || findings.wants(IN_PROCESS)) {
        return None;
    }
    let module = site.module;
    let start = |concept: &str| {
        Finding::new(concept, function.name.range()).fact("function", Fact::from(function.name.as_str()))
    };
    if let Some(call) = hand_over(module, function) {
        let started = created(module, call).map(|_| calls_on(module, call.range(), "start")).unwrap_or_default();
        let is_thread = !started.is_empty();
        let handed_at = module.place(call.func.range()).filter(|_| !is_thread);
        let callee = created(module, call).map_or_else(|| called(&call.func), |_| Some("Thread"));
        findings.push(
            end_of(start(ON_THREAD), &function.name, callee)
                .fact("callee", Fact::from(module.source(&*call.func)))
                .fact("started_at", Fact::from(started))
                .fact("handed_at", handed_at.map(Fact::from)),
        );
        return Some(());
    }
    let elsewhere = module.runs_elsewhere(function)?;
    let concept = match elsewhere.runner {
        Runner::Thread => ON_THREAD,
        Runner::Process => IN_PROCESS,
    };
    findings.extend(told(start(concept), &function.name, elsewhere));
    Some(())
}

/// The classes whose objects hand an exception to `threading.excepthook`.
const THREADS: &[&str] = &["Thread", "Timer"];
/// What keeps the exception of the function for whoever asks for the result.
const KEEPING: &[&str] = &["map", "run_in_executor", "submit", "to_thread"];

/// Says what becomes of an exception of the function that is given to `callee`.
fn end_of(finding: Finding, function: &str, callee: Option<&str>) -> Finding {
    let among = |names: &[&str]| callee.is_some_and(|callee| names.contains(&callee)).then(|| Fact::from(function));
    finding.fact("starts", among(THREADS)).fact("keeps", among(KEEPING))
}

/// The last part of what is called.
fn called(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Name(name) => Some(&name.id),
        Expr::Attribute(attribute) => Some(&attribute.attr),
        _ => None,
    }
}

/// What another file says about a function. A method `run` of a thread's class is told of by a page of its own.
fn told(finding: Finding, function: &str, elsewhere: RunElsewhere) -> Option<Finding> {
    if !elsewhere.steps.is_empty() {
        return Some(with_steps(finding, &elsewhere.entry, &elsewhere.steps));
    }
    let RunElsewhere { callee, place, by_class, .. } = elsewhere;
    let finding = match elsewhere.runner {
        Runner::Thread => end_of(finding, function, callee.rsplit('.').next()),
        Runner::Process => finding,
    };
    (!by_class).then(|| finding.fact("callee", Fact::from(callee)).fact("handed_at", Fact::from(place)))
}

fn with_steps(finding: Finding, entry: &str, steps: &[PathStep]) -> Finding {
    let each = |fact: &dyn Fn(&PathStep) -> Fact| Fact::Each(steps.iter().map(fact).collect());
    finding
        .fact("entry", Fact::from(entry))
        .fact("caller", each(&|step| Fact::from(step.caller.as_str())))
        .fact("called", each(&|step| Fact::from(step.called.as_str())))
        .fact("called_at", each(&|step: &PathStep| Fact::Place(Place::clone(&step.place))))
}
