//! `asyncio.get_event_loop`, whose meaning depends on where it is called.

use ruff_python_ast::{AnyNodeRef, NodeKind};

use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["asyncio/get-event-loop"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    if !site.module.callee(call)?.is("asyncio.get_event_loop") {
        return None;
    }
    let finding = Finding::new("asyncio/get-event-loop", call.func.range());
    findings.push(match site.function() {
        Some(function) if function.is_async => finding.fact("in_coroutine", Fact::from(function.name.as_str())),
        Some(function) => finding.fact("outside", Fact::from(function.name.as_str())),
        None => finding,
    });
    Some(())
}
