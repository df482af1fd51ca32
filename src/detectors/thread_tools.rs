//! Semaphores, barriers, timers and re-entrant locks of `threading`, where they are made: who in this file uses them. Conditions,
//! where they are used, too.

mod condition;

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::context_var::only_target;
use super::locks::is_same_lock;
use super::nodes::{all_nodes, calls, method, own_nodes};
use super::suspension::path_to;
use super::threads::{calls_on, passed};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Place, Ranged as _, TextRange};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &[
        "threads/barrier",
        "threads/condition",
        "threads/condition-notify",
        "threads/condition-wait",
        "threads/rlock",
        "threads/semaphore",
        "threads/timer",
    ],
    nodes: &[NodeKind::ExprCall],
    detect,
};

const TOOLS: &[&str] =
    &["threading.Barrier", "threading.BoundedSemaphore", "threading.RLock", "threading.Semaphore", "threading.Timer"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    if !site.is_asked(call.func.range()) {
        return None;
    }
    if condition::detect(site, call, findings).is_some() {
        return Some(());
    }
    let kind = site.callee_among(call, TOOLS)?;
    let target = only_target(site);
    let finding = match kind.last() {
        "Barrier" => barrier(site, call, target),
        "RLock" => rlock(site, call, target),
        "Timer" => timer(site, call),
        _ => semaphore(site, call, target),
    };
    findings.push(finding.fact("target", target.map(|target| Fact::from(site.module.source(target)))));
    Some(())
}

fn places(module: &Module, ranges: impl Iterator<Item = TextRange>) -> Fact {
    let mut ranges: Vec<TextRange> = ranges.collect();
    ranges.sort_by_key(|range| range.start());
    let places: Vec<Place> = ranges.into_iter().filter_map(|range| module.place(range)).collect();
    Fact::from(places)
}

/// The calls of `name` on the same object in this file.
fn used<'m>(module: &'m Module, target: Option<&'m Expr>, name: &str) -> Vec<TextRange> {
    let Some(target) = target else { return vec![] };
    let is_it =
        |call: &&ast::ExprCall| method(call).is_some_and(|(receiver, _)| is_same_lock(module, receiver, target));
    module.calls_of(name).into_iter().filter(is_it).map(|call| call.range()).collect()
}

/// Where a `with` of this file takes the same object.
fn entered<'m>(module: &'m Module, target: Option<&'m Expr>) -> Vec<(&'m ast::StmtWith, TextRange)> {
    let Some(target) = target else { return vec![] };
    let nodes = all_nodes(&module.syntax().body).into_iter();
    nodes
        .filter_map(|node| match node {
            AnyNodeRef::StmtWith(with) if !with.is_async => {
                let item = with.items.iter().find(|item| is_same_lock(module, &item.context_expr, target))?;
                Some((with, item.context_expr.range()))
            }
            _ => None,
        })
        .collect()
}

fn semaphore(site: &Site, call: &ast::ExprCall, target: Option<&Expr>) -> Finding {
    let module = site.module;
    let taken = entered(module, target).into_iter().map(|(_, range)| range);
    let places_given = call.arguments.find_argument_value("value", 0).map_or("1", |value| module.source(value));
    // A local name is another object at each call; what it is handed to shares it.
    let is_local = target.is_some_and(Expr::is_name_expr);
    let per_call = site.function().filter(|_| is_local && !is_handed_on(site, target));
    Finding::new("threads/semaphore", call.func.range())
        .fact("places", Fact::from(places_given))
        .fact("taken_at", places(module, taken.chain(used(module, target, "acquire"))))
        .fact("per_call", per_call.map(|function| Fact::from(function.name.as_str())))
}

