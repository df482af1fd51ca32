//! `asyncio.iscoroutinefunction` → `inspect.iscoroutinefunction`

use super::imports::{drop_unused, imported_member};
use super::layout::generated;
use super::{Offer, Rewrite, Target};
use crate::analysis::Site;
use crate::text::{Edit, Ranged as _, TextRange};

pub(super) const REWRITE: Rewrite = Rewrite { name: "inspect_coroutine", offer };

fn offer(target: &Target) -> Option<Offer> {
    let site = &target.site;
    let statement = site.statement()?.range();
    if site.module.syntax_errors().iter().any(|error| error.intersect(statement).is_some()) {
        return None;
    }
    let title = "Use `inspect.iscoroutinefunction`";
    match edits(site, target.finding.range) {
        Ok(edits) => Offer::edit(site.module, title, edits, true),
        Err(reason) => Offer::refused(title, reason),
    }
}

fn edits(site: &Site, range: TextRange) -> Result<Vec<Edit>, String> {
    let module = site.module;
    if let Some(reason) = generated(module) {
        return Err(reason);
    }
    let function = imported_member(site, "inspect", "iscoroutinefunction")?;
    let root = module.source(range).split('.').next().unwrap_or_default().trim().to_string();
    let mut edits = vec![Edit::replace(range, function.name)];
    edits.extend(function.edit);
    edits.extend(drop_unused(module, &root, range));
    Ok(edits)
}
