//! `asyncio.sleep`: a pause, one turn for the others, or polling.

use ruff_python_ast::{AnyNodeRef, Expr, NodeKind, Number, Stmt};

use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector = Detector { concepts: &["asyncio/sleep"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    if !findings.wants("asyncio/sleep") || !site.module.may_be(&call.func, &["asyncio.sleep"]) {
        return None;
    }
    if !site.module.callee(call)?.is("asyncio.sleep") {
        return None;
    }
    let delay = call.arguments.find_argument_value("delay", 0)?;
    let function = site.function().map(|function| Fact::from(function.name.as_str()));
    let finding = Finding::new("asyncio/sleep", call.func.range());
    if is_zero(delay) {
        findings.push(finding.fact("yields", function));
        return Some(());
    }
    // A plain pause is what it looks like.
    let test = polled(site)?;
    findings.push(
        finding
            .fact("argument", Fact::from(site.module.source(delay)))
            .fact("function", function)
            .fact("polled", Fact::from(site.module.source(test))),
    );
    Some(())
}

fn is_zero(delay: &Expr) -> bool {
    delay.as_number_literal_expr().is_some_and(|number| match &number.value {
        Number::Int(int) => int.as_u64() == Some(0),
        Number::Float(float) => *float == 0.0,
        Number::Complex { .. } => false,
    })
}

/// The test of the `while` loop around the call, if the loop does nothing but sleep.
fn polled<'a>(site: &Site<'a, '_>) -> Option<&'a Expr> {
    let AnyNodeRef::StmtWhile(repeated) = site.enclosing().find(|node| node.is_statement() && !node.is_stmt_expr())?
    else {
        return None;
    };
    let only_sleeps =
        matches!(repeated.body.as_slice(), [Stmt::Expr(only)] if only.range().contains_range(site.node.range()));
    let is_asked = !repeated.test.is_boolean_literal_expr() && !repeated.test.is_number_literal_expr();
    (only_sleeps && is_asked).then_some(&*repeated.test)
}
