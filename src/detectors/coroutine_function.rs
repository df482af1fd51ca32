//! `async def`: coroutine functions and asynchronous generators, at their definition.

mod forgotten_awaits;

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::nodes;
use super::suspension::{around, call_head, is_interface, path_to, qualified_name, suspensions, visit_frame};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Place, Ranged as _, TextRange, TextSize};

use forgotten_awaits::forgotten_awaits;

pub(super) const DETECTOR: Detector = Detector {
    concepts: &[
        "asyncio/async-generator",
        "asyncio/async-special-method",
        "asyncio/cached-coroutine",
        "asyncio/coroutine-function",
        "asyncio/yield-in-scope",
    ],
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

/// Those that run a coroutine where they stand.
const RUN_IN_PLACE: &[&str] =
    &["asyncio.AbstractEventLoop.run_until_complete", "asyncio.Runner.run", "asyncio.run", "asyncio.wait_for"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtFunctionDef(function) = site.node else { return None };
    if !function.is_async || site.module.is_stub() {
        return None;
    }
    let yields = yields(&function.body);
    special_method(site, function, yields.is_empty(), findings);
    cached(site, function, findings);
    scoped_yields(site, function, &yields, findings);
    let concept = if yields.is_empty() { "asyncio/coroutine-function" } else { "asyncio/async-generator" };
    if findings.wants(concept) {
        let finding = if yields.is_empty() { coroutine(site, function) } else { generator(site, function, &yields) };
        findings.push(finding?.fact("function", Fact::from(qualified_name(site.module, function))));
    }
    Some(())
}

/// Special methods that Python calls itself, and whose coroutine it takes for the result. Not those whose result the
/// caller may await, such as `__getitem__` and `__call__`.
const NEVER_AWAITED: &[&str] = &[
    "__aiter__",
    "__bool__",
    "__bytes__",
    "__complex__",
    "__contains__",
    "__del__",
    "__delattr__",
    "__delete__",
    "__delitem__",
    "__enter__",
    "__exit__",
    "__float__",
    "__format__",
    "__hash__",
    "__index__",
    "__init__",
    "__init_subclass__",
    "__int__",
    "__iter__",
    "__len__",
    "__post_init__",
    "__repr__",
    "__set__",
    "__set_name__",
    "__setattr__",
    "__setitem__",
    "__str__",
];

fn special_method(site: &Site, function: &ast::StmtFunctionDef, is_coroutine: bool, findings: &mut Findings) {
    let Some(AnyNodeRef::StmtClassDef(class)) = site.parent() else { return };
    let name = function.name.as_str();
    // An asynchronous generator is what `__aiter__` may be.
    let is_refused = NEVER_AWAITED.contains(&name) && (is_coroutine || name != "__aiter__");
    if is_refused && function.decorator_list.is_empty() && !is_awaited_by_hand(site, name) {
        findings.push(
            Finding::new("asyncio/async-special-method", function.name.range())
                .fact("method", Fact::from(name))
                .fact("class", Fact::from(class.name.as_str())),
        );
    }
}

/// Whether the file awaits a call of the method, as a `__new__` that is a coroutine function does with `__init__`.
fn is_awaited_by_hand(site: &Site, method: &str) -> bool {
    let is_awaited = |call: &ast::ExprCall| {
        nodes::around(site.module, call.range()).into_iter().any(|node| match node {
            AnyNodeRef::ExprAwait(awaited) => awaited.value.range() == call.range(),
            _ => false,
        })
    };
    site.module.calls_of(method).into_iter().any(is_awaited)
}

/// A cache of the standard library around a coroutine function.
fn cached(site: &Site, function: &ast::StmtFunctionDef, findings: &mut Findings) {
    const CACHES: &[&str] = &["functools.cache", "functools.cached_property", "functools.lru_cache"];
    // The decorator next to the function is the one that sees the coroutine function itself.
    let Some(decorator) = function.decorator_list.last() else { return };
    let callable = ast::helpers::map_callable(&decorator.expression);
    if site.module.symbol(callable).is_some_and(|symbol| symbol.is_any(CACHES)) {
        findings.push(
            Finding::new("asyncio/cached-coroutine", decorator.expression.range())
                .fact("decorator", Fact::from(site.module.source(callable)))
                .fact("function", Fact::from(function.name.as_str())),
        );
    }
}

/// Each `yield` under a timeout or a task group, in a generator that nothing is made of.
fn scoped_yields(site: &Site, function: &ast::StmtFunctionDef, yields: &[TextRange], findings: &mut Findings) {
    if !function.decorator_list.is_empty() {
        return;
    }
    for at in yields {
        if let Some(scope) = cancelling_scope(site, *at) {
            findings.push(
                Finding::new("asyncio/yield-in-scope", *at)
                    .fact("scope", Fact::from(scope))
                    .fact("function", Fact::from(function.name.as_str())),
            );
        }
    }
}

/// What a coroutine function does that an `async def` does not say: it never lets others run, it stops the loop, or it runs
/// beside its caller. Of any other there is nothing to tell.
fn coroutine(site: &Site, function: &ast::StmtFunctionDef) -> Option<Finding> {
    let module = site.module;
    let suspends = suspensions(&function.body);
    // The protocol asks for a coroutine function where the name is Python's own.
    let is_special = function.name.starts_with("__");
    let never = !is_special && suspends.is_empty() && !is_interface(&function.body) && takes_time(&function.body);
    let blocking = blocking_call(site, &function.body);
    let starter = starter(site, function);
    let range = words(site, function);
    let forgotten = if site.is_asked(range) { forgotten_awaits(module, function) } else { vec![] };
    if !never && blocking.is_none() && starter.is_none() && forgotten.is_empty() {
        return None;
    }
    let mut places: Vec<Place> = suspends.into_iter().filter_map(|at| module.place(at)).collect();
    places.dedup_by_key(|place| place.line);
    let (blocking_call, blocking_at) = blocking.unzip();
    let (starter, started_at) = starter.unzip();
    Some(
        Finding::new("asyncio/coroutine-function", range)
            .fact("forgotten_at", Fact::from(forgotten))
            .fact("suspends_at", Fact::from(places))
            .fact("never_suspends", never.then(|| Fact::from(function.name.as_str())))
            .fact("blocking_call", blocking_call.map(Fact::from))
            .fact("blocking_at", blocking_at.flatten().map(Fact::from))
            .fact("starter", starter.map(Fact::from))
            .fact("started_at", started_at.flatten().map(Fact::from)),
    )
}

/// Whether the body may take a while, and is too long to see at once that nothing in it waits.
fn takes_time(body: &[Stmt]) -> bool {
    let (mut repeats, mut statements) = (false, 0);
    visit_frame(body, &mut |node| {
        repeats |= matches!(node, AnyNodeRef::StmtFor(_) | AnyNodeRef::StmtWhile(_));
        statements += usize::from(node.is_statement());
    });
    repeats || statements > 8
}

/// The only place in this file that calls the function, if it starts it in plain sight.
fn starter(site: &Site, function: &ast::StmtFunctionDef) -> Option<(String, Option<Place>)> {
    let module = site.module;
    let (call, outer) = only_start(module, function)?;
    // What runs the whole program, or runs in its caller's place, goes without saying.
    let goes_without_saying = module.calls(outer, RUN_IN_PLACE);
    (!goes_without_saying).then(|| (module.source(&*outer.func).to_string(), module.place(call.range())))
}

/// The only call of the function in this file, and the call that is given the coroutine and starts it.
pub(super) fn only_start<'m>(
    module: &'m Module,
    function: &ast::StmtFunctionDef,
) -> Option<(&'m ast::ExprCall, &'m ast::ExprCall)> {
    let own = module.place(function.name.range())?;
    let calls = module.calls_of(&function.name);
    let mut calls = calls
        .into_iter()
        .filter(|call| module.called_function(call).is_some_and(|called| called.place.as_ref() == Some(&own)));
    let (call, None) = (calls.next()?, calls.next()) else { return None };
    let path = path_to(module, call.range());
    let mut parents = path.iter().rev().skip(1).filter(|node| !matches!(node, AnyNodeRef::Arguments(_)));
    match parents.next()? {
        AnyNodeRef::ExprCall(outer) => module.callee(outer)?.is_any(STARTERS).then_some((call, *outer)),
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

fn generator(site: &Site, function: &ast::StmtFunctionDef, yields: &[TextRange]) -> Option<Finding> {
    let module = site.module;
    let finding = Finding::new("asyncio/async-generator", words(site, function));
    let is_manager = function.decorator_list.iter().any(|decorator| {
        module.symbol(&decorator.expression).is_some_and(|symbol| symbol.is("contextlib.asynccontextmanager"))
    });
    if is_manager {
        return None;
    }
    // A decorator may run the generator in its own way.
    let cleanup_at = cleanup(&function.body).filter(|_| function.decorator_list.is_empty());
    let scoped = yields.iter().find_map(|at| Some((*at, cancelling_scope(site, *at)?)));
    if cleanup_at.is_none() && scoped.is_none() {
        return None;
    }
    let (scoped_yield, scope) = scoped.unzip();
    Some(
        finding
            .fact("cleanup_at", cleanup_at.and_then(|at| module.place(at)).map(Fact::from))
            .fact("scope", scope.map(Fact::from))
            .fact("scoped_yield_at", scoped_yield.and_then(|at| module.place(at)).map(Fact::from)),
    )
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
    cleanup_around(body, &|inner| !yields(inner).is_empty())
}

/// The first cleanup whose block is one that `is_meant` accepts.
pub(super) fn cleanup_around(body: &[Stmt], is_meant: &dyn Fn(&[Stmt]) -> bool) -> Option<TextRange> {
    let mut found = None;
    visit_frame(body, &mut |node| {
        if found.is_some() {
            return;
        }
        match node {
            AnyNodeRef::StmtTry(statement) if is_meant(&statement.body) => {
                found = statement.finalbody.first().map(|first| first.range());
            }
            AnyNodeRef::StmtWith(statement) if is_meant(&statement.body) => {
                let managers = statement.items.iter().map(|item| &item.context_expr);
                found = managers.filter(|manager| !leaves_nothing(manager)).map(|manager| manager.range()).next();
            }
            _ => {}
        }
    });
    found
}

/// Whether a manager has nothing to do at its end, by its name.
fn leaves_nothing(manager: &Expr) -> bool {
    let name = match ast::helpers::map_callable(manager) {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return false,
    };
    matches!(name, "nullcontext" | "suppress")
}

/// `async def name`.
fn words(site: &Site, function: &ast::StmtFunctionDef) -> TextRange {
    let start = function.decorator_list.last().map_or(function.start(), |decorator| decorator.end());
    let before_name = site.module.source(TextRange::new(start, function.name.start()));
    let offset = before_name.find("async").and_then(|at| TextSize::try_from(at).ok()).unwrap_or_default();
    TextRange::new(start + offset, function.name.end())
}
