//! `cmp_to_key(f)` with a function that answers yes or no, and `reduce` over what may be empty.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::method_body::own_nodes;
use super::nodes::with_def;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["metaclasses/comparator", "metaclasses/reduce"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let symbol = site.callee_among(call, &["functools.cmp_to_key", "functools.reduce"])?;
    let module = site.module;
    match (symbol.last(), &*call.arguments.args) {
        ("cmp_to_key", [function]) => {
            let compared = compares(module, function)?;
            findings
                .push(Finding::new("metaclasses/comparator", call.func.range()).fact("compared", Fact::from(compared)));
        }
        ("reduce", [function, items]) => {
            let left_out = thinned(module, items)?;
            findings.push(
                Finding::new("metaclasses/reduce", call.func.range())
                    .fact("function", Fact::from(module.source(function)))
                    .fact("condition", Fact::from(left_out)),
            );
        }
        _ => {}
    }
    Some(())
}

/// The comparison that is all the function ever returns.
fn compares(module: &Module, function: &Expr) -> Option<String> {
    if let Expr::Lambda(lambda) = function {
        return ordering(&lambda.body).map(|compare| module.source(compare).to_string());
    }
    let definition = module.function(function).filter(|function| !function.is_decorated && !function.is_async)?;
    with_def(module, &definition, |home, def| {
        let mut returned: Vec<Option<&Expr>> = vec![];
        own_nodes(&def.body, |node| {
            if let AnyNodeRef::StmtReturn(found) = node {
                returned.push(found.value.as_deref());
            }
        });
        let all: Option<Vec<_>> = returned.into_iter().map(|value| ordering(value?)).collect();
        all?.first().map(|compare| home.source(*compare).to_string())
    })
}

/// `a < b`, whose result is `True` or `False` and never less than zero.
fn ordering(expr: &Expr) -> Option<&ast::ExprCompare> {
    expr.as_compare_expr().filter(|compare| {
        let is_order = |operator: &ast::CmpOp| {
            matches!(operator, ast::CmpOp::Lt | ast::CmpOp::LtE | ast::CmpOp::Gt | ast::CmpOp::GtE)
        };
        compare.ops.iter().all(is_order)
    })
}

/// The condition that an item has to meet to be among what is folded.
fn thinned(module: &Module, items: &Expr) -> Option<String> {
    let generators = match items {
        Expr::Generator(made) => &made.generators,
        Expr::ListComp(made) => &made.generators,
        Expr::Call(call) if module.calls(call, &["builtins.filter"]) => {
            return Some(module.source(call.arguments.args.first()?).to_string());
        }
        _ => return None,
    };
    generators.iter().find_map(|generator| generator.ifs.first()).map(|test| module.source(test).to_string())
}
