//! Statements that call a coroutine function and drop the coroutine.
//!
//! Silent where a decorator that is not known may start it, and for `_ = work()`, which says that it is meant.

use ruff_python_ast::{AnyNodeRef, Expr, NodeKind};

use super::suspension::{call_head, called_coroutine};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{ExecutionContext, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["asyncio/never-awaited"], nodes: &[NodeKind::StmtExpr], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtExpr(statement) = site.node else { return None };
    let Expr::Call(call) = &*statement.value else { return None };
    if site.is_type_checking() {
        return None;
    }
    let function = called_coroutine(site, call)?;
    let finding = Finding::new("asyncio/never-awaited", call.range())
        .fact("call", Fact::from(call_head(site.module, call)))
        .fact("callee", Fact::from(function.name));
    findings.push(match site.context() {
        ExecutionContext::Function(function) if function.is_async => {
            finding.fact("in_coroutine", Fact::from(function.name.as_str()))
        }
        ExecutionContext::Function(function) => finding.fact("in_function", Fact::from(function.name.as_str())),
        _ => finding,
    });
    Some(())
}
