//! `if not ready: condition.wait()`: woken once, and not looking again.
//!
//! Silent inside any `while`, for `wait_for`, for events, and where the result of `wait` counts.

use ruff_python_ast::{AnyNodeRef, NodeKind};

use super::nodes::method;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["threads/wait-without-loop"], nodes: &[NodeKind::StmtExpr], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtExpr(statement) = site.node else { return None };
    let module = site.module;
    let call = statement.value.as_call_expr()?;
    let (receiver, "wait") = method(call)? else { return None };
    let AnyNodeRef::StmtIf(condition) = site.parent()? else { return None };
    if !module.receiver_class(receiver)?.inherits("threading.Condition") || site.is_type_checking() {
        return None;
    }
    let function = site.function().map(|function| function.range());
    let mut frame = site.enclosing().take_while(|node| Some(node.range()) != function);
    if frame.any(|node| matches!(node, AnyNodeRef::StmtWhile(_))) {
        return None;
    }
    findings.push(
        Finding::new("threads/wait-without-loop", call.range())
            .fact("receiver", Fact::from(module.source(receiver)))
            .fact("predicate", Fact::from(module.source(&*condition.test))),
    );
    Some(())
}
