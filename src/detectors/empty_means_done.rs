//! A worker that takes `queue.Empty` after a timeout for the end of the work.
//!
//! Silent when the handler goes on with the loop, when the function is not seen to run on a thread, and for `get_nowait`,
//! which drains what is there.

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind, Stmt};

use super::nodes::{body_around, calls, function_around, method, own_nodes};
use super::queues::{Queue, Wait, called_on_queue, queue_class, wait};
use super::threads::{thread_body, thread_class};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::pages::Severity;
use crate::text::{Place, Ranged, TextRange};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["threads/empty-means-done"], nodes: &[NodeKind::StmtTry], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtTry(statement) = site.node else { return None };
    let module = site.module;
    let handler = statement.handlers.iter().find_map(|handler| {
        let handler = handler.as_except_handler()?;
        let caught = handler.type_.as_deref()?;
        module.is_symbol(caught, "queue.Empty").then_some((handler, caught))
    });
    let (handler, caught) = handler?;
    let end = handler.body.iter().find(|statement| matches!(statement, Stmt::Break(_) | Stmt::Return(_)))?;
    let body = calls(&own_nodes(&statement.body));
    let (get, receiver) = body.iter().find_map(|call| Some((*call, called_on_queue(module, call, "get")?)))?;
    let Wait::AtMost(timeout) = wait(get)? else { return None };
    let function = site.function()?;
    let is_in_loop = site.enclosing().take_while(|node| node.range() != function.range());
    if !is_in_loop.into_iter().any(|node| matches!(node, AnyNodeRef::StmtWhile(_))) || site.is_type_checking() {
        return None;
    }
    thread_body(module, statement.range())?;
    let queue = Queue::of(module, receiver);
    let filled = filled_before_start(module, &queue);
    let is_shown = !queue.places(module, &["put", "put_nowait"]).is_empty();
    let work = body.iter().find(|call| call.start() > get.end() && is_work(module, call));
    let joined_at = queue.places(module, &["join"]).into_iter().next().filter(|_| filled.is_none());
    let mut finding = Finding::new("threads/empty-means-done", TextRange::new(handler.start(), caught.end()))
        .fact("queue", Fact::from(module.source(receiver)))
        .fact("timeout", Fact::from(module.source(timeout)))
        .fact("ends_at", module.place(end.range()).map(Fact::from))
        .fact("joined_at", joined_at.map(Fact::from))
        .fact("work", work.map(|call| Fact::from(module.source(*call))))
        .fact("work_at", work.and_then(|call| module.place(call.range())).map(Fact::from));
    if filled.is_some() || !is_shown {
        finding = finding.severity(Severity::Hint);
    }
    findings.push(finding.fact("filled_at", filled.map(Fact::from)));
    Some(())
}

/// Whether a call may be the worker's own work, and so raise anything.
fn is_work(module: &Module, call: &ast::ExprCall) -> bool {
    let is_library = module.callee(call).is_some_and(|symbol| symbol.is_any(&["builtins.print", "builtins.len"]));
    !is_library && method(call).is_none_or(|(receiver, _)| queue_class(module, receiver).is_none())
}

/// The place of the last `put`, when all of them stand before the first `start()` of a thread, in one function and in
/// other loops.
fn filled_before_start(module: &Module, queue: &Queue) -> Option<Place> {
    let puts = [queue.calls(module, "put"), queue.calls(module, "put_nowait")].concat();
    let first = puts.first()?;
    let function = function_around(module, first.range()).map(Ranged::range);
    let body = body_around(module, first.range());
    let start = calls(&own_nodes(body)).into_iter().find(|call| {
        method(call).is_some_and(|(receiver, name)| name == "start" && thread_class(module, receiver).is_some())
    })?;
    let statement_of = |range: TextRange| body.iter().position(|statement| statement.range().contains_range(range));
    let started = statement_of(start.range())?;
    let is_before = |put: &&ast::ExprCall| {
        function_around(module, put.range()).map(Ranged::range) == function
            && statement_of(put.range()).is_some_and(|index| index < started)
    };
    if !puts.iter().all(is_before) {
        return None;
    }
    module.place(puts.iter().max_by_key(|put| put.start())?.range())
}
