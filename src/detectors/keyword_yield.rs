//! `yield` and `yield from`: who gets the value, and what waits behind it.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::coroutine_function::{cleanup, cleanup_around, yields};
use super::keyword_with::unguarded;
use super::locks::locks_of;
use super::method_body::own_nodes;
use super::suspension::{is_in, qualified_name, with_def};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::{Ranged as _, TextRange, TextSize};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["datamodel/generator-function", "keywords/yield", "keywords/yield-from"],
    nodes: &[NodeKind::ExprYield, NodeKind::ExprYieldFrom, NodeKind::StmtFunctionDef],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    if site.module.is_stub() {
        return None;
    }
    match site.node {
        AnyNodeRef::ExprYield(node) => yielded(site, node, findings),
        AnyNodeRef::ExprYieldFrom(node) => delegated(site, node, findings),
        AnyNodeRef::StmtFunctionDef(def) => generator(site, def, findings),
        _ => None,
    }
}

/// What the `yield` of a decorated generator hands over to.
const MANAGER: &str = "contextlib.contextmanager";
const ASYNC_MANAGER: &str = "contextlib.asynccontextmanager";
const FIXTURES: &[&str] =
    &["pytest.fixture", "pytest.yield_fixture", "pytest_asyncio.fixture", "pytest_asyncio.plugin.fixture"];

fn is_decorated_with(site: &Site, def: &ast::StmtFunctionDef, names: &[&str]) -> bool {
    def.decorator_list.iter().any(|decorator| {
        let callable = ast::helpers::map_callable(&decorator.expression);
        site.module.may_be(callable, names) && site.module.symbol(callable).is_some_and(|symbol| symbol.is_any(names))
    })
}

fn yielded(site: &Site, node: &ast::ExprYield, findings: &mut Findings) -> Option<()> {
    let def = site.function()?;
    let name = qualified_name(site.module, def);
    let sent = match site.parent() {
        Some(AnyNodeRef::StmtAssign(assign)) => match assign.targets.as_slice() {
            [target] => Some(Fact::from(site.module.source(target))),
            _ => None,
        },
        _ => None,
    };
    let behind = unguarded(def, node.range()).and_then(|range| site.module.place(range)).map(Fact::from);
    let finding = Finding::new("keywords/yield", TextRange::at(node.start(), TextSize::new(5)));
    // What is entered elsewhere in the function does not wait at this place.
    let guarded = cleanup_around(&def.body, &|inner| is_in(inner, node.range()));
    let guarded = guarded.and_then(|range| site.module.place(range)).map(Fact::from);
    let finding = if is_decorated_with(site, def, &[ASYNC_MANAGER]) {
        finding.fact("async_manager", Fact::from(name)).fact("skipped_at", Some(behind?))
    } else if is_decorated_with(site, def, &[MANAGER]) {
        finding.fact("manager", Fact::from(name)).fact("skipped_at", Some(behind?))
    } else if is_decorated_with(site, def, FIXTURES) {
        finding.fact("fixture", Fact::from(name)).fact("teardown_at", Some(behind?))
    } else if !def.decorator_list.is_empty() && sent.is_none() {
        // Another decorator may be the consumer, and run it in its own way.
        return None;
    } else {
        let held = held(site, def);
        let guarded = guarded.filter(|_| held.is_none());
        if held.is_none() && sent.is_none() && guarded.is_none() {
            return None;
        }
        let name = if def.is_async { "late_at" } else { "cleanup_at" };
        let function = Fact::from(qualified_name(site.module, def));
        finding.fact("function", function).fact("sent", sent).fact("held", held.map(Fact::from)).fact(name, guarded)
    };
    findings.push(finding.fact("value", node.value.as_deref().map(|value| Fact::from(site.module.source(value)))));
    Some(())
}

/// The lock that is held around the `yield`, as written.
fn held(site: &Site, def: &ast::StmtFunctionDef) -> Option<String> {
    let inside = site.enclosing().take_while(|node| node.range() != def.range());
    inside.into_iter().find_map(|node| match node {
        AnyNodeRef::StmtWith(with) => {
            let locks = locks_of(site.module, with);
            locks.first().map(|(lock, _)| site.module.source(*lock).to_string())
        }
        _ => None,
    })
}

