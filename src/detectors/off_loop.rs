//! Objects of asyncio that are used on a thread without their loop, and tasks that are made where no loop runs.
//!
//! A function runs on a thread when this file hands it to one. Silent where the function makes or runs a loop of its own, and for
//! what is passed to `call_soon_threadsafe` instead of called.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::nodes::method;
use super::threads::{hand_over, handed_over, thread_body};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{ExecutionContext, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["asyncio/not-threadsafe", "asyncio/task-off-loop"], nodes: &[NodeKind::ExprCall], detect };

/// Methods that change what a loop looks at, and do not wake it.
const METHODS: &[&str] = &[
    "asyncio.AbstractEventLoop.call_at",
    "asyncio.AbstractEventLoop.call_later",
    "asyncio.AbstractEventLoop.call_soon",
    "asyncio.AbstractEventLoop.create_task",
    "asyncio.AbstractEventLoop.stop",
    "asyncio.Event.set",
    "asyncio.Future.set_exception",
    "asyncio.Future.set_result",
    "asyncio.Queue.get_nowait",
    "asyncio.Queue.put_nowait",
    "asyncio.Task.cancel",
];

/// Functions that need a running loop in their own thread.
const NEED_LOOP: &[&str] = &["asyncio.create_task", "asyncio.current_task", "asyncio.get_running_loop"];

/// Calls that show that a function has a loop of its own.
const OWN_LOOP: &[&str] =
    &["asyncio.run(", "Runner(", "new_event_loop(", "run_forever(", "run_until_complete(", "set_event_loop("];

/// Who runs the site, if that is no event loop.
struct Runner {
    name: Option<String>,
    handed_at: Option<Place>,
}

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    let is_method = call.func.is_attribute_expr() && module.may_be(&call.func, METHODS);
    let needs_loop = module.may_be(&call.func, NEED_LOOP);
    if !(is_method || needs_loop) || !module.may_use_package("asyncio") || site.is_type_checking() {
        return None;
    }
    if needs_loop && module.calls(call, NEED_LOOP) {
        let runner = match site.context() {
            // A guard asks whether a loop runs; the answer is no, and that is what it wants to know.
            _ if site.enclosing().any(|node| matches!(node, AnyNodeRef::StmtTry(_))) => return None,
            ExecutionContext::Module => Runner { name: None, handed_at: None },
            _ => runner(site)?,
        };
        findings.push(finding(site, call, "asyncio/task-off-loop", runner));
        return Some(());
    }
    if is_method && module.callee(call)?.is_any(METHODS) {
        let runner = runner(site)?;
        let (receiver, _) = method(call)?;
        findings.push(
            finding(site, call, "asyncio/not-threadsafe", runner)
                .fact("object", Fact::from(module.source(receiver)))
                .fact("without_call", Fact::from(module.source(&*call.func))),
        );
    }
    Some(())
}

fn finding(site: &Site, call: &ast::ExprCall, concept: &str, runner: Runner) -> Finding {
    Finding::new(concept, call.func.range())
        .fact("callee", Fact::from(site.module.source(&*call.func)))
        .fact("runs", runner.name.map(Fact::from))
        .fact("handed_at", runner.handed_at.map(Fact::from))
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
            let is_it = handed_over(module, call).is_some_and(|target: &Expr| target.range() == lambda.range());
            is_it.then(|| Runner { name: Some("lambda".to_string()), handed_at: module.place(call.func.range()) })
        }
        ExecutionContext::Function(function) => {
            let text = module.source(function);
            if function.is_async || OWN_LOOP.iter().any(|own| text.contains(own)) {
                return None;
            }
            let name = thread_body(module, site.node.range())?;
            let handed_at = hand_over(module, function).and_then(|call| module.place(call.func.range()));
            Some(Runner { name: Some(name), handed_at })
        }
    }
}
