//! Parameters of tests and fixtures: which fixture of pytest gives the value, and how long it is shared.

use std::path::Path;

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::keyword_with::first_yield;
use super::method_body::own_nodes;
use super::nodes::{all_nodes, is_test_file};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["third-party/fixture-parameter", "third-party/pytest-fixture"],
    nodes: &[NodeKind::Parameter, NodeKind::StmtFunctionDef],
    detect,
};

/// Decorators that make a fixture.
pub(super) const FIXTURES: &[&str] =
    &["pytest.fixture", "pytest.yield_fixture", "pytest_asyncio.fixture", "pytest_asyncio.plugin.fixture"];

/// How far up from a file a plugin's dotted name may begin.
const FOLDERS: usize = 4;

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    match site.node {
        AnyNodeRef::Parameter(parameter) => wanted(site, parameter, findings),
        AnyNodeRef::StmtFunctionDef(def) => made(site, def, findings),
        _ => None,
    }
}

/// A fixture whose object several tests share, at its decorator.
fn made(site: &Site, def: &ast::StmtFunctionDef, findings: &mut Findings) -> Option<()> {
    let decorator = decorator(site.module, def)?;
    let scope = scope(decorator)?;
    let value = changeable_value(site.module, def)?;
    findings.push(
        Finding::new("third-party/pytest-fixture", decorator.expression.range())
            .fact("fixture", Fact::from(called(decorator, def)))
            .fact("value", Fact::from(value))
            .fact("scope", Fact::from(scope)),
    );
    Some(())
}

/// What the fixture gives, where that is a container made by it: what cannot be changed in place can be shared by all.
fn changeable_value(module: &Module, def: &ast::StmtFunctionDef) -> Option<String> {
    let mut given = vec![];
    own_nodes(&def.body, |node| match node {
        AnyNodeRef::StmtReturn(node) => given.extend(node.value.as_deref()),
        AnyNodeRef::ExprYield(node) => given.extend(node.value.as_deref()),
        _ => {}
    });
    let [value] = given.as_slice() else { return None };
    let class = module.class_of(*value)?;
    let is_changeable = class.symbol().is_any(&[
        "builtins.bytearray",
        "builtins.dict",
        "builtins.list",
        "builtins.set",
        "collections.deque",
        "collections.defaultdict",
    ]);
    is_changeable.then(|| module.source(*value).to_string())
}

fn wanted(site: &Site, parameter: &ast::Parameter, findings: &mut Findings) -> Option<()> {
    let module = site.module;
    if !site.is_asked(parameter.name.range()) || !findings.wants("third-party/fixture-parameter") {
        return None;
    }
    let def = site.enclosing().find_map(|node| match node {
        AnyNodeRef::StmtFunctionDef(def) => Some(def),
        _ => None,
    })?;
    let name = parameter.name.as_str();
    let is_asking = def.name.as_str().starts_with("test") || decorator(module, def).is_some();
    // `parametrize` gives the value, whatever fixtures there are.
    let is_given = def.decorator_list.iter().any(|decorator| {
        let source = module.source(decorator);
        source.contains("parametrize") && source.contains(name)
    });
    let has_default =
        def.parameters.iter_non_variadic_params().any(|item| item.name().as_str() == name && item.default().is_some());
    if !is_asking || is_given || has_default || is_overridden(module, name) {
        return None;
    }
    let fixture = match fixture(module, name, def.name.as_str()).or_else(|| plugged(module, name)) {
        Some(fixture) => fixture,
        None => above(module, module.path().filter(|_| is_test_file(module))?, name)?,
    };
    findings.push(
        Finding::new("third-party/fixture-parameter", parameter.name.range())
            .fact("parameter", Fact::from(name))
            .fact("defined_at", fixture.place.map(Fact::from))
            .fact("yielded", fixture.yielded.map(Fact::from))
            .fact("returned", fixture.returned.map(Fact::from))
            .fact("teardown_at", fixture.teardown.map(Fact::from))
            .fact("scope", fixture.scope.map(Fact::from)),
    );
    Some(())
}

/// Whether a mark of the whole file gives values of that name.
fn is_overridden(module: &Module, name: &str) -> bool {
    module.syntax().body.iter().any(|statement| match statement {
        Stmt::Assign(assign) => {
            let source = module.source(assign);
            source.starts_with("pytestmark") && source.contains(name)
        }
        _ => false,
    })
}

/// What a fixture gives.
struct Fixture {
    place: Option<Place>,
    yielded: Option<String>,
    returned: Option<String>,
    teardown: Option<Place>,
    scope: Option<String>,
}

