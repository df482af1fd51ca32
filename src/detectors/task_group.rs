//! `asyncio.TaskGroup`: its tasks, and handlers around it that cannot catch what it raises.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::suspension::{around, call_head, handles, is_in, visit_frame};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["asyncio/except-misses-group", "asyncio/task-group"],
    nodes: &[NodeKind::ExprCall, NodeKind::StmtTry],
    detect,
};

/// What a handler names when it does catch a group, an exception that comes from outside of it, or one that a group raises
/// bare.
const CATCHES_GROUPS: &[&str] = &[
    "asyncio.CancelledError",
    "asyncio.TimeoutError",
    "builtins.BaseException",
    "builtins.BaseExceptionGroup",
    "builtins.Exception",
    "builtins.ExceptionGroup",
    "builtins.GeneratorExit",
    "builtins.KeyboardInterrupt",
    "builtins.SystemExit",
    "builtins.TimeoutError",
];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let call = match site.node {
        AnyNodeRef::ExprCall(call) => call,
        AnyNodeRef::StmtTry(statement) => return missed(site, statement, findings),
        _ => return None,
    };
    site.callee_among(call, &["asyncio.TaskGroup"])?;
    let finding = Finding::new("asyncio/task-group", call.func.range());
    let item = match site.parent()? {
        AnyNodeRef::WithItem(item) => item,
        _ => {
            findings.push(finding);
            return Some(());
        }
    };
    let name = item.optional_vars.as_ref().and_then(|name| name.as_name_expr());
    let finding = finding.fact("group", name.map(|name| Fact::from(name.id.as_str())));
    let with = around(site).find_map(|node| match node {
        AnyNodeRef::StmtWith(with) => Some(with),
        _ => None,
    })?;
    let finding = match name {
        Some(name) => finding.fact("children", Fact::from(children(site, with, &name.id))),
        None => finding,
    };
    findings.push(with_handler(site, with, finding));
    Some(())
}

/// The handlers of plain exceptions around a block that is all there is in the `try`.
fn missed(site: &Site, statement: &ast::StmtTry, findings: &mut Findings) -> Option<()> {
    let [ast::Stmt::With(with)] = statement.body.as_slice() else { return None };
    let [item] = with.items.as_slice() else { return None };
    let call = item.context_expr.as_call_expr().filter(|_| !statement.is_star)?;
    site.callee_among(call, &["asyncio.TaskGroup"])?;
    for handler in statement.handlers.iter().filter_map(|handler| handler.as_except_handler()) {
        if handles(site.module, handler, CATCHES_GROUPS) {
            break;
        }
        let Some(handled) = handler.type_.as_deref().filter(|handled| is_plain(site, handled)) else { continue };
        findings.push(
            Finding::new("asyncio/except-misses-group", handled.range())
                .fact("handled", Fact::from(site.module.source(handled)))
                .fact("group", Fact::from(call_head(site.module, call))),
        );
    }
    Some(())
}

/// Whether `handled` is a class, or a tuple of classes, that is known; it may still be a group's.
fn is_plain(site: &Site, handled: &Expr) -> bool {
    match handled {
        Expr::Tuple(tuple) => tuple.elts.iter().all(|class| site.module.class_reference(class).is_some()),
        class => site.module.class_reference(class).is_some(),
    }
}

/// The coroutines that `group.create_task` is called with in the block.
fn children(site: &Site, with: &ast::StmtWith, group: &str) -> Vec<String> {
    let mut found = vec![];
    visit_frame(&with.body, &mut |node| {
        let AnyNodeRef::ExprCall(call) = node else { return };
        let Expr::Attribute(method) = &*call.func else { return };
        let is_group = method.value.as_name_expr().is_some_and(|receiver| receiver.id == *group);
        if !is_group || method.attr.as_str() != "create_task" {
            return;
        }
        let child = match call.arguments.args.first() {
            Some(Expr::Call(coroutine)) => call_head(site.module, coroutine),
            Some(other) => site.module.source(other).to_string(),
            None => return,
        };
        if !found.contains(&child) {
            found.push(child);
        }
    });
    found
}

/// The first handler around the block that names a plain exception.
fn with_handler(site: &Site, with: &ast::StmtWith, finding: Finding) -> Finding {
    let module = site.module;
    let plain = around(site).find_map(|node| match node {
        AnyNodeRef::StmtTry(statement) if !statement.is_star && is_in(&statement.body, with.range()) => {
            statement.handlers.iter().find_map(|handler| {
                let handler = handler.as_except_handler()?;
                let handled = handler.type_.as_deref()?;
                // Only a class that is known to be none of those says something.
                let is_plain = is_plain(site, handled) && !handles(module, handler, CATCHES_GROUPS);
                is_plain.then_some(handled)
            })
        }
        _ => None,
    });
    let Some(plain) = plain else { return finding };
    finding
        .fact("plain_except", Fact::from(module.source(plain)))
        .fact("except_at", module.place(plain.range()).map(Fact::from))
}
