//! What runs without being called by its name: iterators, special methods, functions that are handed over.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr};

use super::super::syntax_index::last_name;
use super::body::How;

/// Calls that run through the iterator they are given.
const CONSUMERS: &[&str] =
    &["all", "any", "deque", "dict", "frozenset", "list", "max", "min", "next", "set", "sorted", "sum", "tuple"];

/// Functions that call the function they are given first while their result is iterated over.
const MAPS: &[&str] = &["filter", "map"];
/// Functions that call their `key` before they return.
const SORTS: &[&str] = &["max", "min", "sort", "sorted"];

/// What is iterated over by the node itself.
pub(super) fn iterated_by(node: AnyNodeRef<'_>) -> Option<&Expr> {
    match node {
        AnyNodeRef::Comprehension(part) if !part.is_async => Some(&part.iter),
        AnyNodeRef::ExprYieldFrom(from) => Some(&from.value),
        AnyNodeRef::ExprStarred(starred) => Some(&starred.value),
        AnyNodeRef::ExprCall(call) => {
            let name = last_name(&call.func)?;
            let is_consumer = CONSUMERS.contains(&name) && call.func.is_name_expr();
            call.arguments.args.first().filter(|_| is_consumer || name == "join" || name == "extend")
        }
        _ => None,
    }
}

/// The object whose special method the node calls, and the method.
pub(super) fn object_asked(node: AnyNodeRef<'_>) -> Option<(&Expr, &'static str)> {
    match node {
        AnyNodeRef::ExprSubscript(item) => {
            let method = match item.ctx {
                ast::ExprContext::Store => "__setitem__",
                ast::ExprContext::Del => "__delitem__",
                _ => "__getitem__",
            };
            Some((&item.value, method))
        }
        AnyNodeRef::ExprCompare(compare) => match (&*compare.ops, &*compare.comparators) {
            ([ast::CmpOp::In | ast::CmpOp::NotIn], [holder]) => Some((holder, "__contains__")),
            _ => None,
        },
        AnyNodeRef::ExprCall(call) => match (&*call.func, &*call.arguments.args) {
            (Expr::Name(callee), [counted]) if callee.id.as_str() == "len" => Some((counted, "__len__")),
            _ => None,
        },
        _ => None,
    }
}

/// The function that a call of the standard library calls before it returns, or that runs as its result is iterated over.
pub(super) fn handed_over(call: &ast::ExprCall, how: How) -> Option<&Expr> {
    let name = last_name(&call.func)?;
    let given = match call.func.is_name_expr() {
        true if MAPS.contains(&name) && how == How::Iterated => call.arguments.args.first(),
        true if name == "reduce" => call.arguments.args.first(),
        _ if SORTS.contains(&name) => call.arguments.find_keyword("key").map(|keyword| &keyword.value),
        _ => None,
    };
    given.filter(|given| matches!(given, Expr::Name(_) | Expr::Attribute(_)))
}
