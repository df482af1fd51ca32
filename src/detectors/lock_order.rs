//! Two locks that code takes in both orders: each of two threads can hold what the other one waits for.
//!
//! Looks at `with` statements inside one another in the functions of one file, and, for locks of modules, at what the calls in
//! them take whatever happens. Silent where a third lock is held in both places, and for attributes of different objects.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::nodes::{all_nodes, holds, method, own_nodes};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{LockId, LockTaken, Module, Site};
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["threads/lock-order"], nodes: &[NodeKind::StmtWith], detect };

/// A lock that is taken while others are held.
struct Taken<'m, 's> {
    /// The lock in the `with`, or the expression that is called.
    range: TextRange,
    /// The lock as it is written in a `with`.
    expr: Option<&'m Expr>,
    id: LockId<'s>,
    /// What a called function takes.
    inside: Option<LockTaken>,
    /// Those held already, the outermost first.
    held: Vec<(&'m Expr, LockId<'s>)>,
}

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtWith(with) = site.node else { return None };
    let module = site.module;
    // By name first: most files make no lock, or one.
    let makes = |name: &str| module.calls_of(name).len();
    if with.is_async || makes("Lock") + makes("RLock") + makes("Condition") < 2 || site.is_type_checking() {
        return None;
    }
    let function = site.function()?;
    let mut told: Vec<TextRange> = vec![];
    for taken in takings(module, function).iter().filter(|taken| is_of(with, taken)) {
        for (outer, outer_id) in &taken.held {
            let Some((other, reversed)) = reversed(module, taken, outer, outer_id) else { continue };
            if told.contains(&taken.range) {
                break;
            }
            told.push(taken.range);
            let lock =
                taken.inside.as_ref().map_or_else(|| module.source(taken.range).to_string(), |it| it.lock.clone());
            let callee = taken.inside.as_ref().map(|_| Fact::from(module.source(taken.range)));
            findings.push(
                Finding::new("threads/lock-order", taken.range)
                    .fact("lock", Fact::from(lock))
                    .fact("callee", callee)
                    .fact("taken_at", taken.inside.as_ref().map(|inside| Fact::from(inside.place.clone())))
                    .fact("held", Fact::from(module.source(*outer)))
                    .fact("held_at", module.place(outer.range()).map(Fact::from))
                    .fact("other", Fact::from(other.name.as_str()))
                    .fact("reversed_at", module.place(reversed).map(Fact::from)),
            );
            break;
        }
    }
    Some(())
}

/// Whether `with` takes the lock, or is the innermost one around the call that does.
fn is_of(with: &ast::StmtWith, taken: &Taken) -> bool {
    match taken.expr {
        Some(expr) => with.items.iter().any(|item| item.context_expr.range() == expr.range()),
        None => {
            let last = taken.held.last().map(|(lock, _)| lock.range());
            with.items.iter().any(|item| Some(item.context_expr.range()) == last)
        }
    }
}

/// The place where a function of the file holds the lock that is taken here, and takes the one that is held here.
fn reversed<'m>(
    module: &'m Module,
    taken: &Taken,
    outer: &Expr,
    outer_id: &LockId,
) -> Option<(&'m ast::StmtFunctionDef, TextRange)> {
    if !is_one_object(module, (taken.expr, &taken.id), (Some(outer), outer_id)) {
        return None;
    }
    let guards = |held: &[(&Expr, LockId)]| -> Vec<bool> {
        taken.held.iter().map(|(_, id)| held.iter().any(|(_, other)| other == id)).collect()
    };
    all_nodes(&module.syntax().body).into_iter().find_map(|node| {
        let AnyNodeRef::StmtFunctionDef(function) = node else { return None };
        let found = takings(module, function).into_iter().find(|other| {
            other.id == *outer_id
                && other.held.iter().any(|(expr, id)| {
                    *id == taken.id && is_one_object(module, (other.expr, &other.id), (Some(expr), id))
                })
                && !guards(&other.held).contains(&true)
        })?;
        Some((function, found.range))
    })
}

/// Whether two locks belong to one object, or to the module.
fn is_one_object(
    module: &Module,
    (one, one_id): (Option<&Expr>, &LockId),
    (other, other_id): (Option<&Expr>, &LockId),
) -> bool {
    let owner = |expr: Option<&Expr>| {
        let attribute = expr?.as_attribute_expr()?;
        Some(module.source(&*attribute.value).to_string())
    };
    match (one_id.is_of_object(), other_id.is_of_object()) {
        (false, false) => true,
        (true, true) => owner(one).is_some() && owner(one) == owner(other) && one_id != other_id,
        _ => false,
    }
}

/// The locks that the `with` statements of a function, and the calls in them, take while they hold others.
fn takings<'m, 's>(module: &Module<'s>, function: &'m ast::StmtFunctionDef) -> Vec<Taken<'m, 's>> {
    let nodes = own_nodes(&function.body);
    let is_release = |node: &AnyNodeRef| matches!(node, AnyNodeRef::ExprCall(call) if method(call).is_some_and(|(_, name)| name == "release"));
    let blocks: Vec<&ast::StmtWith> = nodes
        .iter()
        .filter_map(|node| match node {
            AnyNodeRef::StmtWith(with) if !with.is_async => Some(*with),
            _ => None,
        })
        .collect();
    let locks = |with: &'m ast::StmtWith| {
        let items = with.items.iter().map(|item| &item.context_expr).filter(|expr| !expr.is_call_expr());
        items.filter_map(|expr| Some((expr, module.lock_id(expr)?))).collect::<Vec<_>>()
    };
    if blocks.is_empty() || nodes.iter().any(is_release) {
        return vec![];
    }
    let mut found = vec![];
    for with in &blocks {
        let around = blocks.iter().filter(|outer| holds(&outer.body, with.range()));
        let mut held: Vec<_> = around.flat_map(|outer| locks(outer)).collect();
        for (expr, id) in locks(with) {
            if !held.is_empty() && !held.iter().any(|(_, other)| *other == id) {
                found.push(Taken {
                    range: expr.range(),
                    expr: Some(expr),
                    id: id.clone(),
                    inside: None,
                    held: held.clone(),
                });
            }
            held.push((expr, id));
        }
        // What an inner block takes counts for that one, which holds more.
        let inner = |range: TextRange| {
            blocks.iter().any(|other| {
                other.range() != with.range() && holds(&with.body, other.range()) && holds(&other.body, range)
            })
        };
        if held.iter().all(|(_, id)| id.is_of_object()) {
            continue;
        }
        for (range, id, inside) in module.certainly_taken_inside(function, with) {
            if !held.iter().any(|(_, other)| *other == id) && !inner(range) {
                found.push(Taken { range, expr: None, id, inside: Some(inside), held: held.clone() });
            }
        }
    }
    found
}
