//! `asyncio.wait_for()`: what the deadline does to the very thing that is waited for.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::suspension::{called_coroutine, visit_frame, with_def};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["asyncio/wait-for"], nodes: &[NodeKind::ExprCall], detect };

/// Calls that give a coroutine or a future behind which a thread works.
const THREADS: &[&str] = &["asyncio.to_thread", "asyncio.AbstractEventLoop.run_in_executor"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    site.callee_among(call, &["asyncio.wait_for"])?;
    let awaited = call.arguments.find_argument_value("fut", 0)?;
    let finding =
        Finding::new("asyncio/wait-for", call.func.range()).fact("argument", Fact::from(module.source(awaited)));
    let Some(limit) = call.arguments.find_argument_value("timeout", 1).filter(|limit| is_a_time(limit)) else {
        findings.push(finding);
        return Some(());
    };
    let finding = finding.fact("timeout", Fact::from(module.source(limit)));
    let finding = match awaited {
        Expr::Call(made) if module.calls(made, THREADS) => {
            let work = made.arguments.args.get(usize::from(!module.calls(made, &["asyncio.to_thread"])));
            finding.fact("thread_work", work.map(|work| Fact::from(module.source(work))))
        }
        Expr::Call(made) => match called_coroutine(site, made) {
            Some(function) => {
                let swallowed = with_def(module, &function, |home, def| {
                    let at = swallows(home, &def.body)?;
                    home.place(at)
                });
                finding
                    .fact("coroutine", Fact::from(function.name.as_str()))
                    .fact("swallowed_at", swallowed.flatten().map(Fact::from))
            }
            None => finding,
        },
        other if module.class_of(other).is_some_and(|class| class.is("asyncio.Task")) => {
            finding.fact("task", Fact::from(module.source(other)))
        }
        _ => finding,
    };
    findings.push(finding);
    Some(())
}

/// Not `None`, for which there is no deadline, nor a literal of zero or less, for which nothing is started.
fn is_a_time(limit: &Expr) -> bool {
    match limit {
        Expr::NoneLiteral(_) => false,
        Expr::UnaryOp(operation) => operation.op != ast::UnaryOp::USub,
        Expr::NumberLiteral(number) => match &number.value {
            ast::Number::Int(value) => value.as_u64() != Some(0),
            ast::Number::Float(value) => *value > 0.0,
            ast::Number::Complex { .. } => false,
        },
        _ => true,
    }
}

/// A handler that takes the cancellation and does not raise.
fn swallows(module: &Module, body: &[ast::Stmt]) -> Option<TextRange> {
    let mut found = None;
    visit_frame(body, &mut |node| {
        let AnyNodeRef::ExceptHandlerExceptHandler(handler) = node else { return };
        let takes = match &handler.type_ {
            None => true,
            Some(_) => {
                super::suspension::handles(module, handler, &["asyncio.CancelledError", "builtins.BaseException"])
            }
        };
        let mut raises = false;
        visit_frame(&handler.body, &mut |node| {
            raises |= matches!(node, AnyNodeRef::StmtRaise(_) | AnyNodeRef::StmtReturn(_) | AnyNodeRef::StmtBreak(_));
        });
        if takes && !raises && found.is_none() {
            found = Some(handler.range());
        }
    });
    found
}
