//! Reads of an attribute that run code, or that another step of the lookup could have served.
//!
//! Silent where the class of the object is not known, for methods (but see `method_binding`) and for members of `__slots__`.

use ruff_python_ast::{AnyNodeRef, NodeKind};

use super::class_reading::{is_built_plainly, is_own, set_in_init};
use super::descriptor_shape::{Accessor, Shape};
use super::method_body::{find_own, is_name, parameter, raised, runs_always};
use super::property_shape::{Accessors, made_anew, set_on_itself, with_accessor};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Lookup, Member, MemberKind, Site, Step};
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &[
        "attributes/lookup-order",
        "descriptors/class-access",
        "descriptors/non-data-descriptor",
        "descriptors/property-read",
        "descriptors/read",
    ],
    nodes: &[NodeKind::ExprAttribute],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprAttribute(attribute) = site.node else { return None };
    if !attribute.ctx.is_load() || site.is_type_checking() || site.is_annotation() {
        return None;
    }
    let lookup = site.module.lookup(attribute)?;
    let receiver = site.module.source(&*attribute.value);
    let finding = finding(&lookup, receiver == "self", attribute.attr.range())?;
    if let Some(Fact::Place(set_at)) = finding.facts.get("set_at")
        && site.function().is_some_and(|function| function.name.as_str() == "__init__")
        && site.module.place(attribute.range()).is_none_or(|read| read.path == set_at.path && read.line <= set_at.line)
    {
        return None; // `self.host = host or self.host`: the class is still asked here.
    }
    if !is_built_plainly(&lookup.receiver) {
        return None;
    }
    let class = if receiver == "self" { "type(self)".to_string() } else { lookup.receiver.name() };
    findings.push(
        finding
            .fact("code", Fact::from(site.module.source(attribute)))
            .fact("receiver", Fact::from(receiver))
            .fact("receiver_class", Fact::from(class))
            .fact("attribute", Fact::from(attribute.attr.as_str()))
            .fact("owner", Fact::from(lookup.member.owner.name()))
            .fact("made_by", lookup.member.source.clone().map(Fact::from))
            .fact("defined_at", lookup.member.place.clone().map(Fact::from)),
    );
    Some(())
}

fn finding(lookup: &Lookup, on_self: bool, at: TextRange) -> Option<Finding> {
    let member = &lookup.member;
    match (&member.kind, lookup.step) {
        (MemberKind::Descriptor(descriptor), _) if lookup.through_class => class_access(descriptor, at),
        _ if lookup.through_class => None,
        (MemberKind::Descriptor(descriptor), Step::DataDescriptor) => Some(read(member, descriptor, at)),
        (MemberKind::Descriptor(descriptor), _) if is_builtin_binding(descriptor) => None,
        (MemberKind::Descriptor(descriptor), Step::ClassAttribute) => non_data(descriptor, at),
        (MemberKind::Property { .. }, Step::DataDescriptor) if is_own(&member.owner) => Some(property_read(member, at)),
        (_, Step::InstanceDict) => instance_attribute(lookup, on_self, at),
        _ => None,
    }
}

/// `staticmethod(f)` and `classmethod(f)`, written as calls.
fn is_builtin_binding(descriptor: &Class) -> bool {
    descriptor.is("builtins.staticmethod") || descriptor.is("builtins.classmethod")
}

fn read(member: &Member, descriptor: &Class, at: TextRange) -> Finding {
    let shape = Shape::of(*descriptor);
    let finding = Finding::new("descriptors/read", at);
    let Some(get) = &shape.get else { return finding.fact("no_getter", Fact::from(descriptor.name())) };
    let access = shape.class_access().unwrap_or_default();
    let (default, default_at) = made_default(member, &shape).unzip();
    finding
        .fact("getter", Fact::from(get.label()))
        .fact("getter_at", get.place.clone().map(Fact::from))
        .fact("class_access_at", access.returns_self.map(Fact::from))
        .fact("default", default.map(Fact::from))
        .fact("default_at", default_at.flatten().map(Fact::from))
}

/// What the attribute reads as before anything is stored.
fn made_default(member: &Member, shape: &Shape) -> Option<(String, Option<crate::text::Place>)> {
    let found = member.owner.with_statement(|module, statement| {
        let uses = super::class_reading::uses(module, &shape.class);
        let made = uses.iter().find(|made| made.owner.range() == statement.range() && made.attribute == member.name)?;
        shape.default_of_call(module, made.call)
    });
    found.or_else(|| shape.default())
}

fn non_data(descriptor: &Class, at: TextRange) -> Option<Finding> {
    let shape = Shape::of(*descriptor);
    let get = shape.get.as_ref()?;
    let (stores, stores_at) = shape.storage().unzip();
    Some(
        Finding::new("descriptors/non-data-descriptor", at)
            .fact("getter", Fact::from(get.label()))
            .fact("getter_at", get.place.clone().map(Fact::from))
            .fact("unstored", (stores.is_none() && computes_anew(get)).then(|| Fact::from(descriptor.name())))
            .fact("stores", stores.map(Fact::from))
            .fact("stores_at", stores_at.flatten().map(Fact::from)),
    )
}

