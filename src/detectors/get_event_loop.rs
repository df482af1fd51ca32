//! Calls that mean another thing, or fail, where a loop runs already: `asyncio.get_event_loop` and `asyncio.run`.

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind};

use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["asyncio/event-loop", "asyncio/get-event-loop", "asyncio/run-in-running-loop"],
    nodes: &[NodeKind::ExprCall],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let symbol = site.callee_among(
        call,
        &[
            "asyncio.AbstractEventLoop.run_until_complete",
            "asyncio.get_event_loop",
            "asyncio.get_running_loop",
            "asyncio.run",
        ],
    )?;
    if symbol.is("asyncio.get_running_loop") {
        findings.push(running_loop(site, call)?);
        return Some(());
    }
    if !symbol.is("asyncio.get_event_loop") {
        return inside_a_loop(site, call, findings);
    }
    let finding = Finding::new("asyncio/get-event-loop", call.func.range());
    findings.push(match site.function() {
        Some(function) if function.is_async => finding.fact("in_coroutine", Fact::from(function.name.as_str())),
        Some(function) => finding.fact("outside", Fact::from(function.name.as_str())),
        None => finding,
    });
    Some(())
}

/// In a coroutine there is a loop: to tell is only where it is kept, or where there may be none.
fn running_loop(site: &Site, call: &ast::ExprCall) -> Option<Finding> {
    let finding = Finding::new("asyncio/event-loop", call.func.range());
    let Some(function) = site.async_function() else {
        return Some(finding.fact("plain", site.function().map(|function| Fact::from(function.name.as_str()))));
    };
    let Some(AnyNodeRef::StmtAssign(assign)) = site.parent() else { return None };
    let [ast::Expr::Attribute(kept)] = assign.targets.as_slice() else { return None };
    let kept = Fact::from(site.module.source(kept));
    Some(finding.fact("kept", kept).fact("function", Fact::from(function.name.as_str())))
}

fn inside_a_loop(site: &Site, call: &ast::ExprCall, findings: &mut Findings) -> Option<()> {
    let function = site.async_function()?;
    // `nest_asyncio` makes it possible, by replacing parts of asyncio; a loop of trio is none of asyncio's.
    const OTHERS: &[&str] = &["nest_asyncio", "import trio", "from trio", "anyio"];
    // In a child made by `fork()` no loop runs.
    let forks = site.module.calls_of("fork").into_iter().any(|fork| function.range().contains_range(fork.range()));
    if forks || OTHERS.iter().any(|other| site.module.text().contains(other)) || site.is_type_checking() {
        return None;
    }
    findings.push(
        Finding::new("asyncio/run-in-running-loop", call.range())
            .fact("callee", Fact::from(site.module.source(&*call.func)))
            .fact("function", Fact::from(function.name.as_str())),
    );
    Some(())
}
