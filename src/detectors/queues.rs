//! What is known about a `queue.Queue`: where it is made, and who else uses the same one.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr};

use super::nodes::{is_false, method};
use crate::analysis::{Class, Module};
use crate::text::{Place, Ranged as _, TextRange};

/// The class of `expr`, if it is one of the queues of module `queue`.
pub(crate) fn queue_class<'s>(module: &Module<'s>, expr: &Expr) -> Option<Class<'s>> {
    module.receiver_class(expr).filter(|class| class.inherits("queue.Queue") || class.inherits("queue.SimpleQueue"))
}

/// The receiver of `call`, if it calls `name` on a queue.
pub(crate) fn called_on_queue<'m>(module: &Module, call: &'m ast::ExprCall, name: &str) -> Option<&'m Expr> {
    let (receiver, called) = method(call)?;
    (called == name && queue_class(module, receiver).is_some()).then_some(receiver)
}

/// One queue, as far as this file shows it.
pub(crate) struct Queue<'m> {
    /// An expression that refers to it.
    pub written: &'m Expr,
    /// The call that makes it, if there is only one.
    pub made: Option<&'m ast::ExprCall>,
}

impl<'m> Queue<'m> {
    /// The queue that `written` refers to.
    pub fn of(module: &'m Module, written: &'m Expr) -> Self {
        let made = match module.origins(written).as_slice() {
            [only] => only.as_call_expr(),
            _ => None,
        };
        Self { written, made }
    }

    /// Whether `other` refers to the same queue: made by the same call, or the same attribute of the same class.
    pub fn is(&self, module: &'m Module, other: &'m Expr) -> bool {
        match (self.made, Queue::of(module, other).made) {
            (Some(made), Some(other)) => made.range() == other.range(),
            (None, None) => self.is_written_as(module, other),
            _ => false,
        }
    }

    fn is_written_as(&self, module: &Module, other: &Expr) -> bool {
        let owner = |expr: &Expr| match expr {
            Expr::Attribute(attribute) => {
                module.enclosing_class(AnyNodeRef::from(&*attribute.value)).map(|class| class.place())
            }
            _ => None,
        };
        let (here, there) = (owner(self.written), owner(other));
        here.is_some() && here == there && module.source(self.written) == module.source(other)
    }

    /// The calls of `name` on this queue in this file.
    pub fn calls(&self, module: &'m Module, name: &str) -> Vec<&'m ast::ExprCall> {
        let is_it = |call: &&'m ast::ExprCall| {
            called_on_queue(module, call, name).is_some_and(|receiver| self.is(module, receiver))
        };
        module.calls_of(name).into_iter().filter(is_it).collect()
    }

    /// The places of the calls of `names` on this queue, in the order of the text.
    pub fn places(&self, module: &'m Module, names: &[&str]) -> Vec<Place> {
        let mut calls: Vec<TextRange> =
            names.iter().flat_map(|name| self.calls(module, name)).map(|call| call.range()).collect();
        calls.sort_by_key(|range| range.start());
        calls.into_iter().filter_map(|range| module.place(range)).collect()
    }

    /// Where it is made.
    pub fn made_at(&self, module: &Module) -> Option<Place> {
        module.place(self.made?.range())
    }
}

/// How long a `get` waits.
pub(crate) enum Wait<'a> {
    /// Not at all.
    Never,
    /// At most this long.
    AtMost(&'a Expr),
    ForEver,
}

/// How long this call of `get` waits; `None` when its arguments do not tell.
pub(crate) fn wait<'a>(get: &'a ast::ExprCall) -> Option<Wait<'a>> {
    let arguments = &get.arguments;
    if arguments.args.iter().any(Expr::is_starred_expr)
        || arguments.keywords.iter().any(|keyword| keyword.arg.is_none())
    {
        return None;
    }
    if let Some(block) = arguments.find_argument_value("block", 0) {
        if is_false(block) {
            return Some(Wait::Never);
        }
        if !super::nodes::is_true(block) {
            return None;
        }
    }
    match arguments.find_argument_value("timeout", 1) {
        Some(timeout) if !timeout.is_none_literal_expr() => Some(Wait::AtMost(timeout)),
        _ => Some(Wait::ForEver),
    }
}
