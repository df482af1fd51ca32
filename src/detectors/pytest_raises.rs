//! `pytest.raises`: what stands behind the line that raises, and a `match=` that is read as a pattern.

use ruff_python_ast::{AnyNodeRef, NodeKind, Stmt};

use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["third-party/pytest-raises"], nodes: &[NodeKind::StmtWith], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtWith(with) = site.node else { return None };
    let module = site.module;
    let [item] = with.items.as_slice() else { return None };
    let call = item.context_expr.as_call_expr()?;
    if !site.is_asked(call.range()) || !module.may_be(&call.func, &["pytest.raises"]) {
        return None;
    }
    site.callee_among(call, &["pytest.raises"])?;
    let pattern = call.arguments.find_keyword("match").and_then(|keyword| keyword.value.as_string_literal_expr());
    let odd = pattern.and_then(|pattern| odd_sign(pattern.value.to_str()));
    let never = never_runs(&with.body);
    let finding = Finding::new("third-party/pytest-raises", call.func.range())
        .fact("callee", Fact::from(module.source(&*call.func)))
        .fact("never", never.map(|statement| Fact::from(module.source(statement))))
        .fact("never_at", never.and_then(|statement| module.place(statement.range())).map(Fact::from))
        .fact("sign", odd.map(|sign| Fact::from(sign.to_string())))
        .fact("pattern", odd.and(pattern).map(|pattern| Fact::from(module.source(pattern))));
    (never.is_some() || odd.is_some()).then(|| findings.push(finding))
}

/// The check that stands last in the block, behind a line that calls something.
fn never_runs(body: &[Stmt]) -> Option<&Stmt> {
    let [.., before, last @ Stmt::Assert(_)] = body else { return None };
    let calls = match before {
        Stmt::Expr(statement) => statement.value.is_call_expr() || statement.value.is_await_expr(),
        Stmt::Assign(assign) => assign.value.is_call_expr() || assign.value.is_await_expr(),
        _ => false,
    };
    calls.then_some(last)
}

/// A sign in a text without other signs of a pattern that means more than itself: a bracket or a question mark.
fn odd_sign(text: &str) -> Option<char> {
    let is_pattern = text.contains(['\\', '|', '^', '$', '*', '+']) || text.contains(".*");
    let brackets = text.find('(').filter(|at| !text[*at..].starts_with("(?"));
    let found =
        brackets.map(|_| '(').or_else(|| text.ends_with('?').then_some('?')).or_else(|| text.find('[').map(|_| '['));
    found.filter(|_| !is_pattern)
}
