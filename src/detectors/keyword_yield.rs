//! `yield` and `yield from`: who gets the value, and what waits behind it.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::coroutine_function::{cleanup, yields};
use super::keyword_with::unguarded;
use super::suspension::qualified_name;
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
const FIXTURES: &[&str] = &["pytest.fixture", "pytest.yield_fixture"];

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
    let finding = if def.is_async && is_decorated_with(site, def, &[ASYNC_MANAGER]) {
        finding.fact("async_manager", Fact::from(name)).fact("skipped_at", behind)
    } else if def.is_async {
        let guarded = cleanup(&def.body).and_then(|range| site.module.place(range));
        finding.fact("function", Fact::from(name)).fact("late_at", guarded.map(Fact::from))
    } else if is_decorated_with(site, def, &[MANAGER]) {
        finding.fact("manager", Fact::from(name)).fact("skipped_at", behind)
    } else if is_decorated_with(site, def, FIXTURES) {
        finding.fact("fixture", Fact::from(name)).fact("teardown_at", behind)
    } else {
        let guarded = cleanup(&def.body).and_then(|range| site.module.place(range));
        finding.fact("function", Fact::from(name)).fact("sent", sent).fact("cleanup_at", guarded.map(Fact::from))
    };
    findings.push(finding.fact("value", node.value.as_deref().map(|value| Fact::from(site.module.source(value)))));
    Some(())
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
    let generator = match &*node.value {
        Expr::Call(call) => site.module.called_function(call).filter(|function| function.is_generator),
        _ => None,
    };
    findings.push(
        Finding::new("keywords/yield-from", TextRange::at(node.start(), TextSize::new(10)))
            .fact("function", Fact::from(qualified_name(site.module, def)))
            .fact("source", Fact::from(site.module.source(&*node.value)))
            .fact("result", result)
            .fact("inner", generator.as_ref().map(|function| Fact::from(function.name.as_str())))
            .fact("inner_at", generator.and_then(|function| function.place).map(Fact::from)),
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
    // With several, which one comes first is the run's affair.
    let only = match stops.as_slice() {
        [] => return None,
        [only] => Some(*only),
        _ => None,
    };
    if is_decorated_with(site, def, &[MANAGER]) || is_decorated_with(site, def, FIXTURES) {
        return None;
    }
    let count = yields(&def.body).len();
    let mut returned: Option<&ast::Expr> = None;
    super::method_body::own_nodes(&def.body, |node| {
        if let AnyNodeRef::StmtReturn(ast::StmtReturn { value: Some(value), .. }) = node {
            returned = returned.or(Some(value));
        }
    });
    findings.push(
        Finding::new("datamodel/generator-function", def.name.range())
            .fact("function", Fact::from(qualified_name(site.module, def)))
            .fact("first_at", only.and_then(|only| site.module.place(only)).map(Fact::from))
            .fact("returned", returned.map(|value| Fact::from(site.module.source(value))))
            .fact(
                "cleanup_at",
                cleanup(&def.body).filter(|_| count > 0).and_then(|at| site.module.place(at)).map(Fact::from),
            ),
    );
    Some(())
}
