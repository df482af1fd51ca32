//! A worker whose handler drops a failed item: the queue of results gets nothing for it.
//!
//! Silent when the handler does anything but print, log, report the item as done, and go on.

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind, Stmt};

use super::nodes::{body_around, calls, method, own_nodes};
use super::queues::{Queue, called_on_queue, queue_class};
use super::threads::thread_body;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Ranged as _, TextLen as _, TextRange};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["threads/failed-item-lost"], nodes: &[NodeKind::StmtTry], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtTry(statement) = site.node else { return None };
    let module = site.module;
    let put = calls(&own_nodes(&statement.body)).into_iter().find_map(|call| {
        let item = call.arguments.find_argument_value("item", 0)?;
        let receiver = called_on_queue(module, call, "put").filter(|_| !item.is_none_literal_expr())?;
        Some((call, receiver))
    });
    let (put, results) = put?;
    // A `try` around a whole loop is about the loop: what ends it is no failed item.
    let holds_loop = own_nodes(&statement.body).into_iter().any(|node| {
        matches!(node, AnyNodeRef::StmtFor(_) | AnyNodeRef::StmtWhile(_)) && node.range().contains_range(put.range())
    });
    if holds_loop {
        return None;
    }
    // What goes back to where the items come from is no result.
    let items = calls(&own_nodes(body_around(module, statement.range())));
    let source = Queue::of(module, results);
    if items.into_iter().any(|call| called_on_queue(module, call, "get").is_some_and(|queue| source.is(module, queue)))
    {
        return None;
    }
    thread_body(module, statement.range())?;
    let handler = statement.handlers.iter().find_map(|handler| {
        let handler = handler.as_except_handler()?;
        let is_broad = match handler.type_.as_deref() {
            None => true,
            Some(caught) => module.symbol(caught)?.is_any(&["builtins.Exception", "builtins.BaseException"]),
        };
        is_broad.then_some(handler)
    })?;
    if !handler.body.iter().all(|statement| only_tells(module, statement)) || site.is_type_checking() {
        return None;
    }
    let end = handler.type_.as_deref().map_or(handler.start() + "except".text_len(), |caught| caught.end());
    findings.push(
        Finding::new("threads/failed-item-lost", TextRange::new(handler.start(), end))
            .fact("results", Fact::from(module.source(results)))
            .fact("put_at", module.place(put.range()).map(Fact::from)),
    );
    Some(())
}

/// Whether a statement of the handler tells about the failure and does nothing else.
fn only_tells(module: &Module, statement: &Stmt) -> bool {
    match statement {
        Stmt::Pass(_) | Stmt::Continue(_) => true,
        Stmt::Expr(statement) => statement.value.as_call_expr().is_some_and(|call| is_telling(module, call)),
        _ => false,
    }
}

fn is_telling(module: &Module, call: &ast::ExprCall) -> bool {
    if let Some((receiver, name)) = method(call) {
        if name == "task_done" {
            return queue_class(module, receiver).is_some();
        }
        if module.receiver_class(receiver).is_some_and(|class| class.inherits("logging.Logger")) {
            return true;
        }
    }
    let symbol = module.callee(call);
    symbol.is_some_and(|symbol| {
        symbol.is_any(&["builtins.print", "traceback.print_exc"])
            || (symbol.module == "logging" && symbol.is(&symbol.to_string()))
    })
}
