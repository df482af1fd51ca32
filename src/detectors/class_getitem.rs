//! `C[…]` for a class: whether its metaclass or `__class_getitem__` answers.

use ruff_python_ast::{AnyNodeRef, NodeKind};

use super::class_reading::is_own;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["datamodel/class-getitem"],
    nodes: &[NodeKind::ExprSubscript, NodeKind::StmtFunctionDef],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    if let AnyNodeRef::StmtFunctionDef(def) = site.node {
        let AnyNodeRef::StmtClassDef(class) = site.parent()? else { return None };
        if def.name.as_str() == "__class_getitem__" {
            let class = Fact::from(class.name.as_str());
            findings.push(Finding::new("datamodel/class-getitem", def.name.range()).fact("defines", class));
        }
        return None;
    }
    let AnyNodeRef::ExprSubscript(subscript) = site.node else { return None };
    if !subscript.ctx.is_load() || site.is_annotation() {
        return None;
    }
    let hooks = ["__class_getitem__", "__getitem__"];
    if site.is_whole_file && !hooks.iter().any(|hook| site.module.may_have_method(hook)) {
        return None;
    }
    let class = site.module.class_reference(&subscript.value)?;
    let of_metaclass = class.metaclass().and_then(|metaclass| metaclass.class.definer("__getitem__"));
    let (definer, method) = match of_metaclass.filter(is_own) {
        Some(definer) => (definer, "__getitem__"),
        None => (class.definer("__class_getitem__").filter(is_own)?, "__class_getitem__"),
    };
    let place = definer.own_member(method).and_then(|member| member.place);
    let by = format!("{}.{method}", definer.name());
    findings.push(
        Finding::new("datamodel/class-getitem", subscript.range())
            .fact("code", Fact::from(site.module.source(subscript)))
            .fact("class", Fact::from(class.name()))
            .fact("answered_by", Fact::from(by))
            .fact("answered_at", place.map(Fact::from)),
    );
    Some(())
}
