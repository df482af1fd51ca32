//! A change inside of what a manager's dictionary or list holds: it is made to a copy, and the manager never hears of it.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::nodes::{all_nodes, method};
use super::process_queue::CHANGES;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["processes/lost-in-copy"], nodes: &[NodeKind::ExprCall, NodeKind::ExprSubscript], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let module = site.module;
    // `shared["key"].append(1)`, `shared["key"]["other"] = 1`
    let (inner, range) = match site.node {
        AnyNodeRef::ExprCall(call) => {
            let (receiver, name) = method(call)?;
            (CHANGES.contains(&name).then_some(receiver)?.as_subscript_expr()?, call.func.range())
        }
        AnyNodeRef::ExprSubscript(outer) if outer.ctx.is_store() || outer.ctx.is_del() => {
            (outer.value.as_subscript_expr()?, outer.range())
        }
        _ => return None,
    };
    if !module.may_use_package("multiprocessing") || site.is_type_checking() {
        return None;
    }
    let shared = inner.value.as_name_expr()?;
    let made = made_by_manager(module, &inner.value)?;
    // What is stored may be a proxy itself: then the change does arrive.
    let plain = made.arguments.iter_source_order().all(|argument| is_plain(argument.value()));
    if !plain || !stores_plain_values(module, made.range()) {
        return None;
    }
    findings.push(
        Finding::new("processes/lost-in-copy", range)
            .fact("code", Fact::from(module.source(site.node)))
            .fact("item", Fact::from(module.source(inner)))
            .fact("shared", Fact::from(shared.id.as_str()))
            .fact("made_at", module.place(made.range()).map(Fact::from)),
    );
    Some(())
}

/// The call `manager.dict()` or `manager.list()` that makes what `expr` refers to.
fn made_by_manager<'m>(module: &'m Module, expr: &'m Expr) -> Option<&'m ast::ExprCall> {
    let [Expr::Call(made)] = *module.origins(expr) else { return None };
    let (manager, name) = method(made)?;
    let class = matches!(name, "dict" | "list").then(|| module.receiver_class(manager))??;
    class.mro().iter().any(|base| base.symbol().last() == "BaseManager").then_some(made)
}

/// Whether every value that this file stores in the proxy made at `made` is seen to be an ordinary object.
fn stores_plain_values(module: &Module, made: TextRange) -> bool {
    all_nodes(&module.syntax().body).into_iter().all(|node| {
        let (target, value) = match node {
            AnyNodeRef::StmtAssign(ast::StmtAssign { targets, value, .. }) => match targets.as_slice() {
                [Expr::Subscript(target)] => (&*target.value, &**value),
                _ => return true,
            },
            AnyNodeRef::ExprCall(call) => match method(call) {
                Some((receiver, "append" | "insert" | "setdefault" | "update" | "extend"))
                    if receiver.is_name_expr() =>
                {
                    let plain = call.arguments.iter_source_order().all(|argument| is_plain(argument.value()));
                    return plain || made_by_manager(module, receiver).is_none_or(|other| other.range() != made);
                }
                _ => return true,
            },
            _ => return true,
        };
        is_plain(value) || made_by_manager(module, target).is_none_or(|other| other.range() != made)
    })
}

/// A literal, a display, or a call of a builtin container.
fn is_plain(expr: &Expr) -> bool {
    match expr {
        Expr::List(list) => list.elts.iter().all(is_plain),
        Expr::Tuple(tuple) => tuple.elts.iter().all(is_plain),
        Expr::Dict(dict) => dict.items.iter().all(|item| is_plain(&item.value)),
        Expr::Call(call) => {
            let builtin =
                call.func.as_name_expr().is_some_and(|name| ["dict", "list", "set"].contains(&name.id.as_str()));
            builtin && call.arguments.is_empty()
        }
        Expr::Set(_) => true,
        _ => expr.is_literal_expr(),
    }
}
