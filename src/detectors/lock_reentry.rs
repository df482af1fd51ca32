//! Code that holds a lock without an owner calls code that takes the same lock: it waits for itself.
//!
//! Follows a call on `self`, or of a function of this file, one step; a lock of a module through all functions and files. Silent
//! for `RLock`, and where the second taking stands under a condition.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::locks::{class_around, lock_made, lock_made_at, lock_statement};
use super::nodes::{around, is_generator, method, own_nodes};
use super::threads::is_first_parameter;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["threads/lock-reentry"], nodes: &[NodeKind::StmtWith], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtWith(with) = site.node else { return None };
    let module = site.module;
    let function = site.function()?;
    if site.is_type_checking() {
        return None;
    }
    for item in &with.items {
        let lock = &item.context_expr;
        far(module, function, with, lock, findings);
        let Some(kind) = kind(module, lock, with.is_async) else { continue };
        for node in own_nodes(&with.body) {
            let AnyNodeRef::ExprCall(call) = node else { continue };
            let Some(taken) = taken_by(module, call, lock, function) else { continue };
            findings.push(
                Finding::new("threads/lock-reentry", call.range())
                    .fact("lock", Fact::from(module.source(lock)))
                    .fact("kind", Fact::from(kind.as_str()))
                    .fact("callee", Fact::from(module.source(&*call.func)))
                    .fact("taken_at", module.place(taken).map(Fact::from))
                    .fact("held_at", module.place(lock.range()).map(Fact::from))
                    .fact("made_at", lock_made_at(module, lock).map(Fact::from)),
            );
        }
    }
    Some(())
}

/// The same for a module's lock that is taken again further away, or in another file.
fn far(module: &Module, function: &ast::StmtFunctionDef, with: &ast::StmtWith, lock: &Expr, findings: &mut Findings) {
    if with.is_async {
        return;
    }
    for (callee, taken) in module.retaken(function, with, lock) {
        let call = around(module, callee).into_iter().find_map(|node| match node {
            AnyNodeRef::ExprCall(call) if call.func.range() == callee => Some(call),
            _ => None,
        });
        // One that is near is found below, with where the lock is made.
        let Some(call) = call.filter(|call| taken_by(module, call, lock, function).is_none()) else { continue };
        findings.push(
            Finding::new("threads/lock-reentry", call.range())
                .fact("lock", Fact::from(module.source(lock)))
                .fact("kind", Fact::from(taken.kind))
                .fact("callee", Fact::from(module.source(callee)))
                .fact("taken_at", Fact::from(taken.place))
                .fact("held_at", module.place(lock.range()).map(Fact::from)),
        );
    }
}

/// The class of a lock that does not let its holder in again, when the lock is seen to be made as one.
fn kind(module: &Module, lock: &Expr, is_async: bool) -> Option<String> {
    let made = lock_made(module, lock)?;
    let wanted = if is_async { "asyncio.Lock" } else { "threading.Lock" };
    module.calls(made, &[wanted]).then(|| wanted.to_string())
}

/// Where the function that `call` calls takes `lock`, whatever happens.
fn taken_by(module: &Module, call: &ast::ExprCall, lock: &Expr, holder: &ast::StmtFunctionDef) -> Option<TextRange> {
    let callee = match method(call) {
        Some((receiver, name)) => {
            if !is_first_parameter(holder, receiver.as_name_expr()?) {
                return None;
            }
            let class = class_around(module, lock)?;
            class.body.iter().filter_map(Stmt::as_function_def_stmt).find(|function| function.name.as_str() == name)?
        }
        None => {
            let called = module.called_function(call)?;
            let place = called.place.filter(|place| module.path() == Some(place.path.as_path()))?;
            around(module, place.range()).into_iter().find_map(|node| match node {
                AnyNodeRef::StmtFunctionDef(function) => Some(function),
                _ => None,
            })?
        }
    };
    let is_awaited = matches!(around(module, call.range()).get(1), Some(AnyNodeRef::ExprAwait(_)));
    if !callee.decorator_list.is_empty() || callee.is_async != is_awaited || is_generator(callee) {
        return None;
    }
    taken_in(module, &callee.body, lock)
}

fn taken_in(module: &Module, body: &[Stmt], lock: &Expr) -> Option<TextRange> {
    body.iter().find_map(|statement| match statement {
        Stmt::With(with) => {
            let again = with.items.iter().map(|item| &item.context_expr).find(|expr| is_it(module, expr, lock));
            again.map(|expr| expr.range()).or_else(|| taken_in(module, &with.body, lock))
        }
        Stmt::Try(statement) => taken_in(module, &statement.body, lock),
        other => {
            let receiver = lock_statement(other, "acquire")?;
            is_it(module, receiver, lock).then(|| receiver.range())
        }
    })
}

fn is_it(module: &Module, one: &Expr, other: &Expr) -> bool {
    // `self` may be called otherwise in each method; the attribute and what makes it decide.
    let attribute = |expr: &Expr| expr.as_attribute_expr().map(|attribute| attribute.attr.to_string());
    let on_same = attribute(one) == attribute(other) && (attribute(one).is_none() || on_self(module, one));
    let made = |expr: &Expr| lock_made(module, expr).map(|call| call.range());
    on_same && made(one).is_some() && made(one) == made(other)
}

/// Whether the attribute is one of `self`.
fn on_self(module: &Module, expr: &Expr) -> bool {
    let name = expr.as_attribute_expr().and_then(|attribute| attribute.value.as_name_expr());
    let function = super::nodes::function_around(module, expr.range());
    matches!((name, function), (Some(name), Some(function)) if is_first_parameter(function, name))
}
