//! `basket.__len__ = …`: a special method set where no operation looks for it.

use ruff_python_ast::{AnyNodeRef, NodeKind};

use super::class_reading::is_own;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["attributes/dunder-on-instance"], nodes: &[NodeKind::ExprAttribute], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprAttribute(attribute) = site.node else { return None };
    let method = attribute.attr.as_str();
    if !attribute.ctx.is_store() || !method.starts_with("__") || site.is_type_checking() {
        return None;
    }
    let receiver = site.module.source(&*attribute.value);
    let asked_by = operation(method, receiver)?;
    if site.module.class_reference(&attribute.value).is_some() {
        return None;
    }
    let class = site.module.class_of(&*attribute.value)?;
    let takes_writes = class.definer("__setattr__").is_some() || class.is_metaclass();
    // A slot of that name is a class attribute, which the operation finds and asks.
    let is_slot =
        class.mro().iter().any(|class| class.own_slots().is_some_and(|slots| slots.iter().any(|slot| slot == method)));
    if takes_writes || is_slot || !is_own(&class) || !class.mro_is_complete() {
        return None;
    }
    let served = class.definer(method).and_then(|owner| owner.own_member(method));
    let label = served.as_ref().map(|member| Fact::from(format!("{}.{method}", member.owner.name())));
    findings.push(
        Finding::new("attributes/dunder-on-instance", attribute.range())
            .fact("target", Fact::from(site.module.source(attribute)))
            .fact("receiver", Fact::from(receiver))
            .fact("class", Fact::from(class.name()))
            .fact("method", Fact::from(method))
            .fact("asked_by", Fact::from(asked_by))
            .fact("served", label)
            .fact("served_at", served.and_then(|member| member.place).map(Fact::from)),
    );
    Some(())
}

/// The operation that asks the type for a special method, as it is written for an object called `object`.
fn operation(method: &str, object: &str) -> Option<String> {
    let short = match method {
        "__call__" => return Some(format!("{object}(…)")),
        "__getitem__" => return Some(format!("{object}[…]")),
        "__setitem__" => return Some(format!("{object}[…] = …")),
        "__delitem__" => return Some(format!("del {object}[…]")),
        "__contains__" => return Some(format!("… in {object}")),
        "__enter__" | "__exit__" => return Some(format!("with {object}")),
        "__aenter__" | "__aexit__" => return Some(format!("async with {object}")),
        "__await__" => return Some(format!("await {object}")),
        "__eq__" => return Some(format!("{object} == …")),
        "__lt__" => return Some(format!("{object} < …")),
        "__add__" => return Some(format!("{object} + …")),
        "__len__" => "len",
        "__iter__" => "iter",
        "__next__" => "next",
        "__str__" => "str",
        "__repr__" => "repr",
        "__hash__" => "hash",
        "__bool__" => "bool",
        "__abs__" => "abs",
        _ => return None,
    };
    Some(format!("{short}({object})"))
}
