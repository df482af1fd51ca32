//! `asyncio.get_event_loop()` at the top level of a file, where no loop runs.
//!
//! Silent in functions, which may be called by a loop, and in files that set a loop or a policy themselves.

use ruff_python_ast::{AnyNodeRef, NodeKind};

use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{ExecutionContext, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["asyncio/no-current-loop"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    if !matches!(site.context(), ExecutionContext::Module) || site.is_type_checking() {
        return None;
    }
    let sets_one =
        ["set_event_loop", "set_event_loop_policy", "install"].iter().any(|name| !module.calls_of(name).is_empty());
    if !module.calls(call, &["asyncio.get_event_loop"]) || sets_one {
        return None;
    }
    findings.push(
        Finding::new("asyncio/no-current-loop", call.range()).fact("callee", Fact::from(module.source(&*call.func))),
    );
    Some(())
}
