//! `task.cancel()`: where the task is over, and who may refuse.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::nodes;
use super::suspension::{
    call_head, coroutine_function, frame, path_to, real_suspensions, suspensions, visit_frame, with_def,
};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Place, Ranged as _, TextRange, TextSize};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["asyncio/cancel-swallowed", "asyncio/task-cancel"],
    nodes: &[NodeKind::ExprCall, NodeKind::StmtTry],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let call = match site.node {
        AnyNodeRef::ExprCall(call) => call,
        AnyNodeRef::StmtTry(statement) => return swallows(site, statement, findings),
        _ => return None,
    };
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

/// A handler that ends the cancellation of the function it is in.
fn swallows(site: &Site, statement: &ast::StmtTry, findings: &mut Findings) -> Option<()> {
    let function = site.async_function()?;
    let module = site.module;
    let first = *real_suspensions(module, &statement.body).first()?;
    let handler = swallowing_handler(module, statement)?;
    // A function that cancels something expects a `CancelledError` from it, and so does one inside it, or one that throws it
    // into a generator; a task that was made elsewhere may be cancelled elsewhere.
    let is_canceller = |node: AnyNodeRef| match node {
        AnyNodeRef::StmtFunctionDef(around) => module.source(around).contains(".cancel"),
        _ => false,
    };
    let throws = statement.body.iter().any(|inner| module.source(inner).contains("CancelledError"));
    let cancels = throws
        || site.enclosing().any(is_canceller)
        || is_raised_later(module, function, &assigned(module, &handler.body));
    if cancels || !awaits_own_work(&statement.body) || site.is_type_checking() || belongs_to_twisted(module) {
        return None;
    }
    let (range, handled) = match &handler.type_ {
        Some(handled) => (handled.range(), module.source(&**handled)),
        None => (TextRange::at(handler.start(), TextSize::new(6)), "BaseException"),
    };
    findings.push(
        Finding::new("asyncio/cancel-swallowed", range)
            .fact("function", Fact::from(function.name.as_str()))
            .fact("handled", Fact::from(handled))
            .fact("await_at", module.place(first).map(Fact::from)),
    );
    Some(())
}

/// Whether a condition on one of `flags` raises in the function: what the handler noted is passed on later.
fn is_raised_later(module: &Module, function: &ast::StmtFunctionDef, flags: &[&str]) -> bool {
    let mut found = false;
    visit_frame(&function.body, &mut |node| {
        if let AnyNodeRef::StmtIf(branch) = node {
            let on_flag = ast::helpers::any_over_expr(&branch.test, |part| flags.contains(&module.source(part)));
            found |= on_flag && branch.body.iter().any(|statement| module.source(statement).contains("raise"));
        }
    });
    found
}

/// Whether the coroutines of this file run in Twisted, which has no tasks: its cancellation is an ordinary exception.
fn belongs_to_twisted(module: &Module) -> bool {
    let imports = |package: &str| {
        let is_it = |name: &str| name.split('.').next() == Some(package);
        nodes::all_nodes(&module.syntax().body).into_iter().any(|node| match node {
            AnyNodeRef::StmtImport(import) => import.names.iter().any(|alias| is_it(&alias.name)),
            AnyNodeRef::StmtImportFrom(import) => import.module.as_ref().is_some_and(|from| is_it(from)),
            _ => false,
        })
    };
    imports("twisted") && !imports("asyncio")
}

