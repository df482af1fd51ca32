//! `time.sleep(n)` → `await asyncio.sleep(n)`

use ruff_python_ast::{self as ast, Expr};

use super::awaiting::{call_of, obstacle, parentheses};
use super::imports::{drop_unused, imported, taken};
use super::{Offer, Rewrite, Target};
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
    let [delay] = call.arguments.args.as_ref() else { return None };
    if !call.arguments.keywords.is_empty() || delay.is_starred_expr() {
        return None;
    }
    if is_negative(delay) {
        return Offer::refused(title, "`time.sleep` refuses a negative time, `asyncio.sleep` returns at once");
    }
    let Some(asyncio) = imported(&site, "asyncio") else {
        return Offer::refused(title, taken(site.module, "asyncio"));
    };
    let mut edits = vec![Edit::replace(call.func.range(), format!("await {}.sleep", asyncio.name))];
    if let [open, close] = parentheses(&site).as_slice() {
        edits =
            vec![Edit::replace(call.func.range(), format!("{}await {}.sleep", open.text, asyncio.name)), close.clone()];
    }
    edits.extend(asyncio.edit);
    edits.extend(drop_unused(module, first_name(&call.func)?, call.func.range()));
    Offer::edit(module, title, edits, false)
}

fn is_negative(delay: &Expr) -> bool {
    matches!(delay, Expr::UnaryOp(ast::ExprUnaryOp { op: ast::UnaryOp::USub, .. }))
}

/// `time` in `time.sleep`, `sleep` in `sleep`.
fn first_name(func: &Expr) -> Option<&str> {
    match func {
        Expr::Name(name) => Some(&name.id),
        Expr::Attribute(attribute) => first_name(&attribute.value),
        _ => None,
    }
}
