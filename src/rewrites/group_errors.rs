//! Errors that come as an `ExceptionGroup` from now on: the handlers that would no longer catch them.

use std::collections::BTreeSet;

use ruff_python_ast::{self as ast, AnyNodeRef, Expr};

use super::layout::{handlers_around, holds};
use super::make_async::call;
use crate::analysis::{Module, ReferenceKind, Site};
use crate::detectors::suspension::{around, handles, path_to};
use crate::text::{Place, Ranged as _, TextRange};

/// The most functions whose callers are looked at.
const FUNCTIONS: usize = 20;

/// How many handlers are named.
const NAMED: usize = 3;

/// The handlers around the calls that lead to this function, in all files, that will not catch the group.
pub(super) fn missed_by_callers(site: &Site) -> Option<String> {
    let function = site.function()?;
    let (module, snapshot) = (site.module, site.module.snapshot());
    let mut open: Vec<(Place, String)> = vec![(module.place(function.name.range())?, function.name.to_string())];
    let mut seen: BTreeSet<Place> = BTreeSet::new();
    let mut missed: Vec<String> = vec![];
    let mut unseen = false;
    while let Some((place, name)) = open.pop() {
        if seen.contains(&place) {
            continue;
        }
        let references =
            (seen.len() < FUNCTIONS).then(|| snapshot.references(&name, std::slice::from_ref(&place)).ok());
        let Some(references) = references.flatten() else {
            unseen = true;
            continue;
        };
        seen.insert(place);
        for reference in references.iter().filter(|reference| reference.kind == ReferenceKind::Value) {
            let Ok(home) = snapshot.module(&reference.place.path) else { continue };
            let path = path_to(&home, reference.place.range());
            let Some(called) = call::of(&home, &path) else { continue };
            let handlers = handlers_around(&called);
            if let Some(handled) = handlers.iter().find_map(|handler| specific(&home, handler)) {
                let line = home.lines().line(handled.start());
                let at = match home.path().filter(|path| module.path() != Some(*path)).and_then(|path| path.file_name())
                {
                    Some(file) => format!("{}:{line}", file.to_string_lossy()),
                    None => format!("line {line}"),
                };
                missed.push(format!("`except {}` in {at}", home.source(handled)));
            } else if handlers.is_empty()
                && let Some(caller) = called.function()
            {
                open.extend(home.place(caller.name.range()).map(|place| (place, caller.name.to_string())));
            }
        }
    }
    missed.sort();
    missed.dedup();
    let more = missed.len().saturating_sub(NAMED);
    missed.truncate(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let verb = if missed.len() > 1 { "no longer catch them" } else { "no longer catches them" };
    let unseen = unseen.then(|| "not all callers were looked at".to_string());
    let missed = (!missed.is_empty()).then(|| format!("{}{more} {verb}", missed.join(", ")));
    let said: Vec<String> = missed.into_iter().chain(unseen).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// What a handler catches, if an `ExceptionGroup` is none of it.
fn specific<'a>(module: &Module, handler: &'a ast::ExceptHandlerExceptHandler) -> Option<&'a Expr> {
    const CATCH_GROUPS: &[&str] = &[
        "asyncio.CancelledError",
        "builtins.BaseException",
        "builtins.BaseExceptionGroup",
        "builtins.Exception",
        "builtins.ExceptionGroup",
        "builtins.KeyboardInterrupt",
        "builtins.SystemExit",
    ];
    handler.type_.as_deref().filter(|_| !handles(module, handler, CATCH_GROUPS))
}

/// A reason not to: what encloses the statement treats the errors, or runs while another one is on its way.
pub(super) fn guarded(statement: &Site) -> Option<String> {
    let module = statement.module;
    let line = |range: TextRange| module.lines().line(range.start());
    let missed = handlers_around(statement).into_iter().find_map(|handler| specific(module, handler));
    if let Some(missed) = missed {
        let written = module.source(missed);
        return Some(format!("`except {written}` in line {} does not catch an `ExceptionGroup`", line(missed.range())));
    }
    around(statement).find_map(|node| match node {
        AnyNodeRef::StmtTry(outer) if holds(&outer.finalbody, statement.node.range()) => {
            Some(format!("it stands in the `finally` of the `try` in line {}", line(outer.range())))
        }
        AnyNodeRef::StmtWith(with) if holds(&with.body, statement.node.range()) => {
            const EXPECT: &[&str] = &["assertRaises", "assertRaisesRegex", "raises", "suppress"];
            let manager = with.items.iter().filter_map(|item| item.context_expr.as_call_expr()).find(|call| {
                let name = match &*call.func {
                    Expr::Name(name) => name.id.as_str(),
                    Expr::Attribute(attribute) => attribute.attr.as_str(),
                    _ => "",
                };
                EXPECT.contains(&name)
            })?;
            let (written, line) = (module.source(manager), line(manager.range()));
            Some(format!("`{written}` in line {line} does not expect an `ExceptionGroup`"))
        }
        _ => None,
    })
}
