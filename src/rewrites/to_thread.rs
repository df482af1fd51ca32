//! `fetch(url)` → `await asyncio.to_thread(fetch, url)`
//!
//! The arguments are still evaluated in the loop's thread, in the same order; the call itself runs in a worker thread.

use ruff_python_ast::{self as ast, Expr};

use super::awaiting::{call_of, obstacle, parentheses};
use super::imports::{imported, taken};
use super::make_async::response;
use super::{Offer, Rewrite, Target};
use crate::analysis::{Module, Site};
use crate::text::{Edit, Ranged as _, TextRange, TextSize};

pub(super) const REWRITE: Rewrite = Rewrite { name: "to_thread", offer };

fn offer(target: &Target) -> Option<Offer> {
    let (call, site) = call_of(&target.site)?;
    let symbol = site.module.callee(call)?;
    // A sleep has a better counterpart: see `await_sleep`.
    if symbol.is("time.sleep") {
        return None;
    }
    let title = titled(&shown(site.module, &call.func));
    let reason = obstacle(&site).or_else(|| immovable(&site, call)).or_else(|| lazy_argument(site.module, call));
    if let Some(reason) = reason {
        return Offer::refused(title, reason);
    }
    let Some(asyncio) = imported(&site, "asyncio") else {
        return Offer::refused(title, taken(site.module, "asyncio"));
    };
    let head = format!("await {}.to_thread", asyncio.name);
    let whole = response::read_at_once(&site).filter(|_| response::opens(site.module, call));
    let whole = whole.and_then(|(read, outer)| {
        let both = response::as_lambda(&outer, &head).or_else(|| response::in_turn(&site, &outer, &head))?;
        Some((read, both))
    });
    let (title, mut edits) = match whole {
        Some((read, edits)) => (titled(&shown(site.module, &read.func)), edits),
        None => (title, edits(&site, call, &head)?),
    };
    edits.extend(asyncio.edit);
    Offer::edit(site.module, title, edits, false)
}

/// A callee for a title, which is one line.
fn shown(module: &Module, callee: &Expr) -> String {
    let written = module.source(callee);
    match callee {
        Expr::Attribute(method) if written.contains('\n') => format!("….{}", method.attr),
        _ => written.to_string(),
    }
}

fn titled(callee: &str) -> String {
    format!("Run `{callee}` in a thread (other tasks run meanwhile; cancelling the wait does not stop the thread)")
}

/// Why the call must stay in its thread.
pub(super) fn immovable(site: &Site, call: &ast::ExprCall) -> Option<String> {
    let module = site.module;
    let symbol = module.callee(call)?;
    let callee = module.source(&*call.func);
    if symbol.is("builtins.next") {
        return Some("the `StopIteration` at the end cannot cross threads".to_string());
    }
    if symbol.is_any(&["builtins.open", "io.open", "pathlib.Path.open"]) {
        return Some("only the opening would move, not the reading and writing".to_string());
    }
    let row = module.blocking_call(call)?;
    let receiver = match &*call.func {
        Expr::Attribute(method) => module.source(&*method.value),
        _ => callee,
    };
    if symbol.last() == "acquire" {
        return Some(format!("a wait that is cancelled would leave `{receiver}` taken for ever"));
    }
    if row.is_lazy() {
        return Some(format!("`{callee}` returns at once; iterating over its result is what waits"));
    }
    row.thread_bound.then(|| format!("`{receiver}` belongs to the thread that uses it"))
}

/// An argument that the thread would evaluate, bit by bit.
pub(super) fn lazy_argument(module: &Module, call: &ast::ExprCall) -> Option<String> {
    let lazy = call.arguments.args.iter().find(|argument| argument.is_generator_expr())?;
    let line = module.lines().line(lazy.start());
    Some(format!("the generator expression in line {line} would be run by the thread"))
}

/// `f(a, b)` becomes `head(f, a, b)`, with its layout.
pub(super) fn edits(site: &Site, call: &ast::ExprCall, head: &str) -> Option<Vec<Edit>> {
    edits_with(site, call, head, site.module.source(&*call.func))
}

/// As [`edits`], with another text for the callee.
pub(super) fn edits_with(site: &Site, call: &ast::ExprCall, head: &str, callee: &str) -> Option<Vec<Edit>> {
    let module = site.module;
    let open = call.arguments.start() + TextSize::new(1);
    let mut edits = vec![];
    if call.arguments.is_empty() {
        edits.push(Edit::insert(open, callee));
    } else if call.arguments.args.iter().any(is_bare_generator) {
        return None;
    } else {
        // Behind the white space, not at the argument: that may be in parentheses of its own.
        let rest = module.source(TextRange::new(open, call.end()));
        let gap = &rest[..rest.len() - rest.trim_start().len()];
        let first = open + TextSize::try_from(gap.len()).ok()?;
        let gap = if gap.contains('\n') { gap } else { " " };
        edits.push(Edit::insert(first, format!("{callee},{gap}")));
    }
    let head = match parentheses(site).as_slice() {
        [open, close] => {
            edits.push(close.clone());
            format!("{}{head}", open.text)
        }
        _ => head.to_string(),
    };
    edits.push(Edit::replace(call.func.range(), head));
    Some(edits)
}

/// `f(x for x in y)`: the generator expression borrows the parentheses of the call.
fn is_bare_generator(argument: &Expr) -> bool {
    matches!(argument, Expr::Generator(generator) if !generator.parenthesized)
}
