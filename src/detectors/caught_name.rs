//! `except … as error`: the name is gone behind the clause, even where it was bound before the `try`.
//!
//! Silent where every path from the clause to the read leaves the function, or binds the name anew.

use ruff_python_ast::{self as ast, AnyNodeRef, ExceptHandler, NodeKind, Stmt};

use super::method_body::own_nodes;
use super::nodes::block_around;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["memory/caught-name"], nodes: &[NodeKind::StmtTry], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtTry(attempt) = site.node else { return None };
    if site.is_type_checking() || !findings.wants("memory/caught-name") {
        return None;
    }
    for ExceptHandler::ExceptHandler(handler) in &attempt.handlers {
        let Some(name) = &handler.name else { continue };
        if leaves(&handler.body) {
            continue;
        }
        let Some(read) = read_behind(site, attempt, name.as_str()) else { continue };
        let word = if site.function().is_some() { "UnboundLocalError" } else { "NameError" };
        findings.push(
            Finding::new("memory/caught-name", name.range())
                .fact("name", Fact::from(name.as_str()))
                .fact("read_at", site.module.place(read.range()).map(Fact::from))
                .fact("bound_at", bound_before(site, attempt, name.as_str()).map(Fact::from))
                .fact("error", Fact::from(word)),
        );
    }
    Some(())
}

/// Whether control certainly does not go on behind the clause.
fn leaves(body: &[Stmt]) -> bool {
    match body.last() {
        Some(Stmt::Return(_) | Stmt::Raise(_) | Stmt::Continue(_) | Stmt::Break(_)) => true,
        // A call that ends the program, as far as anyone knows.
        Some(Stmt::Expr(statement)) => statement.value.is_call_expr() && ends_program(&statement.value),
        Some(Stmt::If(branches)) => {
            branches.elif_else_clauses.last().is_some_and(|clause| clause.test.is_none())
                && leaves(&branches.body)
                && branches.elif_else_clauses.iter().all(|clause| leaves(&clause.body))
        }
        _ => false,
    }
}

fn ends_program(call: &ast::Expr) -> bool {
    let Some(call) = call.as_call_expr() else { return false };
    let last = match &*call.func {
        ast::Expr::Name(name) => name.id.as_str(),
        ast::Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return true,
    };
    ["exit", "_exit", "quit", "fail", "skip", "abort", "error"].iter().any(|word| last.contains(word))
}

/// The first mention of the name in the statements behind the `try` of the same block, if it is a read that runs in any case:
/// the next statement, or the test of one.
fn read_behind<'a>(site: &'a Site, attempt: &ast::StmtTry, name: &str) -> Option<&'a ast::ExprName> {
    let (block, index) = block_around(site.module, attempt.range())?;
    for statement in &block[index + 1..] {
        let mut first = None;
        own_nodes(std::slice::from_ref(statement), |node| {
            if let AnyNodeRef::ExprName(found) = node
                && found.id == name
                && first.is_none()
            {
                first = Some(found);
            }
        });
        let binds_otherwise = binds(statement, name);
        let found = match statement {
            Stmt::If(branches) => first.filter(|found| branches.test.range().contains_range(found.range())),
            Stmt::Expr(_) | Stmt::Return(_) | Stmt::Assert(_) | Stmt::Raise(_) => first,
            Stmt::Assign(assign) => first.filter(|found| assign.value.range().contains_range(found.range())),
            _ => None,
        };
        if binds_otherwise {
            return None;
        }
        match found {
            Some(found) if found.ctx.is_load() => return Some(found),
            _ if first.is_some() => return None,
            // Another way out in between, or a loop that may start again.
            _ if matches!(statement, Stmt::Return(_) | Stmt::Raise(_) | Stmt::Break(_) | Stmt::Continue(_)) => {
                return None;
            }
            _ => {}
        }
    }
    None
}

/// Whether a statement binds the name in a way that is no expression: another clause, an import, a definition.
fn binds(statement: &Stmt, name: &str) -> bool {
    let mut found = false;
    own_nodes(std::slice::from_ref(statement), |node| {
        found |= match node {
            AnyNodeRef::ExceptHandlerExceptHandler(handler) => {
                handler.name.as_ref().is_some_and(|id| id.as_str() == name)
            }
            AnyNodeRef::Alias(alias) => alias.asname.as_ref().unwrap_or(&alias.name).as_str() == name,
            // A comprehension has a variable of its own.
            AnyNodeRef::Comprehension(loops) => super::method_body::mentions(&loops.target, name),
            AnyNodeRef::StmtFunctionDef(def) => def.name.as_str() == name,
            AnyNodeRef::StmtClassDef(class) => class.name.as_str() == name,
            _ => false,
        };
    });
    found
}

/// Where the block binds the name before the `try`.
fn bound_before(site: &Site, attempt: &ast::StmtTry, name: &str) -> Option<crate::text::Place> {
    let (block, index) = block_around(site.module, attempt.range())?;
    let bound = block[..index].iter().rev().find(|statement| match statement {
        Stmt::Assign(assign) => assign.targets.iter().any(|target| super::method_body::is_name(target, name)),
        Stmt::AnnAssign(assign) => assign.value.is_some() && super::method_body::is_name(&assign.target, name),
        _ => false,
    })?;
    site.module.place(bound.range())
}
