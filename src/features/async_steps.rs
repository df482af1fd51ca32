//! The steps toward async in a file or a function: those that apply, and what stands in the way of the others.

use ruff_python_ast::AnyNodeRef;

use super::{CodeAction, View, code_actions};
use crate::analysis::Module;
use crate::detectors::nodes::around;
use crate::text::{Ranged as _, TextLen as _, TextRange, TextSize};

/// The order in which to take them: a facade or the wait at the bottom first, then one chain of calls, then concurrency,
/// time limits, hygiene, and pools of workers. What is not named here comes last. A pool that can be turned into tasks comes
/// before all others, because it makes its function and the callers asynchronous itself, and is no pool any more once its waits
/// have been given to threads.
const ORDER: &[&str] = &[
    "sync_facade",
    "await_sleep",
    "to_thread",
    "helper_to_thread",
    "add_await",
    "make_async",
    "asyncio_run",
    "running_loop",
    "create_task",
    "executor_to_thread",
    "task_group",
    "timeout_block",
    "keep_task",
    "async_lock",
    "async_queue",
    "executor_map",
    "worker_pool",
];

/// Steps that turn a pool of threads into tasks.
const POOLS: &[&str] = &["executor_map", "worker_pool"];

/// The steps that a file has, or the function around `offset`, by their order, then by their place. An edit that several
/// places offer is one step.
pub fn async_steps(view: &View, offset: Option<TextSize>) -> Vec<CodeAction> {
    let module = view.module;
    let range = match offset {
        None => TextRange::up_to(module.text().text_len()),
        Some(offset) => function_at(module, offset).unwrap_or_else(|| {
            let lines = module.lines();
            lines.line_range(lines.line(offset))
        }),
    };
    let order = |action: &CodeAction| {
        let name = action.rewrite.as_deref().unwrap_or_default();
        if POOLS.contains(&name) && action.disabled.is_none() {
            return 0;
        }
        1 + ORDER.iter().position(|step| *step == name).unwrap_or(ORDER.len())
    };
    let is_step = |action: &CodeAction| {
        let is_named = action.rewrite.as_deref().is_some_and(|name| ORDER.contains(&name));
        is_named || (action.rewrite.is_some() && action.concept.starts_with("asyncio/"))
    };
    let mut steps = code_actions(view, range, &|_| true);
    steps.retain(is_step);
    steps.sort_by_key(|action| (order(action), action.range.start()));
    let mut kept: Vec<CodeAction> = vec![];
    for step in steps {
        let is_same = |other: &CodeAction| {
            other.rewrite == step.rewrite
                && other.title == step.title
                && other.disabled == step.disabled
                && (step.disabled.is_some() || other.files == step.files)
        };
        if !kept.iter().any(is_same) {
            kept.push(step);
        }
    }
    kept
}

/// The innermost function, its decorators and its head included, that holds `offset`.
fn function_at(module: &Module, offset: TextSize) -> Option<TextRange> {
    around(module, TextRange::empty(offset)).into_iter().find(AnyNodeRef::is_stmt_function_def).map(|def| def.range())
}
