//! `def` → `async def`, with the callers up to the entry point, over the whole workspace.
//!
//! The function that waits becomes a coroutine function; so does each function that calls one, until the call stands in a
//! coroutine function already, or at a script's entry, where `asyncio.run` starts it. Every reference in the workspace has
//! to be such a call; what is not stands in the way, and is named.

pub(super) mod body;
mod by_name;
pub(super) mod call;
pub(super) mod checks;
mod plan;
pub(super) mod response;

use ruff_python_ast::AnyNodeRef;

use super::{Offer, Rewrite, Target};
use crate::detectors::suspension::path_to;
use crate::detectors::waiting_function::wait_of;
use crate::text::{Place, Ranged as _, TextRange};
pub(super) use plan::{Plan, def_named_at, with_edits};

pub(super) const REWRITE: Rewrite = Rewrite { name: "make_async", offer };

/// How many of the things in the way are named.
const BLOCKERS: usize = 12;

/// How many functions a title names.
const NAMES: usize = 4;

fn offer(target: &Target) -> Option<Offer> {
    let module = target.site.module;
    let mut plan = Plan::new(module.snapshot(), target.oldest_python);
    let waits = match def_at(target) {
        Some((_, name, leaf)) => {
            plan.make(leaf?, name);
            true
        }
        None => {
            // A coroutine that is called in a plain function.
            let function = target.site.function().filter(|function| !function.is_async)?;
            let (name, _) = (function.name.to_string(), function);
            plan.make(module.place(function.name.range())?, name);
            plan.await_call(&module.place(target.finding.range)?);
            false
        }
    };
    plan.complete();
    let title = plan.title(NAMES);
    if plan.blockers.is_empty() && waits && !plan.frees_the_thread() {
        plan.block("nothing in it can be awaited or run in a thread".to_string());
    }
    if !plan.blockers.is_empty() {
        let mut reasons: Vec<&str> = plan.blockers.iter().take(BLOCKERS).map(String::as_str).collect();
        let more = format!("and {} more", plan.blockers.len().saturating_sub(BLOCKERS));
        if plan.blockers.len() > BLOCKERS {
            reasons.push(&more);
        }
        return Offer::refused(title, reasons.join("; "));
    }
    let title = format!("{title} ({})", plan.changes().join("; "));
    match plan.files() {
        Ok(files) => Some(Offer::Edit { title, files, preserves_behaviour: false }),
        Err(reason) => Offer::refused(title, reason),
    }
}

/// When the finding is on a `def`: its range, the name of the function that waits, and where that stands.
fn def_at(target: &Target) -> Option<(TextRange, String, Option<Place>)> {
    let module = target.site.module;
    let def = path_to(module, target.finding.range).into_iter().rev().find_map(|node| match node {
        AnyNodeRef::StmtFunctionDef(def) if target.finding.range.contains_range(def.name.range()) => Some(def),
        _ => None,
    })?;
    let wait = wait_of(module, def);
    Some(match wait.and_then(|wait| wait.through.last().cloned()) {
        Some(leaf) => (def.range(), leaf.name, leaf.place),
        None => (def.range(), def.name.to_string(), module.place(def.name.range())),
    })
}
