//! `threading.current_thread()` and the like, where it is known which thread runs the code.

use ruff_python_ast::{AnyNodeRef, NodeKind};

use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Runner, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["threads/thread-here"], nodes: &[NodeKind::ExprCall], detect };

const ASKS: &[&str] = &["threading.current_thread", "threading.get_ident", "threading.get_native_id"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    if !site.is_asked(call.range()) {
        return None;
    }
    site.callee_among(call, ASKS)?;
    let finding = Finding::new("threads/thread-here", call.func.range()).fact("code", Fact::from(module.source(call)));
    if let Some(coroutine) = site.async_function() {
        findings.push(finding.fact("coroutine", Fact::from(coroutine.name.as_str())));
        return Some(());
    }
    let function = site.function()?;
    let run = module.runs_elsewhere(function).filter(|run| run.runner == Runner::Thread)?;
    let finding = finding.fact("function", Fact::from(function.name.as_str()));
    findings.push(match run.by_class {
        true => finding.fact("class", Fact::from(run.callee)),
        false if run.callee.ends_with("Thread") => finding.fact("thread_at", Fact::from(run.place)),
        false => finding.fact("callee", Fact::from(run.callee)).fact("handed_over_at", Fact::from(run.place)),
    });
    Some(())
}
