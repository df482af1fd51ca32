//! Functions that a pool of processes cannot be sent: they travel by their qualified name, which leads nowhere.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::method_body::own_nodes;
use super::nodes::{around, with_def};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Runner, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["processes/not-picklable"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    // A process object is copied with its target by `fork`; a pool pickles whatever the start method is.
    let pooled = call.func.as_attribute_expr()?.attr.as_str() != "Process";
    let is_function =
        |argument: ast::ArgOrKeyword| argument.value().is_lambda_expr() || argument.value().is_name_expr();
    if !pooled || !call.arguments.iter_source_order().any(is_function) {
        return None;
    }
    let given = module.given(call).filter(|given| given.runner == Runner::Process)?;
    if site.is_type_checking() || call.arguments.find_keyword("target").is_some() {
        return None;
    }
    let finding = Finding::new("processes/not-picklable", given.function.range())
        .fact("callee", Fact::from(module.source(&*call.func)));
    findings.push(match given.function {
        Expr::Lambda(_) => finding.fact("lambda", Fact::from(module.source(given.function))),
        Expr::Name(name) => match module.origins(given.function).as_slice() {
            [Expr::Lambda(lambda)] => finding
                .fact("named", Fact::from(name.id.as_str()))
                .fact("made_at", module.place(lambda.range()).map(Fact::from)),
            _ => {
                let (outer, made_at) = nested(module, given.function)?;
                finding
                    .fact("nested", Fact::from(name.id.as_str()))
                    .fact("outer", Fact::from(outer))
                    .fact("made_at", made_at.map(Fact::from))
            }
        },
        _ => return None,
    });
    Some(())
}

/// The function that a nested function is defined in, and where. Not for one that is decorated or declared global, and not
/// where qualified names are set by hand.
fn nested(module: &Module, function: &Expr) -> Option<(String, Option<crate::text::Place>)> {
    let function = module.function(function).filter(|function| !function.is_decorated)?;
    let place = function.place.clone();
    with_def(module, &function, |home, def| {
        let outer = around(home, def.range()).into_iter().find_map(|node| match node {
            AnyNodeRef::StmtFunctionDef(outer) if outer.range() != def.range() => Some(outer),
            AnyNodeRef::StmtClassDef(_) => None,
            _ => None,
        })?;
        let mut is_global = home.text().contains("__qualname__");
        own_nodes(&outer.body, |node| {
            if let AnyNodeRef::StmtGlobal(declared) = node {
                is_global |= declared.names.iter().any(|name| name.as_str() == def.name.as_str());
            }
        });
        (!is_global).then(|| (outer.name.to_string(), place.clone()))
    })
}
