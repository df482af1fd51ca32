//! A keyword of which nothing is said by itself speaks of what it works on: `await` of the call, `with` of the manager.

use ruff_python_ast::find_node::covering_node;
use ruff_python_ast::{AnyNodeRef, Expr};

use crate::analysis::Module;
use crate::text::{Ranged as _, TextRange, TextSize};

/// Where the expression behind the keyword at `offset` is named.
pub(super) fn works_on(module: &Module, offset: TextSize) -> Option<TextSize> {
    let covering = covering_node(module.syntax().into(), TextRange::empty(offset));
    let node = covering.ancestors().find(|node| node.is_expr_await() || node.is_statement())?;
    let value = match node {
        AnyNodeRef::ExprAwait(awaited) => &*awaited.value,
        AnyNodeRef::StmtWith(with) => match with.items.as_slice() {
            [only] => &only.context_expr,
            _ => return None,
        },
        _ => return None,
    };
    // Between the keyword and the value there are blanks.
    let is_keyword = (node.start()..value.start()).contains(&offset);
    is_keyword.then(|| name_of(value))
}

/// The last name of what is called, or of the expression.
fn name_of(value: &Expr) -> TextSize {
    match value {
        Expr::Call(call) => name_of(&call.func),
        Expr::Attribute(attribute) => attribute.attr.start(),
        other => other.start(),
    }
}
