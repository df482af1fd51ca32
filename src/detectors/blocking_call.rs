//! Calls in a coroutine function that keep the event loop's thread waiting.
//!
//! Silent in nested functions and lambdas, which may run on another thread, for arguments with which the call does not
//! wait, and in a file that runs its coroutines by hand. Local files are explained, not reported. A wait for the own loop never ends and has a page of its own. What counts as blocking is the table's business: `explanations/tables/blocking.toml`.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::suspension::drives_coroutines;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["asyncio/blocking-call", "asyncio/file-access", "asyncio/self-wait"],
    nodes: &[NodeKind::ExprCall],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let function = site.async_function()?;
    let row = site.module.blocking_call(call)?;
    let is_lazy = site.enclosing().any(|node| matches!(node, AnyNodeRef::ExprGenerator(_)));
    if is_lazy || site.is_awaited() || site.is_type_checking() || drives_coroutines(site.module) {
        return None;
    }
    if let Some(coroutine) = waits_for_own_loop(site.module, call) {
        findings.push(
            Finding::new("asyncio/self-wait", call.func.range())
                .fact("callee", Fact::from(site.module.source(&*call.func)))
                .fact("coroutine", Fact::from(coroutine))
                .fact("function", Fact::from(function.name.as_str())),
        );
        return Some(());
    }
    let concept = if row.file { "asyncio/file-access" } else { "asyncio/blocking-call" };
    let finding = Finding::new(concept, call.func.range())
        .fact("callee", Fact::from(site.module.source(&*call.func)))
        .fact("why", Fact::from(row.why.as_str()))
        .fact("function", Fact::from(function.name.as_str()));
    findings.push(match row.file {
        true => finding,
        false => finding.fact("instead", row.instead.as_deref().map(Fact::from)).beyond_ruff(row.ruff.is_none()),
    });
    Some(())
}

/// What a call waits for, if only the running loop can bring it about: `c` in
/// `run_coroutine_threadsafe(c, get_running_loop()).result()`.
fn waits_for_own_loop<'m>(module: &'m Module, call: &'m ast::ExprCall) -> Option<&'m str> {
    let method = call.func.as_attribute_expr().filter(|method| method.attr.as_str() == "result")?;
    let [Expr::Call(given)] = module.origins(&method.value)[..] else { return None };
    if !module.calls(given, &["asyncio.run_coroutine_threadsafe"]) {
        return None;
    }
    let running = module.origins(given.arguments.find_argument_value("loop", 1)?);
    let is_running = |made: &&Expr| {
        made.as_call_expr()
            .is_some_and(|call| module.calls(call, &["asyncio.get_event_loop", "asyncio.get_running_loop"]))
    };
    // The loop must be asked for in this very function: another one may run on another thread.
    let is_here = |made: &&Expr| {
        super::nodes::function_around(module, made.range()).map(|def| def.range())
            == super::nodes::function_around(module, call.range()).map(|def| def.range())
    };
    let is_own = !running.is_empty() && running.iter().all(is_running) && running.iter().all(is_here);
    given.arguments.find_argument_value("coro", 0).filter(|_| is_own).map(|coroutine| module.source(coroutine))
}
