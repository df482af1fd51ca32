//! `lambda`: a variable that it reads is given another value before it is called. Those that outlive their statement have a
//! page of their own.

use ruff_python_ast::{AnyNodeRef, NodeKind};

use super::closure_capture::{free_names, is_local};
use super::method_body::own_nodes;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::{Ranged as _, TextRange, TextSize};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["keywords/lambda"], nodes: &[NodeKind::ExprLambda], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprLambda(lambda) = site.node else { return None };
    let AnyNodeRef::StmtAssign(assign) = site.parent()? else { return None };
    let [target] = assign.targets.as_slice() else { return None };
    let kept = target.as_name_expr()?;
    let around = site.function()?;
    let used = free_names(lambda.parameters.as_deref(), AnyNodeRef::from(&*lambda.body));
    let captures: Vec<String> = used.into_iter().filter(|name| *name != *kept.id && is_local(around, name)).collect();
    // Bound again behind the lambda, and used behind that.
    let (mut rebound, mut last_use) = (None, assign.end());
    own_nodes(&around.body, |node| {
        if let AnyNodeRef::ExprName(name) = node
            && name.start() >= assign.end()
        {
            if !name.ctx.is_load() && captures.iter().any(|captured| *captured == *name.id) {
                rebound = rebound.or(Some(name));
            } else if name.id == kept.id {
                last_use = last_use.max(name.end());
            }
        }
    });
    let rebound = rebound.filter(|rebound| rebound.end() < last_use)?;
    findings.push(
        Finding::new("keywords/lambda", TextRange::at(lambda.start(), TextSize::new(6)))
            .fact("lambda", Fact::from(kept.id.as_str()))
            .fact("rebound", Fact::from(rebound.id.as_str()))
            .fact("rebound_at", site.module.place(rebound.range()).map(Fact::from)),
    );
    Some(())
}
