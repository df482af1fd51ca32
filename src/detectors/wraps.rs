//! `@functools.wraps(f)`: a wrapper whose own parameters its signature hides, and `@wraps` without the function.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["metaclasses/wraps"], nodes: &[NodeKind::StmtFunctionDef], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtFunctionDef(def) = site.node else { return None };
    let module = site.module;
    let [decorator] = def.decorator_list.as_slice() else { return None };
    let named = ast::helpers::map_callable(&decorator.expression);
    let names = &["functools.wraps"];
    if !module.may_be(named, names) || !module.is_symbol(named, names[0]) {
        return None;
    }
    let finding = Finding::new("metaclasses/wraps", named.range()).fact("wrapper", Fact::from(def.name.as_str()));
    let Expr::Call(call) = &decorator.expression else {
        findings.push(finding.fact("bare", Fact::from(module.source(named))));
        return Some(());
    };
    let [wrapped] = &*call.arguments.args else { return None };
    // A signature of its own is told to `inspect`.
    let around = site.function()?;
    if ["__signature__", "__wrapped__", "WRAPPER_ASSIGNMENTS"].iter().any(|word| module.source(around).contains(word)) {
        return None;
    }
    // Parameters beside `*args` and `**kwargs` that the wrapper takes for itself, and does not hand on.
    let parameters = &def.parameters;
    let (Some(_), Some(keywords)) = (&parameters.vararg, &parameters.kwarg) else { return None };
    let own: Vec<String> = parameters
        .kwonlyargs
        .iter()
        .map(|parameter| parameter.parameter.name.to_string())
        .filter(|name| !is_handed_on(def, wrapped, name))
        .collect();
    (!own.is_empty() && !own.contains(&keywords.name.to_string())).then_some(())?;
    findings.push(finding.fact("function", Fact::from(module.source(wrapped))).fact("own", Fact::from(own)));
    Some(())
}

/// Whether a call of the wrapped function passes the name by keyword.
fn is_handed_on(def: &ast::StmtFunctionDef, wrapped: &Expr, name: &str) -> bool {
    let Some(wrapped) = wrapped.as_name_expr() else { return true };
    super::nodes::calls(&super::nodes::all_nodes(&def.body))
        .into_iter()
        .any(|call| super::method_body::is_name(&call.func, &wrapped.id) && call.arguments.find_keyword(name).is_some())
}
