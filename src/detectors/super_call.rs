//! `super().method`: which class comes next, for this class and for subclasses that put another one in between.

mod cut_chain;

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind};

use super::class_reading::{is_own, subclasses};
use super::method_body::{find_own, is_name, method};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["attributes/mro-super"],
    nodes: &[NodeKind::ExprAttribute, NodeKind::StmtClassDef, NodeKind::StmtFunctionDef],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    match site.node {
        AnyNodeRef::ExprAttribute(attribute) => called(site, attribute, findings),
        AnyNodeRef::StmtClassDef(_) | AnyNodeRef::StmtFunctionDef(_) => {
            findings.push(cut_chain::detect(site)?);
            Some(())
        }
        _ => None,
    }
}

fn called(site: &Site, attribute: &ast::ExprAttribute, findings: &mut Findings) -> Option<()> {
    let call = attribute.value.as_call_expr()?;
    if !is_name(&call.func, "super") || !call.arguments.is_empty() || !site.module.callee(call)?.is("builtins.super") {
        return None;
    }
    if super::class_cell::inner_scope(site).is_some() {
        return None; // See `class_cell`.
    }
    let class = site.module.class(site.class()?)?;
    let name = attribute.attr.as_str();
    if !class.mro_is_complete() {
        return None;
    }
    let next = next_definer(&class, &class, name)?;
    let other = subclasses(site.module, &class).into_iter().find_map(|subclass| {
        let other = next_definer(&subclass, &class, name)?;
        (other != next && subclass.mro_is_complete()).then_some((subclass, other))
    });
    let label = |class: &Class| Fact::from(format!("{}.{name}", class.name()));
    let place = |class: &Class| class.own_member(name).and_then(|member| member.place).map(Fact::from);
    let shown = other.map_or(class, |(subclass, _)| subclass);
    let is_branched = shown.mro().iter().any(|class| class.with_statement(|_, statement| statement.bases().len() > 1));
    const ROOM: usize = 58;
    let order = shown.mro().iter().map(Class::name).collect::<Vec<_>>().join(" → ");
    let is_called = matches!(site.parent()?, AnyNodeRef::ExprCall(_));
    let code = format!("{}{}", site.module.source(attribute), if is_called { "(…)" } else { "" });
    let broken = other.map_or(next, |(_, other)| other);
    let is_broken = breaks_chain(&shown, &broken, name);
    // To the next base that has the method: that is what everyone expects.
    if other.is_none() && !is_broken {
        return None;
    }
    findings.push(
        Finding::new("attributes/mro-super", attribute.range())
            .fact("code", Fact::from(code))
            .fact("class", Fact::from(class.name()))
            .fact("next", label(&next))
            .fact("next_at", is_own(&next).then(|| place(&next)).flatten())
            .fact("other", other.map(|(_, other)| label(&other)))
            .fact("other_at", other.and_then(|(_, other)| place(&other)))
            .fact("other_class", other.map(|(subclass, _)| Fact::from(subclass.name())))
            .fact("order_of", is_branched.then(|| Fact::from(shown.name())))
            .fact("order", (is_branched && order.chars().count() <= ROOM).then(|| Fact::from(vec![order])))
            .fact("broken_by", is_broken.then(|| label(&broken)))
            .fact("broken_at", is_broken.then(|| place(&broken)).flatten()),
    );
    Some(())
}

/// The class behind `class` in the order of `of` whose body binds `name`.
fn next_definer<'s>(of: &Class<'s>, class: &Class<'s>, name: &str) -> Option<Class<'s>> {
    let order = of.mro();
    let position = order.iter().position(|found| found == class)?;
    order.into_iter().skip(position + 1).find(|class| class.binds(name))
}

/// Whether the method of `next` ends the chain although a class that it does not inherit from still has one.
fn breaks_chain(of: &Class, next: &Class, name: &str) -> bool {
    if !is_own(next) {
        return false;
    }
    let goes_on = next.with_statement(|_, statement| {
        let Some(def) = method(&statement.body, name) else { return true };
        find_own(&def.body, |node| match node {
            AnyNodeRef::ExprCall(call) => is_name(&call.func, "super").then_some(()),
            _ => None,
        })
        .is_some()
    });
    let order = of.mro();
    let behind = order.iter().skip_while(|class| *class != next).skip(1);
    !goes_on
        && behind
            .filter(|class| !class.is("builtins.object") && !next.is_subclass_of(class))
            .any(|class| class.binds(name) && is_own(class))
}
