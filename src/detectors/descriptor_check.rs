//! The type check of a descriptor's `__set__`: `isinstance` on the value, and the `raise` under it.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, UnaryOp};

use super::class_reading::{Use, uses};
use super::descriptor_methods::{anonymous_error, type_check};
use super::descriptor_shape::{Accessor, Shape, argument, assigned};
use super::descriptor_storage::method_of;
use super::method_body::{attribute_of, find_own, parameter};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["descriptors/type-check"], nodes: &[NodeKind::ExprCall, NodeKind::StmtRaise], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let candidate = match site.node {
        AnyNodeRef::ExprCall(call) => call,
        AnyNodeRef::StmtRaise(_) => refused(site)?,
        _ => return None,
    };
    let (def, class) = method_of(site, &["__set__"])?;
    let (receiver, value) = (parameter(def, 0)?, parameter(def, 2)?);
    let check = type_check(candidate.into(), value)?;
    let kind = check.arguments.args.get(1)?;
    let shape = Shape::of(class);
    let made = uses(site.module, &class);
    let asked: Vec<(&Use, &Expr)> =
        made.iter().filter_map(|made| Some((made, asked(&shape, made, kind, receiver)?))).collect();
    let labels = |wanted: &dyn Fn(&Expr) -> bool| {
        Fact::from(asked.iter().filter(|(_, kind)| wanted(kind)).map(|(made, _)| made.label()).collect::<Vec<_>>())
    };
    let types: Vec<_> =
        asked.iter().map(|(made, kind)| format!("{}: {}", made.label(), site.module.source(*kind))).collect();
    let finding = Finding::new("descriptors/type-check", site.node.range())
        .fact("class", Fact::from(class.name()))
        .fact("value", Fact::from(value))
        .fact("check", Fact::from(site.module.source(check)))
        .fact("uses", Fact::from(made.iter().map(Use::label).collect::<Vec<_>>()));
    let AnyNodeRef::StmtRaise(raise) = site.node else {
        let excludes_bool = find_own(&def.body, |node| match node {
            AnyNodeRef::ExprName(name) => (name.id == "bool").then_some(()),
            _ => None,
        });
        let is_int = |kind: &Expr| site.module.symbol(kind).is_some_and(|symbol| symbol.is("builtins.int"));
        let bool_passes = excludes_bool.is_none().then(|| labels(&is_int));
        findings.push(
            finding
                .fact("types", attribute_of(kind, receiver).map(|_| Fact::from(types)))
                .fact("bool_passes", bool_passes)
                .fact("parametrised", labels(&|kind| is_parametrised(site.module, kind))),
        );
        return Some(());
    };
    let error = exception(raise).map(|error| site.module.source(error));
    let here = site.module.place(raise.range())?;
    let is_anonymous = anonymous_error(site.module, def, receiver).is_some_and(|place| place.line == here.line);
    let kept =
        shape.storage().filter(|(_, at)| at.as_ref().is_some_and(|at| at.line > here.line)).map(|(code, _)| code);
    findings.push(
        finding
            .fact("error", error.map(Fact::from))
            .fact("anonymous", error.filter(|_| is_anonymous).map(Fact::from))
            .fact("kept", kept.map(Fact::from)),
    );
    Some(())
}

/// The call in `if not isinstance(…):` directly above a `raise`.
fn refused<'a>(site: &Site<'a, '_>) -> Option<&'a ast::ExprCall> {
    let AnyNodeRef::StmtIf(branch) = site.parent()? else { return None };
    let is_first = branch.body.iter().any(|statement| statement.range() == site.node.range());
    let Expr::UnaryOp(not) = &*branch.test else { return None };
    not.operand.as_call_expr().filter(|_| is_first && not.op == UnaryOp::Not)
}

/// The type that the check asks for at one use: as written in it, or as the use passes it to `__init__`.
fn asked<'a>(shape: &Shape, made: &Use<'a>, kind: &'a Expr, receiver: &str) -> Option<&'a Expr> {
    let Some(attribute) = attribute_of(kind, receiver) else { return Some(kind) };
    let init = Accessor::of(&shape.class, "__init__")?;
    let name = init.read(|_, def| {
        let value = find_own(&def.body, |node| assigned(node, parameter(def, 0)?, attribute))?;
        Some(value.as_name_expr()?.id.to_string())
    })?;
    init.read(|_, def| argument(def, made.call, &name))
}

/// `list[int]` and the like, which `isinstance` refuses.
fn is_parametrised(module: &Module, kind: &Expr) -> bool {
    const BUILTIN: &[&str] =
        &["builtins.list", "builtins.dict", "builtins.set", "builtins.tuple", "builtins.frozenset", "builtins.type"];
    let Expr::Subscript(item) = kind else { return false };
    module.symbol(&*item.value).is_some_and(|symbol| symbol.is_any(BUILTIN))
}

fn exception(raise: &ast::StmtRaise) -> Option<&Expr> {
    match raise.exc.as_deref()? {
        Expr::Call(call) => Some(&call.func),
        other => Some(other),
    }
}
