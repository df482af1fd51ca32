//! `gc.disable()`: whether the function that calls it switches collection on again on every way out.

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind};

use super::nodes::{around, body_around, calls, holds, own_nodes};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["memory/gc-disable"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    if !module.may_be(&call.func, &["gc.disable"]) || !module.callee(call)?.is("gc.disable") {
        return None;
    }
    let function = site.function().map(|function| Fact::from(function.name.as_str()));
    let nodes = own_nodes(body_around(module, call.range()));
    let later = calls(&nodes).into_iter().filter(|later| later.start() > call.end());
    let enabled: Vec<&ast::ExprCall> =
        later.filter(|later| module.callee(later).is_some_and(|symbol| symbol.is("gc.enable"))).collect();
    let finding = Finding::new("memory/gc-disable", call.func.range()).fact("function", function.clone());
    let place = |call: &ast::ExprCall| module.place(call.range()).map(Fact::from);
    findings.push(match enabled.iter().find(|enable| is_in_finally(module, enable)) {
        Some(enable) => finding.fact("restored_at", place(enable)),
        None => match enabled.first() {
            Some(enable) => finding.fact("enabled_at", place(enable)),
            None => finding.fact("never", function),
        },
    });
    Some(())
}

fn is_in_finally(module: &Module, call: &ast::ExprCall) -> bool {
    around(module, call.range()).iter().any(|node| match node {
        AnyNodeRef::StmtTry(statement) => holds(&statement.finalbody, call.range()),
        _ => false,
    })
}
