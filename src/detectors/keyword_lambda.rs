//! `lambda`: what it reads from around it when it is called. Those that outlive their statement have a page of their own.

use ruff_python_ast::{AnyNodeRef, NodeKind};

use super::closure_capture::{free_names, is_local};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::{Ranged as _, TextRange, TextSize};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["keywords/lambda"], nodes: &[NodeKind::ExprLambda], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprLambda(lambda) = site.node else { return None };
    let around = site.function()?;
    // Callbacks of weak references have a page of their own.
    const WEAK: &[&str] = &["weakref.proxy", "weakref.ref"];
    if let Some(AnyNodeRef::ExprCall(call)) = site.enclosing().find(|node| !node.is_arguments())
        && site.module.calls(call, WEAK)
    {
        return None;
    }
    let used = free_names(lambda.parameters.as_deref(), AnyNodeRef::from(&*lambda.body));
    let captures: Vec<String> = used.into_iter().filter(|name| is_local(around, name)).collect();
    if captures.is_empty() {
        return None;
    }
    findings.push(
        Finding::new("keywords/lambda", TextRange::at(lambda.start(), TextSize::new(6)))
            .fact("captures", Fact::from(captures))
            .fact("function", Fact::from(around.name.as_str())),
    );
    Some(())
}
