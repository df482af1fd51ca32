//! Queues of module `queue`: the call that makes one, and everything the file does with it; `get`, `join`, `task_done`.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::nodes::{holds, is_false, is_true, method};
use super::queues::{Queue, Wait, queue_class, wait};
use super::threads::thread_body;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Origin, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["threads/queue", "threads/queue-get", "threads/queue-join", "threads/queue-put", "threads/task-done"],
    nodes: &[NodeKind::ExprCall],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let finding = match method(call) {
        Some((receiver, "get" | "get_nowait")) => get(site, call, receiver),
        Some((receiver, "put" | "put_nowait")) => put(site, call, receiver),
        Some((receiver, "join")) => join(site, call, receiver),
        Some((receiver, "task_done")) => task_done(site, call, receiver),
        _ => None,
    };
    findings.push(finding.or_else(|| creation(site, call))?);
    Some(())
}

fn creation(site: &Site, call: &ast::ExprCall) -> Option<Finding> {
    let module = site.module;
    let class = module.class_reference(&call.func)?;
    let is_simple = class.inherits("queue.SimpleQueue");
    if !is_simple && !class.inherits("queue.Queue") {
        return None;
    }
    let Some(AnyNodeRef::StmtAssign(ast::StmtAssign { targets, value, .. })) = site.parent() else {
        return Some(Finding::new("threads/queue", call.func.range()));
    };
    let target = targets.first().map(|target| module.source(target));
    let queue = Queue::of(module, value);
    let limit = limit(&class, call);
    Some(
        Finding::new("threads/queue", call.func.range())
            .fact("queue", target.map(Fact::from))
            .fact("put_at", Fact::from(queue.places(module, &["put", "put_nowait"])))
            .fact("got_at", Fact::from(queue.places(module, &["get", "get_nowait"])))
            .fact("joined_at", Fact::from(queue.places(module, &["join"])))
            .fact("unbounded", target.filter(|_| matches!(limit, Limit::None)).map(Fact::from))
            .fact("maxsize", limit.size().map(|size| Fact::from(module.source(size))))
            .fact("untracked", is_simple.then(|| Fact::from(class.name()))),
    )
}

/// How many items a queue holds.
enum Limit<'a> {
    None,
    Of(&'a Expr),
    Unknown,
}

impl<'a> Limit<'a> {
    fn size(&self) -> Option<&'a Expr> {
        match self {
            Self::Of(size) => Some(size),
            _ => None,
        }
    }
}

fn limit<'a>(class: &Class, made: &'a ast::ExprCall) -> Limit<'a> {
    let maxsize = made.arguments.find_argument_value("maxsize", 0);
    match maxsize {
        _ if class.symbol().origin == Origin::Project => Limit::Unknown,
        _ if class.inherits("queue.SimpleQueue") => Limit::None,
        None => Limit::None,
        Some(size) if is_zero(size) => Limit::None,
        Some(size) if is_positive_number(size) => Limit::Of(size),
        Some(_) => Limit::Unknown,
    }
}

fn put(site: &Site, call: &ast::ExprCall, receiver: &Expr) -> Option<Finding> {
    let module = site.module;
    let class = queue_class(module, receiver)?;
    let queue = Queue::of(module, receiver);
    let limit = queue.made.map_or(Limit::Unknown, |made| limit(&class, made));
    let written = module.source(receiver);
    let item = call.arguments.find_argument_value("item", 0);
    let keeps_waiting = put_waits(call);
    let timeout = call.arguments.find_argument_value("timeout", 2).filter(|limit| !limit.is_none_literal_expr());
    let timeout = timeout.filter(|_| keeps_waiting == Some(true) && !matches!(limit, Limit::None));
    let waits = keeps_waiting == Some(true) && timeout.is_none();
    let never_waits = keeps_waiting == Some(false);
    let got_at = queue.places(module, &["get", "get_nowait"]);
    if got_at.is_empty() && matches!(limit, Limit::None) {
        return None;
    }
    Some(
        Finding::new("threads/queue-put", call.func.range())
            .fact("queue", Fact::from(written))
            .fact("item", item.map(|item| Fact::from(module.source(item))))
            .fact("got_at", Fact::from(got_at))
            .fact("unbounded", matches!(limit, Limit::None).then(|| Fact::from(written)))
            .fact("maxsize", limit.size().filter(|_| waits).map(|size| Fact::from(module.source(size))))
            .fact("limit", limit.size().filter(|_| never_waits).map(|size| Fact::from(module.source(size))))
            .fact("timeout", timeout.map(|limit| Fact::from(module.source(limit)))),
    )
}

