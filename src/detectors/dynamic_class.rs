//! `type(name, bases, namespace)`: a class statement as a call.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["metaclasses/dynamic-class"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    if site.module.calls(call, &["types.new_class"]) {
        return new_class(site, call, findings);
    }
    let [name, bases, namespace] = &*call.arguments.args else { return None };
    let is_name_type = call.func.as_name_expr().is_some_and(|name| name.id == "type");
    if !is_name_type || !site.module.callee(call)?.is("builtins.type") || name.is_starred_expr() {
        return None;
    }
    let source = |expr: &Expr| site.module.source(expr).to_string();
    let bases: Option<Vec<_>> = bases.as_tuple_expr().map(|tuple| tuple.elts.iter().map(source).collect());
    let keys: Option<Vec<_>> = namespace.as_dict_expr().map(|dict| {
        let keys = dict.items.iter().filter_map(|item| item.key.as_ref()?.as_string_literal_expr());
        keys.map(|key| key.value.to_str().to_string()).collect()
    });
    let literal = name.as_string_literal_expr().map(|name| Fact::from(name.value.to_str()));
    findings.push(
        Finding::new("metaclasses/dynamic-class", call.func.range())
            .fact("name", literal)
            .fact("bases", bases.map(Fact::from))
            .fact("keys", keys.map(Fact::from)),
    );
    Some(())
}

/// `types.new_class(name, bases)`, whose namespace a function fills.
fn new_class(site: &Site, call: &ast::ExprCall, findings: &mut Findings) -> Option<()> {
    let name = call.arguments.find_argument_value("name", 0)?;
    let bases = call.arguments.find_argument_value("bases", 1).and_then(Expr::as_tuple_expr);
    let bases =
        bases.map(|bases| bases.elts.iter().map(|base| site.module.source(base).to_string()).collect::<Vec<_>>());
    let literal = name.as_string_literal_expr().map(|name| Fact::from(name.value.to_str()));
    let target = match site.parent() {
        Some(AnyNodeRef::StmtAssign(assign)) if assign.targets.len() == 1 => assign.targets.first(),
        _ => None,
    };
    findings.push(
        Finding::new("metaclasses/dynamic-class", call.func.range())
            .fact("name", literal)
            .fact("argument", Fact::from(site.module.source(name)))
            .fact("target", target.map(|target| Fact::from(site.module.source(target))))
            .fact("bases", bases.map(Fact::from)),
    );
    Some(())
}
