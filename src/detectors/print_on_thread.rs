//! `print` in a function that runs on a thread: two writes, with room between them.

use ruff_python_ast::{AnyNodeRef, NodeKind};

use super::nodes::{body_around, own_nodes};
use super::threads::thread_body;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{ExecutionContext, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["threads/print-on-thread"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    let is_print = call.func.as_name_expr().is_some_and(|name| name.id.as_str() == "print");
    if !is_print || !module.callee(call)?.is("builtins.print") || call.arguments.find_keyword("end").is_some() {
        return None;
    }
    // A lambda is run by whoever it is handed to.
    if matches!(site.context(), ExecutionContext::Lambda(_)) {
        return None;
    }
    let runs = thread_body(module, call.range())?;
    // Once for each function.
    let earlier = own_nodes(body_around(module, call.range())).into_iter().any(|node| match node {
        AnyNodeRef::ExprCall(other) => {
            other.start() < call.start() && other.func.as_name_expr().is_some_and(|name| name.id.as_str() == "print")
        }
        _ => false,
    });
    if earlier {
        return None;
    }
    findings.push(Finding::new("threads/print-on-thread", call.func.range()).fact("runs", Fact::from(runs)));
    Some(())
}
