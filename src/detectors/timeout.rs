//! `asyncio.timeout`: what it can interrupt, and who sees which exception.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Number};

use super::coroutine_function::blocking_call;
use super::suspension::{around, handles, is_in, real_suspensions, visit_frame};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["asyncio/timeout", "asyncio/timeout-not-entered"], nodes: &[NodeKind::ExprCall], detect };

const TIMEOUT_ERROR: &[&str] = &["asyncio.TimeoutError", "builtins.TimeoutError"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    let symbol = site.callee_among(call, &["asyncio.timeout", "asyncio.timeout_at"])?;
    if let Some(AnyNodeRef::StmtExpr(_)) = site.parent() {
        let call = Fact::from(module.source(call));
        findings.push(Finding::new("asyncio/timeout-not-entered", site.node.range()).fact("call", call));
    }
    let delay = call.arguments.find_argument_value("delay", 0).filter(|_| symbol.is("asyncio.timeout"));
    if is_without_limit(call) {
        return Some(());
    }
    // A deadline that is moved is not the one that was set.
    let is_moved = !module.calls_of("reschedule").is_empty();
    let function = site.function();
    let finding = Finding::new("asyncio/timeout", call.func.range())
        .fact(
            "deadline",
            delay.filter(|delay| !is_moved && is_positive(delay)).map(|delay| Fact::from(module.source(delay))),
        )
        .fact("function", function.map(|function| Fact::from(function.name.as_str())));
    let with = around(site).find_map(|node| match node {
        AnyNodeRef::StmtWith(with) if with.is_async && !is_in(&with.body, call.range()) => Some(with),
        _ => None,
    });
    let Some(with) = with else {
        findings.push(finding);
        return Some(());
    };
    let finding = match real_suspensions(module, &with.body).first() {
        Some(first) => finding.fact("first_await_at", module.place(*first).map(Fact::from)),
        None => finding.fact("no_await", function.map(|function| Fact::from(function.name.as_str()))),
    };
    let finding = match blocking_call(site, &with.body) {
        Some((callee, at)) => finding.fact("blocking_call", Fact::from(callee)).fact("blocking_at", at.map(Fact::from)),
        None => finding,
    };
    findings.push(
        finding
            .fact("caught_at", caught(site, with).and_then(|at| module.place(at)).map(Fact::from))
            .fact("inside_at", handled_inside(site, with).and_then(|at| module.place(at)).map(Fact::from)),
    );
    Some(())
}

/// `asyncio.timeout(None)` and `timeout_at(None)`: no deadline, until one is set by `reschedule`.
pub(super) fn is_without_limit(call: &ast::ExprCall) -> bool {
    let first = call.arguments.iter_source_order().next();
    first.is_some_and(|argument| argument.value().is_none_literal_expr())
}

fn is_positive(delay: &Expr) -> bool {
    match delay {
        Expr::NumberLiteral(number) => match &number.value {
            Number::Int(value) => value.as_u64().is_some_and(|value| value > 0),
            Number::Float(value) => *value > 0.0,
            Number::Complex { .. } => false,
        },
        _ => false,
    }
}

/// The nearest handler of `TimeoutError` around the block.
fn caught(site: &Site, with: &ast::StmtWith) -> Option<TextRange> {
    around(site).find_map(|node| match node {
        AnyNodeRef::StmtTry(statement) if is_in(&statement.body, with.range()) => timeout_handler(site, statement),
        _ => None,
    })
}

/// A handler of `TimeoutError` inside the block, around code that raises none of its own.
fn handled_inside(site: &Site, with: &ast::StmtWith) -> Option<TextRange> {
    let mut found = None;
    visit_frame(&with.body, &mut |node| {
        if let AnyNodeRef::StmtTry(statement) = node
            && found.is_none()
            && !may_time_out(site, statement)
        {
            found = timeout_handler(site, statement);
        }
    });
    found
}

fn timeout_handler(site: &Site, statement: &ast::StmtTry) -> Option<TextRange> {
    let handler = statement.handlers.iter().find_map(|handler| {
        let handler = handler.as_except_handler()?;
        handles(site.module, handler, TIMEOUT_ERROR).then_some(handler)
    })?;
    Some(handler.range())
}

/// Whether the body of a `try` calls anything but asyncio's plain waits: such a call may raise `TimeoutError` itself.
fn may_time_out(site: &Site, statement: &ast::StmtTry) -> bool {
    let mut may = false;
    visit_frame(&statement.body, &mut |node| {
        if let AnyNodeRef::ExprCall(call) = node {
            const SILENT: &[&str] = &["asyncio.Event.wait", "asyncio.Queue.get", "asyncio.Queue.put", "asyncio.sleep"];
            may |= !site.module.callee(call).is_some_and(|symbol| symbol.is_any(SILENT));
        }
    });
    may
}
