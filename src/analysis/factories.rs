//! What a function without annotations gives back: `client = make()`, where `make` ends in `return Client()`.
//!
//! The types say nothing of it. Followed are plain functions of the project, static and class methods that are called on a class
//! by its name, the names and attributes that their results are bound to, and nothing that depends on who calls; every `return`
//! must give the same class.

use ruff_python_ast::find_node::covering_node;
use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, walk_stmt};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};
use ty_python_core::definition::{Definition, DefinitionKind};

use super::classes::Class;
use super::module::Module;
use super::names::Origin;

/// How many names and calls are followed, one behind the other.
const DEPTH: usize = 6;

/// The most values that one name, or one function, may have.
const VALUES: usize = 8;

impl<'s> Module<'s> {
    /// The class of the object that `expr` evaluates to, through functions that make it; as [`Module::class_of`], if that knows.
    pub(super) fn made_class(&self, expr: &Expr) -> Option<Class<'s>> {
        self.made_within(expr, None, DEPTH)
    }

    /// `bound` is the name of a class method's first parameter, with the class that it is.
    fn made_within(&self, expr: &Expr, bound: Option<(&str, Class<'s>)>, depth: usize) -> Option<Class<'s>> {
        let depth = depth.checked_sub(1)?;
        if let (Some((name, class)), Expr::Call(call)) = (bound, expr)
            && call.func.as_name_expr().is_some_and(|func| func.id == name)
        {
            return Some(class);
        }
        if let Some(class) = self.class_of(expr) {
            return Some(class);
        }
        let definitions = match expr {
            Expr::Call(call) => return self.returned(call, depth),
            Expr::Name(name) => self.name_definitions(name)?,
            Expr::Attribute(attribute) => {
                let class = self.class_of_self(&*attribute.value)?;
                self.instance_attribute_definitions(class, attribute.attr.as_str())
            }
            _ => return None,
        };
        the_only(definitions.into_iter().map(|definition| self.made_within(self.assigned(definition)?, bound, depth)))
    }

    /// What a plain assignment of this file binds.
    fn assigned(&self, definition: Definition<'s>) -> Option<&Expr> {
        let db = self.db();
        if definition.file(db) != self.model().file() {
            return None;
        }
        match definition.kind(db) {
            DefinitionKind::Assignment(assignment) if assignment.unpack().is_none() => {
                Some(assignment.value(self.parsed()))
            }
            _ => None,
        }
    }

    /// What a call of a plain function of the project gives, or of a class itself. The method of an object may be overridden.
    fn returned(&self, call: &ast::ExprCall, depth: usize) -> Option<Class<'s>> {
        let function = self.called_function(call)?;
        let class = match &*call.func {
            Expr::Attribute(attribute) => self.class_reference(&attribute.value),
            _ => None,
        };
        let is_plain = function.symbol.origin == Origin::Project
            && (class.is_some() || !(function.is_decorated || function.symbol.name.contains('.')))
            && !(function.is_async || function.is_generator);
        let place = function.place.filter(|_| is_plain)?;
        let home = self.snapshot().module(&place.path).ok()?;
        let covering = covering_node(home.syntax().into(), place.range());
        let def = covering.ancestors().find_map(|node| match node {
            AnyNodeRef::StmtFunctionDef(def) => Some(def),
            _ => None,
        })?;
        let bound = match (class, def.decorator_list.as_slice()) {
            (None, []) => None,
            (Some(class), [only]) => match only.expression.as_name_expr()?.id.as_str() {
                "classmethod" => Some((def.parameters.iter_non_variadic_params().next()?.name().as_str(), class)),
                "staticmethod" => None,
                _ => return None,
            },
            _ => return None,
        };
        let mut returns = Returns(vec![]);
        returns.visit_body(&def.body);
        the_only(returns.0.into_iter().map(|value| home.made_within(value?, bound, depth)))
    }
}

/// The class that all of them are, if there are some and all are known.
fn the_only<'s>(classes: impl Iterator<Item = Option<Class<'s>>>) -> Option<Class<'s>> {
    let mut only = None;
    for (number, class) in classes.enumerate() {
        let class = class.filter(|_| number < VALUES)?;
        if only.is_some_and(|only| only != class) {
            return None;
        }
        only = Some(class);
    }
    only
}

/// What the `return` statements of a function's own body give.
struct Returns<'a>(Vec<Option<&'a Expr>>);

impl<'a> SourceOrderVisitor<'a> for Returns<'a> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::Return(given) => self.0.push(given.value.as_deref()),
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => {}
            _ => walk_stmt(self, statement),
        }
    }
}
