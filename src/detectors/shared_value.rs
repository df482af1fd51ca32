//! `value.value += 1` on a shared value of multiprocessing: a read and a write, and only each of them is locked.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::nodes::{all_nodes, around, calls};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["processes/value-in-two-steps"], nodes: &[NodeKind::StmtAugAssign], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtAugAssign(assign) = site.node else { return None };
    let shared = match &*assign.target {
        Expr::Attribute(attribute) if attribute.attr.as_str() == "value" => &*attribute.value,
        Expr::Subscript(subscript) => &*subscript.value,
        _ => return None,
    };
    let module = site.module;
    let name = shared.as_name_expr()?;
    if !module.may_use_package("multiprocessing") {
        return None;
    }
    let def = site.function()?;
    // Any `with` may hold a lock that is shared as well, and so may a call of `acquire` before.
    let locked = site.enclosing().take_while(|node| node.range() != def.range()).any(|node| node.is_stmt_with())
        || module.source(def).contains(".acquire(");
    if locked || !is_shared(module, shared) || children(module, def) < 2 || site.is_type_checking() {
        return None;
    }
    findings.push(
        Finding::new("processes/value-in-two-steps", assign.range())
            .fact("code", Fact::from(module.source(assign)))
            .fact("value", Fact::from(name.id.as_str()))
            .fact("function", Fact::from(def.name.as_str())),
    );
    Some(())
}

/// Whether all that the name refers to is made by `Value(…)` or `Array(…)`, with their lock.
fn is_shared(module: &Module, expr: &Expr) -> bool {
    let made = module.origins(expr);
    let locks = |origin: &&Expr| {
        origin.as_call_expr().is_some_and(|call| {
            call.arguments.find_keyword("lock").is_none()
                && module.calls(call, &["multiprocessing.Array", "multiprocessing.Value"])
        })
    };
    !made.is_empty() && made.iter().all(locks)
}

/// How many processes of this file run the function: one for each place that makes some, two for one in a loop.
fn children(module: &Module, def: &ast::StmtFunctionDef) -> usize {
    let made = calls(&all_nodes(&module.syntax().body)).into_iter().filter(|call| {
        let target = call.arguments.find_keyword("target").map(|keyword| &keyword.value);
        let names_it = |target: &Expr| target.as_name_expr().is_some_and(|name| name.id == def.name.as_str());
        target.is_some_and(names_it)
            && module.class_reference(&call.func).is_some_and(|class| class.inherits("multiprocessing.Process"))
    });
    made.map(|call| {
        let repeats = |node: AnyNodeRef| {
            matches!(
                node,
                AnyNodeRef::StmtFor(_)
                    | AnyNodeRef::StmtWhile(_)
                    | AnyNodeRef::ExprListComp(_)
                    | AnyNodeRef::ExprGenerator(_)
            )
        };
        let around = around(module, call.range());
        let inside = around.into_iter().take_while(|node| !node.is_stmt_function_def());
        if inside.into_iter().any(repeats) { 2 } else { 1 }
    })
    .sum()
}