fn delegated(site: &Site, node: &ast::ExprYieldFrom, findings: &mut Findings) -> Option<()> {
    let def = site.function()?;
    let result = match site.parent() {
        Some(AnyNodeRef::StmtAssign(assign)) => match assign.targets.as_slice() {
            [target] => Some(Fact::from(site.module.source(target))),
            _ => None,
        },
        _ => None,
    };
    let result = result?;
    // What comes back is to be seen in another function.
    let Expr::Call(call) = &*node.value else { return None };
    let generator = site.module.called_function(call).filter(|function| function.is_generator)?;
    let returned = with_def(site.module, &generator, |module, inner| {
        let is_plain = inner.decorator_list.is_empty();
        let mut values = vec![];
        own_nodes(&inner.body, |node| {
            if let AnyNodeRef::StmtReturn(ast::StmtReturn { value: Some(value), .. }) = node {
                values.push((module.source(&**value).to_string(), module.place(node.range())));
            }
        });
        is_plain.then_some(values)
    })??;
    let is_one = returned.len() == 1;
    let nothing = returned.is_empty().then(|| Fact::from(generator.name.as_str()));
    // Of several values it is not known which one comes back.
    let (value, returned_at) = returned.into_iter().next().filter(|_| is_one).unzip();
    findings.push(
        Finding::new("keywords/yield-from", TextRange::at(node.start(), TextSize::new(10)))
            .fact("function", Fact::from(qualified_name(site.module, def)))
            .fact("source", Fact::from(site.module.source(&*node.value)))
            .fact("result", result)
            .fact("nothing", nothing)
            .fact("returned", value.map(Fact::from))
            .fact("returned_at", returned_at.flatten().map(Fact::from))
            .fact("inner", Fact::from(generator.name.as_str()))
            .fact("inner_at", generator.place.map(Fact::from)),
    );
    Some(())
}

fn generator(site: &Site, def: &ast::StmtFunctionDef, findings: &mut Findings) -> Option<()> {
    if def.is_async || !findings.wants("datamodel/generator-function") {
        return None;
    }
    let mut stops = vec![];
    super::method_body::own_nodes(&def.body, |node| {
        if let AnyNodeRef::ExprYield(_) | AnyNodeRef::ExprYieldFrom(_) = node {
            stops.push(node.range());
        }
    });
    if is_decorated_with(site, def, &[MANAGER]) || is_decorated_with(site, def, FIXTURES) {
        return None;
    }
    let first = stops.iter().map(|stop| stop.start()).min()?;
    let checked = first_check(&def.body, first);
    let count = yields(&def.body).len();
    let mut returned: Option<&ast::Expr> = None;
    super::method_body::own_nodes(&def.body, |node| {
        if let AnyNodeRef::StmtReturn(ast::StmtReturn { value: Some(value), .. }) = node {
            returned = returned.or(Some(value));
        }
    });
    // What `__await__` returns is the value of the `await`.
    let returned = returned.filter(|_| def.name.as_str() != "__await__");
    let place = |range: TextRange| site.module.place(range).map(Fact::from);
    let guarded = cleanup(&def.body).filter(|_| count > 0);
    // That nothing runs at the call is true of every generator.
    if checked.is_none() && returned.is_none() && guarded.is_none() {
        return None;
    }
    findings.push(
        Finding::new("datamodel/generator-function", def.name.range())
            .fact("function", Fact::from(qualified_name(site.module, def)))
            .fact("checked_at", checked.and_then(place))
            .fact(
                "also_returned",
                returned.filter(|_| checked.is_some()).map(|value| Fact::from(site.module.source(value))),
            )
            .fact("returned", returned.map(|value| Fact::from(site.module.source(value))))
            .fact("cleanup_at", guarded.and_then(place)),
    );
    Some(())
}

/// The first `raise` in an `if` that stands before anything is yielded.
fn first_check(body: &[ast::Stmt], before: TextSize) -> Option<TextRange> {
    let early = body.iter().take_while(|statement| statement.end() <= before);
    early
        .filter_map(ast::Stmt::as_if_stmt)
        .find_map(|check| check.body.iter().find_map(|statement| statement.as_raise_stmt().map(|raise| raise.range())))
}