/// Whether `body` awaits more than tasks that have a name, with a limit of time or without.
fn awaits_own_work(body: &[Stmt]) -> bool {
    const ROUND_IT: &[&str] = &["shield", "wait_for"];
    let is_named = |awaited: &Expr| matches!(awaited, Expr::Name(_) | Expr::Attribute(_));
    let is_kept = |awaited: &Expr| {
        let Expr::Call(call) = awaited else { return is_named(awaited) };
        let name = match &*call.func {
            Expr::Name(callee) => callee.id.as_str(),
            Expr::Attribute(method) => method.attr.as_str(),
            _ => return false,
        };
        ROUND_IT.contains(&name) && call.arguments.args.first().is_some_and(is_named)
    };
    let mut own = false;
    visit_frame(body, &mut |node| {
        own |= match node {
            AnyNodeRef::ExprAwait(awaited) => !is_kept(&awaited.value),
            AnyNodeRef::StmtFor(statement) => statement.is_async,
            AnyNodeRef::StmtWith(statement) => statement.is_async,
            _ => false,
        };
    });
    own
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
        leaves |= keeps(&node, handler) || raises_later(module, &node, handler) || ends_elsewhere(&node);
    });
    leaves |= is_cleanup_before_raise(module, statement.range());
    // Within its own function: around it a loop comes again, or something follows it.
    let goes_on = path_to(module, statement.range()).into_iter().rev().find_map(|node| match node {
        AnyNodeRef::StmtFor(_) => Some(true),
        // A handler that ends the condition ends the loop.
        AnyNodeRef::StmtWhile(repeated) => {
            let is_in_test =
                |target: &&str| ast::helpers::any_over_expr(&repeated.test, |part| module.source(part) == *target);
            Some(!assigned(module, &handler.body).iter().any(is_in_test))
        }
        AnyNodeRef::StmtFunctionDef(def) => {
            let range = statement.range();
            let ends = is_at_the_end(&def.body, range) || (runs_out(&def.body, range) && is_task_body(module, def));
            Some(!ends)
        }
        _ => None,
    })?;
    (!leaves && goes_on).then_some(handler)
}

/// Whether the node stores the exception that `handler` caught, or gives it to a function that does more than tell of it: it
/// may be raised there, or later.
fn keeps(node: &AnyNodeRef, handler: &ast::ExceptHandlerExceptHandler) -> bool {
    const TELLS: &[&str] =
        &["format_exception", "getattr", "hasattr", "isinstance", "print", "print_exception", "repr", "str", "type"];
    let Some(name) = &handler.name else { return false };
    let is_it = |value: &Expr| value.as_name_expr().is_some_and(|read| read.id == name.id);
    match node {
        AnyNodeRef::StmtAssign(assign) => is_it(&assign.value),
        AnyNodeRef::StmtAnnAssign(assign) => assign.value.as_deref().is_some_and(is_it),
        AnyNodeRef::ExprCall(call) => {
            let tells = match &*call.func {
                Expr::Name(callee) => TELLS.contains(&callee.id.as_str()),
                Expr::Attribute(method) => TELLS.contains(&method.attr.as_str()) || is_log(call),
                _ => false,
            };
            let named = call.arguments.keywords.iter().map(|keyword| &keyword.value);
            !tells && call.arguments.args.iter().chain(named).any(is_it)
        }
        _ => false,
    }
}

/// Whether the node ends the program, or hands what is being handled to a future.
fn ends_elsewhere(node: &AnyNodeRef) -> bool {
    const ENDS: &[&str] = &["_exit", "abort", "exit", "quit", "set_exception"];
    let AnyNodeRef::ExprCall(call) = node else { return false };
    let name = match &*call.func {
        Expr::Name(callee) => callee.id.as_str(),
        Expr::Attribute(method) => method.attr.as_str(),
        _ => return false,
    };
    ENDS.contains(&name)
}

/// Whether the node asks for what is being handled, in a function that raises something behind `handler`.
fn raises_later(module: &Module, node: &AnyNodeRef, handler: &ast::ExceptHandlerExceptHandler) -> bool {
    let AnyNodeRef::ExprCall(call) = node else { return false };
    module.calls(call, &["sys.exc_info", "sys.exception"])
        && nodes::function_around(module, handler.range()).is_some_and(|function| {
            let behind = |node: &AnyNodeRef| matches!(node, AnyNodeRef::StmtRaise(_)) && node.start() > handler.end();
            nodes::own_nodes(&function.body).iter().any(behind)
        })
}

/// Whether a call writes to a log: `logger.info(…)`, `self._log.exception(…)`.
fn is_log(call: &ast::ExprCall) -> bool {
    const LEVELS: &[&str] = &["critical", "debug", "error", "exception", "info", "log", "trace", "warn", "warning"];
    let Some((receiver, level)) = nodes::method(call) else { return false };
    let receiver = match receiver {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return false,
    };
    LEVELS.contains(&level) && receiver.to_lowercase().contains("log")
}

