//! An attribute of what a method returns, where the method returns `dict.get(key)`: `None` for a key that is not there.
//!
//! Silent unless the method is the project's own, has one `return`, and the mapping is certainly a `dict`.

use ruff_python_ast::{AnyNodeRef, Expr, NodeKind};

use super::nodes::{own_nodes, with_def};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["attributes/maybe-none"], nodes: &[NodeKind::ExprAttribute], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprAttribute(attribute) = site.node else { return None };
    let call = attribute.value.as_call_expr()?;
    if !findings.wants("attributes/maybe-none") || !attribute.ctx.is_load() {
        return None;
    }
    // `None` has these as every object does.
    if attribute.attr.starts_with("__") {
        return None;
    }
    let function = site.module.called_function(call)?;
    let (getter, place) = with_def(site.module, &function, |module, def| {
        let returns: Vec<_> = own_nodes(&def.body)
            .into_iter()
            .filter_map(|node| match node {
                AnyNodeRef::StmtReturn(statement) => Some(statement),
                _ => None,
            })
            .collect();
        let [only] = returns.as_slice() else { return None };
        let get = only.value.as_deref()?.as_call_expr()?;
        let Expr::Attribute(method) = &*get.func else { return None };
        let is_get = method.attr.as_str() == "get" && get.arguments.len() == 1;
        let is_dict = || module.receiver_class(&method.value).is_some_and(|class| class.is("builtins.dict"));
        (is_get && is_dict()).then(|| (module.source(get).to_string(), module.place(get.range())))
    })?;
    findings.push(
        Finding::new("attributes/maybe-none", attribute.attr.range())
            .fact("call", Fact::from(site.module.source(call)))
            .fact("attribute", Fact::from(attribute.attr.as_str()))
            .fact("getter", Fact::from(getter))
            .fact("getter_at", place.map(Fact::from)),
    );
    Some(())
}
