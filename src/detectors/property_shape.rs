//! The functions of a property written with decorators, and where they stand.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use super::method_body::{find_own, is_name, parameter};
use super::method_shape::returned;
use crate::analysis::{Member, Module};
use crate::text::{Place, Ranged as _, TextRange};

/// Where the functions of a property are defined.
#[derive(Default)]
pub(super) struct Accessors {
    pub getter: Option<Place>,
    pub setter: Option<Place>,
    pub deleter: Option<Place>,
}

impl Accessors {
    /// The functions of `member` in the body of the class that binds it.
    pub fn of(member: &Member) -> Self {
        member.owner.with_statement(|module, statement| {
            let mut found = Self::default();
            for def in definitions(&statement.body, &member.name) {
                let place = module.place(def.name.range());
                match accessor(def) {
                    Some("setter") => found.setter = place,
                    Some("deleter") => found.deleter = place,
                    _ => found.getter = place,
                }
            }
            found
        })
    }
}

/// The definition of the function of `member` that `kind` names: `getter`, `setter` or `deleter`.
pub(super) fn with_accessor<'s, R>(
    member: &Member<'s>,
    kind: &str,
    read: impl FnOnce(&Module<'s>, &ast::StmtFunctionDef) -> Option<R>,
) -> Option<R> {
    member.owner.with_statement(|module, statement| {
        let defs = definitions(&statement.body, &member.name);
        let def = defs.into_iter().rev().find(|def| accessor(def).unwrap_or("getter") == kind)?;
        read(module, def)
    })
}

fn definitions<'a>(body: &'a [Stmt], name: &str) -> Vec<&'a ast::StmtFunctionDef> {
    let functions = body.iter().filter_map(Stmt::as_function_def_stmt);
    functions.filter(|def| def.name.as_str() == name).collect()
}

/// `setter` for a function below `@name.setter`, and so on.
pub(super) fn accessor(def: &ast::StmtFunctionDef) -> Option<&str> {
    def.decorator_list.iter().find_map(|decorator| {
        let Expr::Attribute(attribute) = &decorator.expression else { return None };
        let accessor = attribute.attr.as_str();
        matches!(accessor, "getter" | "setter" | "deleter").then_some(accessor)
    })
}

/// The container that each `return` of the function makes, and where the first one does.
pub(super) fn made_anew(def: &ast::StmtFunctionDef) -> Option<(&'static str, TextRange)> {
    let values = returned(def);
    let kind = container(values.first()?)?;
    let is_same = values.iter().all(|value| container(value) == Some(kind));
    is_same.then(|| (kind, values[0].range()))
}

/// The changeable container that an expression makes.
fn container(value: &Expr) -> Option<&'static str> {
    match value {
        Expr::List(_) | Expr::ListComp(_) => Some("list"),
        Expr::Dict(_) | Expr::DictComp(_) => Some("dict"),
        Expr::Set(_) | Expr::SetComp(_) => Some("set"),
        Expr::Call(call) => match call.func.as_name_expr()?.id.as_str() {
            "list" | "sorted" => Some("list"),
            "dict" => Some("dict"),
            "set" => Some("set"),
            _ => None,
        },
        _ => None,
    }
}

/// The attribute of its object that the function sets.
pub(super) fn set_on_itself(def: &ast::StmtFunctionDef) -> Option<&ast::ExprAttribute> {
    let own = parameter(def, 0)?;
    find_own(&def.body, |node| match node {
        AnyNodeRef::ExprAttribute(target) => (target.ctx.is_store() && is_name(&target.value, own)).then_some(target),
        _ => None,
    })
}
