//! Writes and deletes that do not end in the instance's dictionary as they look: a data descriptor or a property takes
//! them, or they hide something of the class.
//!
//! Silent where the class of the object is not known, for plain attributes, and for members of `__slots__`.

use ruff_python_ast::{AnyNodeRef, NodeKind};

use super::class_reading::{is_built_plainly, is_own, lacks_dict};
use super::descriptor_shape::Shape;
use super::method_body::raised;
use super::property_shape::{Accessors, with_accessor};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Access, Class, Lookup, Member, MemberKind, Site, Step};
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &[
        "descriptors/assignment",
        "descriptors/class-access",
        "descriptors/delete",
        "descriptors/property-assignment",
        "descriptors/shadowing",
    ],
    nodes: &[NodeKind::ExprAttribute],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprAttribute(attribute) = site.node else { return None };
    if attribute.ctx.is_load() || site.is_type_checking() {
        return None;
    }
    let name = attribute.attr.as_str();
    let may_hide = || findings.wants("descriptors/shadowing") && site.module.may_have_method(name);
    if site.is_whole_file && !site.module.may_have_class_attribute(name) && !may_hide() {
        return None;
    }
    let lookup = site.module.lookup(attribute)?;
    let at = attribute.attr.range();
    let finding = finding(site, &lookup, at)?;
    if !is_built_plainly(&lookup.receiver) || lookup.receiver.definer("__setattr__").is_some() {
        return None;
    }
    findings.push(
        finding
            .fact("target", Fact::from(site.module.source(attribute)))
            .fact("receiver", Fact::from(site.module.source(&*attribute.value)))
            .fact("attribute", Fact::from(attribute.attr.as_str()))
            .fact("owner", Fact::from(lookup.member.owner.name()))
            .fact("receiver_class", Fact::from(lookup.receiver.name()))
            .fact("value", value(site).map(Fact::from))
            .fact("made_by", lookup.member.source.clone().map(Fact::from))
            .fact("defined_at", lookup.member.place.clone().map(Fact::from)),
    );
    Some(())
}

fn finding(site: &Site, lookup: &Lookup, at: TextRange) -> Option<Finding> {
    let member = &lookup.member;
    let takes_it = lookup.step == Step::DataDescriptor;
    match (&member.kind, lookup.access) {
        // `Person.age = 5`: nobody is asked, the descriptor is gone.
        (MemberKind::Descriptor(descriptor), Access::Write) if lookup.through_class => {
            Some(Finding::new("descriptors/class-access", at).fact("replaced", Fact::from(descriptor.name())))
        }
        _ if lookup.through_class => None,
        (MemberKind::Descriptor(descriptor), Access::Write) if takes_it => Some(assignment(site, descriptor, at)),
        (MemberKind::Descriptor(descriptor), Access::Delete) if takes_it => Some(deletion(descriptor, at)),
        (MemberKind::Property { .. }, _) if !is_own(&member.owner) => None,
        (MemberKind::Property { setter, .. }, Access::Write) => Some(property_assignment(site, member, *setter, at)),
        (MemberKind::Property { deleter, .. }, Access::Delete) => Some(property_deletion(member, *deleter, at)),
        // Without a dictionary the write is refused.
        (_, Access::Write) if lookup.step == Step::InstanceDict && !lacks_dict(&lookup.receiver) => {
            shadowing(member, at)
        }
        _ => None,
    }
}

fn assignment(site: &Site, descriptor: &Class, at: TextRange) -> Finding {
    let shape = Shape::of(*descriptor);
    let finding = Finding::new("descriptors/assignment", at)
        .fact("descriptor", Fact::from(descriptor.name()))
        .fact("accessors", Fact::from(shape.accessors()));
    let Some(set) = &shape.set else { return finding.fact("missing_set", Fact::from("__set__")) };
    let raises = set.read(|module, def| {
        let (names, first) = raised(&def.body);
        Some((names, first.and_then(|range| module.place(range))))
    });
    let (raises, raises_at) = raises.unwrap_or_default();
    let (stores, stores_at) = shape.storage().unzip();
    finding
        .fact("label", Fact::from(fitting(&set.label(), set.name)))
        .fact("setter", Fact::from(set.label()))
        .fact("setter_at", set.place.clone().map(Fact::from))
        .fact("stores", stores.map(Fact::from))
        .fact("stores_at", stores_at.flatten().map(Fact::from))
        .fact("raises", Fact::from(raises))
        .fact("raises_at", raises_at.map(Fact::from))
        .hint_at(end_of_statement(site, at))
        .hint_leads_to(set.place.clone())
}

