//! Calls in a coroutine function that keep the event loop's thread waiting.
//!
//! Silent in nested functions and lambdas, which may run on another thread, for arguments with which the call does not
//! wait. Local files are explained, not reported. What counts as blocking is the table's business: `explanations/tables/blocking.toml`.

use ruff_python_ast::{AnyNodeRef, NodeKind};

use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["asyncio/blocking-call", "asyncio/file-access"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let function = site.async_function()?;
    let row = site.module.blocking_call(call)?;
    let is_lazy = site.enclosing().any(|node| matches!(node, AnyNodeRef::ExprGenerator(_)));
    if is_lazy || site.is_awaited() || site.is_type_checking() {
        return None;
    }
    let concept = if row.file { "asyncio/file-access" } else { "asyncio/blocking-call" };
    let finding = Finding::new(concept, call.func.range())
        .fact("callee", Fact::from(site.module.source(&*call.func)))
        .fact("why", Fact::from(row.why.as_str()))
        .fact("function", Fact::from(function.name.as_str()));
    findings.push(match row.file {
        true => finding,
        false => finding.fact("instead", row.instead.as_deref().map(Fact::from)).beyond_ruff(row.ruff.is_none()),
    });
    Some(())
}
