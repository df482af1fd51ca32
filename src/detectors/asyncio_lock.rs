//! `asyncio.Lock` and `asyncio.Semaphore`: where they are made, and where they are taken with `async with`; and thread
//! locks that are used in their place.

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::coroutine_function::yields;
use super::nodes::{all_nodes, around, function_around, method};
use super::suspension::{drives_coroutines, function_name_at, reads, real_suspensions, visit_frame, with_def};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Place, Ranged as _, TextRange};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["asyncio/lock", "asyncio/semaphore", "asyncio/thread-lock-over-await"],
    nodes: &[NodeKind::ExprCall, NodeKind::StmtWith],
    detect,
};

const THREAD_LOCKS: &[&str] = &["threading.Lock"];
const SEMAPHORES: &[&str] = &["asyncio.BoundedSemaphore", "asyncio.Semaphore"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    match site.node {
        AnyNodeRef::ExprCall(call) if !matches!(site.parent(), Some(AnyNodeRef::WithItem(_))) => {
            if matches!(site.parent(), Some(AnyNodeRef::StmtExpr(_))) {
                findings.extend(acquired(site, call));
            }
            findings.push(created(site, call)?);
        }
        AnyNodeRef::StmtWith(with) if with.is_async => {
            for item in &with.items {
                findings.extend(taken(site, with, &item.context_expr));
            }
        }
        AnyNodeRef::StmtWith(with) => return held_over_await(site, with, findings),
        _ => return None,
    }
    Some(())
}

/// A thread's lock in a plain `with` of a coroutine function that suspends inside.
fn held_over_await(site: &Site, with: &ast::StmtWith, findings: &mut Findings) -> Option<()> {
    let function = site.async_function()?;
    let first = *real_suspensions(site.module, &with.body).first()?;
    if drives_coroutines(site.module) {
        return None;
    }
    for item in &with.items {
        let manager = &item.context_expr;
        if is_between_one_task_and_threads(site.module, function, manager)
            || is_released_inside(site.module, with, manager)
        {
            continue;
        }
        let taken = match manager.as_call_expr().and_then(|call| taken_by_manager(site.module, call)) {
            Some(taken) => taken,
            None => match lock_kind(site.module, manager) {
                Some(is_reentrant) => Taken { is_reentrant, at: None },
                None => continue,
            },
        };
        findings.push(held(site, function, manager, first, taken));
    }
    Some(())
}

/// Whether the block itself lets go of the lock, as it may do for the time of the `await`.
fn is_released_inside(module: &Module, with: &ast::StmtWith, lock: &Expr) -> bool {
    let mut found = false;
    visit_frame(&with.body, &mut |node| {
        let AnyNodeRef::ExprCall(call) = node else { return };
        found |= method(call)
            .is_some_and(|(receiver, name)| name == "release" && module.source(receiver) == module.source(lock));
    });
    found
}

/// Whether the lock is made anew by each call of the function around the coroutine function, which is the only one that takes
/// it and is started once: nothing but threads can want it meanwhile.
fn is_between_one_task_and_threads(module: &Module, function: &ast::StmtFunctionDef, lock: &Expr) -> bool {
    let origins = module.origins(lock);
    let ([made @ Expr::Call(_)], Expr::Name(name)) = (origins.as_slice(), lock) else { return false };
    let Some(owner) = function_around(module, made.range()) else { return false };
    if !owner.range().contains_range(function.range()) || owner.range() == function.range() {
        return false;
    }
    let takers = all_nodes(&owner.body).into_iter().filter_map(|node| match node {
        AnyNodeRef::StmtWith(with) if !with.is_async => Some(&with.items),
        _ => None,
    });
    let is_it = |expr: &Expr| expr.as_name_expr().is_some_and(|other| other.id == name.id);
    let by_tasks = takers.flatten().filter(|item| {
        let around = function_around(module, item.range());
        is_it(&item.context_expr) && around.is_some_and(|taker| taker.is_async)
    });
    let mut starts = reads(&owner.body, function.name.as_str()).into_iter();
    let is_repeated = |start: &ast::ExprName| {
        around(module, start.range()).into_iter().take_while(|node| node.range() != owner.range()).any(|node| {
            matches!(
                node,
                AnyNodeRef::StmtFor(_)
                    | AnyNodeRef::StmtWhile(_)
                    | AnyNodeRef::StmtFunctionDef(_)
                    | AnyNodeRef::ExprListComp(_)
                    | AnyNodeRef::ExprSetComp(_)
                    | AnyNodeRef::ExprGenerator(_)
            )
        })
    };
    by_tasks.count() == 1 && matches!((starts.next(), starts.next()), (Some(only), None) if !is_repeated(only))
}

/// `lock.acquire()` in a coroutine function that suspends before it calls `lock.release()`.
fn acquired(site: &Site, call: &ast::ExprCall) -> Option<Finding> {
    let module = site.module;
    let function = site.async_function()?;
    let (lock, _) = method(call).filter(|(_, name)| *name == "acquire")?;
    let is_reentrant = lock_kind(module, lock)?;
    let is_release = |other: &&ast::ExprCall| {
        method(other).is_some_and(|(receiver, _)| module.source(receiver) == module.source(lock))
            && function.range().contains_range(other.range())
            && other.start() > call.end()
    };
    let released = module.calls_of("release").into_iter().find(is_release)?;
    let is_between = |at: &TextRange| at.start() > call.end() && at.end() < released.start();
    let first = real_suspensions(module, &function.body).into_iter().find(is_between)?;
    Some(held(site, function, lock, first, Taken { is_reentrant, at: None }))
}

/// How a lock is taken.
struct Taken {
    is_reentrant: bool,
    /// Where, if a helper takes it.
    at: Option<Place>,
}