/// Whether a call of `put` or `put_nowait` waits for room; `None` when its arguments do not tell.
fn put_waits(call: &ast::ExprCall) -> Option<bool> {
    if matches!(method(call), Some((_, "put_nowait"))) {
        return Some(false);
    }
    match call.arguments.find_argument_value("block", 1) {
        None => Some(true),
        Some(block) if is_true(block) => Some(true),
        Some(block) => is_false(block).then_some(false),
    }
}

fn get(site: &Site, call: &ast::ExprCall, receiver: &Expr) -> Option<Finding> {
    let module = site.module;
    let class = queue_class(module, receiver)?;
    let queue = Queue::of(module, receiver);
    let written = module.source(receiver);
    let waits = match method(call) {
        Some((_, "get_nowait")) => Some(Wait::Never),
        _ => wait(call),
    };
    let finding = Finding::new("threads/queue-get", call.func.range());
    let finding = match waits {
        Some(Wait::Never) => finding.fact("at_once", Fact::from(written)),
        Some(Wait::AtMost(timeout)) => finding.fact("timeout", Fact::from(module.source(timeout))),
        Some(Wait::ForEver) => finding.fact("endless", Fact::from(written)),
        None => finding,
    };
    Some(
        finding
            .fact("queue", Fact::from(written))
            .fact("runs", thread_body(module, call.range()).map(Fact::from))
            .fact("kind", Fact::from(shown(&class)))
            .fact("made_at", queue.made_at(module).map(Fact::from))
            .fact("put_at", Fact::from(queue.places(module, &["put", "put_nowait"])))
            .fact("ends_at", ends_at(site, call).map(Fact::from))
            .fact("joined_at", Fact::from(queue.places(module, &["join"]))),
    )
}

/// Where the handler of `queue.Empty` around a `get` ends the loop.
fn ends_at(site: &Site, get: &ast::ExprCall) -> Option<Place> {
    let module = site.module;
    let statement = site.enclosing().find_map(|node| match node {
        AnyNodeRef::StmtTry(statement) if holds(&statement.body, get.range()) => Some(statement),
        _ => None,
    })?;
    let handler = statement.handlers.iter().find_map(|handler| {
        let handler = handler.as_except_handler()?;
        module.symbol(handler.type_.as_deref()?)?.is("queue.Empty").then_some(handler)
    })?;
    let end = handler.body.iter().find(|statement| matches!(statement, Stmt::Break(_) | Stmt::Return(_)))?;
    module.place(end.range())
}

fn join(site: &Site, call: &ast::ExprCall, receiver: &Expr) -> Option<Finding> {
    let module = site.module;
    queue_class(module, receiver)?;
    let queue = Queue::of(module, receiver);
    Some(
        Finding::new("threads/queue-join", call.func.range())
            .fact("queue", Fact::from(module.source(receiver)))
            .fact("done_at", Fact::from(queue.places(module, &["task_done"])))
            .fact("put_at", Fact::from(queue.places(module, &["put", "put_nowait"]))),
    )
}

fn task_done(site: &Site, call: &ast::ExprCall, receiver: &Expr) -> Option<Finding> {
    let module = site.module;
    queue_class(module, receiver)?;
    let queue = Queue::of(module, receiver);
    Some(
        Finding::new("threads/task-done", call.func.range())
            .fact("queue", Fact::from(module.source(receiver)))
            .fact("joined_at", Fact::from(queue.places(module, &["join"])))
            .fact("got_at", Fact::from(queue.places(module, &["get", "get_nowait"]))),
    )
}

/// `queue.Queue` for the library's class, the bare name for the project's.
fn shown(class: &Class) -> String {
    let symbol = class.symbol();
    if symbol.origin == Origin::Project { class.name() } else { symbol.to_string() }
}

fn is_positive_number(expr: &Expr) -> bool {
    expr.as_number_literal_expr().is_some_and(|literal| match &literal.value {
        ast::Number::Int(number) => number.as_u64().is_some_and(|number| number > 0),
        _ => false,
    })
}

fn is_zero(expr: &Expr) -> bool {
    expr.as_number_literal_expr().is_some_and(|literal| match &literal.value {
        ast::Number::Int(number) => number.as_u64() == Some(0),
        _ => false,
    })
}
