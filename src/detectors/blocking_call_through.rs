//! Calls in a coroutine function that reach a blocking one through functions of the project, in this file or in others.
//!
//! A way that is taken only in some cases is explained, not reported. The finding stands at the call in the coroutine; the way from there is in its facts. What counts as a call, and what as
//! blocking, is decided in `analysis`.

use ruff_python_ast::{AnyNodeRef, NodeKind};

use super::suspension::drives_coroutines;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{BlockingPath, PathStep, Site};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["asyncio/blocking-call-possible", "asyncio/blocking-call-through"],
    nodes: &[NodeKind::StmtFunctionDef],
    detect,
};

const REACHED: &str = "asyncio/blocking-call-through";
const POSSIBLE: &str = "asyncio/blocking-call-possible";

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtFunctionDef(function) = site.node else { return None };
    if !function.is_async || site.is_type_checking() || !(findings.wants(REACHED) || findings.wants(POSSIBLE)) {
        return None;
    }
    if drives_coroutines(site.module) {
        return None;
    }
    for path in site.module.blocking_paths(function, findings.wants(POSSIBLE)) {
        findings.extend(finding(site, &path).map(|found| found.fact("function", Fact::from(function.name.as_str()))));
    }
    Some(())
}

fn finding(site: &Site, path: &BlockingPath) -> Option<Finding> {
    let callee = site.module.source(path.range);
    let blocking = path.steps.last()?.called.as_str();
    let each = |fact: &dyn Fn(&PathStep) -> Fact| Fact::Each(path.steps.iter().map(fact).collect());
    Some(
        Finding::new(if path.is_doubtful { POSSIBLE } else { REACHED }, path.range)
            .fact("callee", Fact::from(callee))
            .fact("blocking", Fact::from(blocking))
            .fact("why", Fact::from(path.row.why.as_str()))
            .fact("movable", (path.is_named && !path.row.thread_bound).then(|| Fact::from(callee)))
            .fact("caller", each(&|step| Fact::from(step.caller.as_str())))
            .fact("called", each(&|step| Fact::from(step.called.as_str())))
            .fact("called_at", each(&|step| Fact::from(step.place.clone()))),
    )
}
