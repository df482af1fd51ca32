//! Single steps back: what a function of the project returned, what a `with` entered, one of several values at once.

use ruff_python_ast::find_node::covering_node;
use ruff_python_ast::{self as ast, AnyNodeRef, Expr};
use ruff_text_size::Ranged as _;

use super::super::calls::{How, result};
use super::{Class, Definition, Instance, Module};

impl<'s> Module<'s> {
    /// What a function of the project gives, called or read as a property.
    pub(super) fn result_of(&self, expr: &Expr, depth: usize) -> Option<Instance<'s>> {
        let (called, how) = match expr {
            Expr::Call(call) => (&*call.func, How::Called),
            Expr::Attribute(read) if self.may_have_property(&read.attr) => (expr, How::Read),
            _ => return None,
        };
        let method = || {
            let method = called.as_attribute_expr()?;
            let Instance::Of(class) = self.trace(&method.value, depth)? else { return None };
            class.definer(&method.attr)?.own_definition(&method.attr)
        };
        let function = match how {
            How::Called => self.function_definition(called).or_else(method)?,
            _ => method()?,
        };
        self.given_by(function, how)
    }

    /// What entering `manager` gives, if a function of the project yields it, or `closing` is given it.
    pub(super) fn entered(&self, manager: &Expr, depth: usize) -> Option<Instance<'s>> {
        let call = manager.as_call_expr()?;
        if self.calls(call, &["contextlib.closing"]) {
            return self.trace(call.arguments.args.first()?, depth);
        }
        self.given_by(self.function_definition(&call.func)?, How::Entered)
    }

    fn given_by(&self, function: Definition<'s>, how: How) -> Option<Instance<'s>> {
        let given = result(self.snapshot(), function, how)?;
        Some(match given.class {
            Some(class) => Instance::Of(Class::new(self.snapshot(), class)),
            None => Instance::Named(given.symbol.clone()),
        })
    }

    /// What `target` gets in `a, b = x, y`: the value at the same place.
    pub(super) fn paired<'m>(&'m self, target: &Expr, value: &'m Expr) -> Option<&'m Expr> {
        let items = |expr: &'m Expr| match expr {
            Expr::Tuple(tuple) => Some(tuple.elts.as_slice()),
            Expr::List(list) => Some(list.elts.as_slice()),
            _ => None,
        };
        let assign = covering_node(self.syntax().into(), value.range()).ancestors().find_map(|node| match node {
            AnyNodeRef::StmtAssign(assign) if assign.value.range() == value.range() => Some(assign),
            _ => None,
        })?;
        let whole = assign.targets.iter().find(|whole| whole.range().contains_range(target.range()))?;
        let (targets, values) = (items(whole)?, items(value)?);
        let is_plain = targets.len() == values.len() && !targets.iter().chain(values).any(Expr::is_starred_expr);
        let number = targets.iter().position(|item| item.range() == target.range()).filter(|_| is_plain)?;
        values.get(number)
    }
}

/// The value under the key `name`; `None` where some keys are not seen.
pub(super) fn item_named<'m>(dict: &'m ast::ExprDict, name: &str) -> Option<Option<&'m Expr>> {
    let mut found = None;
    for item in &dict.items {
        let key = item.key.as_ref()?.as_string_literal_expr()?;
        if key.value.to_str() == name {
            found = Some(&item.value);
        }
    }
    Some(found)
}
