//! `await loop.run_in_executor(None, work, item)` → `await asyncio.to_thread(work, item)`
//!
//! `functools.partial` around the function is not needed any more: `to_thread` takes keywords.

use ruff_python_ast::{self as ast, Expr};

use super::awaiting::{call_of, other_loop};
use super::imports::{drop_unused, imported_member};
use super::layout::{drop_local, generated, lost_comment};
use super::{Offer, Rewrite, Target};
use crate::analysis::Site;
use crate::text::{Edit, Ranged as _, TextRange};

pub(super) const REWRITE: Rewrite = Rewrite { name: "executor_to_thread", offer };

fn offer(target: &Target) -> Option<Offer> {
    let (call, site) = call_of(&target.site)?;
    let title = "Use `asyncio.to_thread` (context variables are visible in the thread)";
    match edits(&site, call) {
        Ok(edits) => Offer::edit(site.module, title, edits, true),
        Err(reason) => Offer::refused(title, reason),
    }
}

fn edits(site: &Site, call: &ast::ExprCall) -> Result<Vec<Edit>, String> {
    let module = site.module;
    let line = |range: TextRange| module.lines().line(range.start());
    let Expr::Attribute(method) = &*call.func else {
        return Err(format!("the loop in line {} is not in sight", line(call.range())));
    };
    let [executor, function, rest @ ..] = &*call.arguments.args else {
        return Err(format!("the arguments in line {} are not all positional", line(call.range())));
    };
    if let Some(reason) = generated(module) {
        return Err(reason);
    }
    if !executor.is_none_literal_expr() {
        let written = module.source(executor);
        return Err(format!("`{written}` in line {} is an executor of its own", line(executor.range())));
    }
    if !site.is_awaited() {
        return Err(format!(
            "it starts at once, in line {}; `to_thread` starts when it is awaited",
            line(call.range())
        ));
    }
    if let Some(reason) = other_loop(site, &method.value) {
        return Err(reason);
    }
    let gap = TextRange::new(executor.end(), function.start());
    if module.source(gap).trim() != "," || !call.arguments.keywords.is_empty() {
        let lost = lost_comment(module, gap, &[]);
        return Err(lost.unwrap_or_else(|| format!("the arguments in line {} are not plain", line(call.range()))));
    }
    let to_thread = imported_member(site, "asyncio", "to_thread")?;
    let mut edits = vec![
        Edit::replace(call.func.range(), to_thread.name),
        Edit::delete(TextRange::new(executor.start(), function.start())),
    ];
    edits.extend(unwrapped(site, function, rest)?);
    edits.extend(to_thread.edit);
    if let Expr::Name(name) = &*method.value {
        edits.extend(drop_local(site, &name.id, call.func.range()));
    }
    Ok(edits)
}

/// `partial(work, item, key=1)` becomes `work, item, key=1`.
fn unwrapped(site: &Site, function: &Expr, rest: &[Expr]) -> Result<Vec<Edit>, String> {
    let module = site.module;
    let Expr::Call(partial) = function else { return Ok(vec![]) };
    if !module.calls(partial, &["functools.partial"]) || partial.arguments.args.is_empty() {
        return Ok(vec![]);
    }
    if let Some(reason) = lost_comment(module, partial.range(), &[]) {
        return Err(reason);
    }
    let sources = |keywords: bool| {
        let arguments = partial.arguments.iter_source_order();
        let wanted = arguments.filter(move |argument| matches!(argument, ast::ArgOrKeyword::Keyword(_)) == keywords);
        wanted.map(|argument| module.source(argument)).collect::<Vec<_>>()
    };
    let (positional, keywords) = (sources(false), sources(true));
    let mut edits = vec![];
    match rest.last() {
        Some(last) => {
            edits.push(Edit::replace(partial.range(), positional.join(", ")));
            let keywords: String = keywords.iter().map(|keyword| format!(", {keyword}")).collect();
            edits.push(Edit::insert(last.end(), keywords));
        }
        None => edits.push(Edit::replace(partial.range(), [positional, keywords].concat().join(", "))),
    }
    let name = match &*partial.func {
        Expr::Name(name) => &name.id,
        Expr::Attribute(attribute) => match &*attribute.value {
            Expr::Name(name) => &name.id,
            _ => return Ok(edits),
        },
        _ => return Ok(edits),
    };
    edits.extend(drop_unused(module, name, partial.range()));
    Ok(edits)
}
