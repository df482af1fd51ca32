//! The edits: `async`, `await`, what waited in the thread, the entry.

use std::cmp::Reverse;

use ruff_python_ast::{self as ast, AnyNodeRef};

use super::response;
use crate::analysis::{Module, Site};
use crate::detectors::nodes::method;
use crate::detectors::suspension::{path_to, visit_frame};
use crate::rewrites::awaiting::{parentheses, suspension_obstacle};
use crate::rewrites::imports::{drop_unused_all, imported, taken};
use crate::rewrites::{await_sleep, to_thread};
use crate::text::{Edit, Ranged as _, TextRange, TextSize};

/// What becomes of the calls in a body that keep the thread waiting.
pub(in crate::rewrites) struct Body {
    /// The edits of each call that gives its thread away, with the call's range.
    pub(in crate::rewrites) edits: Vec<(TextRange, Vec<Edit>)>,
    /// The callees of `time.sleep` that are no longer read: their first names.
    pub(in crate::rewrites) gone: Vec<(String, TextRange)>,
    /// The callees that go on waiting in the loop's thread.
    pub(in crate::rewrites) still_waits: Vec<String>,
    /// The functions of the project that go on waiting there, through others.
    pub(super) waits_through: Vec<String>,
}

impl Body {
    /// Looks at the own frame of `def`. The calls at `awaited` get an `await` anyway.
    pub(in crate::rewrites) fn new(module: &Module, def: &ast::StmtFunctionDef, awaited: &[TextRange]) -> Self {
        let mut body = Self { edits: vec![], gone: vec![], still_waits: vec![], waits_through: vec![] };
        let mut calls = vec![];
        visit_frame(&def.body, &mut |node| {
            if let AnyNodeRef::ExprCall(call) = node {
                calls.push(call);
            }
        });
        for call in calls {
            // What reads the body of an answer goes with the call that gives the answer.
            let receiver = method(call).and_then(|(receiver, _)| receiver.as_call_expr());
            if receiver.is_some_and(|receiver| response::opens(module, receiver)) {
                continue;
            }
            let Some(row) = module.blocking_call(call).filter(|_| !awaited.contains(&call.range())) else { continue };
            let path = path_to(module, call.range());
            let found = path
                .iter()
                .rposition(|node| matches!(node, AnyNodeRef::ExprCall(found) if found.range() == call.range()));
            let Some(at) = found else { continue };
            let site = Site::at(module, path[at], &path[..at]);
            let is_first = receiver.is_none_or(|receiver| module.blocking_call(receiver).is_none());
            let is_free = suspension_obstacle(&site).is_none()
                && is_first
                && !awaited.iter().any(|range| call.func.range().contains_range(*range));
            let edits = if is_free { moved(&site, call) } else { None };
            if edits.is_some() && response::opens(module, call) {
                body.answer(&site, call);
                continue;
            }
            match edits {
                Some((edits, gone)) => {
                    body.edits.push((call.range(), edits));
                    body.gone.extend(gone);
                }
                None if row.file => {}
                None => body.still_waits.push(module.source(&*call.func).to_string()),
            }
        }
        for path in module.blocking_paths(def, false) {
            if !awaited.iter().any(|range| range.start() == path.range.start()) {
                body.waits_through.push(module.source(path.range).to_string());
            }
        }
        body
    }

    /// The answer of a server: what reads its body moves to a thread, too.
    fn answer(&mut self, site: &Site, call: &ast::ExprCall) {
        let module = site.module;
        let Some(asyncio) = imported(site, "asyncio") else { return };
        let head = format!("await {}.to_thread", asyncio.name);
        let opened = to_thread::edits(site, call, &head);
        let (range, edits) = match response::read_at_once(site) {
            Some((whole, outer)) => {
                match response::as_lambda(&outer, &head).or_else(|| response::in_turn(site, &outer, &head)) {
                    Some(edits) => (whole.range(), Some(edits)),
                    None => {
                        self.still_waits.push(module.source(&*whole.func).to_string());
                        (call.range(), opened)
                    }
                }
            }
            None => {
                let reads = response::reads_of(site, &head);
                self.edits.extend(reads.edits);
                self.still_waits.extend(reads.still_waits);
                (call.range(), opened)
            }
        };
        if let Some(mut edits) = edits {
            edits.extend(asyncio.edit);
            self.edits.push((range, edits));
        }
    }
}

/// The edits of a call, and the name that is no longer read.
type Moved = (Vec<Edit>, Option<(String, TextRange)>);

