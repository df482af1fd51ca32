//! `obj.__dict__` and `vars(obj)`: what is in it, and which data descriptors go past it.

use ruff_python_ast::{AnyNodeRef, Expr, ExprRef, NodeKind};

use super::class_reading::{is_built_plainly, is_own, lacks_dict};
use super::descriptor_shape::Shape;
use super::method_body::{each_node, method, own_nodes, parameter};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Member, MemberKind, Site};
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["attributes/instance-dict", "descriptors/data-descriptor"],
    nodes: &[NodeKind::ExprAttribute, NodeKind::ExprCall, NodeKind::ExprSubscript],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    if let AnyNodeRef::ExprSubscript(item) = site.node {
        return entry(site, item.value.as_ref(), &item.slice, findings);
    }
    let (object, range) = match site.node {
        AnyNodeRef::ExprAttribute(attribute) => (dict_owner(site, attribute.into())?, attribute.attr.range()),
        AnyNodeRef::ExprCall(call) => (dict_owner(site, call.into())?, call.range()),
        _ => return None,
    };
    let class = site.module.class_of(object)?;
    if !is_own(&class) || site.module.class_reference(object).is_some() || class.is_metaclass() {
        return None;
    }
    let is_slotted = lacks_dict(&class) && !is_perhaps_wider(site, &class, object);
    let mut outside = outside(&class);
    if let Some(AnyNodeRef::ExprSubscript(item)) = site.parent()
        && let Some(key) = item.slice.as_string_literal_expr()
    {
        // Whoever asks for the entry expects it there.
        outside.retain(|name| name != key.value.to_str());
    }
    findings.push(
        Finding::new("attributes/instance-dict", range)
            .fact("code", Fact::from(site.module.source(site.node)))
            .fact("class", Fact::from(class.name()))
            .fact("attributes", Fact::from(set_by_init(&class, &outside)))
            .fact("outside", Fact::from(outside))
            .fact("no_dict", is_slotted.then(|| Fact::from(class.name()))),
    );
    Some(())
}

/// Whether the object may be of a subclass whose instances have a dictionary.
fn is_perhaps_wider(site: &Site, class: &Class, object: &Expr) -> bool {
    let is_made_here =
        object.as_call_expr().is_some_and(|call| site.module.class_reference(&call.func).as_ref() == Some(class));
    let subclasses = || site.module.snapshot().subclasses(class);
    !is_made_here && subclasses().is_none_or(|subclasses| subclasses.iter().any(|subclass| !lacks_dict(subclass)))
}

/// The object whose dictionary `expr` gives: `obj` in `obj.__dict__` and in `vars(obj)`.
fn dict_owner<'a>(site: &Site, expr: ExprRef<'a>) -> Option<&'a Expr> {
    match expr {
        ExprRef::Attribute(attribute) => (attribute.attr.as_str() == "__dict__").then_some(&*attribute.value),
        ExprRef::Call(call) => {
            let [object] = &*call.arguments.args else { return None };
            let is_vars = call.func.as_name_expr().is_some_and(|name| name.id == "vars");
            (is_vars && site.module.symbol(&*call.func)?.is("builtins.vars")).then_some(object)
        }
        _ => None,
    }
}

/// `obj.__dict__["name"]`, where `name` is a data descriptor of the class.
fn entry(site: &Site, dict: &Expr, key: &Expr, findings: &mut Findings) -> Option<()> {
    let key = key.as_string_literal_expr()?;
    let object = dict_owner(site, dict.into())?;
    if site.module.class_reference(object).is_some() {
        return None;
    }
    let class = site.module.receiver_class(object)?;
    let member = class.member(key.value.to_str())?;
    let descriptor = match &member.kind {
        // Without `__get__` it is the entry that a read gives.
        MemberKind::Descriptor(descriptor) if member.is_data_descriptor()? && Shape::of(*descriptor).get.is_some() => {
            descriptor.name()
        }
        MemberKind::Property { .. } => "property".to_string(),
        _ => return None,
    };
    if !is_built_plainly(&class) {
        return None;
    }
    findings.push(
        Finding::new("descriptors/data-descriptor", TextRange::new(key.start(), key.end()))
            .fact("code", Fact::from(site.module.source(site.node)))
            .fact("owner", Fact::from(member.owner.name()))
            .fact("attribute", Fact::from(member.name.as_str()))
            .fact("descriptor", Fact::from(descriptor))
            .fact("defined_at", member.place.clone().map(Fact::from))
            .fact("receiver", Fact::from(site.module.source(object))),
    );
    Some(())
}

/// The names that data descriptors of the class answer.
fn outside(class: &Class) -> Vec<String> {
    let mut names = vec![];
    for class in class.mro().iter().filter(|class| is_own(class)) {
        for name in class.own_names() {
            let member = class.own_member(&name);
            let is_data = member.as_ref().is_some_and(|member| member.is_data_descriptor() == Some(true));
            if is_data && !member.as_ref().is_some_and(may_fill_dict) && !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// Whether the descriptor may store in the instance's dictionary, be it under its own name: only by way of `__dict__` can it.
fn may_fill_dict(member: &Member) -> bool {
    let names_dict = |class: &Class| {
        class.with_statement(|_, statement| {
            let mut found = false;
            each_node(&statement.body, |node| {
                found |= match node {
                    AnyNodeRef::ExprAttribute(attribute) => attribute.attr.as_str() == "__dict__",
                    AnyNodeRef::ExprName(name) => name.id == "vars",
                    _ => false,
                }
            });
            found
        })
    };
    match &member.kind {
        MemberKind::Descriptor(class) => {
            class.mro().iter().any(|class| !class.is("builtins.object") && (!is_own(class) || names_dict(class)))
        }
        MemberKind::Property { .. } => names_dict(&member.owner),
        _ => false,
    }
}

/// The attributes that the first `__init__` along the order sets in its own body.
fn set_by_init(class: &Class, outside: &[String]) -> Vec<String> {
    let Some(definer) = class.definer("__init__") else { return vec![] };
    definer.with_statement(|_, statement| {
        let mut names: Vec<String> = vec![];
        let Some(def) = method(&statement.body, "__init__") else { return names };
        let Some(receiver) = parameter(def, 0) else { return names };
        own_nodes(&def.body, |node| {
            if let AnyNodeRef::ExprAttribute(attribute) = node
                && attribute.ctx.is_store()
                && attribute.value.as_name_expr().is_some_and(|name| name.id == receiver)
                && !outside.iter().chain(&names).any(|known| known == attribute.attr.as_str())
            {
                names.push(attribute.attr.to_string());
            }
        });
        names
    })
}
