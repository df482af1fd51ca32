//! A `task_done()` that an exception can pass by, on a queue that somebody joins.
//!
//! Silent when `task_done()` stands in a `finally`, when a handler that catches everything has one too, when nothing between
//! `get()` and `task_done()` may raise, when nobody calls `join()`,
//! and outside of loops and threads.

use ruff_python_ast::{AnyNodeRef, ExceptHandler, NodeKind, Operator, Stmt};

use super::nodes::{around, body_around, calls, own_nodes};
use super::queues::{Queue, called_on_queue};
use super::threads::thread_body;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::pages::Severity;
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["threads/task-done-skippable"], nodes: &[NodeKind::ExprCall], detect };

/// Calls that are taken not to raise.
const HARMLESS: &[&str] = &["builtins.print", "builtins.len", "builtins.str", "builtins.repr", "builtins.isinstance"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    let receiver = called_on_queue(module, call, "task_done")?;
    let queue = Queue::of(module, receiver);
    let joins = queue.places(module, &["join"]);
    let joined_at = joins.first()?;
    let nodes = own_nodes(body_around(module, call.range()));
    let frame = calls(&nodes);
    let on_queue = |name: &'static str| {
        let queue = &queue;
        frame.iter().filter(move |call| {
            called_on_queue(module, call, name)
                .is_some_and(|receiver| module.source(receiver) == written(module, queue))
        })
    };
    let is_worker = thread_body(module, call.range()).is_some() || is_in_loop(module, call.range());
    let get = on_queue("get").next().or_else(|| on_queue("get_nowait").next())?;
    let reports: Vec<TextRange> = on_queue("task_done").map(|call| call.range()).collect();
    if reports.first() != Some(&call.range()) || get.start() > call.start() {
        return None;
    }
    if !is_worker || reports.iter().any(|report| is_in_finally(module, *report)) || site.is_type_checking() {
        return None;
    }
    let between = TextRange::new(get.end(), call.start());
    let work = nodes.iter().find(|node| between.contains_range(node.range()) && may_raise(module, **node))?;
    let handler = covering_handler(module, work.range(), &reports);
    if let Some(Covered::ByAll) = handler {
        return None;
    }
    let mut finding = Finding::new("threads/task-done-skippable", call.range())
        .fact("queue", Fact::from(module.source(receiver)))
        .fact("joined_at", Fact::from(joined_at.clone()));
    finding = match handler {
        Some(Covered::ByException(range)) => finding
            .fact("handler_at", module.place(range).map(Fact::from))
            .fact("escapes", Fact::from("SystemExit"))
            .severity(Severity::Information),
        _ => finding
            .fact("escapes", Fact::from("Exception"))
            .fact("work", Fact::from(module.source(*work)))
            .fact("work_at", module.place(work.range()).map(Fact::from)),
    };
    findings.push(finding);
    Some(())
}

fn written<'m>(module: &'m Module, queue: &Queue<'m>) -> &'m str {
    module.source(queue.written)
}

/// Whether the worker's own work may raise here.
fn may_raise(module: &Module, node: AnyNodeRef) -> bool {
    match node {
        AnyNodeRef::ExprCall(call) => {
            let on_queue = ["put", "put_nowait", "task_done"];
            let is_harmless = module.callee(call).is_some_and(|symbol| symbol.is_any(HARMLESS));
            !is_harmless && !on_queue.iter().any(|name| called_on_queue(module, call, name).is_some())
        }
        AnyNodeRef::ExprBinOp(node) => matches!(node.op, Operator::Div | Operator::FloorDiv | Operator::Mod),
        AnyNodeRef::ExprSubscript(node) => node.ctx.is_load(),
        AnyNodeRef::StmtRaise(_) | AnyNodeRef::StmtAssert(_) => true,
        _ => false,
    }
}

fn is_in_loop(module: &Module, range: TextRange) -> bool {
    let frame = around(module, range).into_iter().take_while(|node| !matches!(node, AnyNodeRef::StmtFunctionDef(_)));
    frame.into_iter().any(|node| matches!(node, AnyNodeRef::StmtWhile(_) | AnyNodeRef::StmtFor(_)))
}

fn is_in_finally(module: &Module, range: TextRange) -> bool {
    around(module, range).into_iter().any(|node| match node {
        AnyNodeRef::StmtTry(statement) => super::nodes::holds(&statement.finalbody, range),
        _ => false,
    })
}

/// What happens to an exception of the work.
enum Covered {
    /// A handler for everything reports the item, or swallows the exception before a report that follows.
    ByAll,
    /// A handler for `Exception` reports it.
    ByException(TextRange),
}

/// The nearest `try` around the work, and what its handlers do.
fn covering_handler(module: &Module, work: TextRange, reports: &[TextRange]) -> Option<Covered> {
    let statement = around(module, work).into_iter().find_map(|node| match node {
        AnyNodeRef::StmtTry(statement) if super::nodes::holds(&statement.body, work) => Some(statement),
        _ => None,
    })?;
    statement.handlers.iter().find_map(|ExceptHandler::ExceptHandler(handler)| {
        let name = handler.type_.as_deref().map(|caught| module.symbol(caught).map(|symbol| symbol.to_string()));
        let catches_all =
            matches!(&name, None | Some(None)) || name.flatten().as_deref() == Some("builtins.BaseException");
        let catches_exceptions = handler
            .type_
            .as_deref()
            .and_then(|caught| module.symbol(caught))
            .is_some_and(|symbol| symbol.is("builtins.Exception"));
        if !catches_all && !catches_exceptions {
            return None;
        }
        let has_report = reports.iter().any(|report| handler.range().contains_range(*report));
        let goes_on = !handler.body.iter().any(|statement| {
            matches!(statement, Stmt::Raise(_) | Stmt::Return(_) | Stmt::Break(_) | Stmt::Continue(_))
        });
        let report_follows = reports.iter().any(|report| report.start() > statement.end());
        match (has_report, goes_on && report_follows) {
            (true, _) if catches_all => Some(Covered::ByAll),
            (true, _) => Some(Covered::ByException(handler.range())),
            (false, true) => Some(Covered::ByAll),
            _ => None,
        }
    })
}
