//! `sys.exc_info()` and `sys.exception()` where no handler is around them, or kept beyond the handler; `sys.intern()` whose
//! result is dropped.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::nodes::holds;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["memory/handled-exception", "memory/intern-dropped"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let symbol = site.callee_among(call, &["sys.exc_info", "sys.exception", "sys.intern"])?;
    let module = site.module;
    if symbol.last() == "intern" {
        let AnyNodeRef::StmtExpr(_) = site.parent()? else { return None };
        let argument = call.arguments.args.first()?;
        findings.push(
            Finding::new("memory/intern-dropped", call.func.range())
                .fact("callee", Fact::from(module.source(&*call.func)))
                .fact("argument", Fact::from(module.source(argument))),
        );
        return Some(());
    }
    let function = site.function()?;
    let inside = site.enclosing().take_while(|node| node.range() != function.range());
    let mut is_handled = false;
    for node in inside {
        match node {
            AnyNodeRef::ExceptHandlerExceptHandler(_) => is_handled = true,
            // While an exception goes through, it is the one that is handled.
            AnyNodeRef::StmtTry(attempt) if holds(&attempt.finalbody, call.range()) => return None,
            _ => {}
        }
    }
    let finding = Finding::new("memory/handled-exception", call.func.range())
        .fact("callee", Fact::from(module.source(&*call.func)))
        .fact("function", Fact::from(function.name.as_str()));
    let kept = match site.parent()? {
        AnyNodeRef::StmtAssign(ast::StmtAssign { targets, .. }) => match targets.as_slice() {
            [target @ (Expr::Attribute(_) | Expr::Subscript(_))] => Some(module.source(target)),
            _ => None,
        },
        _ => None,
    };
    findings.push(match (is_handled, kept) {
        (true, Some(kept)) => finding.fact("kept", Fact::from(kept)),
        // What leaves a block is told of its exception, and what handlers call is called while one is handled.
        (false, _) if is_called_in_handlers(function) => return None,
        (false, _) if function.name.starts_with("test") || function.parameters.is_empty() => {
            let nothing = if symbol.last() == "exception" { "None" } else { "(None, None, None)" };
            finding.fact("nothing", Fact::from(nothing))
        }
        _ => return None,
    });
    Some(())
}

/// Whether the name says that the function is called while something is wrong.
fn is_called_in_handlers(function: &ast::StmtFunctionDef) -> bool {
    const WORDS: &[&str] = &["crash", "error", "except", "exc", "exit", "fail", "handle", "log", "report", "trace"];
    WORDS.iter().any(|word| function.name.contains(word))
}
