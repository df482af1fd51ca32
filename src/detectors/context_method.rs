//! `def __enter__`, `__exit__` and their asynchronous kin: what `as` binds, and which exceptions vanish.
//!
//! Silent for those that return the object itself, and for those that let exceptions pass.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::method_body::{is_name, own_nodes};
use super::method_shape::{SpecialMethod, ends_in_return};
use super::nodes::{is_generator, is_true};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["datamodel/context-methods"], nodes: &[NodeKind::StmtFunctionDef], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let method = SpecialMethod::at(site, &["__aenter__", "__aexit__", "__enter__", "__exit__"])?;
    let name = method.def.name.as_str();
    if is_generator(method.def) {
        return None;
    }
    let finding = Finding::new("datamodel/context-methods", method.def.name.range());
    let finding =
        if name.ends_with("enter__") { entering(site, &method, finding) } else { leaving(site, &method, finding) };
    finding.facts.iter().next()?;
    let word = if name.starts_with("__a") { "async with" } else { "with" };
    findings.push(
        finding
            .fact("class", Fact::from(method.statement.name.as_str()))
            .fact("method", Fact::from(name))
            .fact("word", Fact::from(word)),
    );
    Some(())
}

fn entering(site: &Site, method: &SpecialMethod, finding: Finding) -> Finding {
    let values = method.returned();
    let exit = if method.def.name.as_str() == "__enter__" { "__exit__" } else { "__aexit__" };
    let finding = finding.fact("no_exit", method.lacks(exit).then(|| Fact::from(exit)));
    if values.is_empty() {
        let is_unbound = !ends_in_return(&method.def.body);
        return finding.fact("unbound", is_unbound.then(|| Fact::from(method.statement.name.as_str())));
    }
    match values.as_slice() {
        [only] if is_another_object(method, only) => finding.fact("given", Fact::from(site.module.source(*only))),
        _ => finding,
    }
}

/// Whether the value is certainly not the manager itself: a part of it, a literal, or what a part of it gives.
fn is_another_object(method: &SpecialMethod, value: &Expr) -> bool {
    let Some(own) = method.own() else { return false };
    match value {
        Expr::Attribute(attribute) => is_name(&attribute.value, own) && attribute.attr.as_str() != "__class__",
        Expr::Tuple(_) | Expr::List(_) | Expr::Dict(_) => true,
        other => other.is_literal_expr(),
    }
}

fn leaving(site: &Site, method: &SpecialMethod, finding: Finding) -> Finding {
    let parameters = &method.def.parameters;
    let has_room = parameters.vararg.is_some() || parameters.posonlyargs.len() + parameters.args.len() >= 4;
    let values = method.returned();
    let place = |value: &Expr| site.module.place(value.range()).map(Fact::from);
    let finding = finding.fact("too_few", (!has_room).then(|| Fact::from(method.statement.name.as_str())));
    let always = match method.def.body.last() {
        Some(Stmt::Return(last)) => last.value.as_deref().filter(|value| is_true(value)),
        _ => None,
    };
    if let Some(value) = always.filter(|_| values.iter().all(|value| is_true(value)) && !has_bare_return(method)) {
        return finding.fact("always_at", place(value));
    }
    let decisive = values.iter().find(|value| is_result(value));
    match values.iter().find(|value| is_true(value)) {
        Some(value) => finding.fact("sometimes_at", place(value)),
        None => finding.fact("decided_by", decisive.map(|value| Fact::from(site.module.source(*value)))),
    }
}

/// Whether some paths end without a value.
fn has_bare_return(method: &SpecialMethod) -> bool {
    let mut found = false;
    own_nodes(&method.def.body, |node| {
        found |= matches!(node, AnyNodeRef::StmtReturn(ast::StmtReturn { value: None, .. }) | AnyNodeRef::StmtRaise(_));
    });
    found
}

/// What some call gives, which may not have been made to decide. Not another manager's answer, and no question.
fn is_result(value: &Expr) -> bool {
    let called = match value {
        Expr::Await(awaited) => awaited.value.as_call_expr(),
        other => other.as_call_expr(),
    };
    let name = called.and_then(|call| match &*call.func {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        _ => None,
    });
    const ANSWERS: &[&str] = &["__exit__", "__aexit__", "isinstance", "issubclass", "bool", "any", "all"];
    name.is_some_and(|name| !ANSWERS.contains(&name))
}
