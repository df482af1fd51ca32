//! Calls that make a task: who keeps it, who waits for it, who cancels it, and under which name it is seen.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::nodes::{all_nodes, method};
use super::suspension::coroutine_function;
use super::threads::kept_values;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Place, Ranged as _, TextRange};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["asyncio/create-task", "asyncio/ensure-future", "asyncio/loop-create-task", "asyncio/task-group-task"],
    nodes: &[NodeKind::ExprCall],
    detect,
};

const MAKERS: &[&str] = &[
    "asyncio.AbstractEventLoop.create_task",
    "asyncio.TaskGroup.create_task",
    "asyncio.create_task",
    "asyncio.ensure_future",
];
/// What waits for the tasks that it is given.
const WAITERS: &[&str] = &["as_completed", "gather", "shield", "wait", "wait_for"];
/// Classes of what `ensure_future` gives back as it is.
const FUTURES: &[&str] = &["asyncio.Future", "asyncio.Task"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    if !site.is_asked(call.func.range()) {
        return None;
    }
    let module = site.module;
    let symbol = site.callee_among(call, MAKERS)?;
    let concept = match symbol.to_string().as_str() {
        "asyncio.AbstractEventLoop.create_task" => "asyncio/loop-create-task",
        "asyncio.TaskGroup.create_task" => "asyncio/task-group-task",
        "asyncio.ensure_future" => "asyncio/ensure-future",
        _ => "asyncio/create-task",
    };
    let made_of = call.arguments.find_argument_value("coro", 0).or_else(|| call.arguments.args.first());
    let future = made_of
        .filter(|expr| module.class_of(*expr).is_some_and(|class| FUTURES.iter().any(|future| class.inherits(future))));
    let starts = made_of.and_then(Expr::as_call_expr).filter(|inner| coroutine_function(module, &inner.func).is_some());
    let target = bound_to(site);
    let is_kept = target.is_some() && future.is_none();
    let places = |places: Vec<Place>| Fact::from(if is_kept { places } else { vec![] });
    let named = call.arguments.find_keyword("name").and_then(|name| name.value.as_string_literal_expr());
    findings.push(
        Finding::new(concept, call.func.range())
            .fact("argument", made_of.map(|expr| Fact::from(module.source(expr))))
            .fact("coroutine", starts.map(|inner| Fact::from(module.source(inner))))
            .fact("future", future.map(|expr| Fact::from(module.source(expr))))
            .fact("receiver", method(call).map(|(receiver, _)| Fact::from(module.source(receiver))))
            .fact("target", target.filter(|_| is_kept).map(|target| Fact::from(module.source(target))))
            .fact("awaited_at", places(awaited(module, call.range())))
            .fact("cancelled_at", places(calls_on(module, call.range(), "cancel")))
            .fact("read_at", places(calls_on(module, call.range(), "result")))
            .fact("task_name", named.map(|name| Fact::from(name.value.to_str()))),
    );
    Some(())
}

/// What an assignment binds the task to.
fn bound_to<'a>(site: &Site<'a, '_>) -> Option<&'a Expr> {
    match site.parent()? {
        AnyNodeRef::StmtAssign(assign) => match assign.targets.as_slice() {
            [target] => Some(target),
            _ => None,
        },
        AnyNodeRef::StmtAnnAssign(assign) => Some(&assign.target),
        _ => None,
    }
}

/// Whether an expression refers to the task that the call at `made` makes.
fn is_it(module: &Module, expr: &Expr, made: TextRange) -> bool {
    (expr.is_name_expr() || expr.is_attribute_expr() || expr.is_subscript_expr())
        && kept_values(module, expr).iter().any(|value| value.range() == made)
}

/// Where the task is awaited, by itself or with others.
fn awaited(module: &Module, made: TextRange) -> Vec<Place> {
    let waits = |call: &ast::ExprCall| {
        let name = match &*call.func {
            Expr::Attribute(attribute) => attribute.attr.as_str(),
            Expr::Name(name) => module.imported_name(&name.id),
            _ => return false,
        };
        WAITERS.contains(&name)
            && call.arguments.args.iter().any(|given| match given {
                Expr::List(list) => list.elts.iter().any(|item| is_it(module, item, made)),
                Expr::Set(set) => set.elts.iter().any(|item| is_it(module, item, made)),
                Expr::Tuple(tuple) => tuple.elts.iter().any(|item| is_it(module, item, made)),
                other => is_it(module, other, made),
            })
    };
    let is_wait = |node: &AnyNodeRef| match node {
        AnyNodeRef::ExprAwait(awaited) => is_it(module, &awaited.value, made),
        AnyNodeRef::ExprCall(call) => waits(call),
        _ => false,
    };
    let nodes = all_nodes(&module.syntax().body).into_iter().filter(is_wait);
    let mut places: Vec<Place> = nodes.filter_map(|node| module.place(node.range())).collect();
    places.dedup_by_key(|place| place.line);
    places
}

/// The places of the calls of `name` on the task.
fn calls_on(module: &Module, made: TextRange, name: &str) -> Vec<Place> {
    let on_it = |call: &&ast::ExprCall| method(call).is_some_and(|(receiver, _)| is_it(module, receiver, made));
    module.calls_of(name).into_iter().filter(on_it).filter_map(|call| module.place(call.range())).collect()
}
