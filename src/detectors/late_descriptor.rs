//! `Class.name = Descriptor()` behind the class statement: nobody calls `__set_name__`.
//!
//! Silent in files that call it by hand.

use ruff_python_ast::{AnyNodeRef, Expr, NodeKind};

use super::class_reading::is_own;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["descriptors/set-name-missed"], nodes: &[NodeKind::StmtAssign], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtAssign(assign) = site.node else { return None };
    let [target] = assign.targets.as_slice() else { return None };
    let attribute = target.as_attribute_expr()?;
    let call = assign.value.as_call_expr()?;
    if site.is_whole_file && !site.module.may_have_method("__set_name__") {
        return None;
    }
    if site.is_whole_file && !may_be_class(site, &attribute.value) {
        return None;
    }
    let owner = site.module.class_reference(&attribute.value)?;
    let class = site.module.class_reference(&call.func)?;
    let definer = class.definer("__set_name__").filter(is_own)?;
    let calls_it = site.module.text().contains(".__set_name__(")
        || owner.metaclass().is_some_and(|metaclass| metaclass.class.definer("__setattr__").is_some());
    if calls_it || site.is_type_checking() {
        return None;
    }
    let hook = format!("{}.__set_name__", definer.name());
    let place = definer.own_member("__set_name__").and_then(|member| member.place);
    findings.push(
        Finding::new("descriptors/set-name-missed", attribute.range())
            .fact("target", Fact::from(site.module.source(attribute)))
            .fact("hook", Fact::from(hook))
            .fact("hook_at", place.map(Fact::from))
            .fact("owner", Fact::from(site.module.source(&*attribute.value)))
            .fact("name", Fact::from(attribute.attr.as_str())),
    );
    Some(())
}

fn may_be_class(site: &Site, receiver: &Expr) -> bool {
    matches!(receiver, Expr::Name(name) if name.id == "cls") || site.module.is_named_like_a_class(receiver)
}
