//! Queues of module `queue`: the call that makes one, and everything the file does with it; `get`, `join`, `task_done`.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::nodes::method;
use super::queues::{Queue, Wait, queue_class, wait};
use super::threads::thread_body;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Origin, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["threads/queue", "threads/queue-get", "threads/queue-join", "threads/task-done"],
    nodes: &[NodeKind::ExprCall],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let finding = match method(call) {
        Some((receiver, "get" | "get_nowait")) => get(site, call, receiver),
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
    let maxsize = call.arguments.find_argument_value("maxsize", 0);
    let is_limited = maxsize.is_some_and(is_positive_number);
    let is_unlimited = class.symbol().origin != Origin::Project && maxsize.is_none_or(is_zero);
    Some(
        Finding::new("threads/queue", call.func.range())
            .fact("queue", target.map(Fact::from))
            .fact("put_at", Fact::from(queue.places(module, &["put", "put_nowait"])))
            .fact("got_at", Fact::from(queue.places(module, &["get", "get_nowait"])))
            .fact("joined_at", Fact::from(queue.places(module, &["join"])))
            .fact("unbounded", target.filter(|_| is_unlimited).map(Fact::from))
            .fact("maxsize", maxsize.filter(|_| is_limited && !is_simple).map(|size| Fact::from(module.source(size))))
            .fact("untracked", is_simple.then(|| Fact::from(class.name()))),
    )
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
            .fact("joined_at", Fact::from(queue.places(module, &["join"]))),
    )
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
