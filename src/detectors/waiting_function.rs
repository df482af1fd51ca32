//! A plain `def` that keeps its thread waiting, itself or through functions of the project that it calls.
//!
//! Not for local files. A generator waits when it is iterated, a decorated function when its decorator pleases: those are
//! not looked through.

use std::collections::BTreeSet;

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind};

use super::nodes::{calls, is_generator, own_nodes, with_def};
use super::suspension::{call_head, qualified_name};
use super::threads::hand_over;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Function, Module, Site};
use crate::text::{Place, Ranged as _, TextRange, TextSize};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["asyncio/waiting-function"], nodes: &[NodeKind::StmtFunctionDef], detect };

/// How many functions are looked into.
const FUNCTIONS: usize = 40;

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtFunctionDef(def) = site.node else { return None };
    let module = site.module;
    if def.is_async || !site.is_asked(head(module, def)) || is_generator(def) || site.is_type_checking() {
        return None;
    }
    let wait = wait_of(module, def)?;
    let finding = Finding::new("asyncio/waiting-function", head(module, def))
        .fact("function", Fact::from(qualified_name(module, def)))
        .fact("callee", Fact::from(wait.callee))
        .fact("why", Fact::from(wait.why))
        .fact("at", Fact::from(wait.at))
        .fact("callable", is_near_a_loop(module, def).then(|| Fact::from(def.name.as_str())));
    findings.push(match wait.through.as_slice() {
        [] => finding,
        // Where nothing runs on a loop, that a function waits is nothing to dwell on.
        through if is_near_a_loop(module, def) || project_has_coroutines(module) => {
            let names: Vec<String> = through.iter().map(|function| function.name.clone()).collect();
            finding.fact("through", Fact::from(names))
        }
        _ => finding,
    });
    Some(())
}

/// Whether a coroutine may call the function: the file has to do with asyncio, and no thread is seen to run the function.
fn is_near_a_loop(module: &Module, def: &ast::StmtFunctionDef) -> bool {
    module.may_use_package("asyncio") && hand_over(module, def).is_none()
}

/// Whether a file of the workspace has to do with asyncio.
fn project_has_coroutines(module: &Module) -> bool {
    module.snapshot().files_with_word("asyncio").is_none_or(|files| !files.is_empty())
}

/// How a function comes to wait.
pub(crate) struct Wait {
    /// The call that waits, as written.
    pub(crate) callee: String,
    why: String,
    at: Place,
    /// The functions between, the one that makes the call last.
    pub(crate) through: Vec<Function>,
}

/// The nearest call that keeps the thread of `def` waiting: its own, or one of the functions that it calls.
pub(crate) fn wait_of(module: &Module, def: &ast::StmtFunctionDef) -> Option<Wait> {
    if let Some(wait) = own_wait(module, def) {
        return Some(wait);
    }
    let mut seen: BTreeSet<Place> = module.place(def.name.range()).into_iter().collect();
    let mut level: Vec<Vec<Function>> = called(module, def).into_iter().map(|function| vec![function]).collect();
    while !level.is_empty() {
        let mut next = vec![];
        for path in level {
            let last = path.last()?;
            if !last.place.clone().is_some_and(|place| seen.insert(place)) {
                continue;
            }
            if seen.len() > FUNCTIONS {
                return None;
            }
            let looked = with_def(module, last, |home, def| Some((own_wait(home, def), called(home, def))));
            let Some((wait, calls)) = looked else { continue };
            if let Some(wait) = wait {
                return Some(Wait { through: path, ..wait });
            }
            next.extend(calls.into_iter().map(|function| [path.as_slice(), &[function]].concat()));
        }
        level = next;
    }
    None
}

/// The first call of the function's own that keeps its thread waiting.
fn own_wait(module: &Module, def: &ast::StmtFunctionDef) -> Option<Wait> {
    own_calls(def).into_iter().find_map(|call| {
        let row = module.blocking_call(call).filter(|row| !row.file)?;
        let at = module.place(call.range())?;
        Some(Wait { callee: call_head(module, call), why: row.why.clone(), at, through: vec![] })
    })
}

/// The plain functions of the project that the function's own calls call.
fn called(module: &Module, def: &ast::StmtFunctionDef) -> Vec<Function> {
    let mut found: Vec<Function> = own_calls(def).into_iter().filter_map(|call| module.called_function(call)).collect();
    found.retain(|function| !function.is_async && !function.is_generator && !function.is_decorated);
    found
}

/// The calls that run when the function does: those of a generator expression only where it is the argument of a call.
fn own_calls(def: &ast::StmtFunctionDef) -> Vec<&ast::ExprCall> {
    let nodes = own_nodes(&def.body);
    let calls = calls(&nodes);
    let is_argument = |range: TextRange| {
        calls.iter().any(|call| call.arguments.args.iter().any(|argument| argument.range() == range))
    };
    let later: Vec<TextRange> = nodes
        .iter()
        .filter_map(|node| match node {
            AnyNodeRef::ExprGenerator(generator) if !is_argument(generator.range()) => Some(generator.range()),
            _ => None,
        })
        .collect();
    calls.iter().filter(|call| !later.iter().any(|range| range.contains_range(call.range()))).copied().collect()
}

/// `def name`.
pub(super) fn head(module: &Module, def: &ast::StmtFunctionDef) -> TextRange {
    let start = def.decorator_list.last().map_or(def.start(), |decorator| decorator.end());
    let before_name = module.source(TextRange::new(start, def.name.start()));
    let offset = before_name.rfind("def").and_then(|at| TextSize::try_from(at).ok()).unwrap_or_default();
    TextRange::new(start + offset, def.name.end())
}