/// Whether the statement at `range` is part of a handler that raises in the end, or of a `finally`: there, what ends the task
/// is under way already.
pub(super) fn is_cleanup_before_raise(module: &Module, range: TextRange) -> bool {
    path_to(module, range).into_iter().rev().take_while(|node| !matches!(node, AnyNodeRef::StmtFunctionDef(_))).any(
        |node| match node {
            AnyNodeRef::ExceptHandlerExceptHandler(around) => matches!(around.body.last(), Some(Stmt::Raise(_))),
            AnyNodeRef::StmtTry(around) => nodes::holds(&around.finalbody, range),
            _ => false,
        },
    )
}

/// Whether the file calls the function only to make tasks of it: where it ends, its task ends.
fn is_task_body(module: &Module, def: &ast::StmtFunctionDef) -> bool {
    const MAKERS: &[&str] = &["create_task", "ensure_future", "start_soon"];
    let makes_task = |call: &&ast::ExprCall| {
        path_to(module, call.range()).into_iter().rev().nth(2).is_some_and(|around| match around {
            AnyNodeRef::ExprCall(maker) => match &*maker.func {
                Expr::Name(callee) => MAKERS.contains(&callee.id.as_str()),
                Expr::Attribute(method) => MAKERS.contains(&method.attr.as_str()),
                _ => false,
            },
            _ => false,
        })
    };
    let calls = module.calls_of(&def.name);
    !calls.is_empty() && calls.iter().all(makes_task)
}

/// Whether neither a loop, in which the function could go on, nor a result comes behind the statement at `range`.
fn runs_out(body: &[Stmt], range: TextRange) -> bool {
    let mut goes_on = false;
    visit_frame(body, &mut |node| {
        goes_on |= node.start() > range.end()
            && match node {
                AnyNodeRef::StmtFor(_) | AnyNodeRef::StmtWhile(_) => true,
                AnyNodeRef::StmtReturn(returned) => returned.value.is_some(),
                _ => false,
            };
    });
    !goes_on
}

/// The targets of the assignments in `body`, as written.
fn assigned<'m>(module: &'m Module, body: &'m [Stmt]) -> Vec<&'m str> {
    let mut found = vec![];
    visit_frame(body, &mut |node| {
        if let AnyNodeRef::StmtAssign(assign) = node {
            found.extend(assign.targets.iter().map(|target| module.source(target)));
        }
    });
    found
}

/// Whether a call lets go of something: `transport.close()`.
fn is_close(call: &ast::ExprCall) -> bool {
    call.arguments.is_empty() && nodes::method(call).is_some_and(|(_, name)| matches!(name, "abort" | "close" | "stop"))
}

/// Whether a statement does no more than to set a name or an attribute to a constant, to write to a log, to close something, or
/// to return what is there already.
fn is_bookkeeping(statement: &Stmt) -> bool {
    match statement {
        Stmt::Assign(assign) => assign.value.is_literal_expr(),
        Stmt::Return(returned) => returned
            .value
            .as_deref()
            .is_none_or(|value| matches!(value, Expr::NoneLiteral(_) | Expr::Name(_) | Expr::Attribute(_))),
        Stmt::Expr(statement) => statement.value.as_call_expr().is_some_and(|call| is_log(call) || is_close(call)),
        Stmt::If(branch) => branch.elif_else_clauses.is_empty() && branch.body.iter().all(is_bookkeeping),
        Stmt::Pass(_) => true,
        _ => false,
    }
}

/// Whether nothing in `body` runs behind the statement at `range`, but cleanup.
fn is_at_the_end(body: &[Stmt], range: TextRange) -> bool {
    let last = body.iter().rev().find(|statement| !is_bookkeeping(statement));
    let Some(last) = last.filter(|last| last.range().contains_range(range)) else { return false };
    if last.range() == range {
        return true;
    }
    let holds = |block: &[Stmt]| is_at_the_end(block, range);
    match last {
        Stmt::With(with) => holds(&with.body),
        Stmt::If(branch) => holds(&branch.body) || branch.elif_else_clauses.iter().any(|clause| holds(&clause.body)),
        Stmt::Try(around) => {
            let in_handler =
                |handler: &ast::ExceptHandler| handler.as_except_handler().is_some_and(|handler| holds(&handler.body));
            (around.orelse.is_empty() && holds(&around.body))
                || holds(&around.orelse)
                || holds(&around.finalbody)
                || around.handlers.iter().any(in_handler)
        }
        _ => false,
    }
}
