//! An exception that its `except` clause stores: the traceback keeps the frames and their variables.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::reference_count::root;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["memory/exception-lifetime"], nodes: &[NodeKind::ExceptHandlerExceptHandler], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExceptHandlerExceptHandler(handler) = site.node else { return None };
    let module = site.module;
    let name = handler.name.as_ref()?.as_str();
    let function = site.function()?;
    // Who clears the frames or the traceback knows.
    let clears = handler.body.iter().any(|statement| {
        let source = module.source(statement);
        source.contains("clear_frames") || source.contains("__traceback__") || source.contains("with_traceback")
    });
    let stored = handler.body.iter().find_map(|statement| storing(statement, name)).filter(|_| !clears)?;
    let finding = Finding::new("memory/exception-lifetime", stored.1)
        .fact("stored", Fact::from(module.source(stored.0)))
        .fact("name", Fact::from(name))
        .fact("function", Fact::from(function.name.as_str()))
        .fact("locals", Fact::from(variables(function, handler.range())));
    findings.push(finding);
    Some(())
}

/// The place outside of the function that a statement stores the exception in, and the statement.
fn storing<'a>(statement: &'a Stmt, name: &str) -> Option<(&'a Expr, TextRange)> {
    let is_exception = |expr: &Expr| matches!(expr, Expr::Name(value) if value.id == name);
    match statement {
        Stmt::Assign(assign) if is_exception(&assign.value) => {
            let target = assign.targets.iter().find(|target| is_outside(target))?;
            Some((target, assign.range()))
        }
        Stmt::Expr(ast::StmtExpr { value, .. }) => {
            let call = value.as_call_expr()?;
            let method = call.func.as_attribute_expr()?;
            let is_stored = method.attr.as_str() == "append" && call.arguments.args.iter().any(is_exception);
            (is_stored && is_outside(&method.value)).then_some((&*method.value, call.range()))
        }
        _ => None,
    }
}

/// Whether a target is an attribute, which outlives the function, or a part of one.
fn is_outside(target: &Expr) -> bool {
    root(target).is_some_and(|(_, attribute)| attribute.is_some())
}

/// The variables that the function has bound by then, its parameters aside.
fn variables(function: &ast::StmtFunctionDef, before: TextRange) -> Vec<String> {
    let mut names: Vec<String> = vec![];
    for statement in function.body.iter().take_while(|statement| statement.start() < before.start()) {
        if let Stmt::Assign(assign) = statement {
            for name in assign.targets.iter().filter_map(Expr::as_name_expr) {
                if !names.iter().any(|other| *other == *name.id) {
                    names.push(name.id.to_string());
                }
            }
        }
    }
    names
}
