//! `task.cancel()`: where the task is over, and who may refuse.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::suspension::{call_head, coroutine_function, frame, path_to, suspensions, visit_frame, with_def};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["asyncio/task-cancel"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let method = call.func.as_attribute_expr().filter(|method| method.attr.as_str() == "cancel")?;
    let module = site.module;
    if !module.class_name(&method.value)?.is("asyncio.Task") {
        return None;
    }
    let finding = Finding::new("asyncio/task-cancel", call.func.range())
        .fact("task", Fact::from(module.source(&*method.value)))
        .fact("awaited_at", awaited_after(site, &method.value).map(Fact::from));
    findings.push(match coroutine_of(module, &method.value) {
        Some(coroutine) => finding
            .fact("coroutine", Fact::from(call_head(module, coroutine)))
            .fact("swallowed_at", swallowed(module, coroutine).map(Fact::from)),
        None => finding,
    });
    Some(())
}

/// The first `await` behind the call that mentions the task.
fn awaited_after(site: &Site, task: &Expr) -> Option<Place> {
    let module = site.module;
    let source = module.source(task);
    let mut found = None;
    visit_frame(frame(site), &mut |node| {
        if let AnyNodeRef::ExprAwait(awaited) = node
            && found.is_none()
            && awaited.start() > site.node.end()
            && ast::helpers::any_over_expr(&awaited.value, |part| module.source(part) == source)
        {
            found = module.place(awaited.range());
        }
    });
    found
}

/// `work()` for a task made by `create_task(work())`, where that is the only task in sight.
fn coroutine_of<'m>(module: &'m Module, task: &'m Expr) -> Option<&'m ast::ExprCall> {
    let [Expr::Call(made)] = module.origins(task).as_slice() else { return None };
    const MAKERS: &[&str] =
        &["asyncio.AbstractEventLoop.create_task", "asyncio.TaskGroup.create_task", "asyncio.create_task"];
    let is_made = module.callee(made).is_some_and(|symbol| symbol.is_any(MAKERS));
    made.arguments.args.first().filter(|_| is_made)?.as_call_expr()
}

/// Where the coroutine catches the cancellation of an `await` and goes on.
fn swallowed(module: &Module, coroutine: &ast::ExprCall) -> Option<Place> {
    let function = coroutine_function(module, &coroutine.func)?;
    with_def(module, &function, |module, def| {
        let mut found = None;
        visit_frame(&def.body, &mut |node| {
            if let AnyNodeRef::StmtTry(statement) = node
                && found.is_none()
                && !suspensions(&statement.body).is_empty()
            {
                found = swallowing_handler(module, statement).and_then(|handler| module.place(handler.range()));
            }
        });
        found
    })?
}

/// The handler that gets a `CancelledError`, if it neither raises nor leaves the function.
fn swallowing_handler<'a>(module: &Module, statement: &'a ast::StmtTry) -> Option<&'a ast::ExceptHandlerExceptHandler> {
    const CANCELLED: &[&str] = &["asyncio.CancelledError", "builtins.BaseException"];
    let handler = statement.handlers.iter().find_map(|handler| {
        let handler = handler.as_except_handler()?;
        let catches = handler.type_.is_none() || super::suspension::handles(module, handler, CANCELLED);
        catches.then_some(handler)
    })?;
    let mut leaves = false;
    visit_frame(&handler.body, &mut |node| {
        leaves |= matches!(node, AnyNodeRef::StmtRaise(_) | AnyNodeRef::StmtReturn(_) | AnyNodeRef::StmtBreak(_));
    });
    // A handler at the very end of the function lets the task end as well.
    let goes_on = path_to(module, statement.range()).iter().any(|node| {
        matches!(node, AnyNodeRef::StmtWhile(_) | AnyNodeRef::StmtFor(_))
            || matches!(node, AnyNodeRef::StmtFunctionDef(def) if !is_last(&def.body, statement))
    });
    (!leaves && goes_on).then_some(handler)
}

fn is_last(body: &[Stmt], statement: &ast::StmtTry) -> bool {
    body.last().is_some_and(|last| last.range() == statement.range())
}
