//! `a = await f()`, `b = await g()` → both as tasks of a `TaskGroup`.

use super::awaiting::obstacle;
use super::group_errors::{guarded, missed_by_callers};
use super::imports::imported_member;
use super::independence::{effect, held_lock, objects, state};
use super::layout::{free_name, generated, lost_comment, own_lines, statement_of, unit};
use super::{Offer, Rewrite, Target};
use crate::analysis::{Module, Site};
use crate::detectors::sequential_awaits::{Awaited, run_at};
use crate::text::{Edit, Ranged as _, TextRange};

pub(super) const REWRITE: Rewrite = Rewrite { name: "concurrent_awaits", offer };

fn offer(target: &Target) -> Option<Offer> {
    let site = statement_of(&target.site)?;
    let module = site.module;
    let run = run_at(module, site.node.range())?;
    let whole = TextRange::new(run.first()?.statement.start(), run.last()?.statement.end());
    let is_broken = module.syntax_errors().iter().any(|error| error.intersect(whole).is_some());
    if is_broken || target.oldest_python < (3, 11) {
        return None;
    }
    let mut changes = vec![
        "their effects may come in another order".to_string(),
        "an error cancels the others and becomes an ExceptionGroup".to_string(),
    ];
    changes.extend(missed_by_callers(&site));
    let title = format!("Run these {} awaits at the same time ({})", run.len(), changes.join("; "));
    match edits(&site, &run, whole) {
        Ok(edits) => Offer::edit(module, title, edits, false),
        Err(reason) => Offer::refused(title, reason),
    }
}

fn edits(site: &Site, run: &[Awaited], whole: TextRange) -> Result<Vec<Edit>, String> {
    let module = site.module;
    let refused = generated(module).or_else(|| obstacle(site)).or_else(|| held_lock(site)).or_else(|| guarded(site));
    let effect = || run.iter().find_map(|awaited| effect(module, awaited.call));
    if let Some(reason) = refused.or_else(effect).or_else(|| common_object(module, run)) {
        return Err(reason);
    }
    common_state(module, run)?;
    for awaited in run {
        own_lines(module, awaited.statement.range())?;
    }
    if let Some(reason) = lost_comment(module, whole, &[]) {
        return Err(reason);
    }
    let group = free_name(site, &["tg", "group", "task_group"])?;
    let class = imported_member(site, "asyncio", "TaskGroup")?;
    let mut created = vec![];
    let mut results = vec![];
    for awaited in run {
        let task = free_name(site, &[&format!("{}_task", awaited.name.id)])?;
        created.push(format!("{task} = {group}.create_task({})", module.source(awaited.call)));
        results.push(format!("{task}.result()"));
    }
    let (newline, unit) = (module.lines().newline(), unit(site));
    let outer = module.lines().indentation(whole.start());
    let mut text = format!("async with {}() as {group}:", class.name);
    for line in created {
        text.push_str(&format!("{newline}{outer}{unit}{line}"));
    }
    if run.iter().all(|awaited| awaited.annotation.is_none()) {
        let names: Vec<_> = run.iter().map(|awaited| awaited.name.id.as_str()).collect();
        text.push_str(&format!("{newline}{outer}{} = {}", names.join(", "), results.join(", ")));
    } else {
        for (awaited, result) in run.iter().zip(results) {
            let annotation = awaited.annotation.map(|annotation| format!(": {}", module.source(annotation)));
            let annotation = annotation.unwrap_or_default();
            text.push_str(&format!("{newline}{outer}{}{annotation} = {result}", awaited.name.id));
        }
    }
    let mut edits = vec![Edit::replace(whole, text)];
    edits.extend(class.edit);
    Ok(edits)
}

/// An object that two of the calls get.
fn common_object(module: &Module, run: &[Awaited]) -> Option<String> {
    let lines = module.lines();
    let of_calls: Vec<_> = run.iter().map(|awaited| objects(module, awaited.call)).collect();
    for (index, own) in of_calls.iter().enumerate() {
        for other in of_calls.iter().skip(index + 1).flatten() {
            if own.iter().any(|name| name.id == other.id) {
                let (first, second) = (lines.line(run[index].call.start()), lines.line(other.start()));
                return Some(format!("lines {first} and {second} both use `{}`", other.id));
            }
        }
    }
    None
}

/// A variable of a module that two of the calls use.
fn common_state(module: &Module, run: &[Awaited]) -> Result<(), String> {
    let mut earlier: Vec<(String, usize)> = vec![];
    for awaited in run {
        let line = module.lines().line(awaited.call.start());
        let used = state(module, awaited.call)?;
        if let Some((name, first)) = earlier.iter().find(|(name, _)| used.contains(name)) {
            return Err(format!("the calls in lines {first} and {line} both use `{name}`"));
        }
        earlier.extend(used.into_iter().map(|name| (name, line)));
    }
    Ok(())
}
