//! Attribute hooks that call themselves: `self.x` in `__getattribute__`, `self.x = …` in `__setattr__`.
//!
//! Reported only where the access is made on every call, or again for the very name the hook was called with.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::method_body::{attribute_of, each_node, find_own, is_name, parameter};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["attributes/access-hook-recursion"], nodes: &[NodeKind::StmtFunctionDef], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtFunctionDef(def) = site.node else { return None };
    let AnyNodeRef::StmtClassDef(class) = site.parent()? else { return None };
    let hook = def.name.as_str();
    if !matches!(hook, "__getattribute__" | "__setattr__" | "__delattr__") || !def.decorator_list.is_empty() {
        return None;
    }
    let (receiver, name) = (parameter(def, 0)?, parameter(def, 1)?);
    if changes_class(class) {
        return None;
    }
    let access = Access { hook, receiver, name };
    let range = access.certain(&def.body, None)?;
    let instead = match hook {
        "__setattr__" => format!("super().__setattr__({name}, {})", parameter(def, 2)?),
        _ => format!("super().{hook}({name})"),
    };
    findings.push(
        Finding::new("attributes/access-hook-recursion", range)
            .fact("class", Fact::from(class.name.as_str()))
            .fact("method", Fact::from(hook))
            .fact("code", Fact::from(site.module.source(range)))
            .fact("instead", Fact::from(instead)),
    );
    Some(())
}

/// Whether a method gives its object another class, whose hooks are then asked.
fn changes_class(class: &ast::StmtClassDef) -> bool {
    let mut changes = false;
    each_node(&class.body, |node| {
        match node {
            AnyNodeRef::ExprAttribute(attribute) => {
                changes |= attribute.ctx.is_store() && attribute.attr.as_str() == "__class__";
            }
            // `object.__setattr__(self, "__class__", …)`
            AnyNodeRef::ExprStringLiteral(text) => changes |= text.value.to_str() == "__class__",
            _ => {}
        }
    });
    changes
}

struct Access<'a> {
    hook: &'a str,
    receiver: &'a str,
    name: &'a str,
}

impl Access<'_> {
    /// The first access that is certain to call the hook again. `only` is the one name for which this code runs, if that is
    /// known; the search ends where the code may leave the hook.
    fn certain(&self, body: &[Stmt], only: Option<&str>) -> Option<TextRange> {
        for statement in body {
            match statement {
                Stmt::If(branches) => {
                    if let Some(range) = self.in_expr(&branches.test, only) {
                        return Some(range);
                    }
                    if let Some(same) = self.same_name(&branches.test)
                        && let Some(range) = self.certain(&branches.body, Some(same))
                    {
                        return Some(range);
                    }
                    if may_leave(statement) {
                        return None;
                    }
                }
                Stmt::For(_) | Stmt::While(_) | Stmt::Try(_) | Stmt::With(_) | Stmt::Match(_) => return None,
                Stmt::FunctionDef(_) | Stmt::ClassDef(_) => {}
                Stmt::Return(statement) => return self.in_expr(statement.value.as_deref()?, only),
                Stmt::Raise(_) => return None,
                Stmt::Assign(assign) => {
                    let found = self.in_expr(&assign.value, only);
                    let found = found.or_else(|| assign.targets.iter().find_map(|target| self.in_target(target, only)));
                    if found.is_some() {
                        return found;
                    }
                }
                Stmt::Expr(statement) => {
                    if let Some(range) = self.in_expr(&statement.value, only) {
                        return Some(range);
                    }
                }
                Stmt::Delete(statement) if self.hook == "__delattr__" => {
                    let found = statement.targets.iter().find(|target| self.is_own(target, only));
                    if let Some(target) = found {
                        return Some(target.range());
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// `name == "x"`: the code below runs for one name.
    fn same_name<'t>(&self, test: &'t Expr) -> Option<&'t str> {
        let compare = test.as_compare_expr()?;
        let is_equal = matches!(&*compare.ops, [ast::CmpOp::Eq]) && is_name(&compare.left, self.name);
        let [text] = &*compare.comparators else { return None };
        is_equal.then_some(text.as_string_literal_expr()?.value.to_str())
    }

    /// An assignment to an attribute of the object, for any name or for the one the code runs for.
    fn in_target(&self, target: &Expr, only: Option<&str>) -> Option<TextRange> {
        (self.hook == "__setattr__" && self.is_own(target, only)).then(|| target.range())
    }

    fn is_own(&self, target: &Expr, only: Option<&str>) -> bool {
        let Some(attribute) = attribute_of(target, self.receiver) else { return false };
        !attribute.starts_with("__") && only.is_none_or(|only| only == attribute)
    }

    /// An access in an expression that is evaluated whenever the statement runs.
    fn in_expr(&self, expr: &Expr, only: Option<&str>) -> Option<TextRange> {
        let statement = [Stmt::Expr(ast::StmtExpr {
            node_index: ast::AtomicNodeIndex::default(),
            range: expr.range(),
            value: Box::new(expr.clone()),
        })];
        if find_own(&statement, |node| is_conditional(node).then_some(())).is_some() {
            return None;
        }
        find_own(&statement, |node| match node {
            AnyNodeRef::ExprAttribute(attribute) if self.hook == "__getattribute__" => {
                let is_read = attribute.ctx.is_load() && is_name(&attribute.value, self.receiver);
                let is_certain = only.is_none_or(|only| only == attribute.attr.as_str());
                (is_read && is_certain).then(|| attribute.range())
            }
            AnyNodeRef::ExprCall(call) => self.is_same_access(call).then(|| call.range()),
            _ => None,
        })
    }

    /// `setattr(self, name, …)` in `__setattr__`, and the like: the same access again.
    fn is_same_access(&self, call: &ast::ExprCall) -> bool {
        let same = match self.hook {
            "__setattr__" => "setattr",
            "__delattr__" => "delattr",
            _ => "getattr",
        };
        let [object, name, ..] = &*call.arguments.args else { return false };
        is_name(&call.func, same) && is_name(object, self.receiver) && is_name(name, self.name)
    }
}

/// A part of an expression that may not be evaluated.
fn is_conditional(node: AnyNodeRef) -> bool {
    matches!(
        node,
        AnyNodeRef::ExprBoolOp(_)
            | AnyNodeRef::ExprIf(_)
            | AnyNodeRef::ExprLambda(_)
            | AnyNodeRef::ExprListComp(_)
            | AnyNodeRef::ExprSetComp(_)
            | AnyNodeRef::ExprDictComp(_)
            | AnyNodeRef::ExprGenerator(_)
    )
}

/// Whether a `return` or `raise` stands below the statement.
fn may_leave(statement: &Stmt) -> bool {
    find_own(std::slice::from_ref(statement), |node| {
        matches!(node, AnyNodeRef::StmtReturn(_) | AnyNodeRef::StmtRaise(_)).then_some(())
    })
    .is_some()
}
