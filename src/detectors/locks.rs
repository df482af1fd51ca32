//! What is known about a lock: where it is made, and which expressions mean the same one.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr};

use super::nodes::{around, method};
use crate::analysis::Module;
use crate::text::{Place, Ranged as _};

/// Classes of `threading` whose `acquire` and `release` bracket a critical section.
const LOCKS: &[&str] = &["threading.Condition", "threading.Lock", "threading.RLock"];

/// The public name of the lock class that `expr` is an instance of.
pub(super) fn lock_kind(module: &Module, expr: &Expr) -> Option<String> {
    let symbol = module.class_name(expr)?;
    symbol.is_any(LOCKS).then(|| symbol.to_string())
}

/// The call that makes the lock `expr` refers to.
pub(super) fn lock_made<'m>(module: &'m Module, expr: &'m Expr) -> Option<&'m ast::ExprCall> {
    match module.origins(expr).as_slice() {
        [only] => only.as_call_expr(),
        _ => None,
    }
}

/// Where it is made.
pub(super) fn lock_made_at(module: &Module, expr: &Expr) -> Option<Place> {
    module.place(lock_made(module, expr)?.range())
}

/// Whether two expressions mean the same lock: made by the same call, or the same attribute of `self` in one class.
pub(super) fn is_same_lock<'m>(module: &'m Module, one: &'m Expr, other: &'m Expr) -> bool {
    match (lock_made(module, one), lock_made(module, other)) {
        (Some(made), Some(also)) => made.range() == also.range(),
        (None, None) => {
            let class = |expr: &Expr| class_around(module, expr).map(|class| class.range());
            one.is_attribute_expr()
                && class(one).is_some()
                && class(one) == class(other)
                && module.source(one) == module.source(other)
        }
        _ => false,
    }
}

/// The class statement around an expression.
pub(super) fn class_around<'m>(module: &'m Module, expr: &Expr) -> Option<&'m ast::StmtClassDef> {
    around(module, expr.range()).into_iter().find_map(|node| match node {
        AnyNodeRef::StmtClassDef(class) => Some(class),
        _ => None,
    })
}

/// The receiver of a statement `lock.release()` or another method without arguments.
pub(crate) fn lock_statement<'a>(statement: &'a ast::Stmt, name: &str) -> Option<&'a Expr> {
    let call = statement.as_expr_stmt()?.value.as_call_expr()?;
    let (receiver, called) = method(call)?;
    (called == name && call.arguments.is_empty()).then_some(receiver)
}

/// The context expressions of a `with` statement that are locks.
pub(super) fn locks_of<'a>(module: &Module, with: &'a ast::StmtWith) -> Vec<(&'a Expr, String)> {
    if with.is_async {
        return vec![];
    }
    let items = with.items.iter().map(|item| &item.context_expr);
    items.filter_map(|expr| Some((expr, lock_kind(module, expr)?))).collect()
}
