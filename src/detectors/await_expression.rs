//! `await`: who runs meanwhile, what stays held, and what may change.
//!
//! Silent where nothing can be said but what `await` always means.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::suspension::{
    around, awaits_without_pause, call_head, coroutine_function, frame, is_in, is_interface, suspensions, visit_frame,
    with_def,
};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Origin, Site};
use crate::text::{Ranged as _, TextRange, TextSize};

pub(super) const DETECTOR: Detector = Detector { concepts: &["asyncio/await"], nodes: &[NodeKind::ExprAwait], detect };

const LOCKS: &[&str] = &["asyncio.BoundedSemaphore", "asyncio.Condition", "asyncio.Lock", "asyncio.Semaphore"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprAwait(awaited) = site.node else { return None };
    let module = site.module;
    let finding = Finding::new("asyncio/await", TextRange::at(awaited.start(), TextSize::new(5)));
    let finding = awaitable(module, &awaited.value, finding);
    let function = site.function().map(|function| Fact::from(function.name.as_str()));
    if finding.facts.get("never_suspends").is_some() {
        // Nothing else runs here: neither a lock nor a deadline matters.
        findings.push(finding.fact("function", function));
        return Some(());
    }
    let finding = match enclosing_manager(site, LOCKS) {
        Some(lock) => finding
            .fact("lock", Fact::from(module.source(lock)))
            .fact("lock_at", module.place(lock.range()).map(Fact::from)),
        None => finding,
    };
    let deadline = enclosing_manager(site, &["asyncio.Timeout"])
        .filter(|manager| !manager.as_call_expr().is_some_and(super::timeout::is_without_limit));
    let finding = finding.fact("deadline_at", deadline.and_then(|at| module.place(at.range())).map(Fact::from));
    let finding = stale_read(site, finding);
    let finding = torn_write(site, finding);
    // What `await` always means is no news.
    let has_news = ["half_read", "lock", "deadline_at", "state", "tested"];
    has_news.iter().find(|fact| finding.facts.get(fact).is_some())?;
    findings.push(finding.fact("function", function));
    Some(())
}

/// What is awaited.
fn awaitable(module: &Module, value: &Expr, finding: Finding) -> Finding {
    if module.class_of(value).is_some_and(|class| class.is("asyncio.Task")) {
        return finding.fact("task", Fact::from(module.source(value)));
    }
    let Expr::Call(call) = value else { return finding };
    let function = coroutine_function(module, &call.func);
    let Some(function) = function.filter(|function| function.symbol.origin == Origin::Project) else { return finding };
    let never_suspends = awaits_without_pause(module, value);
    let first = with_def(module, &function, |module, def| {
        let at = suspensions(&def.body).first().copied().filter(|_| !is_interface(&def.body))?;
        module.place(at)
    });
    let first = first.flatten();
    if first.is_none() && !never_suspends {
        return finding;
    }
    finding
        .fact("coroutine", Fact::from(call_head(module, call)))
        .fact("suspends_at", first.map(Fact::from))
        .fact("never_suspends", never_suspends.then(|| Fact::from(function.name)))
}

/// The manager of the nearest `async with` around the site whose class is one of `classes`.
fn enclosing_manager<'a>(site: &Site<'a, '_>, classes: &[&str]) -> Option<&'a Expr> {
    around(site).find_map(|node| match node {
        AnyNodeRef::StmtWith(with) if with.is_async && is_in(&with.body, site.node.range()) => with
            .items
            .iter()
            .map(|item| &item.context_expr)
            .find(|manager| site.module.class_of(*manager).is_some_and(|class| class.symbol().is_any(classes))),
        _ => None,
    })
}

