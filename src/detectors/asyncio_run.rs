//! `asyncio.run()`: the tasks that its end cancels, and other runs, which have loops of their own.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::suspension::{around, call_head, called_coroutine, handles, is_in, reads, visit_frame, with_def};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector = Detector { concepts: &["asyncio/run"], nodes: &[NodeKind::ExprCall], detect };

/// From here on Ctrl-C cancels the coroutine instead of being raised in the middle of it.
const CANCELS: (u8, u8) = (3, 11);

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    if !site.is_asked(call.range()) && site.is_whole_file {
        return None;
    }
    site.callee_among(call, &["asyncio.run"])?;
    let entry = call.arguments.find_argument_value("main", 0)?;
    let function = entry.as_call_expr().and_then(|made| called_coroutine(site, made));
    let left = function.as_ref().and_then(|function| with_def(module, function, |home, def| left(home, &def.body)));
    let (left, left_at): (Vec<String>, Vec<Place>) = left.unwrap_or_default().into_iter().unzip();
    let others: Vec<Place> = module
        .calls_of("run")
        .into_iter()
        .filter(|other| other.range() != call.range() && module.calls(other, &["asyncio.run"]))
        .filter_map(|other| module.place(other.range()))
        .collect();
    let interrupted = around(site).find_map(|node| match node {
        AnyNodeRef::StmtTry(statement) if is_in(&statement.body, call.range()) => {
            statement.handlers.iter().find_map(|handler| {
                let handler = handler.as_except_handler()?;
                handles(module, handler, &["builtins.KeyboardInterrupt"]).then_some(handler.range())
            })
        }
        _ => None,
    });
    let interrupted = interrupted.and_then(|range| module.place(range)).map(Fact::from);
    let finding = Finding::new("asyncio/run", call.func.range())
        .fact("argument", Fact::from(module.source(entry)))
        .fact("left", Fact::from(left))
        .fact("left_at", Fact::from(left_at))
        .fact("others_at", Fact::from(others));
    let cancels = module.version() >= CANCELS;
    findings.push(finding.fact("interrupted_at", interrupted.filter(|_| cancels)));
    Some(())
}

/// The tasks that a coroutine function starts and never looks at again.
fn left(module: &Module, body: &[Stmt]) -> Vec<(String, Place)> {
    let mut found = vec![];
    let mut see = |call: &ast::ExprCall| {
        const MAKERS: &[&str] =
            &["asyncio.AbstractEventLoop.create_task", "asyncio.create_task", "asyncio.ensure_future"];
        if !module.may_be(&call.func, MAKERS) && !call.func.is_attribute_expr() {
            return;
        }
        let Some(Expr::Call(work)) = call.arguments.args.first() else { return };
        if module.calls(call, MAKERS) {
            found.extend(module.place(call.range()).map(|place| (call_head(module, work), place)));
        }
    };
    visit_frame(body, &mut |node| match node {
        AnyNodeRef::StmtExpr(statement) => {
            if let Expr::Call(call) = &*statement.value {
                see(call);
            }
        }
        AnyNodeRef::StmtAssign(ast::StmtAssign { targets, value, .. }) => {
            if let ([Expr::Name(name)], Expr::Call(call)) = (targets.as_slice(), &**value)
                && reads(body, name.id.as_str()).is_empty()
            {
                see(call);
            }
        }
        _ => {}
    });
    found
}
