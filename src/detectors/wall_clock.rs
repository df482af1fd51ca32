//! `time.time() - start`: a duration measured on a clock that can be set.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Operator};

use super::suspension::{frame, visit_frame};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["asyncio/wall-clock"], nodes: &[NodeKind::ExprBinOp], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprBinOp(difference) = site.node else { return None };
    let Expr::Name(start) = &*difference.right else { return None };
    let is_time = |expr: &Expr| {
        // A clock that the program has chosen has another name.
        let call = expr.as_call_expr().filter(|call| call.arguments.is_empty());
        call.is_some_and(|call| site.module.calls(call, &["time.time"]))
    };
    if difference.op != Operator::Sub || !is_time(&difference.left) {
        return None;
    }
    // Every value the name has in this function must be the clock's: a stored time stamp is another matter.
    let mut assigned = None;
    let mut only_clock = true;
    visit_frame(frame(site), &mut |node| match node {
        AnyNodeRef::StmtAssign(ast::StmtAssign { targets, value, .. })
            if matches!(targets.as_slice(), [Expr::Name(name)] if name.id == start.id) && is_time(value) =>
        {
            assigned = Some(value.range());
        }
        AnyNodeRef::StmtAssign(assign) => {
            only_clock &= !assign.targets.iter().any(|target| {
                ast::helpers::any_over_expr(target, |part| part.as_name_expr().is_some_and(|name| name.id == start.id))
            });
        }
        _ => {}
    });
    let assigned = assigned.filter(|_| only_clock)?;
    findings.push(
        Finding::new("asyncio/wall-clock", difference.left.range())
            .fact("start", Fact::from(start.id.as_str()))
            .fact("start_at", site.module.place(assigned).map(Fact::from)),
    );
    Some(())
}
