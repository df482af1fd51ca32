//! `async def`: coroutine functions and asynchronous generators, at their definition.

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind, Stmt};

use super::suspension::{around, call_head, is_interface, path_to, qualified_name, suspensions, visit_frame};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::{Place, Ranged as _, TextRange, TextSize};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["asyncio/async-generator", "asyncio/coroutine-function"],
    nodes: &[NodeKind::StmtFunctionDef],
    detect,
};

/// What turns a coroutine into running code.
pub(super) const STARTERS: &[&str] = &[
    "asyncio.AbstractEventLoop.create_task",
    "asyncio.AbstractEventLoop.run_until_complete",
    "asyncio.Runner.run",
    "asyncio.TaskGroup.create_task",
    "asyncio.as_completed",
    "asyncio.create_task",
    "asyncio.ensure_future",
    "asyncio.gather",
    "asyncio.run",
    "asyncio.run_coroutine_threadsafe",
    "asyncio.shield",
    "asyncio.wait",
    "asyncio.wait_for",
];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtFunctionDef(function) = site.node else { return None };
    if !function.is_async || site.module.is_stub() {
        return None;
    }
    let yields = yields(&function.body);
    let finding = match yields.first() {
        Some(_) => generator(site, function, &yields),
        None => coroutine(site, function),
    };
    findings.push(finding.fact("function", Fact::from(qualified_name(site.module, function))));
    Some(())
}

fn coroutine(site: &Site, function: &ast::StmtFunctionDef) -> Finding {
    let module = site.module;
    let finding = Finding::new("asyncio/coroutine-function", words(site, function));
    let finding = match suspensions(&function.body) {
        none if none.is_empty() && is_interface(&function.body) => finding,
        none if none.is_empty() => finding.fact("never_suspends", Fact::from(function.name.as_str())),
        some => {
            let mut places: Vec<Place> = some.into_iter().filter_map(|at| module.place(at)).collect();
            places.dedup_by_key(|place| place.line);
            finding.fact("suspends_at", Fact::from(places))
        }
    };
    let finding = match blocking_call(site, &function.body) {
        Some((callee, at)) => finding.fact("blocking_call", Fact::from(callee)).fact("blocking_at", at.map(Fact::from)),
        None => finding,
    };
    match starter(site, function) {
        Some((starter, at)) => finding.fact("starter", Fact::from(starter)).fact("started_at", at.map(Fact::from)),
        None => finding,
    }
}

/// The only place in this file that calls the function, if it starts it in plain sight.
fn starter(site: &Site, function: &ast::StmtFunctionDef) -> Option<(String, Option<Place>)> {
    let module = site.module;
    let own = module.place(function.name.range())?;
    let calls = module.calls_of(&function.name);
    let mut calls = calls
        .into_iter()
        .filter(|call| module.called_function(call).is_some_and(|called| called.place.as_ref() == Some(&own)));
    let (call, None) = (calls.next()?, calls.next()) else { return None };
    let path = path_to(module, call.range());
    let mut parents = path.iter().rev().skip(1).filter(|node| !matches!(node, AnyNodeRef::Arguments(_)));
    match parents.next()? {
        AnyNodeRef::ExprAwait(_) => Some(("await".to_string(), module.place(call.range()))),
        AnyNodeRef::ExprCall(outer) => {
            let is_starter = module.callee(outer).is_some_and(|symbol| symbol.is_any(STARTERS));
            is_starter.then(|| (module.source(&*outer.func).to_string(), module.place(call.range())))
        }
        _ => None,
    }
}

/// The first call in `body` that blocks its thread, and where.
pub(super) fn blocking_call(site: &Site, body: &[Stmt]) -> Option<(String, Option<Place>)> {
    let mut found = None;
    visit_frame(body, &mut |node| {
        if let AnyNodeRef::ExprCall(call) = node
            && found.is_none()
            && site.module.blocking_call(call).is_some_and(|row| !row.file)
        {
            found = Some((site.module.source(&*call.func).to_string(), site.module.place(call.range())));
        }
    });
    found
}

fn generator(site: &Site, function: &ast::StmtFunctionDef, yields: &[TextRange]) -> Finding {
    let module = site.module;
    let finding = Finding::new("asyncio/async-generator", words(site, function));
    let manager = function.decorator_list.iter().find(|decorator| {
        module.symbol(&decorator.expression).is_some_and(|symbol| symbol.is("contextlib.asynccontextmanager"))
    });
    if let Some(manager) = manager {
        return finding.fact("context_manager", Fact::from(module.source(&manager.expression)));
    }
    let finding = finding.fact("cleanup_at", cleanup(&function.body).and_then(|at| module.place(at)).map(Fact::from));
    match yields.iter().find_map(|at| Some((*at, cancelling_scope(site, *at)?))) {
        Some((at, scope)) => {
            finding.fact("scope", Fact::from(scope)).fact("scoped_yield_at", module.place(at).map(Fact::from))
        }
        None => finding,
    }
}

/// The `timeout` or task group around a `yield`, as written.
fn cancelling_scope(site: &Site, at: TextRange) -> Option<String> {
    const SCOPES: &[&str] = &["asyncio.TaskGroup", "asyncio.timeout", "asyncio.timeout_at"];
    let path = path_to(site.module, at);
    let (node, ancestors) = path.split_last()?;
    let inner = Site { node: *node, ancestors, ..*site };
    around(&inner).find_map(|node| match node {
        AnyNodeRef::StmtWith(with) if with.is_async => with.items.iter().find_map(|item| {
            let call = item.context_expr.as_call_expr()?;
            let symbol = site.module.callee(call)?;
            symbol.is_any(SCOPES).then(|| call_head(site.module, call))
        }),
        _ => None,
    })
}

/// The places where the frame of `body` yields.
pub(super) fn yields(body: &[Stmt]) -> Vec<TextRange> {
    let mut found = vec![];
    visit_frame(body, &mut |node| {
        if let AnyNodeRef::ExprYield(_) = node {
            found.push(node.range());
        }
    });
    found
}

/// Where cleanup is written that must run when the generator is closed at a `yield`: a `finally` or a `with` around one.
pub(super) fn cleanup(body: &[Stmt]) -> Option<TextRange> {
    let mut found = None;
    visit_frame(body, &mut |node| {
        if found.is_some() {
            return;
        }
        match node {
            AnyNodeRef::StmtTry(statement) if !yields(&statement.body).is_empty() => {
                found = statement.finalbody.first().map(|first| first.range());
            }
            AnyNodeRef::StmtWith(statement) if !yields(&statement.body).is_empty() => {
                found = statement.items.first().map(|item| item.context_expr.range());
            }
            _ => {}
        }
    });
    found
}

/// `async def name`.
fn words(site: &Site, function: &ast::StmtFunctionDef) -> TextRange {
    let start = function.decorator_list.last().map_or(function.start(), |decorator| decorator.end());
    let before_name = site.module.source(TextRange::new(start, function.name.start()));
    let offset = before_name.find("async").and_then(|at| TextSize::try_from(at).ok()).unwrap_or_default();
    TextRange::new(start + offset, function.name.end())
}
