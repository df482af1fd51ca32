//! Attributes of a `threading.local` in a coroutine function: all tasks of a loop share one thread, and so one value.
//!
//! Reported where a coroutine function sets the attribute, may be suspended, and then reads it. Silent for what is only
//! kept, as a cache for each thread is.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::suspension::{frame, real_suspensions, visit_frame};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Ranged as _, TextRange, TextSize};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["asyncio/thread-local-shared"], nodes: &[NodeKind::ExprAttribute], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprAttribute(set) = site.node else { return None };
    let module = site.module;
    let object = set.value.as_name_expr().filter(|_| set.ctx.is_store())?;
    if module.calls_of("local").is_empty() {
        return None;
    }
    let function = site.async_function()?;
    if site.is_type_checking() || !is_thread_local(module, object) {
        return None;
    }
    let body = frame(site);
    let awaited = real_suspensions(module, body).into_iter().find(|at| at.start() > set.end())?;
    let read = first_read(module, site, set, awaited.end())?;
    findings.push(
        Finding::new("asyncio/thread-local-shared", set.range())
            .fact("stored", Fact::from(module.source(set)))
            .fact("object", Fact::from(object.id.as_str()))
            .fact("function", Fact::from(function.name.as_str()))
            .fact("await_at", module.place(awaited).map(Fact::from))
            .fact("read_at", module.place(read).map(Fact::from)),
    );
    Some(())
}

/// Whether the module makes the object by `threading.local()`.
fn is_thread_local(module: &Module, object: &ast::ExprName) -> bool {
    let made = module.syntax().body.iter().find_map(|statement| match statement {
        Stmt::Assign(assign) => match assign.targets.as_slice() {
            [Expr::Name(name)] if name.id == object.id => assign.value.as_call_expr(),
            _ => None,
        },
        _ => None,
    });
    made.is_some_and(|made| module.calls(made, &["threading.local"]))
}

/// The first read of the attribute behind `after`, before it is set again.
fn first_read(module: &Module, site: &Site, set: &ast::ExprAttribute, after: TextSize) -> Option<TextRange> {
    let source = module.source(set);
    let mut found = None;
    let mut is_set_again = false;
    visit_frame(frame(site), &mut |node| {
        let AnyNodeRef::ExprAttribute(other) = node else { return };
        if other.start() < after || module.source(other) != source || is_set_again {
            return;
        }
        match other.ctx.is_load() {
            true => found = found.or(Some(other.range())),
            false => is_set_again = found.is_none(),
        }
    });
    found
}