/// Whether the body of `__get__` stores nothing, and gives the instance to nobody who may.
fn computes_anew(get: &Accessor) -> bool {
    let is_plain = get.read(|_, def| {
        let instance = parameter(def, 1)?;
        let stores = find_own(&def.body, |node| match node {
            AnyNodeRef::ExprAttribute(target) => {
                (!target.ctx.is_load() || target.attr.as_str() == "__dict__").then_some(())
            }
            AnyNodeRef::ExprSubscript(target) => (!target.ctx.is_load()).then_some(()),
            AnyNodeRef::ExprCall(call) => {
                let mut given = call.arguments.iter_source_order();
                given.any(|argument| is_name(argument.value(), instance)).then_some(())
            }
            _ => None,
        });
        Some(stores.is_none())
    });
    is_plain == Some(true)
}

fn class_access(descriptor: &Class, at: TextRange) -> Option<Finding> {
    let shape = Shape::of(*descriptor);
    let get = shape.get.as_ref()?;
    let access = shape.class_access().unwrap_or_default();
    let unguarded = super::descriptor_methods::unguarded_use(get);
    Some(
        Finding::new("descriptors/class-access", at)
            .fact("getter", Fact::from(get.label()))
            .fact("descriptor", Fact::from(descriptor.name()))
            .fact("class_access_at", access.returns_self.map(Fact::from))
            .fact("unguarded_at", unguarded.and_then(|(_, place)| place).map(Fact::from)),
    )
}

fn property_read(member: &Member, at: TextRange) -> Finding {
    let raises = with_accessor(member, "getter", |module, def| {
        let (names, first) = raised(&def.body);
        Some((names, first.and_then(|range| module.place(range))))
    });
    let (raises, raises_at) = raises.unwrap_or_default();
    let blocks = with_accessor(member, "getter", |module, def| {
        super::method_body::find_own(&def.body, |node| {
            let AnyNodeRef::ExprCall(call) = node else { return None };
            module.blocking_call(call)?;
            let is_certain = runs_always(&def.body, call.range());
            Some(((module.source(&*call.func).to_string(), is_certain), module.place(call.range())))
        })
    });
    let (blocks, blocks_at) = blocks.unzip();
    let (blocks, may_block) = match blocks {
        Some((call, true)) => (Some(call), None),
        other => (None, other.map(|(call, _)| call)),
    };
    let made = with_accessor(member, "getter", |module, def| {
        let (kind, range) = made_anew(def)?;
        Some((kind, module.place(range)))
    });
    let sets = with_accessor(member, "getter", |module, def| {
        let target = set_on_itself(def)?;
        Some((module.source(target).to_string(), module.place(target.range())))
    });
    let ((made, made_at), (sets, sets_at)) = (made.unzip(), sets.unzip());
    let label = format!("{}.{}", member.owner.name(), member.name);
    Finding::new("descriptors/property-read", at)
        .fact("getter", Fact::from(label))
        .fact("getter_at", Accessors::of(member).getter.or(member.place.clone()).map(Fact::from))
        .fact("blocks", blocks.map(Fact::from))
        .fact("may_block", may_block.map(Fact::from))
        .fact("blocks_at", blocks_at.flatten().map(Fact::from))
        .fact("made", made.map(Fact::from))
        .fact("made_at", made_at.flatten().map(Fact::from))
        .fact("sets", sets.map(Fact::from))
        .fact("sets_at", sets_at.flatten().map(Fact::from))
        .fact("raises", Fact::from(raises))
        .fact("raises_at", raises_at.map(Fact::from))
}

/// An attribute that `__init__` sets, where a class attribute or `__getattr__` would answer without it.
fn instance_attribute(lookup: &Lookup, on_self: bool, at: TextRange) -> Option<Finding> {
    let class = &lookup.receiver;
    let name = &lookup.member.name;
    let hidden = class.mro().iter().find_map(|class| class.own_member(name)).filter(|member| is_own(&member.owner));
    // A class knows its own attributes: what they spare is news to others only.
    let fallback = class.definer("__getattr__").filter(|class| is_own(class) && !on_self);
    if hidden.is_none() && fallback.is_none() {
        return None;
    }
    if hidden.as_ref().is_some_and(|member| member.kind == MemberKind::Slot) {
        return None;
    }
    let set_at = set_in_init(class, name)?;
    let label = |member: &Member| format!("{}.{name}", member.owner.name());
    let fallback_at = fallback.and_then(|class| class.own_member("__getattr__")).and_then(|member| member.place);
    Some(
        Finding::new("attributes/lookup-order", at)
            .fact("set_at", Fact::from(set_at))
            .fact(
                "code_hidden",
                hidden.as_ref().filter(|member| member.kind != MemberKind::Value).map(label).map(Fact::from),
            )
            .fact("hidden", hidden.as_ref().map(label).map(Fact::from))
            .fact("hidden_at", hidden.and_then(|member| member.place).map(Fact::from))
            .fact("fallback", fallback.map(|class| Fact::from(format!("{}.__getattr__", class.name()))))
            .fact("fallback_at", fallback_at.map(Fact::from)),
    )
}
