//! Calls of coroutine functions whose coroutine is dropped, or taken for its result.
//!
//! Silent where a decorator that is not known may start it, where a method that overrides it is a plain function, and for `_ = work()`, which says that it is meant.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::nodes::method;
use super::suspension::{call_head, called_coroutine};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, ExecutionContext, Function, Origin, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["asyncio/coroutine-as-value", "asyncio/never-awaited"],
    nodes: &[NodeKind::ExprCall, NodeKind::StmtExpr],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    if let AnyNodeRef::ExprCall(call) = site.node {
        return as_value(site, call, findings);
    }
    let (call, function) = dropped(site)?;
    let finding = Finding::new("asyncio/never-awaited", call.range())
        .fact("call", Fact::from(call_head(site.module, call)))
        .fact("callee", Fact::from(function.name));
    findings.push(match site.context() {
        ExecutionContext::Function(function) if function.is_async => {
            finding.fact("in_coroutine", Fact::from(function.name.as_str()))
        }
        ExecutionContext::Function(function) => finding.fact("in_function", Fact::from(function.name.as_str())),
        _ => finding,
    });
    Some(())
}

/// The call of a coroutine function that the statement consists of, if its coroutine is dropped by mistake.
pub(super) fn dropped<'a>(site: &Site<'a, '_>) -> Option<(&'a ast::ExprCall, Function)> {
    let AnyNodeRef::StmtExpr(statement) = site.node else { return None };
    let call = statement.value.as_call_expr().filter(|_| !site.is_type_checking())?;
    let function = called_coroutine(site, call)?;
    let is_meant = may_be_plain(site, call, &function) || is_expected(site) || is_wrapped(site, call);
    (!is_meant).then_some((call, function))
}

/// Whether a method that overrides the one that is called is no coroutine function: the object at hand may have that one.
fn may_be_plain(site: &Site, call: &ast::ExprCall, function: &Function) -> bool {
    if !call.func.is_attribute_expr() {
        return false;
    }
    let snapshot = site.module.snapshot();
    let Ok(definers) = snapshot.classes_defining(&function.name) else { return true };
    let is_home = |class: &&Class| class.method_place(&function.name) == function.place;
    let Some(home) = definers.iter().find(is_home) else { return false };
    definers.iter().filter(|class| class.is_subclass_of(home)).any(|class| {
        class.with_statement(|_, statement| {
            statement
                .body
                .iter()
                .filter_map(ast::Stmt::as_function_def_stmt)
                .any(|method| method.name.as_str() == function.name && !method.is_async)
        })
    })
}

/// Whether a test says that it expects the error, or the warning of a coroutine that is dropped.
pub(super) fn is_expected(site: &Site) -> bool {
    const EXPECTS: &[&str] = &[
        "assertRaises",
        "assertRaisesRegex",
        "assertWarns",
        "assertWarnsRegex",
        "catch_warnings",
        "check_warnings",
        "raises",
        "warns",
    ];
    let expects = |item: &ast::WithItem| {
        item.context_expr.as_call_expr().is_some_and(|call| match &*call.func {
            Expr::Name(name) => EXPECTS.contains(&name.id.as_str()),
            Expr::Attribute(method) => EXPECTS.contains(&method.attr.as_str()),
            _ => false,
        })
    };
    let mut around = site.enclosing().take_while(|node| !matches!(node, AnyNodeRef::StmtFunctionDef(_)));
    around.any(|node| matches!(node, AnyNodeRef::StmtWith(with) if with.items.iter().any(expects)))
}

/// Whether a plain function calls a method of a class whose coroutine functions the project replaces while it runs, so that
/// they can be called without a loop as well.
fn is_wrapped(site: &Site, call: &ast::ExprCall) -> bool {
    if site.async_function().is_some() {
        return false;
    }
    let class = method(call).and_then(|(receiver, _)| site.module.receiver_class(receiver));
    let ancestors = class.iter().flat_map(Class::mro);
    let names = ancestors.filter(|class| class.symbol().origin == Origin::Project).map(|class| class.name());
    site.module.snapshot().replaces_coroutine_functions(&names.collect::<Vec<_>>())
}

/// A call whose coroutine object is used as if it were the result.
fn as_value(site: &Site, call: &ast::ExprCall, findings: &mut Findings) -> Option<()> {
    if !is_used_as_result(site) || site.is_type_checking() {
        return None;
    }
    let function = called_coroutine(site, call)?;
    if may_be_plain(site, call, &function) || is_expected(site) || is_wrapped(site, call) {
        return None;
    }
    let enclosing = site.function().map(|function| Fact::from(function.name.as_str()));
    findings.push(
        Finding::new("asyncio/coroutine-as-value", call.range())
            .fact("call", Fact::from(call_head(site.module, call)))
            .fact("callee", Fact::from(function.name))
            .fact("function", enclosing),
    );
    Some(())
}

/// Whether what stands around the call asks for its truth, its attributes, its items or its value.
fn is_used_as_result(site: &Site) -> bool {
    const OF_COROUTINES: &[&str] = &["close", "send", "throw"];
    let range = site.node.range();
    let is_it = |expr: &Expr| expr.range() == range;
    match site.parent() {
        Some(AnyNodeRef::StmtIf(statement)) => is_it(&statement.test),
        Some(AnyNodeRef::ElifElseClause(clause)) => clause.test.as_ref().is_some_and(is_it),
        Some(AnyNodeRef::StmtWhile(statement)) => is_it(&statement.test),
        Some(AnyNodeRef::StmtAssert(statement)) => is_it(&statement.test),
        Some(AnyNodeRef::ExprIf(conditional)) => is_it(&conditional.test),
        Some(AnyNodeRef::ExprUnaryOp(_) | AnyNodeRef::ExprBinOp(_) | AnyNodeRef::ExprCompare(_)) => true,
        // The last operand is the value of the whole, and may be awaited.
        Some(AnyNodeRef::ExprBoolOp(operation)) => !operation.values.last().is_some_and(is_it),
        Some(AnyNodeRef::ExprSubscript(subscript)) => is_it(&subscript.value),
        Some(AnyNodeRef::ExprAttribute(attribute)) => {
            let name = attribute.attr.as_str();
            !name.starts_with("cr_") && !name.starts_with("__") && !OF_COROUTINES.contains(&name)
        }
        Some(AnyNodeRef::StmtFor(statement)) => !statement.is_async && is_it(&statement.iter),
        Some(AnyNodeRef::Comprehension(comprehension)) => !comprehension.is_async && is_it(&comprehension.iter),
        _ => false,
    }
}
