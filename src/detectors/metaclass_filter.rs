//! Loops and comprehensions over the namespace in a metaclass: what `callable` lets through, which names they hide.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::metaclass_namespace::Hook;
use super::method_body::is_name;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, MemberKind, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["metaclasses/callable-filter", "metaclasses/comprehension-scope"],
    nodes: &[
        NodeKind::ExprCall,
        NodeKind::ExprDictComp,
        NodeKind::ExprListComp,
        NodeKind::ExprSetComp,
        NodeKind::ExprGenerator,
    ],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    match site.node {
        AnyNodeRef::ExprCall(call) => filter(site, call, findings),
        node => scope(site, generators(node)?, findings),
    }
}

/// `callable(value)` for a value of the namespace.
fn filter(site: &Site, call: &ast::ExprCall, findings: &mut Findings) -> Option<()> {
    let [Expr::Name(value)] = &*call.arguments.args else { return None };
    if !is_name(&call.func, "callable") {
        return None;
    }
    let hook = Hook::around(site)?;
    let is_value = site.enclosing().any(|node| match node {
        AnyNodeRef::StmtFor(each) => of_namespace(&each.target, &each.iter, hook.namespace) == Some(&value.id),
        node => generators(node).is_some_and(|generators| {
            generators.iter().any(|each| of_namespace(&each.target, &each.iter, hook.namespace) == Some(&value.id))
        }),
    });
    if !is_value {
        return None;
    }
    let built = hook.built(site);
    let of_kind = |wanted: &dyn Fn(&MemberKind) -> bool| Fact::from(members(&built, wanted));
    findings.push(
        Finding::new("metaclasses/callable-filter", call.range())
            .fact("check", Fact::from(site.module.source(call)))
            .fact("value", Fact::from(value.id.as_str()))
            .fact("refused", of_kind(&|kind| matches!(kind, MemberKind::ClassMethod | MemberKind::Property { .. })))
            .fact("nested", of_kind(&|kind| matches!(kind, MemberKind::Class)))
            .fact("static", of_kind(&|kind| matches!(kind, MemberKind::StaticMethod))),
    );
    Some(())
}

/// The members of the classes' own bodies that are of some kind, as `Class.member`.
fn members(classes: &[Class], wanted: &dyn Fn(&MemberKind) -> bool) -> Vec<String> {
    let of_class = |class: &Class| {
        let names = class.own_names().into_iter();
        let members = names.filter(|name| class.own_member(name).is_some_and(|member| wanted(&member.kind)));
        members.map(|name| format!("{}.{name}", class.name())).collect::<Vec<_>>()
    };
    classes.iter().flat_map(of_class).collect()
}

/// A comprehension over the namespace whose variable has the name of a parameter.
fn scope(site: &Site, generators: &[ast::Comprehension], findings: &mut Findings) -> Option<()> {
    let [each] = generators else { return None };
    let hook = Hook::around(site)?;
    of_namespace(&each.target, &each.iter, hook.namespace)?;
    let targets = match &each.target {
        Expr::Tuple(tuple) => tuple.elts.as_slice(),
        single => std::slice::from_ref(single),
    };
    let hidden = targets
        .iter()
        .filter_map(Expr::as_name_expr)
        .find(|target| hook.def.parameters.iter().any(|parameter| parameter.name().as_str() == target.id.as_str()))?;
    findings.push(
        Finding::new("metaclasses/comprehension-scope", site.node.range())
            .fact("hidden", Fact::from(hidden.id.as_str()))
            .fact("namespace", Fact::from(hook.namespace))
            .fact("iterable", Fact::from(site.module.source(&each.iter)))
            .fact("hook", Fact::from(hook.label())),
    );
    Some(())
}

fn generators(node: AnyNodeRef<'_>) -> Option<&[ast::Comprehension]> {
    match node {
        AnyNodeRef::ExprDictComp(comprehension) => Some(&comprehension.generators),
        AnyNodeRef::ExprListComp(comprehension) => Some(&comprehension.generators),
        AnyNodeRef::ExprSetComp(comprehension) => Some(&comprehension.generators),
        AnyNodeRef::ExprGenerator(comprehension) => Some(&comprehension.generators),
        _ => None,
    }
}

/// The variable for the values in a loop over `namespace.items()` or `namespace.values()`, also through `list(…)`.
fn of_namespace<'a>(target: &'a Expr, iterable: &'a Expr, namespace: &str) -> Option<&'a ast::name::Name> {
    let call = iterable.as_call_expr()?;
    if let (Expr::Name(wrapper), [inner]) = (&*call.func, &*call.arguments.args) {
        let copies = matches!(wrapper.id.as_str(), "list" | "tuple");
        return if copies { of_namespace(target, inner, namespace) } else { None };
    }
    let function = call.func.as_attribute_expr().filter(|function| is_name(&function.value, namespace))?;
    match (function.attr.as_str(), target) {
        ("items", Expr::Tuple(pair)) => match pair.elts.as_slice() {
            [_, Expr::Name(value)] => Some(&value.id),
            _ => None,
        },
        ("values", Expr::Name(value)) => Some(&value.id),
        _ => None,
    }
}
