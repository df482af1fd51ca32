//! A lock, a queue or an event of asyncio that outlives its event loop: made once, used in several calls of `asyncio.run`.
//!
//! Two runs count only where both are seen to happen in one process: one after the other, in a loop, or in two tests. Runs in
//! branches that exclude each other do not, nor does what a run makes for itself.

mod runs;

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::nodes::{all_nodes, function_around, method, own_nodes};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Ranged as _, TextRange};
use runs::{Run, runs};

const ID: &str = "asyncio/primitive-across-loops";

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["asyncio/primitive-across-loops"], nodes: &[NodeKind::ExprCall], detect };

const PRIMITIVES: &[&str] = &[
    "asyncio.Barrier",
    "asyncio.BoundedSemaphore",
    "asyncio.Condition",
    "asyncio.Event",
    "asyncio.LifoQueue",
    "asyncio.Lock",
    "asyncio.PriorityQueue",
    "asyncio.Queue",
    "asyncio.Semaphore",
];

/// Methods that may wait, and then belong to the loop.
const WAITING: &[&str] = &["acquire", "get", "join", "put", "wait", "wait_for"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    let Some(AnyNodeRef::StmtAssign(assign)) = site.parent() else { return None };
    let [target] = assign.targets.as_slice() else { return None };
    let symbol = site.callee_among(call, PRIMITIVES)?;
    // Before, the loop was taken when the object was made, which is another matter.
    if site.is_type_checking() || module.version() < (3, 10) {
        return None;
    }
    let owner = match target {
        Expr::Name(name) if site.function().is_none() && site.class().is_none() => {
            is_bound_once(module, name).then_some(None)?
        }
        Expr::Attribute(_) => Some(site.class().filter(|_| in_init(site))?),
        _ => return None,
    };
    let waiting = waits(module, target, call, owner);
    if waiting.is_empty() {
        return None;
    }
    let reached = |run: &&Run| run.reaches(module, &waiting) && owner.is_none_or(|_| run.instance.is_some());
    for start in runs(module) {
        let all: Vec<&Run> = start.iter().filter(reached).collect();
        for (index, first) in all.iter().enumerate() {
            let is_same =
                |other: &&&Run| (owner.is_none() || other.instance == first.instance) && first.may_precede(other);
            let again = all[index + 1..].iter().find(is_same);
            if again.is_none() && !first.is_repeated {
                continue;
            }
            findings.push(
                Finding::new(ID, call.func.range())
                    .fact("primitive", Fact::from(module.source(target)))
                    .fact("kind", Fact::from(symbol.to_string()))
                    .fact("first_at", module.place(first.range).map(Fact::from))
                    .fact("again_at", again.and_then(|again| module.place(again.range)).map(Fact::from))
                    .fact("repeated", first.is_repeated.then(|| Fact::from(module.source(first.range))))
                    .fact("waits_at", waiting.first().and_then(|at| module.place(*at)).map(Fact::from)),
            );
            return Some(());
        }
    }
    None
}

/// Whether the module binds a name in one place, and no function does.
fn is_bound_once(module: &Module, name: &ast::ExprName) -> bool {
    let body = &module.syntax().body;
    let stores = own_nodes(body)
        .into_iter()
        .filter(|node| matches!(node, AnyNodeRef::ExprName(other) if other.id == name.id && !other.ctx.is_load()));
    let is_global = all_nodes(body).into_iter().any(|node| match node {
        AnyNodeRef::StmtGlobal(global) => global.names.iter().any(|other| other.as_str() == name.id.as_str()),
        _ => false,
    });
    stores.count() == 1 && !is_global
}

/// Whether the site is in an `__init__`.
fn in_init(site: &Site) -> bool {
    site.function().is_some_and(|function| function.name.as_str() == "__init__" && !function.is_async)
}

/// Where coroutines of this file wait for the object.
fn waits(module: &Module, target: &Expr, made: &ast::ExprCall, owner: Option<&ast::StmtClassDef>) -> Vec<TextRange> {
    let written = module.source(target);
    let is_it = |expr: &Expr| {
        let in_class = owner.is_none_or(|class| class.range().contains_range(expr.range()));
        in_class
            && module.source(expr) == written
            && matches!(module.origins(expr).as_slice(), [only] if only.range() == made.range())
    };
    let mut found = vec![];
    for node in all_nodes(&module.syntax().body) {
        match node {
            AnyNodeRef::StmtWith(with) if with.is_async => {
                let managers = with.items.iter().map(|item| &item.context_expr);
                found.extend(managers.filter(|manager| is_it(manager)).map(|manager| manager.range()));
            }
            AnyNodeRef::ExprAwait(awaited) => {
                let called = awaited.value.as_call_expr().and_then(method);
                let called = called.filter(|(receiver, name)| WAITING.contains(name) && is_it(receiver));
                found.extend(called.map(|(receiver, _)| receiver.range()));
            }
            _ => {}
        }
    }
    found.retain(|at| function_around(module, *at).is_some_and(|function| function.is_async));
    found
}

/// The statements of a class.
fn methods(class: &ast::StmtClassDef) -> impl Iterator<Item = &ast::StmtFunctionDef> {
    class.body.iter().filter_map(Stmt::as_function_def_stmt)
}
