//! `lock.acquire()` … `lock.release()` in one block, with something between that may raise and no `finally`.
//!
//! Silent for attempts whose result counts (`acquire(timeout=…)`, `acquire(False)`), and for locks that another function
//! releases.

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind, Stmt};

use super::locks::{lock_kind, lock_statement};
use super::nodes::{block_around, method, own_nodes};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["threads/lock-not-released"], nodes: &[NodeKind::StmtExpr], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtExpr(statement) = site.node else { return None };
    let module = site.module;
    let call = statement.value.as_call_expr()?;
    if method(call)?.1 != "acquire" {
        return None;
    }
    let (block, index) = block_around(module, statement.range())?;
    let receiver = lock_statement(&block[index], "acquire")?;
    lock_kind(module, receiver)?;
    let lock = module.source(receiver);
    let rest = &block[index + 1..];
    let is_release =
        |statement: &Stmt| lock_statement(statement, "release").is_some_and(|other| module.source(other) == lock);
    let released = rest.iter().position(is_release)?;
    let between = &rest[..released];
    if between.iter().any(|statement| releases_anyway(module, statement, lock)) || site.is_type_checking() {
        return None;
    }
    let risk = own_nodes(between).into_iter().find(|node| may_raise(module, *node, lock))?;
    findings.push(
        Finding::new("threads/lock-not-released", call.range())
            .fact("lock", Fact::from(lock))
            .fact("released_at", module.place(rest[released].range()).map(Fact::from))
            .fact("risk", Fact::from(module.source(risk)))
            .fact("risk_at", module.place(risk.range()).map(Fact::from)),
    );
    Some(())
}

/// Whether something inside `statement` releases the lock as well: a `finally`, a handler, a branch.
fn releases_anyway(module: &Module, statement: &Stmt, lock: &str) -> bool {
    own_nodes(std::slice::from_ref(statement)).into_iter().any(|node| match node {
        AnyNodeRef::ExprCall(call) => {
            method(call).is_some_and(|(receiver, name)| name == "release" && module.source(receiver) == lock)
        }
        _ => false,
    })
}

/// Whether a call does no more than to put something into a list, or to wake another thread: locks and events that are
/// handed from thread to thread.
fn only_hands_over(module: &Module, call: &ast::ExprCall) -> bool {
    let Some((receiver, name)) = method(call) else { return false };
    let is_one_of = |classes: &[&str]| {
        module.receiver_class(receiver).is_some_and(|class| classes.iter().any(|name| class.inherits(name)))
    };
    match name {
        "append" | "appendleft" => is_one_of(&["builtins.list", "collections.deque"]),
        "release" => lock_kind(module, receiver).is_some(),
        "notify" | "notify_all" => is_one_of(&["threading.Condition"]),
        "is_set" | "set" => is_one_of(&["threading.Event"]),
        _ => false,
    }
}

/// Functions that do not fail.
const QUIET: &[&str] =
    &["builtins.len", "builtins.print", "time.monotonic", "time.monotonic_ns", "time.perf_counter", "time.time"];

fn may_raise(module: &Module, node: AnyNodeRef, lock: &str) -> bool {
    match node {
        AnyNodeRef::ExprCall(call) => {
            // `notify()` and `wait()` of a held condition do not raise.
            let on_lock = method(call).is_some_and(|(receiver, _)| module.source(receiver) == lock);
            !on_lock
                && !only_hands_over(module, call)
                && !module.callee(call).is_some_and(|symbol| symbol.is_any(QUIET))
        }
        AnyNodeRef::ExprAwait(_) | AnyNodeRef::StmtRaise(_) | AnyNodeRef::StmtAssert(_) => true,
        AnyNodeRef::ExprSubscript(subscript) => subscript.ctx.is_load(),
        _ => false,
    }
}
