//! `await asyncio.wait_for(work(), 5)` → `async with asyncio.timeout(5):` around the statement.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Number};

use super::awaiting::{call_of, is_coroutine_call, obstacle};
use super::imports::imported_member;
use super::layout::{generated, indent, lost_comment, not_simple, own_lines, statement_of, unit};
use super::{Offer, Rewrite, Target};
use crate::analysis::Site;
use crate::detectors::suspension::around;
use crate::text::{Edit, Ranged as _, TextRange};

pub(super) const REWRITE: Rewrite = Rewrite { name: "timeout_block", offer };

fn offer(target: &Target) -> Option<Offer> {
    let (call, site) = call_of(&target.site)?;
    if target.oldest_python < (3, 11) {
        return None;
    }
    let in_own_task = target.oldest_python < (3, 12);
    let title = match in_own_task {
        true => {
            "Use `async with asyncio.timeout(…)` (runs in this task: context variables that are set inside stay set)"
        }
        false => "Use `async with asyncio.timeout(…)`",
    };
    match edits(&site, call) {
        Ok(edits) => Offer::edit(site.module, title, edits, !in_own_task),
        Err(reason) => Offer::refused(title, reason),
    }
}

fn edits(site: &Site, call: &ast::ExprCall) -> Result<Vec<Edit>, String> {
    let module = site.module;
    let line = |range: TextRange| module.lines().line(range.start());
    if let Some(reason) = generated(module).or_else(|| obstacle(site)) {
        return Err(reason);
    }
    let statement = statement_of(site).filter(|_| site.is_awaited());
    let Some(statement) = statement else {
        return Err(format!("it is not awaited where it stands, in line {}", line(call.range())));
    };
    let (awaitable, timeout) = arguments(site, call)?;
    if let Some(reason) = not_simple(&statement).or_else(|| alone(site, &statement)) {
        return Err(reason);
    }
    let range = statement.node.range();
    let lines = own_lines(module, range)?;
    if let Some(reason) = lost_comment(module, call.range(), &[awaitable.range()]) {
        return Err(reason);
    }
    let function = imported_member(site, "asyncio", "timeout")?;
    let (newline, outer, unit) =
        (module.lines().newline(), module.lines().indentation(range.start()), unit(&statement));
    let head = format!("async with {}({}):{newline}{outer}{unit}", function.name, module.source(timeout));
    let mut edits = vec![Edit::insert(range.start(), head)];
    let rest = indent(module, lines, &unit).into_iter();
    edits.extend(rest.filter(|edit| edit.range.start() > range.start()));
    edits.push(Edit::replace(call.range(), module.source(awaitable)));
    edits.extend(function.edit);
    Ok(edits)
}

/// The coroutine and the time limit.
fn arguments<'a>(site: &Site, call: &'a ast::ExprCall) -> Result<(&'a Expr, &'a Expr), String> {
    let module = site.module;
    let line = |range: TextRange| module.lines().line(range.start());
    let known = |keyword: &ast::Keyword| matches!(keyword.arg.as_deref(), Some("fut" | "timeout"));
    if let Some(other) = call.arguments.keywords.iter().find(|keyword| !known(keyword)) {
        return Err(format!(
            "`timeout` has no counterpart of `{}` (line {})",
            module.source(other),
            line(other.range())
        ));
    }
    let awaitable = call.arguments.find_argument_value("fut", 0);
    let timeout = call.arguments.find_argument_value("timeout", 1);
    let (Some(awaitable), Some(timeout)) = (awaitable, timeout) else {
        return Err(format!("the arguments in line {} are not all in sight", line(call.range())));
    };
    if !is_coroutine_call(module, awaitable) {
        let written = module.source(awaitable);
        return Err(format!("`{written}` in line {} is not known to be a coroutine", line(awaitable.range())));
    }
    let written = module.source(timeout);
    match is_limit(timeout) {
        Some(true) => Ok((awaitable, timeout)),
        Some(false) => {
            Err(format!("with `{written}` (line {}) `wait_for` does not start the coroutine", line(timeout.range())))
        }
        None => Err(format!("`{written}` in line {} may be zero or less", line(timeout.range()))),
    }
}

/// Whether a literal is `None` or positive; `None` for what is no literal.
pub(super) fn is_limit(timeout: &Expr) -> Option<bool> {
    match timeout {
        Expr::NoneLiteral(_) => Some(true),
        Expr::NumberLiteral(number) => match &number.value {
            Number::Int(value) => Some(value.as_u64() != Some(0)),
            Number::Float(value) => Some(*value > 0.0),
            Number::Complex { .. } => None,
        },
        Expr::UnaryOp(ast::ExprUnaryOp { op: ast::UnaryOp::USub, operand, .. }) if operand.is_number_literal_expr() => {
            Some(false)
        }
        _ => None,
    }
}

/// A reason not to: something else in the statement would come under the time limit, or run several times.
pub(super) fn alone(site: &Site, statement: &Site) -> Option<String> {
    let module = site.module;
    let line = |range: TextRange| module.lines().line(range.start());
    let comprehension = around(site).find(|node| {
        matches!(node, AnyNodeRef::ExprListComp(_) | AnyNodeRef::ExprSetComp(_) | AnyNodeRef::ExprDictComp(_))
    });
    if let Some(comprehension) = comprehension {
        return Some(format!("the comprehension in line {} would have one limit for all", line(comprehension.range())));
    }
    let own = site.parent()?.range();
    let mut other = None;
    let mut see = |node: AnyNodeRef| {
        let is_other = match node {
            AnyNodeRef::ExprAwait(awaited) => awaited.range() != own,
            AnyNodeRef::ExprYield(_) | AnyNodeRef::ExprYieldFrom(_) => true,
            AnyNodeRef::Comprehension(comprehension) => comprehension.is_async,
            _ => false,
        };
        if is_other && statement.node.range().contains_range(node.range()) {
            other.get_or_insert(node.range());
        }
    };
    crate::detectors::suspension::visit_frame(crate::detectors::suspension::frame(site), &mut see);
    Some(format!("line {} is suspended for something else as well", line(other?)))
}
