//! `load(names)`, a helper that blocks → `await asyncio.to_thread(load, names)`
//!
//! Only where all that the helper runs is seen, and none of it depends on the thread it runs in.

mod thread_bound;

use super::awaiting::{call_of, obstacle};
use super::imports::{imported, taken};
use super::layout::generated;
use super::{Offer, Rewrite, Target, to_thread};
use crate::analysis::Site;
use crate::text::Edit;

pub(super) const REWRITE: Rewrite = Rewrite { name: "helper_to_thread", offer };

fn offer(target: &Target) -> Option<Offer> {
    let (call, site) = call_of(&target.site)?;
    let callee = site.module.source(&*call.func);
    let title = format!(
        "Run `{callee}` in a thread (other tasks run meanwhile; context variables are copied; cancelling the wait does not stop the thread)"
    );
    match edits(&site, call) {
        Ok(edits) => Offer::edit(site.module, title, edits, false),
        Err(reason) => Offer::refused(title, reason),
    }
}

fn edits(site: &Site, call: &ruff_python_ast::ExprCall) -> Result<Vec<Edit>, String> {
    let module = site.module;
    if let Some(reason) = generated(module).or_else(|| obstacle(site)) {
        return Err(reason);
    }
    thread_bound::check(site, call)?;
    let asyncio = imported(site, "asyncio").ok_or_else(|| taken(module, "asyncio"))?;
    let head = format!("await {}.to_thread", asyncio.name);
    if let Some(reason) = to_thread::lazy_argument(module, call) {
        return Err(reason);
    }
    let mut edits = to_thread::edits(site, call, &head).ok_or("the arguments are not plain")?;
    edits.extend(asyncio.edit);
    Ok(edits)
}
