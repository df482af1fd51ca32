//! Calls that give work to an executor, and those that ask for its result: what becomes of what the work returns or raises.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr};

use super::super::context_var::only_target;
use super::super::nodes::method;
use super::super::threads::passed;
use super::super::{Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Place, Ranged as _, TextRange};

const SUBMITS: &[&str] = &[
    "concurrent.futures.Executor.submit",
    "concurrent.futures.ProcessPoolExecutor.submit",
    "concurrent.futures.ThreadPoolExecutor.submit",
];
const MAPS: &[&str] = &[
    "concurrent.futures.Executor.map",
    "concurrent.futures.ProcessPoolExecutor.map",
    "concurrent.futures.ThreadPoolExecutor.map",
];
const RESULTS: &[&str] = &["concurrent.futures.Future.exception", "concurrent.futures.Future.result"];

/// Pushes what there is to say of a call that gives work to an executor or asks for its result.
pub(super) fn detect(site: &Site, call: &ast::ExprCall, findings: &mut Findings) -> Option<()> {
    let (_, name) = method(call)?;
    let finding = match name {
        "submit" => site.callee_among(call, SUBMITS).map(|_| submit(site, call)),
        "map" => site.callee_among(call, MAPS).map(|_| map(site, call)),
        "result" | "exception" => site.callee_among(call, RESULTS).map(|_| result(site, call)),
        _ => None,
    };
    findings.push(finding?);
    Some(())
}

/// The function that is handed over, as a reader knows it.
fn handed_over(site: &Site, call: &ast::ExprCall, finding: Finding) -> Finding {
    let module = site.module;
    let Some(function) = call.arguments.args.first().filter(|_| site.is_asked(call.func.range())) else {
        return finding;
    };
    let runs = passed(module, function);
    finding.fact("runs_at", runs.place.map(Fact::from)).fact("argument", Fact::from(module.source(function)))
}

fn receiver(module: &Module, call: &ast::ExprCall) -> Option<Fact> {
    method(call).map(|(receiver, _)| Fact::from(module.source(receiver)))
}

fn is_dropped(site: &Site) -> bool {
    matches!(site.parent(), Some(AnyNodeRef::StmtExpr(_)))
}

fn submit(site: &Site, call: &ast::ExprCall) -> Finding {
    let module = site.module;
    let finding = handed_over(site, call, Finding::new("threads/executor-future", call.func.range()));
    let dropped = call.arguments.args.first().filter(|_| is_dropped(site));
    let kept = call.arguments.args.first().filter(|_| !is_dropped(site));
    let asked_at = match only_target(site) {
        Some(_) if site.is_asked(call.func.range()) => asked(module, call.range()),
        _ => vec![],
    };
    finding
        .fact("receiver", receiver(module, call))
        .fact("dropped", dropped.map(|function| Fact::from(module.source(function))))
        .fact("kept", kept.map(|function| Fact::from(module.source(function))))
        .fact("asked_at", Fact::from(asked_at))
}

/// Where the result of the call at `submitted` is asked for.
fn asked(module: &Module, submitted: TextRange) -> Vec<Place> {
    let is_it = |call: &&ast::ExprCall| {
        let origins = |receiver| module.origins(receiver);
        method(call).is_some_and(|(receiver, _)| origins(receiver).iter().any(|origin| origin.range() == submitted))
    };
    let calls = ["exception", "result"].iter().flat_map(|name| module.calls_of(name)).filter(is_it);
    calls.filter_map(|call| module.place(call.range())).collect()
}

fn map(site: &Site, call: &ast::ExprCall) -> Finding {
    let module = site.module;
    let finding = handed_over(site, call, Finding::new("threads/executor-map", call.func.range()));
    let (executor, _) = match method(call) {
        Some(found) => found,
        None => return finding,
    };
    let class = module.receiver_class(executor);
    let is_of = |name: &str| class.as_ref().is_some_and(|class| class.inherits(name));
    let in_processes = is_of("concurrent.futures.ProcessPoolExecutor");
    let on_threads = is_of("concurrent.futures.ThreadPoolExecutor");
    let chunks = call.arguments.find_keyword("chunksize").map(|keyword| module.source(keyword));
    let written = call.arguments.args.first().map(|function| module.source(function));
    finding
        .fact("dropped", written.filter(|_| is_dropped(site)).map(Fact::from))
        .fact("ignored", chunks.filter(|_| on_threads).map(Fact::from))
        .fact("chunks", chunks.filter(|_| in_processes).map(Fact::from))
        .fact("single", written.filter(|_| in_processes && chunks.is_none()).map(Fact::from))
}

fn result(site: &Site, call: &ast::ExprCall) -> Finding {
    let module = site.module;
    let timeout = call.arguments.find_argument_value("timeout", 0).filter(|limit| !limit.is_none_literal_expr());
    let submitted = method(call).map(|(receiver, _)| module.origins(receiver)).and_then(|origins| {
        let [Expr::Call(made)] = *origins else { return None };
        matches!(method(made), Some((_, "submit"))).then_some(made)
    });
    let function = submitted.and_then(|made| made.arguments.args.first());
    Finding::new("threads/future-result", call.func.range())
        .fact("receiver", receiver(module, call))
        .fact("runs", function.map(|function| Fact::from(module.source(function))))
        .fact("submitted_at", submitted.and_then(|made| module.place(made.range())).map(Fact::from))
        .fact("timeout", timeout.map(|limit| Fact::from(module.source(limit))))
        .fact("coroutine", site.async_function().map(|function| Fact::from(function.name.as_str())))
}
