//! Two locks that code takes in both orders: each of two threads can hold what the other one waits for.
//!
//! Looks at `with` statements inside one another in the functions of one file. Silent where a third lock is held in both
//! places, and for attributes of different objects.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::nodes::{all_nodes, holds, method, own_nodes};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{LockId, Module, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["threads/lock-order"], nodes: &[NodeKind::StmtWith], detect };

/// A lock that is taken while others are held.
struct Taken<'m, 's> {
    expr: &'m Expr,
    id: LockId<'s>,
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
    let own = takings(module, function);
    for taken in
        own.iter().filter(|taken| with.items.iter().any(|item| item.context_expr.range() == taken.expr.range()))
    {
        for (outer, outer_id) in &taken.held {
            let Some((other, reversed)) = reversed(module, taken, outer, outer_id) else { continue };
            findings.push(
                Finding::new("threads/lock-order", taken.expr.range())
                    .fact("lock", Fact::from(module.source(taken.expr)))
                    .fact("held", Fact::from(module.source(*outer)))
                    .fact("held_at", module.place(outer.range()).map(Fact::from))
                    .fact("other", Fact::from(other.name.as_str()))
                    .fact("reversed_at", module.place(reversed.range()).map(Fact::from)),
            );
            break;
        }
    }
    Some(())
}

/// The place where a function of the file holds the lock that is taken here, and takes the one that is held here.
fn reversed<'m>(
    module: &'m Module,
    taken: &Taken,
    outer: &Expr,
    outer_id: &LockId,
) -> Option<(&'m ast::StmtFunctionDef, &'m Expr)> {
    if !is_one_object(module, (taken.expr, &taken.id), (outer, outer_id)) {
        return None;
    }
    let guards = |held: &[(&Expr, LockId)]| -> Vec<bool> {
        taken.held.iter().map(|(_, id)| held.iter().any(|(_, other)| other == id)).collect()
    };
    all_nodes(&module.syntax().body).into_iter().find_map(|node| {
        let AnyNodeRef::StmtFunctionDef(function) = node else { return None };
        let found = takings(module, function).into_iter().find(|other| {
            other.id == *outer_id
                && other
                    .held
                    .iter()
                    .any(|(expr, id)| *id == taken.id && is_one_object(module, (other.expr, &other.id), (expr, id)))
                && !guards(&other.held).contains(&true)
        })?;
        Some((function, found.expr))
    })
}

/// Whether two locks belong to one object, or to the module.
fn is_one_object(module: &Module, (one, one_id): (&Expr, &LockId), (other, other_id): (&Expr, &LockId)) -> bool {
    let owner = |expr: &Expr| expr.as_attribute_expr().map(|attribute| module.source(&*attribute.value).to_string());
    match (one_id.is_of_object(), other_id.is_of_object()) {
        (false, false) => true,
        (true, true) => owner(one).is_some() && owner(one) == owner(other) && one_id != other_id,
        _ => false,
    }
}

/// The locks that the `with` statements of a function take while they hold others.
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
    if blocks.iter().map(|with| with.items.len()).sum::<usize>() < 2 || nodes.iter().any(is_release) {
        return vec![];
    }
    let mut found = vec![];
    for with in &blocks {
        let around = blocks.iter().filter(|outer| holds(&outer.body, with.range()));
        let mut held: Vec<_> = around.flat_map(|outer| locks(outer)).collect();
        for (expr, id) in locks(with) {
            if !held.is_empty() && !held.iter().any(|(_, other)| *other == id) {
                found.push(Taken { expr, id: id.clone(), held: held.clone() });
            }
            held.push((expr, id));
        }
    }
    found
}
