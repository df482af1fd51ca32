//! Attribute expressions that a descriptor on the class serves: reads, writes and deletes.
//!
//! Silent where the class of the receiver is not known, and for functions, whose binding is everyday.

use ruff_python_ast::{AnyNodeRef, NodeKind};

use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Access, Class, Lookup, MemberKind, Site, Step};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["descriptors/assignment", "descriptors/delete", "descriptors/read"],
    nodes: &[NodeKind::ExprAttribute],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprAttribute(attribute) = site.node else { return None };
    let lookup = site.module.lookup(attribute)?;
    let MemberKind::Descriptor(descriptor) = &lookup.member.kind else { return None };
    if lookup.through_class || lookup.step != Step::DataDescriptor {
        return None;
    }
    let (concept, method) = match lookup.access {
        Access::Read => ("descriptors/read", "__get__"),
        Access::Write => ("descriptors/assignment", "__set__"),
        Access::Delete => ("descriptors/delete", "__delete__"),
    };
    let finding = Finding::new(concept, attribute.range());
    findings.push(with_facts(site, &lookup, descriptor, method, finding));
    Some(())
}

fn with_facts(site: &Site, lookup: &Lookup, descriptor: &Class, method: &str, finding: Finding) -> Finding {
    let AnyNodeRef::ExprAttribute(attribute) = site.node else { return finding };
    let definer = descriptor.definer(method);
    let setter = definer.and_then(|class| class.own_member(method));
    let setter_name = definer.map(|class| Fact::from(format!("{}.{method}", class.name())));
    finding
        .fact("target", Fact::from(site.module.source(attribute)))
        .fact("receiver", Fact::from(site.module.source(&*attribute.value)))
        .fact("attribute", Fact::from(attribute.attr.as_str()))
        .fact("descriptor", Fact::from(descriptor.name()))
        .fact("owner", Fact::from(lookup.member.owner.name()))
        .fact("made_by", lookup.member.source.clone().map(Fact::from))
        .fact("defined_at", lookup.member.place.clone().map(Fact::from))
        .fact("setter", setter_name)
        .hint_leads_to(setter.and_then(|setter| setter.place))
}
