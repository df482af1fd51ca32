//! A process that is copied by `fork` after threads were started: they are not in the copy, and locks they hold stay locked.
//!
//! Silent where the thread is joined before, and where the child runs another program.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::nodes::method;
use super::threads::{creations, earlier_nodes, thread_class};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["processes/fork-with-threads"], nodes: &[NodeKind::ExprCall], detect };

/// Python says so itself, by a `DeprecationWarning`.
const WARNS: (u8, u8) = (3, 12);

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    let is_fork = module.may_be(&call.func, &["os.fork"]) && module.calls(call, &["os.fork"]);
    let made = || is_made_by_fork(module, call);
    if site.is_type_checking() || !(is_fork || made()) || module.calls_of("start").is_empty() {
        return None;
    }
    // The child that runs another program takes nothing along.
    let body = site.function().map_or(module.text(), |function| module.source(function));
    if is_fork && (body.contains("os.exec") || body.contains("os._exec") || body.contains("execv")) {
        return None;
    }
    let started = running(module, call)?;
    let (thread, _) = method(started)?;
    let runs = match creations(module, thread).as_slice() {
        [only] => only.runs(module),
        _ => None,
    };
    findings.push(
        Finding::new("processes/fork-with-threads", call.func.range())
            .fact("callee", Fact::from(module.source(&*call.func)))
            .fact("thread", Fact::from(module.source(thread)))
            .fact("work", runs.map(|runs| Fact::from(runs.name)))
            .fact("started_at", module.place(started.range()).map(Fact::from))
            .fact("warns", (module.version() >= WARNS).then(|| Fact::from("DeprecationWarning"))),
    );
    Some(())
}

/// `context.Process(…)` or `context.Pool(…)` of `get_context("fork")`.
fn is_made_by_fork(module: &Module, call: &ast::ExprCall) -> bool {
    let Some((context, "Process" | "Pool")) = method(call) else { return false };
    if module.calls_of("get_context").is_empty() {
        return false;
    }
    let is_fork = |made: &ast::ExprCall| {
        let name = made.arguments.find_argument_value("method", 0).and_then(Expr::as_string_literal_expr);
        module.calls(made, &["multiprocessing.get_context"]) && name.is_some_and(|name| name.value.to_str() == "fork")
    };
    matches!(module.origins(context).as_slice(), [Expr::Call(made)] if is_fork(made))
}

/// The earlier call that starts a thread which nobody has waited for by now.
fn running<'m>(module: &'m Module, call: &ast::ExprCall) -> Option<&'m ast::ExprCall> {
    let earlier: Vec<&ast::ExprCall> = earlier_nodes(module, call.range())
        .into_iter()
        .filter_map(|node| match node {
            AnyNodeRef::ExprCall(call) => Some(call),
            _ => None,
        })
        .collect();
    let ends = |other: &&ast::ExprCall| method(other).is_some_and(|(_, name)| matches!(name, "join" | "shutdown"));
    earlier.iter().copied().find(|start| {
        let Some((thread, "start")) = method(start) else { return false };
        let is_over = earlier.iter().filter(|other| other.start() > start.end()).any(ends);
        !is_over && thread_class(module, thread).is_some()
    })
}
