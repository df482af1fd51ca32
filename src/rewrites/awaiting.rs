//! What must hold where an `await` is put, and how it is written there.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use crate::analysis::{Module, Site};
use crate::detectors::suspension::{around, coroutine_function, frame, is_in, visit_frame};
use crate::text::{Edit, Ranged as _, TextRange};

/// Locks between threads or processes. While one is held, a suspended task keeps it, and the next thread that wants it may
/// be the loop's own.
const THREAD_LOCKS: &[&str] = &[
    "multiprocessing.Condition",
    "multiprocessing.Lock",
    "multiprocessing.RLock",
    "multiprocessing.Semaphore",
    "threading.BoundedSemaphore",
    "threading.Condition",
    "threading.Lock",
    "threading.RLock",
    "threading.Semaphore",
];

/// Builtins that take all of an iterable before they return.
pub(super) const TAKE_ALL: &[&str] = &[
    "builtins.dict",
    "builtins.frozenset",
    "builtins.list",
    "builtins.max",
    "builtins.min",
    "builtins.set",
    "builtins.sorted",
    "builtins.str.join",
    "builtins.sum",
    "builtins.tuple",
];

/// The call that a finding on its callee, or on the whole of it, stands for; without parentheses around its callee, and
/// in a statement that parses.
pub(super) fn call_of<'a, 's>(site: &Site<'a, 's>) -> Option<(&'a ast::ExprCall, Site<'a, 's>)> {
    let range = site.node.range();
    let statement = site.statement()?.range();
    if site.module.syntax_errors().iter().any(|error| error.intersect(statement).is_some()) {
        return None;
    }
    let mut site = Some(*site);
    while let Some(current) = site {
        match current.node {
            AnyNodeRef::ExprCall(call) if call.func.range() == range || call.range() == range => {
                return (call.arguments.start() == call.func.end()).then_some((call, current));
            }
            node if node.is_statement() => return None,
            _ => site = current.up(),
        }
    }
    None
}

/// Why the code at the site must not be suspended: the reason of a refusal.
pub(super) fn obstacle(site: &Site) -> Option<String> {
    let module = site.module;
    let line = |range: TextRange| module.lines().line(range.start());
    let Some(function) = site.function() else { return Some("only a coroutine function can await".to_string()) };
    if !function.is_async {
        let at = line(function.name.range());
        return Some(format!("`{}` (line {at}) is a plain `def`, which cannot await", function.name));
    }
    if site.is_annotation() {
        return Some(format!("the annotation in line {} cannot await", line(site.node.range())));
    }
    misplaced(site).or_else(|| suspension_obstacle(site))
}

/// Why a function, even if it were a coroutine function, must not be suspended at the site.
pub(super) fn suspension_obstacle(site: &Site) -> Option<String> {
    let module = site.module;
    let line = |range: TextRange| module.lines().line(range.start());
    if let Some(lock) = held_lock(site) {
        let at = line(lock.range());
        return Some(format!("the thread lock `{}` (line {at}) is held here", module.source(lock)));
    }
    let other = other_framework(module)?;
    Some(format!("this file imports `{}` (line {}), whose loop is not asyncio's", module.source(other), line(other)))
}

/// A class body, which cannot await, or a generator expression, which an `await` would make asynchronous.
pub(super) fn misplaced(site: &Site) -> Option<String> {
    let module = site.module;
    let line = |range: TextRange| module.lines().line(range.start());
    let own = site.enclosing().take_while(|node| !matches!(node, AnyNodeRef::StmtFunctionDef(_)));
    own.into_iter().find_map(|node| match node {
        AnyNodeRef::StmtClassDef(class) if is_in(&class.body, site.node.range()) => {
            Some(format!("the body of class `{}` (line {}) cannot await", class.name, line(class.name.range())))
        }
        AnyNodeRef::ExprGenerator(generator) => {
            let is_first =
                generator.generators.first().is_some_and(|first| first.iter.range().contains_range(site.node.range()));
            let reason =
                format!("the generator expression in line {} would become asynchronous", line(generator.range()));
            (!is_first).then_some(reason)
        }
        _ => None,
    })
}