/// The edits that make a call give its thread away.
fn moved(site: &Site, call: &ast::ExprCall) -> Option<Moved> {
    let module = site.module;
    let asyncio = imported(site, "asyncio")?;
    if module.callee(call)?.is("time.sleep") {
        let mut edits = await_sleep::edits(site, call, &asyncio.name).ok()?;
        edits.extend(asyncio.edit);
        let name = await_sleep::first_name(&call.func)?.to_string();
        return Some((edits, Some((name, call.func.range()))));
    }
    let is_file = module.blocking_call(call).is_some_and(|row| row.file);
    if is_file || to_thread::immovable(site, call).is_some() {
        return None;
    }
    let mut edits = to_thread::edits(site, call, &format!("await {}.to_thread", asyncio.name))?;
    edits.extend(asyncio.edit);
    Some((edits, None))
}

/// All edits of one file.
///
/// # Errors
/// The reason of a refusal.
pub(super) fn file_edits(
    module: &Module,
    defs: &[&ast::StmtFunctionDef],
    [awaited, entries, settled]: [&[TextRange]; 3],
) -> Result<Vec<Edit>, String> {
    // With the range of the node each belongs to: an outer node's edit comes first where two begin at one place.
    let mut groups: Vec<(TextRange, Vec<Edit>)> = vec![];
    let mut gone: Vec<(String, TextRange)> = vec![];
    for def in defs {
        groups.push((def.range(), vec![Edit::insert(keyword(module, def), "async ")]));
        let others = [awaited, settled].concat();
        let body = Body::new(module, def, &others);
        groups.extend(body.edits);
        gone.extend(body.gone);
    }
    for range in awaited {
        let path = path_to(module, *range);
        let Some((node, ancestors)) = path.split_last() else { continue };
        let site = Site::at(module, *node, ancestors);
        let edits = match parentheses(&site).as_slice() {
            [open, close] => vec![Edit::insert(range.start(), format!("{}await ", open.text)), close.clone()],
            _ => vec![Edit::insert(range.start(), "await ")],
        };
        groups.push((*range, edits));
        groups.extend(site.enclosing().filter_map(|node| listed(module, node, *range)));
    }
    for range in entries {
        let path = path_to(module, *range);
        let Some((node, ancestors)) = path.split_last() else { continue };
        let site = Site::at(module, *node, ancestors);
        let Some(asyncio) = imported(&site, "asyncio") else { return Err(taken(module, "asyncio")) };
        let mut edits =
            vec![Edit::insert(range.start(), format!("{}.run(", asyncio.name)), Edit::insert(range.end(), ")")];
        edits.extend(asyncio.edit);
        groups.push((*range, edits));
    }
    groups.sort_by_key(|(range, _)| (range.start(), Reverse(range.end())));
    let mut edits: Vec<Edit> = vec![];
    for edit in groups.into_iter().flat_map(|(_, edits)| edits) {
        // Several nodes want the same import, and calls in one comprehension the same list.
        let is_known = edits.contains(&edit) && (edit.text.contains("import ") || edit.text.contains(['[', ']']));
        if !is_known {
            edits.push(edit);
        }
    }
    let mut names: Vec<&String> = gone.iter().map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    for name in names {
        let ranges: Vec<TextRange> = gone.iter().filter(|(other, _)| other == name).map(|(_, range)| *range).collect();
        edits.extend(drop_unused_all(module, name, &ranges));
    }
    Ok(edits)
}

/// `(f(x) for x in y)` as `[f(x) for x in y]`, if the generator expression itself runs what is at `range`.
pub(in crate::rewrites) fn listed(
    module: &Module,
    node: AnyNodeRef,
    range: TextRange,
) -> Option<(TextRange, Vec<Edit>)> {
    let AnyNodeRef::ExprGenerator(generator) = node else { return None };
    if generator.generators.first()?.iter.range().contains_range(range) {
        return None;
    }
    let whole = generator.range();
    let one = TextSize::new(1);
    let edits = match module.source(whole).starts_with('(') && generator.parenthesized {
        true => vec![
            Edit::replace(TextRange::at(whole.start(), one), "["),
            Edit::replace(TextRange::new(whole.end() - one, whole.end()), "]"),
        ],
        false => vec![Edit::insert(whole.start(), "["), Edit::insert(whole.end(), "]")],
    };
    Some((whole, edits))
}

/// Where the word `def` stands.
pub(in crate::rewrites) fn keyword(module: &Module, def: &ast::StmtFunctionDef) -> TextSize {
    let start = def.decorator_list.last().map_or(def.start(), |decorator| decorator.end());
    let before_name = module.source(TextRange::new(start, def.name.start()));
    start + before_name.rfind("def").and_then(|at| TextSize::try_from(at).ok()).unwrap_or_default()
}
