//! Operations that ask the type for a special method: those a `__getattr__` cannot serve, and methods set on an instance.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::class_reading::{is_built_plainly, is_own};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Site};
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["attributes/dunder-on-instance", "attributes/special-method-lookup"],
    nodes: &[NodeKind::ExprAttribute, NodeKind::ExprCall, NodeKind::ExprSubscript, NodeKind::StmtFor],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    if site.is_type_checking() || site.is_annotation() {
        return None;
    }
    if let AnyNodeRef::ExprAttribute(attribute) = site.node {
        return on_instance(site, attribute, findings);
    }
    // Classes with the hook are few; where none is in sight, nothing else is asked.
    if !findings.wants("attributes/special-method-lookup") {
        return None;
    }
    if site.is_whole_file && !site.module.may_have_method("__getattr__") {
        return None;
    }
    let (object, method, range) = asked(site)?;
    let class = site.module.receiver_class(object)?;
    let fallback = class.definer("__getattr__").filter(is_own)?;
    let is_served = class.definer(method).is_some() || (method == "__iter__" && class.definer("__getitem__").is_some());
    if is_served || !is_built_plainly(&class) || site.module.class_reference(object).is_some() {
        return None;
    }
    findings.push(
        Finding::new("attributes/special-method-lookup", range)
            .fact("code", Fact::from(shown(site, object)))
            .fact("class", Fact::from(class.name()))
            .fact("method", Fact::from(method))
            .fact("receiver", Fact::from(site.module.source(object)))
            .fact("fallback", Fact::from(format!("{}.__getattr__", fallback.name()))),
    );
    Some(())
}

/// The operation, without the body of a loop.
fn shown(site: &Site, object: &Expr) -> String {
    match site.node {
        AnyNodeRef::StmtFor(_) => format!("for … in {}", site.module.source(object)),
        node => site.module.source(node).to_string(),
    }
}

/// What a node asks of which object, where the answer is a `TypeError` without the method.
fn asked<'a>(site: &Site<'a, '_>) -> Option<(&'a Expr, &'static str, TextRange)> {
    match site.node {
        AnyNodeRef::StmtFor(statement) if !statement.is_async => {
            Some((&statement.iter, "__iter__", statement.iter.range()))
        }
        AnyNodeRef::ExprSubscript(item) if item.ctx.is_load() => Some((&item.value, "__getitem__", item.range())),
        AnyNodeRef::ExprCall(call) => {
            let [object] = &*call.arguments.args else { return of_called(call) };
            let Some(name) = call.func.as_name_expr() else { return of_called(call) };
            let method = match name.id.as_str() {
                "len" => "__len__",
                "iter" => "__iter__",
                "next" => "__next__",
                "abs" => "__abs__",
                _ => return of_called(call),
            };
            let is_builtin = site.module.callee(call)?.is(&format!("builtins.{}", name.id));
            is_builtin.then(|| (object, method, call.range()))
        }
        _ => None,
    }
}

fn of_called(call: &ast::ExprCall) -> Option<(&Expr, &'static str, TextRange)> {
    call.func.is_name_expr().then(|| (&*call.func, "__call__", call.range()))
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

/// `basket.__len__ = …` on an instance.
fn on_instance(site: &Site, attribute: &ast::ExprAttribute, findings: &mut Findings) -> Option<()> {
    let method = attribute.attr.as_str();
    if !attribute.ctx.is_store() || !method.starts_with("__") {
        return None;
    }
    let receiver = site.module.source(&*attribute.value);
    let asked_by = operation(method, receiver)?;
    if site.module.class_reference(&attribute.value).is_some() {
        return None;
    }
    let class: Class = site.module.class_of(&*attribute.value)?;
    let takes_writes = class.definer("__setattr__").is_some() || class.is_metaclass();
    if takes_writes || !is_own(&class) || !class.mro_is_complete() {
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
