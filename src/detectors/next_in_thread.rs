//! `next` handed to a thread: its `StopIteration` cannot come back through a future.

use ruff_python_ast::{AnyNodeRef, NodeKind};

use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["asyncio/next-in-thread"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let (function, first) = match site.module.source(&*call.func).rsplit('.').next()? {
        "to_thread" => (0, 1),
        "run_in_executor" => (1, 2),
        _ => return None,
    };
    let arguments = &call.arguments.args;
    let passed = arguments.get(function).filter(|passed| passed.is_name_expr())?;
    let names = &["asyncio.AbstractEventLoop.run_in_executor", "asyncio.to_thread"];
    let has_default = arguments.len() > first + 1 || arguments.iter().any(|argument| argument.is_starred_expr());
    if has_default || !site.module.is_symbol(passed, "builtins.next") || !site.module.calls(call, names) {
        return None;
    }
    findings.push(
        Finding::new("asyncio/next-in-thread", passed.range())
            .fact("callee", Fact::from(site.module.source(&*call.func)))
            .fact("iterator", arguments.get(first).map(|iterator| Fact::from(site.module.source(iterator)))),
    );
    Some(())
}
