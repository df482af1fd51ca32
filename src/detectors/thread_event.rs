//! `threading.Event`: who sets it, who waits for it, and who looks at it in turns.
//!
//! Speaks only where the file has the other side.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::locks::is_same_lock;
use super::nodes::{around, method, own_nodes};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["threads/event", "threads/event-state", "threads/event-wait"],
    nodes: &[NodeKind::ExprCall],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    if !site.is_asked(call.range()) {
        return None;
    }
    if site.callee_among(call, &["threading.Event"]).is_some() {
        return made(site, call, findings);
    }
    let (event, name) = method(call)?;
    if !matches!(name, "is_set" | "set" | "wait") || !module.class_name(event)?.is("threading.Event") {
        return None;
    }
    let places = |of: &str| uses(module, event, of);
    let written = Fact::from(module.source(event));
    match name {
        "set" => {
            let (waits, polls) = (places("wait"), places("is_set"));
            if waits.is_empty() && polls.is_empty() {
                return None;
            }
            findings.push(
                Finding::new("threads/event-state", call.func.range())
                    .fact("set", written)
                    .fact("waited_at", Fact::from(waits))
                    .fact("polled_at", Fact::from(polls)),
            );
        }
        "is_set" => {
            let set_at = places("set");
            let pause = pause(site, call);
            if set_at.is_empty() {
                return None;
            }
            findings.push(
                Finding::new("threads/event-state", call.func.range())
                    .fact("asked", written)
                    .fact("set_at", Fact::from(set_at))
                    .fact("pause", pause.map(|pause| Fact::from(module.source(pause))))
                    .fact("pause_at", pause.and_then(|pause| module.place(pause.range())).map(Fact::from)),
            );
        }
        _ => {
            let limit = call.arguments.find_argument_value("timeout", 0).filter(|limit| !limit.is_none_literal_expr());
            let is_ignored = limit.is_some() && matches!(site.parent(), Some(AnyNodeRef::StmtExpr(_)));
            findings.push(
                Finding::new("threads/event-wait", call.func.range())
                    .fact("receiver", written)
                    .fact("set_at", Fact::from(places("set")))
                    .fact("timeout", limit.map(|limit| Fact::from(module.source(limit))))
                    .fact("ignored", is_ignored.then(|| Fact::from(module.source(call)))),
            );
        }
    }
    Some(())
}

fn made(site: &Site, call: &ast::ExprCall, findings: &mut Findings) -> Option<()> {
    let module = site.module;
    let (target, value) = match site.parent()? {
        AnyNodeRef::StmtAssign(assign) => (assign.targets.first()?, &*assign.value),
        AnyNodeRef::StmtAnnAssign(assign) => (&*assign.target, assign.value.as_deref()?),
        _ => return None,
    };
    let (set_at, waited_at, polled_at) =
        (uses(module, value, "set"), uses(module, value, "wait"), uses(module, value, "is_set"));
    if set_at.is_empty() || (waited_at.is_empty() && polled_at.is_empty()) {
        return None;
    }
    findings.push(
        Finding::new("threads/event", call.func.range())
            .fact("event", Fact::from(module.source(target)))
            .fact("set_at", Fact::from(set_at))
            .fact("waited_at", Fact::from(waited_at))
            .fact("polled_at", Fact::from(polled_at))
            .fact("cleared_at", Fact::from(uses(module, value, "clear"))),
    );
    Some(())
}

/// The calls of a method on the same event, in this file.
pub(super) fn uses(module: &Module, event: &Expr, name: &str) -> Vec<Place> {
    let calls = module
        .calls_of(name)
        .into_iter()
        .filter(|call| method(call).is_some_and(|(receiver, _)| is_same_lock(module, receiver, event)));
    calls.filter_map(|call| module.place(call.range())).collect()
}

/// A sleep in the loop around the question.
fn pause<'m>(site: &Site<'m, '_>, call: &ast::ExprCall) -> Option<&'m ast::ExprCall> {
    let module = site.module;
    around(module, call.range()).into_iter().find_map(|node| match node {
        AnyNodeRef::StmtWhile(turns) => own_nodes(&turns.body).into_iter().find_map(|node| match node {
            AnyNodeRef::ExprCall(other) if module.calls(other, &["time.sleep"]) => Some(other),
            _ => None,
        }),
        _ => None,
    })
}
