//! The `def` of a function that takes locks, itself or through functions of the project that it calls.

use ruff_python_ast::{AnyNodeRef, NodeKind};

use super::waiting_function::head;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{LockTaken, Site};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["threads/takes-locks"], nodes: &[NodeKind::StmtFunctionDef], detect };

/// The most locks that are told.
const LOCKS: usize = 5;

/// Over how many calls a lock of this file is told of; one of another file, over one.
const NEAR: usize = 2;

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtFunctionDef(function) = site.node else { return None };
    if site.is_type_checking() {
        return None;
    }
    let taken = site.module.locks_taken(function);
    // What it takes itself is there to be read; a lock that is far away is somebody else's affair.
    let here = site.module.path();
    let is_here = |lock: &LockTaken| Some(lock.place.path.as_path()) == here;
    let is_near = |lock: &LockTaken| match is_here(lock) {
        true => lock.steps.len() <= NEAR,
        // A lock of another module is that module's affair, unless an object has it.
        false => lock.steps.len() == 1 && lock.lock.contains('.'),
    };
    if !taken.iter().any(|lock| !lock.steps.is_empty() && is_near(lock)) {
        return None;
    }
    let taken: Vec<LockTaken> = taken.into_iter().filter(is_near).collect();
    let mut names: Vec<String> = vec![];
    for lock in &taken {
        if !names.contains(&lock.lock) {
            names.push(lock.lock.clone());
        }
    }
    let (own, others): (Vec<&LockTaken>, Vec<&LockTaken>) =
        taken.iter().take(LOCKS).partition(|lock| lock.steps.is_empty());
    let each = |of: &[&LockTaken], fact: &dyn Fn(&LockTaken) -> Fact| Fact::Each(of.iter().map(|l| fact(l)).collect());
    let lock = |taken: &LockTaken| Fact::from(taken.lock.as_str());
    let place = |taken: &LockTaken| Fact::from(taken.place.clone());
    let through = |taken: &LockTaken| Fact::from(taken.steps.first().map_or("", |step| step.called.as_str()));
    let mut finding = Finding::new("threads/takes-locks", head(site.module, function))
        .fact("function", Fact::from(function.name.as_str()))
        .fact("locks", Fact::from(names));
    if !own.is_empty() {
        finding = finding.fact("own_lock", each(&own, &lock)).fact("taken_at", each(&own, &place));
    }
    if !others.is_empty() {
        finding = finding
            .fact("other_lock", each(&others, &lock))
            .fact("other_at", each(&others, &place))
            .fact("through", each(&others, &through));
    }
    findings.push(finding);
    Some(())
}
