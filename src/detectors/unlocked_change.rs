//! `self.total += n` in a method that runs on a thread, while another one changes the same attribute: no lock orders them.
//!
//! Speaks of numbers and texts only, which are replaced by the assignment; silent wherever something that looks like a lock is
//! held, here or around a call of the method.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::nodes::{all_nodes, around, holds, method, own_nodes};
use super::threads::is_first_parameter;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, RunElsewhere, Runner, Site};
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["threads/unlocked-change"], nodes: &[NodeKind::StmtAugAssign], detect };

/// What an assignment replaces, so that two of them lose one.
const REPLACED: &[&str] =
    &["builtins.bool", "builtins.bytes", "builtins.float", "builtins.int", "builtins.str", "builtins.tuple"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtAugAssign(change) = site.node else { return None };
    let module = site.module;
    let function = site.function()?;
    if !site.is_asked(change.range()) || function.is_async || site.is_type_checking() {
        return None;
    }
    let places = match &*change.target {
        Expr::Attribute(target) => {
            if !is_first_parameter(function, target.value.as_name_expr()?) {
                return None;
            }
            let class = site.class()?;
            let methods: Vec<_> = class.body.iter().filter_map(Stmt::as_function_def_stmt).collect();
            methods.into_iter().filter(|method| method.name.as_str() != "__init__").collect::<Vec<_>>()
        }
        Expr::Name(name) if is_global(function, &name.id) => all_nodes(&module.syntax().body)
            .into_iter()
            .filter_map(|node| match node {
                AnyNodeRef::StmtFunctionDef(def) if is_global(def, &name.id) => Some(def),
                _ => None,
            })
            .collect(),
        _ => return None,
    };
    let written = module.source(&*change.target);
    if !holds_replaced(site, &change.target, written) || is_guarded(module, function, change.range()) {
        return None;
    }
    let here = on_thread(module, function);
    if called_under_lock(module, function) || waits_for_threads(function) {
        return None;
    }
    let calls_own = here.as_ref().and_then(|run| called_plainly(module, function, run));
    let several = here.as_ref().filter(|run| run.steps.is_empty() && is_shared_out(&run.callee));
    let other =
        places.iter().copied().filter(|other| other.range() != function.range() && !other.is_async).find_map(|other| {
            let (at, value) = changed_in(module, other, written)?;
            let there = on_thread(module, other);
            let is_apart = match (&here, &there) {
                (None, None) => false,
                (Some(here), Some(there)) => here.entry != there.entry || is_shared_out(&here.callee),
                _ => true,
            };
            let is_alone = called_under_lock(module, other) || waits_for_threads(other);
            (is_apart && !is_alone).then_some((other, at, value, there))
        });
    // Both changes have to be of that kind.
    let reads_on = |value: &Expr| match value {
        Expr::BinOp(sum) => {
            [&*sum.left, &*sum.right].into_iter().all(|side| is_plain(module, side) || module.source(side) == written)
        }
        _ => is_plain(module, value),
    };
    let is_close = is_plain(module, &change.value) && other.as_ref().is_none_or(|(_, _, value, _)| reads_on(value));
    let finding = Finding::new("threads/unlocked-change", change.target.range())
        .fact(if is_close { "halves_close" } else { "halves_apart" }, Fact::from(written))
        .fact("state", Fact::from(written))
        .fact("function", Fact::from(function.name.as_str()))
        .fact("window", window(module, &change.value).map(|call| Fact::from(module.source(call))))
        .fact("no_window", is_close.then(|| Fact::from(module.source(change))));
    let finding = on(finding, here.as_ref(), ("thread_at", "thread_class"));
    findings.push(match (other, calls_own, several) {
        (Some((def, at, _, there)), ..) => on(finding, there.as_ref(), ("other_thread_at", "other_thread_class"))
            .fact("other", Fact::from(def.name.as_str()))
            .fact("other_at", module.place(at).map(Fact::from)),
        (None, Some(called), _) => finding.fact("called_at", module.place(called).map(Fact::from)),
        (None, None, Some(run)) => finding.fact("pool_call", Fact::from(run.callee.as_str())),
        (None, None, None) => return None,
    });
    Some(())
}

/// Which thread it is: where that is made, or the class whose objects run the function.
fn on(finding: Finding, run: Option<&RunElsewhere>, (place, class): (&'static str, &'static str)) -> Finding {
    match run {
        Some(run) if run.by_class => finding.fact(class, Fact::from(run.callee.as_str())),
        Some(run) => finding.fact(place, Fact::from(run.place.clone())),
        None => finding,
    }
}

/// A call of the function in this file by code that is not seen to run on a thread.
fn called_plainly(module: &Module, function: &ast::StmtFunctionDef, run: &RunElsewhere) -> Option<TextRange> {
    let def = module.place(function.name.range())?;
    if !run.steps.is_empty() {
        return None;
    }
    module.calls_of(&function.name).into_iter().map(|call| call.func.range()).find(|range| {
        let call = around(module, *range).into_iter().find_map(|node| match node {
            AnyNodeRef::ExprCall(call) if call.func.range() == *range => Some(call),
            _ => None,
        });
        let is_it = call.and_then(|call| module.called_function(call)?.place).is_some_and(|place| place == def);
        let by_main = match super::nodes::function_around(module, *range) {
            Some(caller) => on_thread(module, caller).is_none() && !waits_for_threads(caller),
            None => !own_nodes(&module.syntax().body).into_iter().any(is_wait),
        };
        is_it && by_main
    })
}

