//! The uses of the queues: each is a method call that the asyncio queue has too, or it stands in the way.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr};

use super::Changes;
use super::pool::Pool;
use crate::analysis::{Module, Site};
use crate::detectors::nodes::{all_nodes, holds, method, own_nodes};
use crate::detectors::suspension::path_to;
use crate::rewrites::async_lock;
use crate::rewrites::make_async::body::listed;
use crate::rewrites::make_async::call::consumed;
use crate::text::{Edit, Ranged as _, TextRange};

/// The edits of all uses of the queues.
///
/// # Errors
/// The reason of a refusal.
pub(super) fn converted(module: &Module, pool: &Pool, asyncio: &str) -> Result<Changes, String> {
    let mut changes = Changes::default();
    for (made, _) in &pool.queues {
        let class = module.callee(made).map(|symbol| symbol.last().to_string()).unwrap_or_default();
        changes.edits.push(Edit::replace(made.func.range(), format!("{asyncio}.{class}")));
        changes.gone.push(made.func.range());
    }
    for (call, receiver, name) in pool.queue_calls(module) {
        let number = pool.queue(module, receiver).unwrap_or_default();
        let is_bounded = !pool.queues[number].0.arguments.is_empty();
        for edit in method_call(module, call, name, is_bounded)? {
            // Several calls in one generator expression want the same list.
            if !(edit.text.contains(['[', ']']) && changes.edits.contains(&edit)) {
                changes.edits.push(edit);
            }
        }
    }
    changes.add(handlers(module, pool, asyncio));
    leaks(module, pool)?;
    Ok(changes)
}

/// `except queue.Empty` and `except queue.Full` around calls on the queues, but for the one that ends a worker.
fn handlers(module: &Module, pool: &Pool, asyncio: &str) -> Changes {
    let mut changes = Changes::default();
    let ending: Vec<TextRange> = pool
        .workers
        .iter()
        .filter(|worker| worker.timed_get(module).is_some())
        .filter_map(|worker| worker.empty_handler(module).map(|(_, handler)| handler.range()))
        .collect();
    let used: Vec<TextRange> = pool.queue_calls(module).into_iter().map(|(call, ..)| call.range()).collect();
    let bodies = std::iter::once(&pool.function.body).chain(pool.workers.iter().map(|worker| &worker.def.body));
    for node in bodies.flat_map(|body| own_nodes(body)) {
        let AnyNodeRef::StmtTry(statement) = node else { continue };
        if !used.iter().any(|call| holds(&statement.body, *call)) {
            continue;
        }
        let others = statement.handlers.iter().filter_map(|handler| handler.as_except_handler());
        for handler in others.filter(|handler| !ending.contains(&handler.range())) {
            let caught = match handler.type_.as_deref() {
                Some(Expr::Tuple(tuple)) => tuple.elts.iter().collect(),
                Some(single) => vec![single],
                None => vec![],
            };
            for class in caught {
                let Some(symbol) = module.symbol(class) else { continue };
                if symbol.is_any(&["queue.Empty", "queue.Full", "_queue.Empty"]) {
                    changes.edits.push(Edit::replace(class.range(), format!("{asyncio}.Queue{}", symbol.last())));
                    changes.gone.push(class.range());
                }
            }
        }
    }
    changes
}

fn method_call(module: &Module, call: &ast::ExprCall, name: &str, is_bounded: bool) -> Result<Vec<Edit>, String> {
    let line = module.lines().line(call.start());
    let count = call.arguments.len();
    let Expr::Attribute(attribute) = &*call.func else { return Ok(vec![]) };
    match name {
        "empty" | "full" | "qsize" | "task_done" | "get_nowait" | "put_nowait" => Ok(vec![]),
        "put" if count == 1 && !is_bounded => Ok(vec![Edit::replace(attribute.attr.range(), "put_nowait")]),
        "put" if count == 1 => awaited(module, call),
        "join" => awaited(module, call),
        "get" => {
            let waits = match call.arguments.find_argument_value("block", 0) {
                None => Some(true),
                Some(block) => block.as_boolean_literal_expr().map(|block| block.value),
            };
            match waits {
                Some(true) => {}
                Some(false) => {
                    let range = TextRange::new(attribute.attr.start(), call.end());
                    return Ok(vec![Edit::replace(range, "get_nowait()")]);
                }
                None => return Err(format!("`{}` may not wait (line {line})", module.source(call))),
            }
            let mut edits = awaited(module, call)?;
            if count > 0 {
                edits.push(Edit::replace(call.arguments.range(), "()"));
            }
            Ok(edits)
        }
        _ => Err(format!("`asyncio.Queue` does not know `{}` as it is used here (line {line})", module.source(call))),
    }
}

