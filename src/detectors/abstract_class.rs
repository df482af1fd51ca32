//! Abstract base classes and protocols: what is missing before there can be an instance.

use ruff_python_ast::{self as ast, Stmt};

use super::class_reading::is_own;
use super::method_body::method;
use super::{Fact, Finding};
use crate::analysis::{Class, Metaclass, Origin, Site};
use crate::text::Ranged as _;

/// A class with `abc.ABCMeta` and something abstract along its order.
pub(super) fn abstract_class(
    statement: &ast::StmtClassDef,
    class: &Class,
    metaclass: Option<&Metaclass>,
) -> Option<Finding> {
    if !metaclass?.class.is("abc.ABCMeta") || !class.mro_is_complete() || !class.mro().iter().all(is_made_by_object) {
        return None;
    }
    let declared = declared(class)?;
    if declared.is_empty() {
        return None;
    }
    let is_open = |entry: &&(String, Class)| {
        let definer = class.definer(&entry.0);
        definer.is_some_and(|definer| is_abstract(&definer, &entry.0).unwrap_or(false))
    };
    let missing: Vec<_> = declared.iter().filter(is_open).collect();
    let inherited = missing.iter().filter(|(_, owner)| owner != class);
    let declared_by = inherited.map(|(_, owner)| owner).collect::<Vec<_>>();
    let declared_by = declared_by.first().copied();
    let own: Vec<_> = missing.iter().filter(|(_, owner)| owner == class).map(|(name, _)| name.clone()).collect();
    let inherited: Vec<_> = missing.iter().filter(|(_, owner)| owner != class).map(|(name, _)| name.clone()).collect();
    // That nothing is left is what everyone expects of a class that is used.
    if missing.is_empty() {
        return None;
    }
    let all: Vec<_> = missing.iter().map(|(name, _)| name.clone()).collect();
    let found = Finding::new("metaclasses/abstract-base-class", statement.name.range())
        .fact("missing", Fact::from(all))
        .fact("declares", Fact::from(own))
        .fact("not_implemented", Fact::from(inherited))
        .fact("declared_by", declared_by.map(|owner| Fact::from(owner.name())))
        .fact("declared_at", declared_by.and_then(Class::place).map(Fact::from));
    Some(found.fact("class", Fact::from(statement.name.as_str())))
}

/// Whether the class leaves the making of an object to `object.__new__`, which looks for abstract methods.
pub(super) fn is_made_by_object(class: &Class) -> bool {
    let symbol = class.symbol();
    is_own(class)
        || class.is("builtins.object")
        || matches!(symbol.module.as_str(), "abc" | "collections.abc" | "typing" | "typing_extensions")
}

/// The methods of a class that are still abstract; `None` where that is not known.
pub(super) fn missing(class: &Class) -> Option<Vec<String>> {
    let is_open = |(name, _): &(String, Class)| {
        class.definer(name).is_some_and(|definer| is_abstract(&definer, name).unwrap_or(false))
    };
    let declared = declared(class)?;
    Some(declared.into_iter().filter(is_open).map(|(name, _)| name).collect())
}

/// The abstract members along the order, each with the class that first declares it; `None` where a library's stub would
/// have to be trusted.
fn declared<'s>(class: &Class<'s>) -> Option<Vec<(String, Class<'s>)>> {
    let mut found: Vec<(String, Class)> = vec![];
    for owner in class.mro().into_iter().rev() {
        for name in abstract_names(&owner) {
            let symbol = owner.symbol();
            let is_documented = matches!(symbol.module.as_str(), "typing" | "collections.abc");
            if symbol.origin == Origin::StandardLibrary && !is_documented {
                return None;
            }
            if !found.iter().any(|(known, _)| *known == name) {
                found.push((name, owner));
            }
        }
    }
    Some(found)
}

fn abstract_names(class: &Class) -> Vec<String> {
    class.with_statement(|_, statement| {
        let defs = statement.body.iter().filter_map(Stmt::as_function_def_stmt);
        let mut names = vec![];
        for def in defs.filter(|def| has_abstract_decorator(def)) {
            if !names.iter().any(|name| name == def.name.as_str()) {
                names.push(def.name.to_string());
            }
        }
        names
    })
}

fn is_abstract(class: &Class, name: &str) -> Option<bool> {
    class.with_statement(|_, statement| method(&statement.body, name).map(has_abstract_decorator))
}

fn has_abstract_decorator(def: &ast::StmtFunctionDef) -> bool {
    def.decorator_list.iter().any(|decorator| {
        let name = match &decorator.expression {
            ast::Expr::Name(name) => name.id.as_str(),
            ast::Expr::Attribute(attribute) => attribute.attr.as_str(),
            _ => return false,
        };
        name == "abstractmethod" || name == "abstractproperty"
    })
}

/// A class with `Protocol` among its own bases.
pub(super) fn protocol(site: &Site, statement: &ast::StmtClassDef, class: &Class) -> Option<Finding> {
    let is_protocol = |base: &ast::Expr| {
        let base = match base {
            ast::Expr::Subscript(subscript) => &subscript.value,
            other => other,
        };
        let symbol = site.module.symbol(base);
        symbol.is_some_and(|symbol| symbol.is_any(&["typing.Protocol", "typing_extensions.Protocol"]))
    };
    if !statement.bases().iter().any(is_protocol) {
        return None;
    }
    let mut members: Vec<String> = vec![];
    for protocol in class.mro().iter().filter(|class| super::class_reading::is_own(class)) {
        for name in protocol.own_names().into_iter().filter(|name| !name.starts_with("__") || is_slot(name)) {
            if !members.contains(&name) {
                members.push(name);
            }
        }
    }
    let checkable = statement.decorator_list.iter().any(|decorator| {
        let symbol = site.module.symbol(&decorator.expression);
        symbol.is_some_and(|symbol| symbol.is_any(&["typing.runtime_checkable", "typing_extensions.runtime_checkable"]))
    });
    let name = || Fact::from(statement.name.as_str());
    let finding =
        Finding::new("metaclasses/protocol-class", statement.name.range()).fact("members", Fact::from(members));
    if !checkable {
        return Some(finding.fact("static", name()));
    }
    // The mark makes a difference where something asks.
    let asked = super::protocol_check::asked(class);
    let is_asked = asked.is_some();
    let (asked_at, implementers) = asked.unzip();
    Some(
        finding
            .fact("checkable", is_asked.then(name))
            .fact("asked_at", asked_at.map(Fact::from))
            .fact("implementers", implementers.map(Fact::from)),
    )
}

/// A special method that a protocol may ask for.
fn is_slot(name: &str) -> bool {
    !matches!(name, "__module__" | "__qualname__" | "__doc__" | "__slots__" | "__annotations__" | "__init__")
}
