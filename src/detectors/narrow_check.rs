//! `isinstance(x, types.CoroutineType)` in front of `await x`, and the like: a check for one class where the code below works
//! with every object of that behaviour.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::method_body::is_name;
use super::nodes::all_nodes;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["metaclasses/narrow-check"], nodes: &[NodeKind::ExprCall, NodeKind::ExprCompare], detect };

const KINDS: &[&str] = &[
    "types.AsyncGeneratorType",
    "types.CoroutineType",
    "types.FunctionType",
    "types.GeneratorType",
    "types.LambdaType",
];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    findings.extend(match site.node {
        AnyNodeRef::ExprCall(call) => tested(site, call),
        AnyNodeRef::ExprCompare(compare) => union(site, compare),
        _ => None,
    });
    Some(())
}

fn tested(site: &Site, call: &ast::ExprCall) -> Option<Finding> {
    let module = site.module;
    let [Expr::Name(tested), kind] = &*call.arguments.args else { return None };
    if !is_name(&call.func, "isinstance") || !module.may_be(kind, KINDS) || !site.is_asked(kind.range()) {
        return None;
    }
    let symbol = module.symbol(kind).filter(|symbol| symbol.is_any(KINDS))?;
    let (test, body) = site.enclosing().find_map(|node| match node {
        AnyNodeRef::StmtIf(statement) => Some((&*statement.test, &statement.body)),
        _ => None,
    })?;
    // The whole test, or the first part of one that asks for more.
    if test.range() != call.range() {
        return None;
    }
    let nodes = all_nodes(body);
    let name = tested.id.as_str();
    // At run time another name of `FunctionType`, and so the symbol of that.
    let written = module.source(kind).rsplit('.').next().unwrap_or_default();
    let (fact, used) = match if written == "LambdaType" { written } else { symbol.last() } {
        "CoroutineType" => ("awaited", nodes.iter().find_map(|node| awaits(node, name))?),
        "AsyncGeneratorType" => ("async_looped", nodes.iter().find_map(|node| loops(node, name, true))?),
        "GeneratorType" => ("looped", nodes.iter().find_map(|node| loops(node, name, false))?),
        "LambdaType" => ("called_lambda", nodes.iter().find_map(|node| is_called(node, name))?),
        _ => ("called", nodes.iter().find_map(|node| is_called(node, name))?),
    };
    Some(
        Finding::new("metaclasses/narrow-check", kind.range())
            .fact("kind", Fact::from(module.source(kind)))
            .fact(fact, Fact::from(name))
            .fact("used_at", module.place(used).map(Fact::from)),
    )
}

fn awaits(node: &AnyNodeRef, name: &str) -> Option<TextRange> {
    match node {
        AnyNodeRef::ExprAwait(awaited) if is_name(&awaited.value, name) => Some(awaited.range()),
        _ => None,
    }
}

/// A loop over the name, or `list(name)`.
fn loops(node: &AnyNodeRef, name: &str, is_async: bool) -> Option<TextRange> {
    match node {
        AnyNodeRef::StmtFor(found) if is_name(&found.iter, name) && found.is_async == is_async => {
            Some(found.iter.range())
        }
        AnyNodeRef::Comprehension(found) if is_name(&found.iter, name) && found.is_async == is_async => {
            Some(found.iter.range())
        }
        AnyNodeRef::ExprCall(call) if !is_async => {
            let is_collector = ["list", "set", "sorted", "tuple"].iter().any(|word| is_name(&call.func, word));
            let [argument] = &*call.arguments.args else { return None };
            (is_collector && is_name(argument, name)).then_some(call.range())
        }
        _ => None,
    }
}

fn is_called(node: &AnyNodeRef, name: &str) -> Option<TextRange> {
    match node {
        AnyNodeRef::ExprCall(call) if is_name(&call.func, name) => Some(call.range()),
        _ => None,
    }
}

/// `get_origin(hint) is types.UnionType` in a function that does not ask for `typing.Union` as well.
fn union(site: &Site, compare: &ast::ExprCompare) -> Option<Finding> {
    let module = site.module;
    let [right] = &*compare.comparators else { return None };
    let is_same = matches!(&*compare.ops, [ast::CmpOp::Is | ast::CmpOp::Eq | ast::CmpOp::IsNot | ast::CmpOp::NotEq]);
    if !is_same || !module.may_be(right, &["types.UnionType"]) || !module.is_symbol(right, "types.UnionType") {
        return None;
    }
    if !is_origin(module, &compare.left) {
        return None;
    }
    let function = site.function()?;
    let others = all_nodes(&function.body).into_iter().filter(|node| match node {
        AnyNodeRef::ExprName(name) => matches!(name.id.as_str(), "Union" | "Optional"),
        AnyNodeRef::ExprAttribute(attribute) => matches!(attribute.attr.as_str(), "Union" | "Optional"),
        _ => false,
    });
    (others.count() == 0).then(|| {
        Finding::new("metaclasses/narrow-check", right.range())
            .fact("kind", Fact::from(module.source(right)))
            .fact("origin", Fact::from(module.source(&*compare.left)))
    })
}

/// `typing.get_origin(hint)`.
fn is_origin(module: &Module, expr: &Expr) -> bool {
    expr.as_call_expr().is_some_and(|call| module.calls(call, &["typing.get_origin"]))
}
