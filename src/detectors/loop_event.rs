//! `asyncio.Event` and its `wait()`: who sets it, who waits for it.
//!
//! Speaks only where the file has the other side.

use ruff_python_ast::{AnyNodeRef, NodeKind};

use super::nodes::method;
use super::thread_event::uses;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector = Detector { concepts: &["asyncio/event"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    if !site.is_asked(call.range()) {
        return None;
    }
    if site.callee_among(call, &["asyncio.Event"]).is_some() {
        let (target, value) = match site.parent()? {
            AnyNodeRef::StmtAssign(assign) => (assign.targets.first()?, &*assign.value),
            AnyNodeRef::StmtAnnAssign(assign) => (&*assign.target, assign.value.as_deref()?),
            _ => return None,
        };
        findings.push(
            Finding::new("asyncio/event", call.func.range())
                .fact("target", Fact::from(module.source(target)))
                .fact("set_at", Fact::from(uses(module, value, "set")))
                .fact("waited_at", Fact::from(uses(module, value, "wait")))
                .fact("cleared_at", Fact::from(uses(module, value, "clear"))),
        );
        return Some(());
    }
    let (event, name) = method(call)?;
    if name != "wait" || !module.class_name(event)?.is("asyncio.Event") {
        return None;
    }
    findings.push(
        Finding::new("asyncio/event", call.func.range())
            .fact("receiver", Fact::from(module.source(event)))
            .fact("set_at", Fact::from(uses(module, event, "set")))
            .fact("cleared_at", Fact::from(uses(module, event, "clear"))),
    );
    Some(())
}