/// A thread's lock that is held at the site, by `with` or by an `acquire` without `release` before the site.
fn held_lock<'a>(site: &Site<'a, '_>) -> Option<&'a Expr> {
    let module = site.module;
    let is_lock = |expr: &Expr| module.class_name(expr).is_some_and(|class| class.is_any(THREAD_LOCKS));
    let by_with = around(site).find_map(|node| match node {
        AnyNodeRef::StmtWith(with) if !with.is_async && is_in(&with.body, site.node.range()) => {
            with.items.iter().map(|item| &item.context_expr).find(|manager| is_lock(manager))
        }
        _ => None,
    });
    if by_with.is_some() {
        return by_with;
    }
    let mut held: Vec<&Expr> = vec![];
    visit_frame(frame(site), &mut |node| {
        let AnyNodeRef::ExprCall(ast::ExprCall { func, .. }) = node else { return };
        let Expr::Attribute(method) = &**func else { return };
        if node.end() > site.node.start() {
            return;
        }
        match method.attr.as_str() {
            "acquire" if is_lock(&method.value) => held.push(&method.value),
            "release" => held.retain(|lock| module.source(*lock) != module.source(&*method.value)),
            _ => {}
        }
    });
    held.pop()
}

/// An import of another framework for coroutines.
fn other_framework(module: &Module) -> Option<TextRange> {
    let is_other = |name: &str| matches!(name.split('.').next(), Some("anyio" | "curio" | "trio"));
    module.syntax().body.iter().find_map(|statement| match statement {
        Stmt::Import(import) => {
            import.names.iter().find(|alias| is_other(alias.name.as_str())).map(|alias| alias.name.range())
        }
        Stmt::ImportFrom(import) => {
            import.module.as_ref().filter(|name| import.level == 0 && is_other(name.as_str())).map(|name| name.range())
        }
        _ => None,
    })
}

/// Why `receiver` may be another loop than the one that runs the site: the reason of a refusal.
pub(super) fn other_loop(site: &Site, receiver: &Expr) -> Option<String> {
    const RUNNING: &[&str] = &["asyncio.get_event_loop", "asyncio.get_running_loop"];
    let module = site.module;
    let body = frame(site);
    let is_running = |origin: &&Expr| {
        let asked = origin.as_call_expr().filter(|call| module.calls(call, RUNNING));
        asked.is_some_and(|call| is_in(body, call.range()) && !is_nested(body, call.range()))
    };
    let origins = module.origins(receiver);
    let is_known = site.async_function().is_some() && !origins.is_empty() && origins.iter().all(is_running);
    let line = module.lines().line(receiver.start());
    (!is_known)
        .then(|| format!("`{}` in line {line} may be another loop than the running one", module.source(receiver)))
}

/// Whether what is at `range` runs in a frame of its own within `body`.
fn is_nested(body: &[Stmt], range: TextRange) -> bool {
    let mut is_here = false;
    visit_frame(body, &mut |node| is_here |= node.range() == range);
    !is_here
}

/// Whether `expr` is a call that gives a coroutine.
pub(super) fn is_coroutine_call(module: &Module, expr: &Expr) -> bool {
    expr.as_call_expr().is_some_and(|call| coroutine_function(module, &call.func).is_some())
}

/// Where an `await` or a `yield` stands in `expr`.
pub(super) fn suspension_in(expr: &Expr) -> Option<TextRange> {
    let mut found = None;
    ast::helpers::any_over_expr(expr, |part| {
        if matches!(part, Expr::Await(_) | Expr::Yield(_) | Expr::YieldFrom(_)) {
            found = Some(part.range());
        }
        found.is_some()
    });
    found
}

/// Parentheses around an awaited call, where what follows would bind more tightly than `await`.
pub(super) fn parentheses(call: &Site) -> Vec<Edit> {
    let range = call.node.range();
    let is_tight = match call.parent() {
        Some(AnyNodeRef::ExprAttribute(_)) => true,
        Some(AnyNodeRef::ExprSubscript(subscript)) => subscript.value.range() == range,
        Some(AnyNodeRef::ExprCall(outer)) => outer.func.range() == range,
        _ => false,
    };
    match is_tight {
        true => vec![Edit::insert(range.start(), "("), Edit::insert(range.end(), ")")],
        false => vec![],
    }
}
