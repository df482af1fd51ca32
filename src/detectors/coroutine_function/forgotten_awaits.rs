//! The calls of a coroutine function that drop its coroutine, in this file and in the others of the workspace.

use ruff_python_ast::{self as ast, AnyNodeRef};

use super::super::never_awaited::dropped;
use super::super::suspension::path_to;
use crate::analysis::{Module, Site};
use crate::text::{Place, Ranged as _};

/// The most other files that are looked at. A name that stands in more of them is nobody's in particular.
const FILES: usize = 30;

/// Where a call of `function` is a statement of its own, without `await`: its body does not run there.
pub(super) fn forgotten_awaits(module: &Module, function: &ast::StmtFunctionDef) -> Vec<Place> {
    let Some(own) = module.place(function.name.range()) else { return vec![] };
    let name = function.name.as_str();
    let mut found = dropped_in(module, name, &own);
    let snapshot = module.snapshot();
    let files = snapshot.files_with_word(name).filter(|files| files.len() <= FILES).unwrap_or_default();
    for path in files.iter().filter(|path| module.path() != Some(path.as_path())) {
        if let Ok(other) = snapshot.module(path) {
            found.extend(dropped_in(&other, name, &own));
        }
    }
    found
}

fn dropped_in(module: &Module, name: &str, own: &Place) -> Vec<Place> {
    let is_forgotten = |call: &&ast::ExprCall| {
        let path = path_to(module, call.range());
        let Some((node, ancestors)) =
            path.iter().rposition(|node| matches!(node, AnyNodeRef::StmtExpr(_))).and_then(|at| {
                let (before, rest) = path.split_at(at);
                Some((*rest.first()?, before))
            })
        else {
            return false;
        };
        let AnyNodeRef::StmtExpr(statement) = node else { return false };
        let is_whole = statement.value.range() == call.range();
        is_whole
            && module.called_function(call).is_some_and(|function| function.place.as_ref() == Some(own))
            && dropped(&Site::at(module, node, ancestors)).is_some()
    };
    let calls = module.calls_of(name).into_iter().filter(is_forgotten);
    calls.filter_map(|call| module.place(call.range())).collect()
}
