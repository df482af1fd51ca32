//! How a special method is written: what it returns, what it asks of its operand, and what its class lacks beside it.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use super::class_reading::{is_built_plainly, is_own, is_protocol};
use super::method_body::{find_own, is_name, own_nodes, parameter};
use crate::analysis::{Class, Site};

/// A special method in the body of a class.
pub(super) struct SpecialMethod<'a, 's> {
    pub def: &'a ast::StmtFunctionDef,
    pub statement: &'a ast::StmtClassDef,
    pub class: Class<'s>,
}

impl<'a, 's> SpecialMethod<'a, 's> {
    /// The method at `site`, if it is one of `names`, runs as it is written, and does something.
    pub fn at(site: &Site<'a, 's>, names: &[&str]) -> Option<Self> {
        let AnyNodeRef::StmtFunctionDef(def) = site.node else { return None };
        if !names.contains(&def.name.as_str()) {
            return None;
        }
        let AnyNodeRef::StmtClassDef(statement) = site.parent()? else { return None };
        if !def.decorator_list.is_empty() || is_placeholder(&def.body) || site.is_type_checking() {
            return None;
        }
        let class = site.module.class(statement).filter(|class| !is_protocol(class))?;
        Some(Self { def, statement, class })
    }

    /// Whether instances have just what the class bodies of the project show: all other bases are without members.
    pub fn is_all_in_sight(&self) -> bool {
        const BARE: &[&str] = &["abc.ABC", "builtins.object", "typing.Generic", "typing.Protocol"];
        let has_bare_bases = self.class.mro().iter().all(|class| is_own(class) || class.symbol().is_any(BARE));
        has_bare_bases && is_built_plainly(&self.class) && !self.is_set_by_name()
    }

    /// Whether instances have no method `name`.
    pub fn lacks(&self, name: &str) -> bool {
        self.is_all_in_sight() && self.class.definer(name).is_none()
    }

    /// Whether the body of its class defines a method `name`.
    pub fn statement_binds(&self, name: &str) -> bool {
        super::method_body::method(&self.statement.body, name).is_some()
    }

    /// Whether a statement of the file may give the class methods whose names are not written out.
    fn is_set_by_name(&self) -> bool {
        let module = self.class.module();
        module.text().contains(&format!("setattr({}", self.statement.name))
    }

    /// The values that it returns.
    pub fn returned(&self) -> Vec<&'a Expr> {
        returned(self.def)
    }

    /// What its first parameter is called.
    pub fn own(&self) -> Option<&'a str> {
        parameter(self.def, 0)
    }

    /// What its operand is called.
    pub fn operand(&self) -> Option<&'a str> {
        parameter(self.def, 1)
    }

    /// Whether all it returns is the object itself, and it never ends without.
    pub fn returns_itself(&self) -> bool {
        let values = self.returned();
        let Some(own) = self.own() else { return false };
        !values.is_empty() && values.iter().all(|value| is_name(value, own)) && ends_in_return(&self.def.body)
    }

    /// Whether its body mentions `NotImplemented`.
    pub fn may_decline(&self) -> bool {
        find_own(&self.def.body, |node| match node {
            AnyNodeRef::ExprName(name) => (name.id == "NotImplemented").then_some(()),
            _ => None,
        })
        .is_some()
    }

    /// `raise TypeError(…)` in a body that never declines.
    pub fn refusal(&self) -> Option<&'a ast::StmtRaise> {
        if self.may_decline() {
            return None;
        }
        find_own(&self.def.body, |node| match node {
            AnyNodeRef::StmtRaise(raise) => raise.exc.as_deref().filter(|error| is_type_error(error)).map(|_| raise),
            _ => None,
        })
    }

    /// The attribute of the operand that every call reads first, whatever the operand is.
    pub fn unchecked_read(&self) -> Option<&'a ast::ExprAttribute> {
        let operand = self.operand()?;
        if self.may_decline() || self.checks(operand) {
            return None;
        }
        for statement in &self.def.body {
            let expr = match statement {
                Stmt::Expr(statement) if statement.value.is_string_literal_expr() => continue,
                Stmt::Expr(statement) => &*statement.value,
                Stmt::Return(statement) => statement.value.as_deref()?,
                Stmt::Assign(statement) => &*statement.value,
                Stmt::AnnAssign(statement) => statement.value.as_deref()?,
                Stmt::If(statement) => &*statement.test,
                Stmt::Import(_) | Stmt::ImportFrom(_) => continue,
                _ => return None,
            };
            match first_use(expr, operand) {
                Use::Attribute(attribute) => return (!attribute.attr.starts_with("__")).then_some(attribute),
                Use::Other => return None,
                Use::None if matches!(statement, Stmt::If(_)) => return None,
                Use::None => {}
            }
        }
        None
    }

    /// Whether the body looks at what the operand is, or may replace it.
    fn checks(&self, operand: &str) -> bool {
        const CHECKS: &[&str] = &["callable", "getattr", "hasattr", "isinstance", "issubclass", "type", "vars"];
        find_own(&self.def.body, |node| {
            let is_check = match node {
                AnyNodeRef::ExprCall(call) => {
                    call.func.as_name_expr().is_some_and(|name| CHECKS.contains(&name.id.as_str()))
                }
                AnyNodeRef::ExprAttribute(attribute) => attribute.attr.as_str() == "__class__",
                AnyNodeRef::ExprName(name) => name.id == operand && !name.ctx.is_load(),
                AnyNodeRef::StmtTry(_) | AnyNodeRef::StmtWith(_) | AnyNodeRef::StmtMatch(_) => true,
                _ => false,
            };
            is_check.then_some(())
        })
        .is_some()
    }
}

