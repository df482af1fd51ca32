//! Attributes that no class body shows: a metaclass puts them into the class, or holds them itself.

use ruff_python_ast::{AnyNodeRef, NodeKind};

use super::metaclass_hooks::{Provided, provided};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, MemberKind, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["metaclasses/metaclass-attribute"], nodes: &[NodeKind::ExprAttribute], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprAttribute(attribute) = site.node else { return None };
    let module = site.module;
    let name = attribute.attr.as_str();
    if !attribute.ctx.is_load() || (name.starts_with("__") && name.ends_with("__")) {
        return None;
    }
    let reference = module.class_reference(&attribute.value);
    let through_class = reference.is_some();
    let class = reference.or_else(|| module.receiver_class(&attribute.value))?;
    let metaclass = class.metaclass()?;
    let in_body = class.member(name).is_some_and(|member| through_class || member.kind != MemberKind::Instance);
    if in_body {
        return None;
    }
    let finding = Finding::new("metaclasses/metaclass-attribute", attribute.range())
        .fact("target", Fact::from(module.source(attribute)))
        .fact("attribute", Fact::from(name))
        .fact("class", Fact::from(class.name()));
    if let Some(provided) = provided(&metaclass.class).into_iter().find(|provided| provided.name == name) {
        findings.push(with_value(&class, provided, finding));
        return Some(());
    }
    // What the metaclass itself has is found through the class only, never through an instance.
    let holder = metaclass.class.definer(name)?;
    if !through_class || !class.mro_is_complete() {
        return None;
    }
    let member = holder.own_member(name)?;
    findings.push(finding.fact("holder", Fact::from(holder.name())).fact("holder_at", member.place.map(Fact::from)));
    Some(())
}

fn with_value(class: &Class, provided: Provided, finding: Finding) -> Finding {
    let entries = provided.prefix.as_ref().map(|prefix| {
        let is_function = |name: &String| {
            matches!(class.own_member(name).map(|member| member.kind), Some(MemberKind::Function | MemberKind::Class))
        };
        let names = class.own_names().into_iter().filter(|name| name.starts_with(prefix.as_str()));
        names.filter(is_function).collect::<Vec<_>>()
    });
    let inherits = provided.namespace.is_some().then(|| Fact::from(class.name()));
    finding
        .fact("hook", Fact::from(provided.hook))
        .fact("hook_at", provided.place.map(Fact::from))
        .fact("value", provided.value.map(Fact::from))
        .fact("namespace", provided.namespace.map(Fact::from))
        .fact("own_only", inherits)
        .fact("entries", entries.map(Fact::from))
}
