//! `loop.call_later()` and `call_at()`: what is called, and whether anything can still take it back.

use ruff_python_ast::{AnyNodeRef, NodeKind};

use super::nodes::method;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["asyncio/call-later"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    let (_, "call_at" | "call_later") = method(call)? else { return None };
    if !site.is_asked(call.range()) {
        return None;
    }
    site.callee_among(call, &["asyncio.AbstractEventLoop.call_at", "asyncio.AbstractEventLoop.call_later"])?;
    let callback = call.arguments.find_argument_value("callback", 1)?;
    let finding =
        Finding::new("asyncio/call-later", call.func.range()).fact("callback", Fact::from(module.source(callback)));
    match site.parent()? {
        AnyNodeRef::StmtExpr(_) => {
            let object = callback.as_attribute_expr().map(|bound| module.source(&*bound.value));
            findings.push(
                finding.fact("dropped", Fact::from(module.source(callback))).fact("object", object.map(Fact::from)),
            );
        }
        AnyNodeRef::StmtAssign(assign) => {
            let handle = module.source(assign.targets.first()?);
            let cancels = module
                .calls_of("cancel")
                .into_iter()
                .filter(|call| method(call).is_some_and(|(receiver, _)| module.source(receiver) == handle));
            let cancelled_at: Vec<Place> = cancels.filter_map(|call| module.place(call.range())).collect();
            if cancelled_at.is_empty() {
                return None;
            }
            findings.push(finding.fact("handle", Fact::from(handle)).fact("cancelled_at", Fact::from(cancelled_at)));
        }
        _ => return None,
    }
    Some(())
}