/// The lock that a context manager made of a generator holds while its block runs.
fn taken_by_manager(module: &Module, call: &ast::ExprCall) -> Option<Taken> {
    let function = module.called_function(call)?;
    if !function.is_generator || !function.is_decorated || function.is_async {
        return None;
    }
    with_def(module, &function, |home, def| {
        let is_manager =
            |decorator: &ast::Decorator| home.is_symbol(&decorator.expression, "contextlib.contextmanager");
        if !def.decorator_list.iter().all(is_manager) {
            return None;
        }
        let mut taken = None;
        visit_frame(&def.body, &mut |node| {
            let AnyNodeRef::StmtWith(with) = node else { return };
            if taken.is_some() || yields(&with.body).is_empty() {
                return;
            }
            taken = with.items.iter().find_map(|item| {
                let is_reentrant = lock_kind(home, &item.context_expr)?;
                Some(Taken { is_reentrant, at: home.place(item.context_expr.range()) })
            });
        });
        taken
    })?
}

/// Whether a thread's lock is a reentrant one; `None` for anything else.
fn lock_kind(module: &Module, lock: &Expr) -> Option<bool> {
    let class = module.class_name(lock)?;
    let is_reentrant = class.is("threading.RLock");
    (is_reentrant || class.is_any(THREAD_LOCKS)).then_some(is_reentrant)
}

fn held(site: &Site, function: &ast::StmtFunctionDef, lock: &Expr, first: TextRange, taken: Taken) -> Finding {
    let name = Fact::from(site.module.source(lock));
    Finding::new("asyncio/thread-lock-over-await", lock.range())
        .fact("held", name.clone())
        .fact(if taken.is_reentrant { "rlock" } else { "lock" }, name)
        .fact("await_at", site.module.place(first).map(Fact::from))
        .fact("taken_at", taken.at.map(Fact::from))
        .fact("function", Fact::from(function.name.as_str()))
}

fn created(site: &Site, call: &ast::ExprCall) -> Option<Finding> {
    let module = site.module;
    let symbol = site.callee_among(call, &["asyncio.BoundedSemaphore", "asyncio.Lock", "asyncio.Semaphore"])?;
    let finding = match symbol.is("asyncio.Lock") {
        true => Finding::new("asyncio/lock", call.func.range()),
        false => Finding::new("asyncio/semaphore", call.func.range())
            .fact("places", places(module, call))
            .fact("per_call", per_call(site).map(Fact::from)),
    };
    Some(
        finding
            .fact("created", target(site).map(|target| Fact::from(module.source(target))))
            .fact("users", Fact::from(users(module, call))),
    )
}

/// The function whose every call makes a semaphore of its own, which nothing but this call's own code takes.
fn per_call(site: &Site) -> Option<String> {
    let module = site.module;
    let function = site.async_function()?;
    let name = target(site)?.as_name_expr()?;
    let mut own = vec![];
    visit_frame(&function.body, &mut |node| {
        if let AnyNodeRef::StmtWith(with) = node {
            own.extend(with.items.iter().map(|item| item.context_expr.range()));
        }
    });
    let reads = reads(&function.body, name.id.as_str());
    let is_own = |read: &&ast::ExprName| own.contains(&read.range());
    (!reads.is_empty() && reads.iter().all(is_own)).then(|| super::suspension::qualified_name(module, function))
}

/// How many tasks a semaphore lets through, as written.
fn places(module: &Module, call: &ast::ExprCall) -> Option<Fact> {
    call.arguments.find_argument_value("value", 0).map(|value| Fact::from(module.source(value)))
}

fn taken(site: &Site, with: &ast::StmtWith, manager: &Expr) -> Option<Finding> {
    let module = site.module;
    let class = module.class_name(manager)?;
    let name = || Fact::from(module.source(manager));
    if class.is_any(SEMAPHORES) {
        let origins = module.origins(manager);
        let made = match origins.as_slice() {
            [Expr::Call(made)] => places(module, made),
            _ => None,
        };
        return Some(Finding::new("asyncio/semaphore", manager.range()).fact("taken", name()).fact("places", made));
    }
    if !class.is("asyncio.Lock") {
        return None;
    }
    let finding = Finding::new("asyncio/lock", manager.range()).fact("taken", name());
    Some(match real_suspensions(module, &with.body).first() {
        Some(first) => finding.fact("held_await_at", module.place(*first).map(Fact::from)),
        None => finding.fact("no_await", name()),
    })
}

fn target<'a>(site: &Site<'a, '_>) -> Option<&'a Expr> {
    match site.parent()? {
        AnyNodeRef::StmtAssign(assign) => assign.targets.first(),
        AnyNodeRef::StmtAnnAssign(assign) => Some(&assign.target),
        _ => None,
    }
}

/// The functions of this file that take the lock made by `call`.
fn users(module: &Module, call: &ast::ExprCall) -> Vec<String> {
    let mut managers = AsyncManagers::default();
    managers.visit_body(&module.syntax().body);
    let mut users = vec![];
    for manager in managers.0 {
        let is_this = module.origins(manager).iter().any(|origin| origin.range() == call.range());
        let user = is_this.then(|| function_name_at(module, manager.range())).flatten();
        users.extend(user.filter(|user| !users.contains(user)));
    }
    users
}

/// What stands in `async with`.
#[derive(Default)]
struct AsyncManagers<'a>(Vec<&'a Expr>);

impl<'a> SourceOrderVisitor<'a> for AsyncManagers<'a> {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        match node {
            AnyNodeRef::StmtWith(with) if with.is_async => {
                self.0.extend(with.items.iter().map(|item| &item.context_expr));
            }
            _ => {}
        }
        TraversalSignal::Traverse
    }
}
