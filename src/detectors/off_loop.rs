//! Tasks that are made where no loop runs: at the top level, and on a thread.
//!
//! A function runs on a thread when this file hands it to one. Silent where the function makes or runs a loop of its own.

use ruff_python_ast::{AnyNodeRef, Expr, NodeKind};

use super::threads::{given_to_thread, hand_over, has_own_loop, thread_body};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{ExecutionContext, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["asyncio/task-off-loop"], nodes: &[NodeKind::ExprCall], detect };

/// Functions that need a running loop in their own thread.
const NEED_LOOP: &[&str] = &["asyncio.create_task", "asyncio.current_task", "asyncio.get_running_loop"];

/// Who runs the site, if that is no event loop.
struct Runner {
    name: Option<String>,
    handed_at: Option<Place>,
}

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    if !module.may_be(&call.func, NEED_LOOP) || !module.may_use_package("asyncio") || site.is_type_checking() {
        return None;
    }
    // A guard asks whether a loop runs; the answer is no, and that is what it wants to know.
    let is_guarded = site.enclosing().any(|node| matches!(node, AnyNodeRef::StmtTry(_)));
    if is_guarded || !module.calls(call, NEED_LOOP) {
        return None;
    }
    let runner = match site.context() {
        ExecutionContext::Module => Runner { name: None, handed_at: None },
        _ => runner(site)?,
    };
    findings.push(
        Finding::new("asyncio/task-off-loop", call.func.range())
            .fact("callee", Fact::from(site.module.source(&*call.func)))
            .fact("runs", runner.name.map(Fact::from))
            .fact("handed_at", runner.handed_at.map(Fact::from)),
    );
    Some(())
}

/// The function around the site, when this file hands it to a thread and it has no loop of its own.
fn runner(site: &Site) -> Option<Runner> {
    let module = site.module;
    match site.context() {
        ExecutionContext::Module => None,
        ExecutionContext::Lambda(lambda) => {
            let call = site.enclosing().find_map(|node| match node {
                AnyNodeRef::ExprCall(call) if call.arguments.range().contains_range(lambda.range()) => Some(call),
                _ => None,
            })?;
            let is_it = given_to_thread(module, call).is_some_and(|target: &Expr| target.range() == lambda.range());
            is_it.then(|| Runner { name: Some("lambda".to_string()), handed_at: module.place(call.func.range()) })
        }
        ExecutionContext::Function(function) => {
            if function.is_async || has_own_loop(module, function) {
                return None;
            }
            let name = thread_body(module, site.node.range())?;
            let handed_at = hand_over(module, function).and_then(|call| module.place(call.func.range()));
            Some(Runner { name: Some(name), handed_at })
        }
    }
}
