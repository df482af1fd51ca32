//! A list, dictionary or set in a class body that methods change through `self`: all objects have the same one.
//!
//! Silent where a method gives each object its own, where the name is written in capitals, and where the class is asked by name.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::class_reading::{is_built_plainly, is_dataclass};
use super::method_body::{attribute_of, each_node, parameter};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["attributes/shared-default"],
    nodes: &[NodeKind::StmtAnnAssign, NodeKind::StmtAssign],
    detect,
};

/// Methods that change a container in place.
const CHANGES: &[&str] = &[
    "add",
    "append",
    "appendleft",
    "clear",
    "discard",
    "extend",
    "insert",
    "pop",
    "popitem",
    "remove",
    "setdefault",
    "update",
];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtClassDef(statement) = site.parent()? else { return None };
    let (target, value) = match site.node {
        AnyNodeRef::StmtAssign(ast::StmtAssign { targets, value, .. }) => match targets.as_slice() {
            [target] => (target, &**value),
            _ => return None,
        },
        AnyNodeRef::StmtAnnAssign(assign) => (&*assign.target, assign.value.as_deref()?),
        _ => return None,
    };
    let name = target.as_name_expr()?;
    if !is_container(value) || name.id.chars().all(|letter| !letter.is_lowercase()) || name.id.starts_with("__") {
        return None;
    }
    let (change, method) = changed_through_self(statement, &name.id)?;
    let class = site.module.class(statement)?;
    if !is_built_plainly(&class) || is_dataclass(&class) || class.metaclass().is_some() || site.is_type_checking() {
        return None;
    }
    findings.push(
        Finding::new("attributes/shared-default", name.range())
            .fact("class", Fact::from(statement.name.as_str()))
            .fact("attribute", Fact::from(name.id.as_str()))
            .fact("change", Fact::from(site.module.source(change)))
            .fact("changed_at", site.module.place(change).map(Fact::from))
            .fact("method", Fact::from(method)),
    );
    Some(())
}

fn is_container(value: &Expr) -> bool {
    match value {
        Expr::List(_) | Expr::Dict(_) | Expr::Set(_) => true,
        Expr::Call(call) => {
            let name = call.func.as_name_expr().map(|name| name.id.as_str());
            matches!(name, Some("dict" | "list" | "set")) && call.arguments.is_empty()
        }
        _ => false,
    }
}

/// The first change through `self`, and the method it stands in; `None` where an object may get its own.
fn changed_through_self<'a>(statement: &'a ast::StmtClassDef, name: &str) -> Option<(TextRange, &'a str)> {
    let (mut found, mut is_given) = (None, false);
    for def in statement.body.iter().filter_map(Stmt::as_function_def_stmt) {
        let is_of_class = def.decorator_list.iter().any(|decorator| {
            matches!(&decorator.expression, Expr::Name(name) if matches!(name.id.as_str(), "classmethod" | "staticmethod"))
        });
        let Some(own) = parameter(def, 0) else { continue };
        each_node(&def.body, |node| match node {
            // Set on the object, or spoken of by the class's name: then the sharing is known.
            AnyNodeRef::ExprAttribute(attribute) if attribute.attr.as_str() == name => {
                let through_self = attribute.value.as_name_expr().is_some_and(|value| value.id == own);
                is_given |= !attribute.ctx.is_load() || !through_self || is_of_class;
            }
            AnyNodeRef::ExprCall(call) => {
                if let Expr::Attribute(method) = &*call.func
                    && CHANGES.contains(&method.attr.as_str())
                    && attribute_of(&method.value, own) == Some(name)
                    && !is_of_class
                {
                    found = found.or(Some((call.range(), def.name.as_str())));
                }
            }
            AnyNodeRef::ExprSubscript(item)
                if !item.ctx.is_load() && !is_of_class && attribute_of(&item.value, own) == Some(name) =>
            {
                found = found.or(Some((item.range(), def.name.as_str())));
            }
            _ => {}
        });
    }
    found.filter(|_| !is_given)
}
