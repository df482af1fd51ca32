//! `__init__`: what it leaves out. A base's `__init__` that it does not call, an attribute that only another method sets.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::class_reading::{is_own, is_protocol};
use super::method_body::{attribute_of, find_own, method, own_nodes, parameter};
use super::nodes::all_nodes;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Site};
use crate::text::{Place, Ranged as _, TextRange};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["datamodel/initialisation"], nodes: &[NodeKind::StmtFunctionDef], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtFunctionDef(def) = site.node else { return None };
    let AnyNodeRef::StmtClassDef(statement) = site.parent()? else { return None };
    if def.name.as_str() != "__init__" || !def.decorator_list.is_empty() || !findings.wants("datamodel/initialisation")
    {
        return None;
    }
    let class = site.module.class(statement)?;
    if class.is_metaclass() || is_protocol(&class) || !class.mro_is_complete() {
        return None;
    }
    let finding = Finding::new("datamodel/initialisation", def.name.range());
    let returned = find_own(&def.body, |node| match node {
        AnyNodeRef::StmtReturn(ast::StmtReturn { value: Some(value), .. }) if is_no_none(value) => Some(&**value),
        _ => None,
    });
    let is_hidden = leaks(def);
    let skipped = skipped(&class).filter(|_| !is_hidden && !mentions_parent(def));
    let late = if is_hidden { None } else { late(statement, def, &class) };
    if returned.is_none() && skipped.is_none() && late.is_none() {
        return None;
    }
    let finding = finding
        .fact("class", Fact::from(statement.name.as_str()))
        .fact("returned", returned.map(|value| Fact::from(site.module.source(value))));
    let finding = match skipped {
        Some((owner, at)) => {
            finding.fact("skipped", Fact::from(format!("{owner}.__init__"))).fact("skipped_at", at.map(Fact::from))
        }
        None => finding,
    };
    findings.push(match late {
        Some((attribute, setter)) => finding
            .fact("late", Fact::from(format!("self.{}", attribute.attr)))
            .fact("setter", Fact::from(setter))
            .fact("late_at", site.module.place(attribute.range()).map(Fact::from)),
        None => finding,
    });
    Some(())
}

fn is_no_none(value: &Expr) -> bool {
    value.is_literal_expr() && !value.is_none_literal_expr()
}

/// The project's class along the order whose `__init__` would be next, if that sets anything.
fn skipped(class: &Class) -> Option<(String, Option<Place>)> {
    let next = class.mro().into_iter().skip(1).find(|base| base.binds("__init__")).filter(is_own)?;
    let sets_something = next.with_statement(|_, statement| {
        let init = method(&statement.body, "__init__")?;
        let own = parameter(init, 0)?;
        find_own(&init.body, |node| match node {
            AnyNodeRef::ExprAttribute(attribute) if attribute.ctx.is_store() => {
                attribute.value.as_name_expr().filter(|name| name.id == own).map(|_| ())
            }
            _ => None,
        })
    });
    sets_something?;
    Some((next.name(), next.own_member("__init__").and_then(|member| member.place)))
}

/// Whether an `__init__` mentions another one, in whatever way it may call it.
pub(super) fn mentions_parent(init: &ast::StmtFunctionDef) -> bool {
    all_nodes(&init.body).into_iter().any(|node| match node {
        AnyNodeRef::ExprAttribute(attribute) => attribute.attr.as_str() == "__init__",
        AnyNodeRef::ExprName(name) => name.id == "super",
        _ => false,
    })
}

/// Whether something else may set the rest: a method that is called on the object, what the object is given to, its
/// `__dict__`.
fn leaks(init: &ast::StmtFunctionDef) -> bool {
    let Some(own) = parameter(init, 0) else { return true };
    let nodes = all_nodes(&init.body);
    let is_own = |expr: &Expr| expr.as_name_expr().is_some_and(|name| name.id == own);
    let plain: Vec<TextRange> = nodes
        .iter()
        .filter_map(|node| match node {
            AnyNodeRef::ExprAttribute(attribute) if attribute.attr.as_str() != "__dict__" => {
                Some(attribute.value.range())
            }
            _ => None,
        })
        .collect();
    nodes.iter().any(|node| match node {
        AnyNodeRef::ExprName(name) => name.id == own && !plain.contains(&name.range()),
        AnyNodeRef::ExprCall(call) => call.func.as_attribute_expr().is_some_and(|method| is_own(&method.value)),
        _ => false,
    })
}

/// The first attribute that a method reads, another one sets, and nothing gives to each new object.
fn late<'a>(
    statement: &'a ast::StmtClassDef,
    init: &ast::StmtFunctionDef,
    class: &Class,
) -> Option<(&'a ast::ExprAttribute, &'a str)> {
    if class.definer("__getattr__").is_some() || class.mro().iter().skip(1).any(|base| !base.is("builtins.object")) {
        return None;
    }
    let methods = || statement.body.iter().filter_map(Stmt::as_function_def_stmt).filter(|def| def.name != init.name);
    let sets = |def: &'a ast::StmtFunctionDef| {
        let mut found = vec![];
        if let Some(receiver) = parameter(def, 0) {
            own_nodes(&def.body, |node| {
                if let AnyNodeRef::ExprAttribute(attribute) = node
                    && attribute.ctx.is_store()
                    && attribute.value.as_name_expr().is_some_and(|name| name.id == receiver)
                {
                    found.push(attribute);
                }
            });
        }
        found
    };
    let in_init = |name: &str| {
        let found = find_own(&init.body, |node| match node {
            AnyNodeRef::ExprAttribute(attribute) => {
                (attribute.attr.as_str() == name && !attribute.ctx.is_load()).then_some(())
            }
            _ => None,
        });
        found.is_some()
    };
    let is_read_elsewhere = |name: &str, setter: &ast::StmtFunctionDef| {
        methods().filter(|def| def.name != setter.name).any(|def| {
            let Some(receiver) = parameter(def, 0) else { return false };
            let found = find_own(&def.body, |node| match node {
                AnyNodeRef::ExprAttribute(attribute) if attribute.ctx.is_load() => {
                    (attribute_of(&Expr::from(attribute.clone()), receiver) == Some(name)).then_some(())
                }
                _ => None,
            });
            found.is_some()
        })
    };
    let is_annotated = |name: &str| {
        statement.body.iter().any(|member| match member {
            Stmt::AnnAssign(field) => field.target.as_name_expr().is_some_and(|target| target.id == name),
            _ => false,
        })
    };
    for def in methods().filter(|def| def.decorator_list.is_empty()) {
        for attribute in sets(def) {
            let name = attribute.attr.as_str();
            let setters = methods().filter(|other| sets(other).iter().any(|other| other.attr.as_str() == name)).count();
            let is_given = class.binds(name) || in_init(name) || is_annotated(name) || setters > 1;
            if !is_given && is_read_elsewhere(name, def) {
                return Some((attribute, def.name.as_str()));
            }
        }
    }
    None
}
