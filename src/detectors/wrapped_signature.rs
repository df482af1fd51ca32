//! `inspect.signature(f)` and `inspect.unwrap(f)` of a function of the project that is decorated: whose parameters come out.

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind};

use super::nodes::{all_nodes, with_def};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["metaclasses/wrapped-signature"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    let asked = call.arguments.args.first().filter(|_| site.is_asked(call.range()))?;
    let symbol = site.callee_among(call, &["inspect.signature", "inspect.unwrap"])?;
    let function = module.function(asked).filter(|function| function.is_decorated)?;
    let (decorator, wraps, at) = with_def(module, &function, |home, def| {
        let [decorator] = def.decorator_list.as_slice() else { return None };
        let made = home.function(ast::helpers::map_callable(&decorator.expression))?;
        let wraps = with_def(home, &made, |home, def| Some(keeps(home, def)))??;
        Some((home.source(&decorator.expression).to_string(), wraps, made.place))
    })?;
    let finding = Finding::new("metaclasses/wrapped-signature", call.func.range())
        .fact("code", Fact::from(module.source(call)))
        .fact("function", Fact::from(module.source(asked)))
        .fact("decorator_at", at.map(Fact::from));
    findings.push(match (wraps, symbol.is("inspect.unwrap")) {
        (true, false) => finding.fact("followed", Fact::from(decorator)),
        (true, true) => finding.fact("unwrapped", Fact::from(decorator)),
        (false, _) => finding.fact("not_followed", Fact::from(decorator)),
    });
    Some(())
}

/// Whether a decorator that has an inner function copies the original's attributes to it; `None` if there is none.
fn keeps(module: &Module, def: &ast::StmtFunctionDef) -> Option<bool> {
    let nodes = all_nodes(&def.body);
    nodes.iter().find(|node| node.is_stmt_function_def())?;
    let source = module.source(def);
    if source.contains("__signature__") || source.contains("__wrapped__") {
        return None;
    }
    Some(nodes.iter().any(|node| {
        matches!(node, AnyNodeRef::ExprName(name) if matches!(module.imported_name(&name.id), "wraps" | "update_wrapper"))
            || matches!(node, AnyNodeRef::ExprAttribute(attribute) if matches!(attribute.attr.as_str(), "wraps" | "update_wrapper"))
    }))
}