/// The only fixture called `name` in this file, but not the function that asks.
fn fixture(module: &Module, name: &str, asking: &str) -> Option<Fixture> {
    let mut found = all_nodes(&module.syntax().body).into_iter().filter_map(|node| match node {
        // A fixture may ask for an outer one of its own name.
        AnyNodeRef::StmtFunctionDef(def) if def.name.as_str() != asking => {
            let decorator = decorator(module, def).filter(|decorator| called(decorator, def) == name)?;
            Some((def, decorator))
        }
        _ => None,
    });
    let (Some((def, decorator)), None) = (found.next(), found.next()) else { return None };
    let yielded = first_yield(def);
    let mut returned = None;
    let mut value = None;
    // With several, which one gives the value is the run's affair.
    let mut ways = 0;
    own_nodes(&def.body, |node| match node {
        AnyNodeRef::StmtReturn(node) => {
            returned = node.value.as_deref();
            ways += 1;
        }
        AnyNodeRef::ExprYield(node) => {
            value = value.or(node.value.as_deref());
            ways += 1;
        }
        _ => {}
    });
    let source = |value: &Expr| module.source(value).to_string();
    let teardown = yielded.and_then(|at| super::keyword_with::unguarded(def, at)).and_then(|range| module.place(range));
    Some(Fixture {
        place: module.place(def.name.range()),
        yielded: value.filter(|_| ways == 1).map(source),
        returned: returned.filter(|_| yielded.is_none() && ways == 1).map(source),
        teardown,
        scope: scope(decorator),
    })
}

/// The fixture in the nearest `conftest.py`, from the file's folder up to the workspace's root.
fn above(module: &Module, path: &Path, name: &str) -> Option<Fixture> {
    let roots = module.snapshot().roots();
    for folder in path.ancestors().skip(1) {
        let conftest = folder.join("conftest.py");
        if conftest != path
            && let Ok(other) = module.snapshot().module(&conftest)
            && let Some(found) = fixture(&other, name, "").or_else(|| plugged(&other, name))
        {
            return Some(found);
        }
        if roots.iter().any(|root| root == folder) {
            return None;
        }
    }
    None
}

/// The fixture in one of the files of the project that `pytest_plugins` names.
fn plugged(module: &Module, name: &str) -> Option<Fixture> {
    let named = module.syntax().body.iter().find_map(|statement| match statement {
        Stmt::Assign(assign) => match assign.targets.as_slice() {
            [Expr::Name(target)] if target.id.as_str() == "pytest_plugins" => Some(&*assign.value),
            _ => None,
        },
        _ => None,
    })?;
    let texts: Vec<&str> = match named {
        Expr::StringLiteral(one) => vec![one.value.to_str()],
        Expr::List(list) => list.elts.iter().filter_map(text).collect(),
        Expr::Tuple(tuple) => tuple.elts.iter().filter_map(text).collect(),
        _ => return None,
    };
    // The later one wins.
    texts.into_iter().rev().find_map(|plugin| {
        let below = Path::new(&plugin.replace('.', "/")).with_extension("py");
        let mut folders = module.path()?.ancestors().skip(1).take(FOLDERS);
        folders.find_map(|folder| fixture(&module.snapshot().module(&folder.join(&below)).ok()?, name, ""))
    })
}

fn text(expr: &Expr) -> Option<&str> {
    expr.as_string_literal_expr().map(|text| text.value.to_str())
}

/// The decorator that makes `def` a fixture.
fn decorator<'a>(module: &Module, def: &'a ast::StmtFunctionDef) -> Option<&'a ast::Decorator> {
    def.decorator_list.iter().find(|decorator| {
        let callable = ast::helpers::map_callable(&decorator.expression);
        module.may_be(callable, FIXTURES) && module.symbol(callable).is_some_and(|symbol| symbol.is_any(FIXTURES))
    })
}

/// The name by which tests ask for a fixture: that of the function, unless `name=` gives another one; empty if that is not
/// known.
fn called<'a>(decorator: &'a ast::Decorator, def: &'a ast::StmtFunctionDef) -> &'a str {
    let call = decorator.expression.as_call_expr();
    match call.and_then(|call| call.arguments.find_keyword("name")) {
        None => def.name.as_str(),
        Some(keyword) => keyword.value.as_string_literal_expr().map(|name| name.value.to_str()).unwrap_or_default(),
    }
}

/// A scope wider than one test.
fn scope(decorator: &ast::Decorator) -> Option<String> {
    let call = decorator.expression.as_call_expr()?;
    let scope = call.arguments.find_keyword("scope")?.value.as_string_literal_expr()?.value.to_string();
    (scope != "function").then_some(scope)
}
