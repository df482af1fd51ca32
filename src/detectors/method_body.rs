//! What a function does when it runs: its own nodes, without those of functions and classes nested in it.

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use crate::text::{Ranged as _, TextRange};

/// Calls `visit` with each node that runs as part of `body`.
pub(super) fn own_nodes<'a>(body: &'a [Stmt], mut visit: impl FnMut(AnyNodeRef<'a>)) {
    struct Walk<F>(F);
    impl<'a, F: FnMut(AnyNodeRef<'a>)> SourceOrderVisitor<'a> for Walk<F> {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            (self.0)(node);
            match node {
                AnyNodeRef::StmtFunctionDef(_) | AnyNodeRef::StmtClassDef(_) | AnyNodeRef::ExprLambda(_) => {
                    TraversalSignal::Skip
                }
                _ => TraversalSignal::Traverse,
            }
        }
    }
    Walk(&mut visit).visit_body(body);
}

/// The first thing that `find` finds among the nodes that run as part of `body`.
pub(super) fn find_own<'a, T>(body: &'a [Stmt], mut find: impl FnMut(AnyNodeRef<'a>) -> Option<T>) -> Option<T> {
    let mut found = None;
    own_nodes(body, |node| {
        if found.is_none() {
            found = find(node);
        }
    });
    found
}

/// The method `name` as a class body defines it last, also below `if` and `try`, but not for type checkers alone.
pub(super) fn method<'a>(body: &'a [Stmt], name: &str) -> Option<&'a ast::StmtFunctionDef> {
    body.iter().rev().find_map(|statement| match statement {
        Stmt::FunctionDef(def) if def.name.as_str() == name => Some(def),
        Stmt::If(branches) if !is_for_type_checkers(&branches.test) => {
            let in_clauses = branches.elif_else_clauses.iter().find_map(|clause| method(&clause.body, name));
            method(&branches.body, name).or(in_clauses)
        }
        Stmt::If(branches) => branches.elif_else_clauses.iter().find_map(|clause| method(&clause.body, name)),
        Stmt::Try(attempt) => method(&attempt.body, name),
        _ => None,
    })
}

fn is_for_type_checkers(test: &Expr) -> bool {
    match test {
        Expr::Name(name) => name.id == "TYPE_CHECKING",
        Expr::Attribute(attribute) => attribute.attr.as_str() == "TYPE_CHECKING",
        _ => false,
    }
}

/// The name of positional parameter number `index` (the first is `self`).
pub(super) fn parameter(def: &ast::StmtFunctionDef, index: usize) -> Option<&str> {
    let parameters = &def.parameters;
    let found = parameters.posonlyargs.iter().chain(&parameters.args).nth(index)?;
    Some(found.parameter.name.as_str())
}

/// Whether `expr` is the name `name`.
pub(super) fn is_name(expr: &Expr, name: &str) -> bool {
    expr.as_name_expr().is_some_and(|found| found.id == name)
}

/// Whether `expr` is `object.attr`, for a plain name `object`; gives `attr`.
pub(super) fn attribute_of<'a>(expr: &'a Expr, object: &str) -> Option<&'a str> {
    let attribute = expr.as_attribute_expr()?;
    is_name(&attribute.value, object).then(|| attribute.attr.as_str())
}

/// Whether `expr` is `object.__dict__` or `vars(object)`.
pub(super) fn is_dict_of(expr: &Expr, object: &str) -> bool {
    match expr {
        Expr::Call(call) => {
            is_name(&call.func, "vars") && matches!(&*call.arguments.args, [argument] if is_name(argument, object))
        }
        _ => attribute_of(expr, object) == Some("__dict__"),
    }
}

