//! `asyncio.Lock`: where it is made, and where it is taken with `async with`.

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::suspension::{function_name_at, suspensions};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["asyncio/lock"], nodes: &[NodeKind::ExprCall, NodeKind::StmtWith], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let module = site.module;
    match site.node {
        AnyNodeRef::ExprCall(call) => {
            if !module.callee(call)?.is("asyncio.Lock") || matches!(site.parent(), Some(AnyNodeRef::WithItem(_))) {
                return None;
            }
            findings.push(
                Finding::new("asyncio/lock", call.func.range())
                    .fact("created", target(site).map(|target| Fact::from(module.source(target))))
                    .fact("users", Fact::from(users(module, call))),
            );
        }
        AnyNodeRef::StmtWith(with) if with.is_async => {
            for item in &with.items {
                if is_lock(module, &item.context_expr) {
                    findings.push(taken(site, with, &item.context_expr));
                }
            }
        }
        _ => return None,
    }
    Some(())
}

fn is_lock(module: &Module, expr: &Expr) -> bool {
    module.class_name(expr).is_some_and(|class| class.is("asyncio.Lock"))
}

fn taken(site: &Site, with: &ast::StmtWith, lock: &Expr) -> Finding {
    let module = site.module;
    let name = || Fact::from(module.source(lock));
    let finding = Finding::new("asyncio/lock", lock.range()).fact("taken", name());
    match suspensions(&with.body).first() {
        Some(first) => finding.fact("held_await_at", module.place(*first).map(Fact::from)),
        None => finding.fact("no_await", name()),
    }
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
