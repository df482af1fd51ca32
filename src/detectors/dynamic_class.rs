//! `type(name, bases, namespace)`: a class statement as a call.

use ruff_python_ast::{AnyNodeRef, Expr, NodeKind};

use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["metaclasses/dynamic-class"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
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