/// `seen = self.total` before the await and `self.total = seen + 1` after it, without a lock held: a lost update.
fn stale_read(site: &Site, finding: Finding) -> Finding {
    if enclosing_manager(site, LOCKS).is_some() {
        return finding;
    }
    let module = site.module;
    let mut read: Option<(&ast::ExprAttribute, &ast::ExprName)> = None;
    let mut written = None;
    visit_frame(frame(site), &mut |node| {
        let AnyNodeRef::StmtAssign(ast::StmtAssign { targets, value, .. }) = node else { return };
        match (targets.as_slice(), &**value) {
            ([Expr::Name(copy)], Expr::Attribute(state)) if copy.end() < site.node.start() => {
                read = Some((state, copy));
            }
            ([Expr::Attribute(target)], value) if target.start() > site.node.end() && written.is_none() => {
                let Some((state, copy)) = read else { return };
                if module.source(target) == module.source(state) && mentions(value, &copy.id) {
                    written = Some((target, state, copy));
                }
            }
            _ => {}
        }
    });
    let Some((target, state, copy)) = written else { return finding };
    if is_rebound_between(frame(site), copy, site.node.end(), target.start()) {
        return finding;
    }
    finding
        .fact("state", Fact::from(module.source(state)))
        .fact("copy", Fact::from(copy.id.as_str()))
        .fact("read_at", module.place(state.range()).map(Fact::from))
        .fact("written_at", module.place(target.range()).map(Fact::from))
}

/// An assignment whose value awaits here, of state that was read or tested before: `self.total += await …`, or
/// `self.pool = await …` under `if self.pool is None`.
fn torn_write(site: &Site, finding: Finding) -> Finding {
    let module = site.module;
    let at = site.node.range();
    if enclosing_manager(site, LOCKS).is_some() {
        return finding;
    }
    let written = around(site).find_map(|node| match node {
        AnyNodeRef::StmtAugAssign(change) => Some((&*change.target, None)),
        AnyNodeRef::StmtAssign(ast::StmtAssign { targets, value, .. }) => match targets.as_slice() {
            [target] => Some((target, Some(&**value))),
            _ => None,
        },
        _ => None,
    });
    let Some((target, value)) = written.filter(|(target, _)| is_shared(site, target)) else { return finding };
    let source = module.source(target);
    let reads_before = |value: &Expr| {
        ast::helpers::any_over_expr(value, |part| part.end() <= at.start() && module.source(part) == source)
    };
    if value.is_none_or(reads_before) {
        return finding.fact("half_read", Fact::from(source));
    }
    let container = target.as_subscript_expr().map(|item| module.source(&*item.value));
    let tested = around(site).find_map(|node| match node {
        AnyNodeRef::StmtIf(branch) if is_in(&branch.body, at) => {
            let is_about = ast::helpers::any_over_expr(&branch.test, |part| {
                let part = module.source(part);
                part == source || Some(part) == container
            });
            is_about.then_some(branch)
        }
        _ => None,
    });
    let Some(branch) = tested else { return finding };
    let mut is_marked = false;
    visit_frame(&branch.body, &mut |node| {
        if let AnyNodeRef::StmtAssign(assign) = node {
            is_marked |=
                assign.end() <= at.start() && assign.targets.iter().any(|other| module.source(other) == source);
        }
    });
    if is_marked {
        return finding;
    }
    finding.fact("tested", Fact::from(source)).fact("tested_at", module.place(branch.test.range()).map(Fact::from))
}

/// Whether other tasks may see what is written: an attribute, an item of one, or a name of the module.
fn is_shared(site: &Site, target: &Expr) -> bool {
    match target {
        Expr::Attribute(_) => true,
        Expr::Subscript(item) => is_shared(site, &item.value),
        Expr::Name(name) => {
            let mut is_global = false;
            let mut is_local = false;
            visit_frame(frame(site), &mut |node| match node {
                AnyNodeRef::StmtGlobal(global) => is_global |= global.names.iter().any(|other| other.id == name.id),
                AnyNodeRef::ExprName(other) => is_local |= other.id == name.id && other.ctx.is_store(),
                _ => {}
            });
            let is_parameter = site.function().is_some_and(|function| function.parameters.includes(&name.id));
            is_global || (!is_local && !is_parameter && name.ctx.is_load())
        }
        _ => false,
    }
}

fn mentions(value: &Expr, name: &str) -> bool {
    ast::helpers::any_over_expr(value, |part| part.as_name_expr().is_some_and(|read| read.id == *name))
}

/// Whether the copy gets another value after the await, so that what is written is fresh.
fn is_rebound_between(body: &[Stmt], copy: &ast::ExprName, start: TextSize, end: TextSize) -> bool {
    let mut rebound = false;
    visit_frame(body, &mut |node| {
        if let AnyNodeRef::ExprName(name) = node {
            rebound |= name.ctx.is_store() && name.id == copy.id && name.start() > start && name.start() < end;
        }
    });
    rebound
}
