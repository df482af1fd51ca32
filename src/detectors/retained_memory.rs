//! An object that a name keeps between two snapshots of tracemalloc.
//!
//! Silent when the name is bound again or deleted before the second snapshot.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["memory/retained"], nodes: &[NodeKind::StmtAssign], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtAssign(assign) = site.node else { return None };
    let module = site.module;
    let [Expr::Name(name)] = assign.targets.as_slice() else { return None };
    if !module.text().contains("take_snapshot") || is_snapshot(module, assign) || !makes_something(&assign.value) {
        return None;
    }
    let body: &[Stmt] = match site.parent()? {
        AnyNodeRef::ModModule(module) => &module.body,
        AnyNodeRef::StmtFunctionDef(function) => &function.body,
        _ => return None,
    };
    let snapshots: Vec<&ast::StmtAssign> =
        body.iter().filter_map(Stmt::as_assign_stmt).filter(|assign| is_snapshot(module, assign)).collect();
    let before = snapshots.iter().rfind(|snapshot| snapshot.end() <= assign.start())?;
    let after = snapshots.iter().find(|snapshot| snapshot.start() >= assign.end())?;
    let between = body.iter().filter(|statement| statement.start() >= assign.end() && statement.end() <= after.start());
    let may_let_go = |statement: &Stmt| {
        !matches!(statement, Stmt::Assign(other) if !binds(other, &name.id)) && !statement.is_expr_stmt()
    };
    if between.into_iter().any(may_let_go) {
        return None;
    }
    let snapshot_name =
        |snapshot: &ast::StmtAssign| snapshot.targets.first().map(|target| Fact::from(module.source(target)));
    findings.push(
        Finding::new("memory/retained", name.range())
            .fact("name", Fact::from(name.id.as_str()))
            .fact("before", snapshot_name(before))
            .fact("after", snapshot_name(after))
            .fact("after_at", module.place(after.range()).map(Fact::from)),
    );
    Some(())
}

/// Whether the value may be new: what another name or place refers to was there before.
fn makes_something(value: &Expr) -> bool {
    !value.is_literal_expr() && !matches!(value, Expr::Attribute(_) | Expr::Name(_) | Expr::Subscript(_))
}

fn is_snapshot(module: &Module, assign: &ast::StmtAssign) -> bool {
    assign.value.as_call_expr().is_some_and(|call| module.calls(call, &["tracemalloc.take_snapshot"]))
}

fn binds(assign: &ast::StmtAssign, name: &str) -> bool {
    assign.targets.iter().any(|target| target.as_name_expr().is_none_or(|target| target.id == name))
}
