//! `save()` → `await save()`
//!
//! For a coroutine that is dropped, or taken for its result, in a coroutine function.

use super::awaiting::{call_of, obstacle, parentheses};
use super::{Offer, Rewrite, Target};
use crate::text::{Edit, Ranged as _};

pub(super) const REWRITE: Rewrite = Rewrite { name: "add_await", offer };

fn offer(target: &Target) -> Option<Offer> {
    let (call, site) = call_of(&target.site)?;
    let callee = site.module.source(&*call.func);
    if let Some(reason) = obstacle(&site) {
        return Offer::refused("Add `await`", reason);
    }
    let title = format!("Add `await` (the body of `{callee}` runs here, and its errors are raised here)");
    let mut edits = vec![Edit::insert(call.start(), "await ")];
    if let [open, close] = parentheses(&site).as_slice() {
        edits = vec![Edit::insert(call.start(), format!("{}await ", open.text)), close.clone()];
    }
    Offer::edit(site.module, title, edits, false)
}
