//! `Thread(target=work())`: the function is called here, and the thread gets `None`.
//!
//! Reported only for a function of the project that is seen to return nothing.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::nodes::{is_generator, method, own_nodes, with_def};
use super::threads::created;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["threads/target-called"], nodes: &[NodeKind::ExprCall], detect };

/// The packages whose objects call a function later.
const RUNNERS: &[&str] = &["asyncio", "concurrent", "multiprocessing", "threading"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    // Cheap questions first: most calls have no argument that is a call.
    call.arguments.iter_source_order().find(|argument| argument.value().is_call_expr())?;
    if site.is_whole_file && !RUNNERS.iter().any(|package| module.may_use_package(package)) {
        return None;
    }
    let target = target(module, call)?;
    let called = target.as_call_expr()?;
    if site.is_type_checking() || !returns_nothing(module, called) {
        return None;
    }
    findings.push(
        Finding::new("threads/target-called", called.range())
            .fact("called", Fact::from(module.source(called)))
            .fact("callee", Fact::from(module.source(&*call.func)))
            .fact("function_name", Fact::from(module.source(&*called.func))),
    );
    Some(())
}

/// The argument that is to be called later.
fn target<'a>(module: &Module, call: &'a ast::ExprCall) -> Option<&'a Expr> {
    let arguments = &call.arguments;
    if let Some((receiver, name)) = method(call) {
        let class = || module.receiver_class(receiver);
        let is_loop = || class().is_some_and(|class| class.inherits("asyncio.AbstractEventLoop"));
        match name {
            "submit" if class().is_some_and(|class| class.inherits("concurrent.futures.Executor")) => {
                return arguments.find_positional(0);
            }
            "call_soon" | "call_soon_threadsafe" if is_loop() => return arguments.find_argument_value("callback", 0),
            "call_later" | "call_at" if is_loop() => return arguments.find_argument_value("callback", 1),
            "run_in_executor" if is_loop() => return arguments.find_positional(1),
            _ => {}
        }
    }
    if module.calls(call, &["asyncio.to_thread"]) {
        return arguments.find_positional(0);
    }
    let made = created(module, call)?;
    match made.class.inherits("threading.Timer") {
        true => arguments.find_argument_value("function", 1),
        false => made.target(),
    }
}

fn returns_nothing(module: &Module, call: &ast::ExprCall) -> bool {
    let Some(function) = module.called_function(call) else { return false };
    if function.is_async || function.is_generator || function.is_decorated {
        return false;
    }
    let nothing = with_def(module, &function, |_, def| {
        let returns_a_value = own_nodes(&def.body).into_iter().any(|node| {
            matches!(node, AnyNodeRef::StmtReturn(node) if node.value.as_ref().is_some_and(|value| !value.is_none_literal_expr()))
        });
        // A body that only raises or does nothing is a placeholder for another one.
        let does_something = def.body.iter().any(|statement| match statement {
            Stmt::Raise(_) | Stmt::Pass(_) => false,
            Stmt::Expr(statement) => !statement.value.is_literal_expr(),
            _ => true,
        });
        Some(does_something && !returns_a_value && !is_generator(def))
    });
    nothing == Some(true)
}
