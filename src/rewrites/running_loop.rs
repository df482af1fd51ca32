//! `asyncio.get_event_loop()` → `asyncio.get_running_loop()`, where a loop is sure to run.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr};

use super::awaiting::call_of;
use super::imports::{Names, drop_unused, imported_member};
use super::layout::generated;
use super::{Offer, Rewrite, Target};
use crate::analysis::{ExecutionContext, Site};
use crate::detectors::suspension::path_to;
use crate::text::{Edit, Ranged as _, TextRange};

pub(super) const REWRITE: Rewrite = Rewrite { name: "running_loop", offer };

/// What the loop calls later, and nobody else.
const SCHEDULERS: &[&str] = &[
    "asyncio.AbstractEventLoop.add_reader",
    "asyncio.AbstractEventLoop.add_signal_handler",
    "asyncio.AbstractEventLoop.add_writer",
    "asyncio.AbstractEventLoop.call_at",
    "asyncio.AbstractEventLoop.call_later",
    "asyncio.AbstractEventLoop.call_soon",
    "asyncio.AbstractEventLoop.call_soon_threadsafe",
    "asyncio.Future.add_done_callback",
    "asyncio.Task.add_done_callback",
];

fn offer(target: &Target) -> Option<Offer> {
    let (call, site) = call_of(&target.site)?;
    let title = "Use `asyncio.get_running_loop()`";
    match edits(&site, call) {
        Ok(edits) => Offer::edit(site.module, title, edits, true),
        Err(reason) => Offer::refused(title, reason),
    }
}

fn edits(site: &Site, call: &ast::ExprCall) -> Result<Vec<Edit>, String> {
    let module = site.module;
    if let Some(reason) = generated(module).or_else(|| no_loop(site)) {
        return Err(reason);
    }
    let function = imported_member(site, "asyncio", "get_running_loop")?;
    let mut edits = vec![Edit::replace(call.func.range(), function.name)];
    edits.extend(function.edit);
    if let Expr::Name(name) = &*call.func {
        edits.extend(drop_unused(module, &name.id, call.func.range()));
    }
    Ok(edits)
}

/// Why no loop may run here.
fn no_loop(site: &Site) -> Option<String> {
    let line = |range: TextRange| site.module.lines().line(range.start());
    match site.context() {
        ExecutionContext::Function(function) if function.is_async || is_callback(site, function) => None,
        ExecutionContext::Function(function) => {
            let at = line(function.name.range());
            Some(format!("`{}` (line {at}) is a plain `def`: it may be called while no loop runs", function.name))
        }
        ExecutionContext::Lambda(lambda) => {
            Some(format!("the lambda in line {} may be called while no loop runs", line(lambda.range())))
        }
        ExecutionContext::Module => Some("no loop runs while a module is imported".to_string()),
    }
}

/// Whether `function` is a local function that is handed to the loop, and used in no other way.
fn is_callback(site: &Site, function: &ast::StmtFunctionDef) -> bool {
    let module = site.module;
    let outer = path_to(module, function.range()).into_iter().rev().skip(1).find_map(|node| match node {
        AnyNodeRef::StmtFunctionDef(outer) => Some(outer),
        _ => None,
    });
    let Some(outer) = outer else { return false };
    let names = Names::in_body(&function.name, &outer.body);
    let is_handed_over = |read: &TextRange| {
        let path = path_to(module, *read);
        let [.., AnyNodeRef::ExprCall(call), AnyNodeRef::Arguments(_), _] = path.as_slice() else { return false };
        module.callee(call).is_some_and(|symbol| symbol.is_any(SCHEDULERS))
    };
    function.decorator_list.is_empty()
        && names.bindings.len() == 1
        && !names.reads.is_empty()
        && names.reads.iter().all(is_handed_over)
}
