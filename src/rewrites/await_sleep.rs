//! `time.sleep(n)` → `await asyncio.sleep(n)`

use ruff_python_ast::{self as ast, Expr};

use super::awaiting::{call_of, obstacle, parentheses};
use super::imports::{drop_unused, imported, taken};
use super::{Offer, Rewrite, Target};
use crate::analysis::Site;
use crate::text::{Edit, Ranged as _};

pub(super) const REWRITE: Rewrite = Rewrite { name: "await_sleep", offer };

fn offer(target: &Target) -> Option<Offer> {
    let (call, site) = call_of(&target.site)?;
    let module = site.module;
    if !module.callee(call)?.is("time.sleep") {
        return None;
    }
    let title = "Replace by `await asyncio.sleep(…)` (other tasks run meanwhile; the task can be cancelled here)";
    if let Some(reason) = obstacle(&site) {
        return Offer::refused(title, reason);
    }
    let Some(asyncio) = imported(&site, "asyncio") else {
        return Offer::refused(title, taken(site.module, "asyncio"));
    };
    let mut edits = match edits(&site, call, &asyncio.name) {
        Ok(edits) => edits,
        Err(reason) => return Offer::refused(title, reason?),
    };
    edits.extend(asyncio.edit);
    edits.extend(drop_unused(module, first_name(&call.func)?, call.func.range()));
    Offer::edit(module, title, edits, false)
}

/// `time.sleep(n)` as `await asyncio.sleep(n)`, under the name that `asyncio` has here.
///
/// # Errors
/// Why not; no reason for a call that is not understood.
pub(super) fn edits(site: &Site, call: &ast::ExprCall, asyncio: &str) -> Result<Vec<Edit>, Option<&'static str>> {
    let [delay] = call.arguments.args.as_ref() else { return Err(None) };
    if !call.arguments.keywords.is_empty() || delay.is_starred_expr() {
        return Err(None);
    }
    if is_negative(delay) {
        return Err(Some("`time.sleep` refuses a negative time, `asyncio.sleep` returns at once"));
    }
    let function = call.func.range();
    Ok(match parentheses(site).as_slice() {
        [open, close] => vec![Edit::replace(function, format!("{}await {asyncio}.sleep", open.text)), close.clone()],
        _ => vec![Edit::replace(function, format!("await {asyncio}.sleep"))],
    })
}

fn is_negative(delay: &Expr) -> bool {
    matches!(delay, Expr::UnaryOp(ast::ExprUnaryOp { op: ast::UnaryOp::USub, .. }))
}

/// `time` in `time.sleep`, `sleep` in `sleep`.
pub(super) fn first_name(func: &Expr) -> Option<&str> {
    match func {
        Expr::Name(name) => Some(&name.id),
        Expr::Attribute(attribute) => first_name(&attribute.value),
        _ => None,
    }
}