/// `await`; a generator expression around it becomes a list, if what takes it takes all of it.
fn awaited(module: &Module, call: &ast::ExprCall) -> Result<Vec<Edit>, String> {
    let path = path_to(module, call.range());
    let Some((node, ancestors)) = path.split_last() else { return Ok(vec![]) };
    let site = Site::at(module, *node, ancestors);
    let mut lists = vec![];
    for (index, node) in site.enclosing().enumerate() {
        if let Some((whole, listed)) = listed(module, node, call.range()) {
            let AnyNodeRef::ExprGenerator(generator) = node else { continue };
            let line = module.lines().line(whole.start());
            consumed(&site, generator, index)
                .map_err(|_| format!("the generator expression in line {line} would become asynchronous"))?;
            lists.push(listed);
        }
    }
    // What is further out begins first.
    lists.reverse();
    lists.push(async_lock::awaited(&site));
    Ok(lists.concat())
}

/// A use of a queue that is neither a method call in the pool's own code nor its hand-over to a thread.
fn leaks(module: &Module, pool: &Pool) -> Result<(), String> {
    let inside = |range: TextRange| {
        pool.function.range().contains_range(range)
            || pool.workers.iter().any(|worker| match &worker.class {
                Some((class, _)) => class.range().contains_range(range),
                None => worker.def.range().contains_range(range),
            })
    };
    let outside = pool.workers.iter().filter_map(|worker| Some((worker.class.as_ref()?.0, worker.def)));
    for (class, run) in outside {
        for node in all_nodes(&class.body) {
            let AnyNodeRef::ExprCall(call) = node else { continue };
            let is_queue = method(call).is_some_and(|(receiver, _)| pool.queue(module, receiver).is_some());
            if is_queue && !run.range().contains_range(call.range()) {
                let line = module.lines().line(call.start());
                return Err(format!("`{}` uses a queue outside of `run` (line {line})", class.name));
            }
        }
    }
    let called = pool.queue_calls(module).into_iter().map(|(call, ..)| call.func.range());
    let iterated =
        pool.iterated().filter_map(|queue| Some(path_to(module, queue.range()).iter().rev().nth(1)?.range()));
    let known: Vec<TextRange> = called.chain(iterated).collect();
    for node in all_nodes(&module.syntax().body) {
        let expr = match node {
            AnyNodeRef::ExprName(name) if name.ctx.is_load() => node.as_expr_ref().map(|_| name.range()),
            AnyNodeRef::ExprAttribute(attribute) if attribute.ctx.is_load() => Some(attribute.range()),
            _ => None,
        };
        let Some(range) = expr.filter(|range| inside(*range)) else { continue };
        let path = path_to(module, range);
        let Some(parent) = path.iter().rev().nth(1) else { continue };
        // A method call is looked at elsewhere.
        if known.contains(&parent.range()) || !is_queue(module, pool, &path) {
            continue;
        }
        let is_kept = match parent {
            AnyNodeRef::StmtAssign(assign) => {
                assign.value.range() == range && matches!(assign.targets.as_slice(), [Expr::Attribute(_)])
            }
            // `self.todo, self.done = todo, done`
            AnyNodeRef::ExprTuple(values) if matches!(path.iter().rev().nth(2), Some(AnyNodeRef::StmtAssign(_))) => {
                let number = values.elts.iter().position(|value| value.range() == range);
                path.iter().rev().nth(2).is_some_and(|node| {
                    let AnyNodeRef::StmtAssign(assign) = node else { return false };
                    let [Expr::Tuple(targets)] = assign.targets.as_slice() else { return false };
                    let target = number.and_then(|number| targets.elts.get(number));
                    targets.elts.len() == values.elts.len() && target.is_some_and(Expr::is_attribute_expr)
                })
            }
            _ => path.iter().rev().any(|node| match node {
                AnyNodeRef::ExprCall(call) => pool.made.iter().any(|made| made.range() == call.range()),
                _ => false,
            }),
        };
        if !is_kept {
            let line = module.lines().line(range.start());
            return Err(format!("the queue `{}` is used in another way in line {line}", module.source(range)));
        }
    }
    Ok(())
}

/// Whether the last node of `path` is one of the queues.
fn is_queue(module: &Module, pool: &Pool, path: &[AnyNodeRef]) -> bool {
    match path.last() {
        Some(AnyNodeRef::ExprName(name)) => {
            pool.queues.iter().any(|(_, queue)| queue == name.id.as_str())
                || pool.queue(module, &Expr::from((*name).clone())).is_some()
        }
        Some(AnyNodeRef::ExprAttribute(attribute)) => {
            attribute.value.is_name_expr()
                && module
                    .class_name(&Expr::from((*attribute).clone()))
                    .is_some_and(|class| class.is_any(super::pool::QUEUES))
        }
        _ => false,
    }
}