fn property_assignment(site: &Site, member: &Member, has_setter: bool, at: TextRange) -> Finding {
    let label = format!("{}.{}", member.owner.name(), member.name);
    let finding = Finding::new("descriptors/property-assignment", at);
    if !has_setter {
        return finding.fact("read_only", Fact::from(label));
    }
    let raises = with_accessor(member, "setter", |module, def| {
        let (names, first) = raised(&def.body);
        Some((names, first.and_then(|range| module.place(range))))
    });
    let (raises, raises_at) = raises.unwrap_or_default();
    let place = Accessors::of(member).setter;
    finding
        .fact("label", Fact::from(fitting(&format!("{label}.fset"), &format!("{}.fset", member.name))))
        .fact("setter", Fact::from(format!("{label}.fset")))
        .fact("setter_at", place.clone().map(Fact::from))
        .fact("raises", Fact::from(raises))
        .fact("raises_at", raises_at.map(Fact::from))
        .hint_at(end_of_statement(site, at))
        .hint_leads_to(place)
}

/// The whole name, where a hint has room for it.
fn fitting<'a>(whole: &'a str, short: &'a str) -> &'a str {
    const ROOM: usize = 23;
    if whole.chars().count() <= ROOM { whole } else { short }
}

fn deletion(descriptor: &Class, at: TextRange) -> Finding {
    let finding = Finding::new("descriptors/delete", at);
    match Shape::of(*descriptor).delete {
        Some(delete) => {
            finding.fact("deleter", Fact::from(delete.label())).fact("deleter_at", delete.place.clone().map(Fact::from))
        }
        None => finding.fact("missing_delete", Fact::from(descriptor.name())),
    }
}

fn property_deletion(member: &Member, has_deleter: bool, at: TextRange) -> Finding {
    let label = format!("{}.{}", member.owner.name(), member.name);
    let finding = Finding::new("descriptors/delete", at);
    if !has_deleter {
        return finding.fact("no_deleter", Fact::from(label));
    }
    let place = Accessors::of(member).deleter;
    finding.fact("property_deleter", Fact::from(format!("{label}.fdel"))).fact("deleter_at", place.map(Fact::from))
}

/// A write to the instance's dictionary that hides a method or another non-data descriptor.
fn shadowing(member: &Member, at: TextRange) -> Option<Finding> {
    let label = format!("{}.{}", member.owner.name(), member.name);
    let finding = Finding::new("descriptors/shadowing", at);
    Some(match &member.kind {
        _ if !is_own(&member.owner) => return None,
        MemberKind::Function | MemberKind::ClassMethod | MemberKind::StaticMethod => {
            finding.fact("method", Fact::from(label))
        }
        MemberKind::CachedProperty => finding.fact("cached", Fact::from(label)),
        MemberKind::Descriptor(descriptor) => finding.fact("descriptor", Fact::from(descriptor.name())),
        _ => return None,
    })
}

/// The source of the value that a plain assignment stores.
fn value(site: &Site) -> Option<String> {
    let value = match site.parent()? {
        AnyNodeRef::StmtAssign(assign) => &assign.value,
        AnyNodeRef::StmtAnnAssign(assign) => assign.value.as_ref()?,
        _ => return None,
    };
    Some(site.module.source(&**value).to_string())
}

/// Where the hint stands: behind a simple statement, but not behind the body of a `for` or `with`.
fn end_of_statement(site: &Site, at: TextRange) -> crate::text::TextSize {
    match site.statement() {
        Some(statement @ (AnyNodeRef::StmtAssign(_) | AnyNodeRef::StmtAnnAssign(_) | AnyNodeRef::StmtAugAssign(_))) => {
            statement.end()
        }
        _ => at.end(),
    }
}