/// Whether the function waits for something to end: what it changes then is perhaps its own again.
fn waits_for_threads(function: &ast::StmtFunctionDef) -> bool {
    own_nodes(&function.body).into_iter().any(is_wait)
}

fn is_wait(node: AnyNodeRef) -> bool {
    let AnyNodeRef::ExprCall(call) = node else { return false };
    method(call).is_some_and(|(receiver, name)| match name {
        "join" => !receiver.is_string_literal_expr(),
        "result" | "shutdown" => true,
        _ => false,
    })
}

/// Whether the target holds what an assignment replaces: by its type, or by what it is set to first.
fn holds_replaced(site: &Site, target: &Expr, written: &str) -> bool {
    if let Some(class) = site.module.class_of(target) {
        return class.symbol().is_any(REPLACED);
    }
    let body = match (target, site.class()) {
        (Expr::Attribute(_), Some(class)) => class
            .body
            .iter()
            .filter_map(Stmt::as_function_def_stmt)
            .find(|method| method.name.as_str() == "__init__")
            .map(|init| &init.body),
        (Expr::Name(_), _) => Some(&site.module.syntax().body),
        _ => None,
    };
    body.into_iter().flatten().any(|statement| match statement {
        Stmt::Assign(assign) => {
            matches!(assign.targets.as_slice(), [first] if site.module.source(first) == written)
                && matches!(*assign.value, Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::BytesLiteral(_))
        }
        _ => false,
    })
}

fn is_shared_out(callee: &str) -> bool {
    callee.ends_with(".submit") || callee.ends_with(".map")
}

fn on_thread(module: &Module, function: &ast::StmtFunctionDef) -> Option<RunElsewhere> {
    module.runs_elsewhere(function).filter(|run| run.runner == Runner::Thread)
}

fn is_global(function: &ast::StmtFunctionDef, name: &str) -> bool {
    own_nodes(&function.body).into_iter().any(|node| match node {
        AnyNodeRef::StmtGlobal(global) => global.names.iter().any(|other| other.as_str() == name),
        _ => false,
    })
}

/// A call between the read and the write, during which other threads run.
fn window<'e>(module: &Module, value: &'e Expr) -> Option<&'e ast::ExprCall> {
    let call = value.as_call_expr()?;
    module.called_function(call).map(|_| call)
}

/// Whether nothing is called to work out the value and to add it: an object of another class, such as a `Fraction`, runs
/// Python code for that.
fn is_plain(module: &Module, value: &Expr) -> bool {
    match value {
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) => true,
        Expr::Name(_) => module.class_of(value).is_some_and(|class| class.symbol().is_any(REPLACED)),
        _ => false,
    }
}

/// Where a function changes the attribute or name without a lock, its value being part of the new one; and what works that
/// out.
fn changed_in<'e>(module: &Module, function: &'e ast::StmtFunctionDef, written: &str) -> Option<(TextRange, &'e Expr)> {
    own_nodes(&function.body).into_iter().find_map(|node| {
        let (range, value) = match node {
            AnyNodeRef::StmtAugAssign(change) if module.source(&*change.target) == written => {
                (change.range(), &*change.value)
            }
            AnyNodeRef::StmtAssign(assign) => match assign.targets.as_slice() {
                [target] if module.source(target) == written && module.source(&*assign.value).contains(written) => {
                    (assign.range(), &*assign.value)
                }
                _ => return None,
            },
            _ => return None,
        };
        (!is_guarded(module, function, range)).then_some((range, value))
    })
}

/// Whether a `with` statement that may be a lock's is around, or a lock is taken by call in the function.
fn is_guarded(module: &Module, function: &ast::StmtFunctionDef, range: TextRange) -> bool {
    let takes = own_nodes(&function.body).into_iter().any(
        |node| matches!(node, AnyNodeRef::ExprCall(call) if method(call).is_some_and(|(_, name)| name == "acquire")),
    );
    takes || !function.decorator_list.is_empty() || is_in_with(module, range)
}

fn is_in_with(module: &Module, range: TextRange) -> bool {
    around(module, range)
        .into_iter()
        .take_while(|node| !matches!(node, AnyNodeRef::StmtFunctionDef(_)))
        .any(|node| matches!(node, AnyNodeRef::StmtWith(with) if holds(&with.body, range)))
}

/// Whether a call of the function in this file stands inside a `with`, which may hold a lock for it.
fn called_under_lock(module: &Module, function: &ast::StmtFunctionDef) -> bool {
    module.calls_of(&function.name).into_iter().any(|call| {
        around(module, call.range())
            .into_iter()
            .any(|node| matches!(node, AnyNodeRef::StmtWith(with) if holds(&with.body, call.range())))
    })
}