/// How an expression first uses a name.
enum Use<'a> {
    None,
    /// It reads an attribute of it.
    Attribute(&'a ast::ExprAttribute),
    /// In another way, or it is not known whether.
    Other,
}

/// The first use of `name`, in the order of evaluation, in what is evaluated in any case.
fn first_use<'a>(expr: &'a Expr, name: &str) -> Use<'a> {
    let first = |parts: &[&'a Expr]| {
        for part in parts {
            match first_use(part, name) {
                Use::None => {}
                found => return found,
            }
        }
        Use::None
    };
    match expr {
        Expr::Attribute(attribute) if is_name(&attribute.value, name) => Use::Attribute(attribute),
        Expr::Attribute(attribute) => first_use(&attribute.value, name),
        Expr::Name(found) if found.id == name => Use::Other,
        Expr::Name(_) => Use::None,
        Expr::BinOp(operation) => first(&[&operation.left, &operation.right]),
        Expr::UnaryOp(operation) => first_use(&operation.operand, name),
        Expr::Compare(comparison) => first(&[&comparison.left, &comparison.comparators[0]]),
        Expr::Subscript(item) => first(&[&item.value, &item.slice]),
        Expr::Tuple(tuple) => first(&tuple.elts.iter().collect::<Vec<_>>()),
        Expr::List(list) => first(&list.elts.iter().collect::<Vec<_>>()),
        Expr::BoolOp(operation) => match first_use(&operation.values[0], name) {
            Use::None => Use::Other,
            found => found,
        },
        Expr::Call(call) => {
            let mut parts = vec![&*call.func];
            parts.extend(call.arguments.iter_source_order().map(|argument| argument.value()));
            first(&parts)
        }
        other if other.is_literal_expr() => Use::None,
        _ => Use::Other,
    }
}

fn is_type_error(error: &Expr) -> bool {
    match error {
        Expr::Call(call) => is_name(&call.func, "TypeError"),
        other => is_name(other, "TypeError"),
    }
}

/// The values that a function returns.
pub(super) fn returned(def: &ast::StmtFunctionDef) -> Vec<&Expr> {
    let mut values = vec![];
    own_nodes(&def.body, |node| {
        if let AnyNodeRef::StmtReturn(ast::StmtReturn { value: Some(value), .. }) = node {
            values.push(&**value);
        }
    });
    values
}

/// Whether control never falls off the end of `body`.
pub(super) fn ends_in_return(body: &[Stmt]) -> bool {
    match body.last() {
        Some(Stmt::Return(_) | Stmt::Raise(_)) => true,
        Some(Stmt::If(branches)) => {
            let has_else = branches.elif_else_clauses.last().is_some_and(|clause| clause.test.is_none());
            has_else
                && ends_in_return(&branches.body)
                && branches.elif_else_clauses.iter().all(|clause| ends_in_return(&clause.body))
        }
        Some(Stmt::With(block)) => ends_in_return(&block.body),
        _ => false,
    }
}

/// Whether a body only stands for one: a docstring, `...`, `pass`, or an error that says that it is missing.
pub(super) fn is_placeholder(body: &[Stmt]) -> bool {
    body.iter().all(|statement| match statement {
        Stmt::Pass(_) => true,
        Stmt::Expr(statement) => statement.value.is_literal_expr(),
        Stmt::Raise(raise) => raise.exc.as_deref().is_some_and(|error| {
            let class = ast::helpers::map_callable(error);
            is_name(class, "NotImplementedError")
        }),
        _ => false,
    })
}

/// The statements of a body behind its docstring.
pub(super) fn without_docstring(body: &[Stmt]) -> &[Stmt] {
    match body {
        [Stmt::Expr(first), rest @ ..] if first.value.is_string_literal_expr() => rest,
        all => all,
    }
}
