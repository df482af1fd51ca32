//! Where a lock is taken: `with lock:` and `lock.acquire()`.

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind, Stmt};

use super::locks::{lock_kind, lock_made_at, lock_statement, locks_of};
use super::nodes::{block_around, is_false, method, own_nodes};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{LockTaken, Site};
use crate::text::{Place, Ranged as _, TextRange};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["threads/lock-acquire", "threads/lock-held"],
    nodes: &[NodeKind::ExprCall, NodeKind::StmtWith],
    detect,
};

/// The most locks that are told of what is called while one is held.
const INSIDE: usize = 3;

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    match site.node {
        AnyNodeRef::StmtWith(with) => held(site, with, findings),
        AnyNodeRef::ExprCall(call) => findings.push(acquired(site, call)?),
        _ => {}
    }
    Some(())
}

fn held(site: &Site, with: &ast::StmtWith, findings: &mut Findings) {
    let module = site.module;
    let nodes = own_nodes(&with.body);
    let mut writes: Vec<String> = vec![];
    for node in &nodes {
        let written = match node {
            AnyNodeRef::ExprAttribute(target) if !target.ctx.is_load() => module.source(*target),
            AnyNodeRef::ExprSubscript(target) if !target.ctx.is_load() => module.source(&*target.value),
            _ => continue,
        };
        if !writes.iter().any(|other| other == written) {
            writes.push(written.to_string());
        }
    }
    let locks = locks_of(module, with);
    if locks.is_empty() {
        return;
    }
    let inside = site.function().map(|function| module.locks_taken_inside(function, with)).unwrap_or_default();
    let each = |fact: &dyn Fn(&(TextRange, LockTaken)) -> Fact| {
        (!inside.is_empty()).then(|| Fact::Each(inside.iter().take(INSIDE).map(fact).collect()))
    };
    for (lock, kind) in locks {
        let own = module.source(lock).to_string();
        // That a block holds its lock is there to be read.
        let wait = nodes.iter().find_map(|node| {
            let AnyNodeRef::ExprCall(call) = node else { return None };
            let on_it = method(call).is_some_and(|(receiver, _)| module.source(receiver) == own);
            (!on_it && module.blocking_call(call).is_some()).then_some(*call)
        });
        // A condition gives its lock up while it waits.
        let sleeping = nodes.iter().find_map(|node| {
            let AnyNodeRef::ExprCall(call) = node else { return None };
            let is_wait = method(call)
                .is_some_and(|(receiver, name)| matches!(name, "wait" | "wait_for") && module.source(receiver) == own);
            is_wait.then_some(*call)
        });
        if wait.is_none() && writes.is_empty() && inside.is_empty() {
            continue;
        }
        findings.push(
            Finding::new("threads/lock-held", lock.range())
                .fact("lock", Fact::from(own))
                .fact("kind", Fact::from(kind))
                .fact("made_at", lock_made_at(module, lock).map(Fact::from))
                .fact("inner_call", each(&|(range, _)| Fact::from(module.source(*range))))
                .fact("inner_lock", each(&|(_, taken)| Fact::from(taken.lock.as_str())))
                .fact("inner_at", each(&|(_, taken)| Fact::from(taken.place.clone())))
                .fact("writes", Fact::from(writes.clone()))
                .fact("sleeping", sleeping.map(|call| Fact::from(module.source(call))))
                .fact("sleeping_at", sleeping.and_then(|call| module.place(call.range())).map(Fact::from))
                .fact("wait", wait.map(|call| Fact::from(module.source(call))))
                .fact("wait_at", wait.and_then(|call| module.place(call.range())).map(Fact::from)),
        );
    }
}

fn acquired(site: &Site, call: &ast::ExprCall) -> Option<Finding> {
    let module = site.module;
    let (receiver, "acquire") = method(call)? else { return None };
    let kind = lock_kind(module, receiver)?;
    let blocks = call.arguments.find_argument_value("blocking", 0).is_none_or(|blocking| !is_false(blocking));
    // `-1` is no limit.
    let timeout = call.arguments.find_argument_value("timeout", 1).filter(|timeout| !timeout.is_unary_op_expr());
    let lock = module.source(receiver);
    let finding = Finding::new("threads/lock-acquire", call.func.range());
    let finding = match (blocks, timeout) {
        (false, _) => finding.fact("at_once", Fact::from(lock)),
        (true, Some(timeout)) => finding.fact("timeout", Fact::from(module.source(timeout))),
        (true, None) => finding.fact("waits_for", Fact::from(lock)),
    };
    let free = if kind == "threading.Lock" { "free" } else { "free or held by this thread already" };
    Some(
        finding
            .fact("lock", Fact::from(lock))
            .fact("free", Fact::from(free))
            .fact("kind", Fact::from(kind))
            .fact("made_at", lock_made_at(module, receiver).map(Fact::from))
            .fact("released_at", released_in_finally(site, lock).map(Fact::from)),
    )
}

/// The `release()` in the `finally` of the `try` statement that follows.
fn released_in_finally(site: &Site, lock: &str) -> Option<Place> {
    let module = site.module;
    let (block, index) = block_around(module, site.statement()?.range())?;
    let Stmt::Try(statement) = block.get(index + 1)? else { return None };
    let release = statement.finalbody.iter().find(|statement| {
        lock_statement(statement, "release").is_some_and(|receiver| module.source(receiver) == lock)
    })?;
    module.place(release.range())
}
