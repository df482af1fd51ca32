//! `MappingProxyType(d)` of a dictionary that other code changes: the view shows the changes.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::method_body::attribute_of;
use super::nodes::{all_nodes, around, body_around};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["metaclasses/mapping-proxy"], nodes: &[NodeKind::ExprCall], detect };

const CHANGING: &[&str] = &["clear", "pop", "popitem", "setdefault", "update"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let [viewed] = &*call.arguments.args else { return None };
    let is_named = viewed.is_name_expr() || attribute_of(viewed, "self").is_some();
    if !is_named || site.callee_among(call, &["types.MappingProxyType"]).is_none() {
        return None;
    }
    let module = site.module;
    let changed = match viewed {
        // Any method of the class may change what `self` holds, whenever it is called.
        Expr::Attribute(_) => {
            let class = site.class()?;
            let nodes = all_nodes(&class.body);
            nodes
                .iter()
                .find_map(|node| change(node, &|expr| same(expr, viewed)).filter(|at| !is_in_init(site, *at)))?
        }
        _ => {
            let body = body_around(module, call.range());
            let nodes = all_nodes(body);
            let mut later = nodes.iter().filter(|node| node.start() > call.end());
            later.find_map(|node| change(node, &|expr| same(expr, viewed)))?
        }
    };
    findings.push(
        Finding::new("metaclasses/mapping-proxy", call.func.range())
            .fact("viewed", Fact::from(module.source(viewed)))
            .fact("changed", Fact::from(module.source(changed)))
            .fact("changed_at", module.place(changed).map(Fact::from)),
    );
    Some(())
}

fn same(expr: &Expr, viewed: &Expr) -> bool {
    match (expr, viewed) {
        (Expr::Name(a), Expr::Name(b)) => a.id == b.id,
        (Expr::Attribute(a), Expr::Attribute(b)) => {
            a.attr.as_str() == b.attr.as_str() && attribute_of(expr, "self").is_some()
        }
        _ => false,
    }
}

/// What changes the dictionary in place.
fn change(node: &AnyNodeRef, is_it: &dyn Fn(&Expr) -> bool) -> Option<TextRange> {
    match node {
        AnyNodeRef::ExprSubscript(item) if !item.ctx.is_load() && is_it(&item.value) => Some(item.range()),
        AnyNodeRef::ExprCall(call) => {
            let method: &ast::ExprAttribute = call.func.as_attribute_expr()?;
            (CHANGING.contains(&method.attr.as_str()) && is_it(&method.value)).then_some(call.range())
        }
        _ => None,
    }
}

/// Set-up is no change that a reader of the view sees.
fn is_in_init(site: &Site, at: TextRange) -> bool {
    around(site.module, at).into_iter().any(|node| match node {
        AnyNodeRef::StmtFunctionDef(def) => matches!(def.name.as_str(), "__init__" | "__new__" | "__post_init__"),
        _ => false,
    })
}