/// Whether a local name is used in another way than to be taken and released, here or in a nested function.
fn is_handed_on(site: &Site, target: Option<&Expr>) -> bool {
    const OWN: &[&str] = &["acquire", "release"];
    let (Some(Expr::Name(target)), Some(function)) = (target, site.function()) else { return true };
    all_nodes(&function.body).into_iter().any(|node| {
        let AnyNodeRef::ExprName(name) = node else { return false };
        if name.id != target.id || name.ctx.is_store() {
            return false;
        }
        let path = path_to(site.module, name.range());
        let is_nested = path
            .iter()
            .rev()
            .take_while(|node| node.range() != function.range())
            .any(|node| matches!(node, AnyNodeRef::StmtFunctionDef(_) | AnyNodeRef::ExprLambda(_)));
        let is_used = match path.iter().rev().nth(1) {
            Some(AnyNodeRef::WithItem(_)) => true,
            Some(AnyNodeRef::ExprAttribute(attribute)) => OWN.contains(&attribute.attr.as_str()),
            _ => false,
        };
        is_nested || !is_used
    })
}

fn barrier(site: &Site, call: &ast::ExprCall, target: Option<&Expr>) -> Finding {
    let module = site.module;
    let source = |value: &Expr| Fact::from(module.source(value));
    let limit = call.arguments.find_argument_value("timeout", 2).filter(|limit| !limit.is_none_literal_expr());
    let action = call.arguments.find_argument_value("action", 1).filter(|action| !action.is_none_literal_expr());
    Finding::new("threads/barrier", call.func.range())
        .fact("parties", call.arguments.find_argument_value("parties", 0).map(source))
        .fact("waited_at", places(module, used(module, target, "wait").into_iter()))
        .fact("action", action.map(source))
        .fact("timeout", limit.map(source))
}

fn timer(site: &Site, call: &ast::ExprCall) -> Finding {
    let module = site.module;
    let runs = call.arguments.find_argument_value("function", 1).map(|function| passed(module, function));
    let delay = call.arguments.find_argument_value("interval", 0);
    Finding::new("threads/timer", call.func.range())
        .fact("delay", delay.map(|delay| Fact::from(module.source(delay))))
        .fact("runs_at", runs.as_ref().and_then(|runs| runs.place.clone()).map(Fact::from))
        .fact("runs", runs.map(|runs| Fact::from(runs.name)))
        .fact("started_at", Fact::from(calls_on(module, call.range(), "start")))
        .fact("cancelled_at", Fact::from(calls_on(module, call.range(), "cancel")))
}

/// A re-entrant lock: where a holder calls what takes it again.
fn rlock<'a>(site: &Site<'a, '_>, call: &ast::ExprCall, target: Option<&'a Expr>) -> Finding {
    let module = site.module;
    let taken = entered(module, target);
    let again = target.and_then(|target| {
        taken.iter().find_map(|(with, _)| {
            let inside = own_nodes(&with.body);
            calls(&inside).into_iter().find(|call| takes(module, call, target))
        })
    });
    let by = again.map(|call| Fact::from(module.source(&*call.func)));
    Finding::new("threads/rlock", call.func.range())
        .fact("taken_at", places(module, taken.iter().map(|(_, range)| *range)))
        .fact("again", by)
        .fact("again_at", again.and_then(|call| module.place(call.range())).map(Fact::from))
}

/// Whether a call calls a function of this file that takes the lock itself.
fn takes<'m>(module: &'m Module, call: &ast::ExprCall, lock: &'m Expr) -> bool {
    let Some(place) = module.called_function(call).and_then(|function| function.place) else { return false };
    if module.path() != Some(place.path.as_path()) {
        return false;
    }
    let def = path_to(module, place.range()).into_iter().rev().find_map(|node| match node {
        AnyNodeRef::StmtFunctionDef(def) => Some(def),
        _ => None,
    });
    def.is_some_and(|def| {
        own_nodes(&def.body).into_iter().any(|node| match node {
            AnyNodeRef::StmtWith(with) => with.items.iter().any(|item| is_same_lock(module, &item.context_expr, lock)),
            _ => false,
        })
    })
}
