//! `threading.Lock()` → `asyncio.Lock()`, `with` → `async with`, `acquire()` → `await acquire()`
//!
//! For a lock that only coroutines of one loop take, and that is never passed on.

use std::collections::BTreeMap;

use ruff_python_ast::AnyNodeRef;

use super::awaiting::{obstacle, parentheses};
use super::loop_object::{LoopObject, Use};
use super::{Offer, Rewrite, Target};
use crate::analysis::Site;
use crate::text::{Edit, Ranged as _};

pub(super) const REWRITE: Rewrite = Rewrite { name: "async_lock", offer };

const CLASSES: &[&str] = &["threading.Lock", "threading.RLock"];

fn offer(target: &Target) -> Option<Offer> {
    let mut lock = LoopObject::find(target, CLASSES, false)?;
    let title = format!(
        "Use an `asyncio.Lock` for `{}` (a task that waits for it is suspended, and others run meanwhile)",
        lock.name
    );
    if lock.class == "RLock" {
        let at = lock.at(0, lock.made);
        return Offer::refused(title, format!("asyncio has no reentrant lock, as `RLock` is ({at})"));
    }
    lock.judge();
    let mut edits: BTreeMap<usize, Vec<Edit>> = BTreeMap::new();
    for used in lock.uses.clone().into_iter().filter(|used| lock.is_in_coroutine(*used)).collect::<Vec<_>>() {
        match edit(&lock, used) {
            Ok(edit) => edits.entry(used.file).or_default().extend(edit),
            Err(reason) => lock.block(reason),
        }
    }
    let renamed = lock.renamed_class("Lock");
    lock.offer(title, edits, &renamed)
}

/// The edits of one use.
fn edit(lock: &LoopObject, used: Use) -> Result<Vec<Edit>, String> {
    let module = &lock.modules[used.file];
    let written = module.source(used.range);
    let at = lock.at(used.file, used.range);
    let path = lock.path(used);
    match path.as_slice() {
        [.., AnyNodeRef::StmtWith(with), AnyNodeRef::WithItem(item), _] if !with.is_async => {
            if with.items.len() > 1 {
                return Err(format!("the `with` of `{written}` enters something else as well ({at})"));
            }
            if item.optional_vars.is_some() {
                return Err(format!("`as` gives `True`, and `None` with an `asyncio.Lock` ({at})"));
            }
            let ancestors = &path[..path.len() - 3];
            let site = Site::at(module, path[path.len() - 3], ancestors);
            match obstacle(&site) {
                Some(reason) => Err(format!("it cannot be entered with `async with` ({at}): {reason}")),
                None => Ok(vec![Edit::insert(with.start(), "async ")]),
            }
        }
        [.., AnyNodeRef::ExprCall(call), AnyNodeRef::ExprAttribute(method), _]
            if call.func.range() == method.range() && call.arguments.start() == call.func.end() =>
        {
            match method.attr.as_str() {
                "locked" | "release" => Ok(vec![]),
                "acquire" if !call.arguments.is_empty() => {
                    Err(format!("`acquire` of an `asyncio.Lock` takes no arguments ({at})"))
                }
                "acquire" => {
                    let ancestors = &path[..path.len() - 3];
                    let site = Site::at(module, path[path.len() - 3], ancestors);
                    match obstacle(&site) {
                        Some(reason) => Err(format!("`{written}.acquire()` cannot be awaited ({at}): {reason}")),
                        None => Ok(awaited(&site)),
                    }
                }
                other => Err(format!("an `asyncio.Lock` has no `{other}` ({at})")),
            }
        }
        _ => Err(lock.misuse(used)),
    }
}

/// `await` before the call at the site.
pub(super) fn awaited(site: &Site) -> Vec<Edit> {
    let start = site.node.start();
    match parentheses(site).as_slice() {
        [open, close] => vec![Edit::insert(start, format!("{}await ", open.text)), close.clone()],
        _ => vec![Edit::insert(start, "await ")],
    }
}