/// Whether the name `name` is mentioned anywhere in `expr`.
pub(super) fn mentions(expr: &Expr, name: &str) -> bool {
    struct Mention<'n>(&'n str, bool);
    impl<'a> SourceOrderVisitor<'a> for Mention<'_> {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            if let AnyNodeRef::ExprName(found) = node
                && found.id == self.0
            {
                self.1 = true;
            }
            if self.1 { TraversalSignal::Skip } else { TraversalSignal::Traverse }
        }
    }
    let mut mention = Mention(name, false);
    mention.visit_expr(expr);
    mention.1
}

/// The exceptions that `body` raises by name, each once, and where the first `raise` stands.
pub(super) fn raised(body: &[Stmt]) -> (Vec<String>, Option<TextRange>) {
    let (mut names, mut first) = (vec![], None);
    own_nodes(body, |node| {
        let AnyNodeRef::StmtRaise(raise) = node else { return };
        let Some(name) = raise.exc.as_deref().and_then(exception_name) else { return };
        first = first.or(Some(raise.range()));
        if !names.iter().any(|known| known == name) {
            names.push(name.to_string());
        }
    });
    (names, first)
}

fn exception_name(raised: &Expr) -> Option<&str> {
    let class = match raised {
        Expr::Call(call) => &*call.func,
        other => other,
    };
    let name = match class {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return None,
    };
    name.starts_with(|first: char| first.is_uppercase()).then_some(name)
}

/// Calls `visit` with each node below `body`, nested functions and classes included.
pub(super) fn each_node<'a>(body: &'a [Stmt], visit: impl FnMut(AnyNodeRef<'a>)) {
    struct Walk<F>(F);
    impl<'a, F: FnMut(AnyNodeRef<'a>)> SourceOrderVisitor<'a> for Walk<F> {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            (self.0)(node);
            TraversalSignal::Traverse
        }
    }
    Walk(visit).visit_body(body);
}

/// Whether the function's own body assigns the name.
pub(super) fn binds_locally(function: &ast::StmtFunctionDef, name: &str) -> bool {
    let found = find_own(&function.body, |node| match node {
        AnyNodeRef::ExprName(target) => (target.ctx.is_store() && target.id == name).then_some(()),
        _ => None,
    });
    found.is_some()
}

/// Whether each call of the function comes to what stands at `range`: under no condition, and behind no way out.
pub(super) fn runs_always(body: &[Stmt], range: TextRange) -> bool {
    runs_unless(body, range, |node| matches!(node, AnyNodeRef::StmtReturn(_) | AnyNodeRef::StmtRaise(_)))
}

/// Whether each call that returns has come to what stands at `range`.
pub(super) fn runs_before_return(body: &[Stmt], range: TextRange) -> bool {
    runs_unless(body, range, |node| matches!(node, AnyNodeRef::StmtReturn(_)))
}

fn runs_unless(body: &[Stmt], range: TextRange, leaves: impl Fn(AnyNodeRef) -> bool) -> bool {
    let is_direct = body.iter().any(|statement| {
        let is_simple = matches!(
            statement,
            Stmt::AnnAssign(_) | Stmt::Assign(_) | Stmt::AugAssign(_) | Stmt::Expr(_) | Stmt::Return(_) | Stmt::With(_)
        );
        is_simple && statement.range().contains_range(range)
    });
    let condition = find_own(body, |node| match node {
        AnyNodeRef::ExprBoolOp(_)
        | AnyNodeRef::ExprDictComp(_)
        | AnyNodeRef::ExprGenerator(_)
        | AnyNodeRef::ExprIf(_)
        | AnyNodeRef::ExprLambda(_)
        | AnyNodeRef::ExprListComp(_)
        | AnyNodeRef::ExprSetComp(_)
        | AnyNodeRef::StmtFor(_)
        | AnyNodeRef::StmtIf(_)
        | AnyNodeRef::StmtMatch(_)
        | AnyNodeRef::StmtTry(_)
        | AnyNodeRef::StmtWhile(_) => node.range().contains_range(range).then_some(()),
        _ => (leaves(node) && node.end() <= range.start()).then_some(()),
    });
    is_direct && condition.is_none()
}
