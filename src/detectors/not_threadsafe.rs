//! Objects of asyncio used in a function that runs on another thread: the loop is not woken.
//!
//! Silent for what `call_soon_threadsafe` and `run_coroutine_threadsafe` are given, where a lambda stands between, and for a
//! function that makes or runs a loop of its own.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::nodes::method;
use super::suspension::path_to;
use super::threads::{handed_over, has_own_loop, thread_body};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{ExecutionContext, Module, Runner, Site};
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["asyncio/not-threadsafe"], nodes: &[NodeKind::ExprCall], detect };

/// What wakes tasks, and so may be done in the loop's thread only.
const METHODS: &[&str] = &[
    "asyncio.AbstractEventLoop.call_at",
    "asyncio.AbstractEventLoop.call_later",
    "asyncio.AbstractEventLoop.call_soon",
    "asyncio.Event.set",
    "asyncio.Future.set_exception",
    "asyncio.Future.set_result",
    "asyncio.Queue.get_nowait",
    "asyncio.Queue.put_nowait",
    "asyncio.Task.cancel",
];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    // By their names most calls are out of the question.
    let keywords = call.arguments.keywords.iter().map(|keyword| &keyword.value);
    let mut mentioned = std::iter::once(&*call.func).chain(call.arguments.args.iter().chain(keywords));
    if site.is_whole_file && !mentioned.any(|expr| module.may_be(expr, METHODS)) {
        return None;
    }
    if site.is_type_checking() || !module.may_use_package("asyncio") {
        return None;
    }
    let (used, runs) = match site.callee_among(call, METHODS) {
        Some(_) => (&*call.func, runs_on_thread(site)?),
        None => {
            let keywords = call.arguments.keywords.iter().map(|keyword| &keyword.value);
            let mut arguments = call.arguments.args.iter().chain(keywords);
            if !arguments.any(|argument| argument.is_attribute_expr() && module.may_be(argument, METHODS)) {
                return None;
            }
            let target = handed_over(module, call)?;
            let is_one = module.may_be(target, METHODS) && module.symbol(target)?.is_any(METHODS);
            (target, is_one.then(|| module.source(&*call.func).to_string())?)
        }
    };
    let (receiver, name) = used.as_attribute_expr().map(|method| (&method.value, method.attr.as_str()))?;
    findings.push(
        Finding::new("asyncio/not-threadsafe", used.range())
            .fact("used", Fact::from(module.source(used)))
            .fact("object", Fact::from(module.source(&**receiver)))
            .fact("used_method", Fact::from(name))
            .fact("sent", Fact::from(sent(module, call, used)))
            .fact("runs", Fact::from(runs)),
    );
    Some(())
}

/// What `call_soon_threadsafe` is to be given: the method, or the callback that `call_soon` was given.
fn sent<'m>(module: &'m Module, call: &ast::ExprCall, used: &Expr) -> &'m str {
    let callback = call.arguments.args.first().filter(|_| is_call_soon(module, call));
    module.source(callback.unwrap_or(used))
}

/// The function around the call, if a thread runs it.
fn runs_on_thread(site: &Site) -> Option<String> {
    let ExecutionContext::Function(function) = site.context() else { return None };
    if function.is_async || has_own_loop(site.module, function) {
        return None;
    }
    let range = site.node.range();
    let by_other_file = || {
        let handed = site.module.handed_over(function).filter(|handed| handed.runner == Runner::Thread)?;
        Some(handed.entry)
    };
    thread_body(site.module, range).or_else(|| sent_to_thread(site.module, function)).or_else(by_other_file)
}

/// The function, if `to_thread` or `run_in_executor` is given it in this file.
fn sent_to_thread(module: &Module, function: &ast::StmtFunctionDef) -> Option<String> {
    const SENDERS: [(&str, &str, usize); 2] =
        [("to_thread", "asyncio.to_thread", 0), ("run_in_executor", "asyncio.AbstractEventLoop.run_in_executor", 1)];
    let def = module.place(function.name.range())?;
    let is_sent = SENDERS.iter().any(|(name, symbol, index)| {
        module.calls_of(name).into_iter().any(|call| {
            let sent = call.arguments.args.get(*index).and_then(|sent| module.function(sent));
            sent.and_then(|sent| sent.place).as_ref() == Some(&def) && module.calls(call, &[symbol])
        })
    });
    is_sent.then(|| function.name.to_string())
}

/// The call that hands the method at `range` to a thread as its target.
pub(crate) fn starter<'m>(module: &'m Module, range: TextRange) -> Option<&'m ast::ExprCall> {
    path_to(module, range).into_iter().rev().find_map(|node| match node {
        AnyNodeRef::ExprCall(call) => handed_over(module, call).filter(|target| target.range() == range).map(|_| call),
        _ => None,
    })
}

/// Whether `call` is of the loop's own method for a callback, which has a sibling for threads.
pub(crate) fn is_call_soon(module: &Module, call: &ast::ExprCall) -> bool {
    method(call).is_some_and(|(_, name)| name == "call_soon")
        && module.calls(call, &["asyncio.AbstractEventLoop.call_soon"])
}
