//! `@contextmanager`: what of the generator an exception of the block skips, where it ends, and a block that would have to run
//! twice. Silent where every exception comes out again and nothing is skipped by it.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::keyword_with::unguarded;
use super::nodes::{around, holds, own_nodes};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["metaclasses/contextmanager"], nodes: &[NodeKind::StmtFunctionDef], detect };

const MAKERS: &[&str] = &["contextlib.asynccontextmanager", "contextlib.contextmanager"];
/// Functions that raise, by their last names.
const RAISING: &[&str] = &["abort", "exit", "_exit", "fail", "reraise", "skip", "throw", "xfail"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtFunctionDef(def) = site.node else { return None };
    let module = site.module;
    let is_maker = |decorator: &&ast::Decorator| {
        let made_by = &decorator.expression;
        module.may_be(made_by, MAKERS) && module.symbol(made_by).is_some_and(|symbol| symbol.is_any(MAKERS))
    };
    let decorator = def.decorator_list.iter().find(is_maker)?;
    let finding = Finding::new("metaclasses/contextmanager", decorator.expression.range());
    findings.push(of_generator(module, def, finding));
    Some(())
}

fn of_generator(module: &Module, def: &ast::StmtFunctionDef, finding: Finding) -> Finding {
    let nodes = own_nodes(&def.body);
    let mut yields =
        nodes.iter().filter(|node| matches!(node, AnyNodeRef::ExprYield(_) | AnyNodeRef::ExprYieldFrom(_)));
    let (Some(AnyNodeRef::ExprYield(only)), None) = (yields.next(), yields.next()) else { return finding };
    let yielded = only.range();
    let around: Vec<_> = around(module, yielded).into_iter().take_while(|node| node.range() != def.range()).collect();
    let attempts: Vec<_> = around
        .iter()
        .filter_map(|node| match node {
            AnyNodeRef::StmtTry(attempt) if holds(&attempt.body, yielded) => Some(*attempt),
            _ => None,
        })
        .collect();
    let place = |range: TextRange| module.place(range).map(Fact::from);
    let looping = around.iter().find_map(|node| match node {
        AnyNodeRef::StmtFor(found) if holds(&found.body, yielded) => Some((node.range(), &found.body)),
        AnyNodeRef::StmtWhile(found) if holds(&found.body, yielded) => Some((node.range(), &found.body)),
        _ => None,
    });
    let handlers = |leaves: fn(&[Stmt]) -> bool| {
        let all = attempts.iter().flat_map(|attempt| &attempt.handlers);
        all.filter_map(ast::ExceptHandler::as_except_handler).find(|handler| !leaves(&handler.body))
    };
    if let Some((at, body)) = looping {
        let comes_back = |body: &[Stmt]| {
            let holder = body.iter().position(|statement| statement.range().contains_range(yielded));
            holder.is_some_and(|index| !leaves_loop(&body[index + 1..]))
        };
        let again = handlers(leaves_loop).filter(|_| comes_back(body));
        return finding
            .fact("retried", again.map(|_| Fact::from(def.name.as_str())))
            .fact("loop_at", again.and_then(|_| place(at)));
    }
    // What the handler keeps may be raised behind it.
    let raises_later = |end| nodes.iter().any(|node| node.is_stmt_raise() && node.start() >= end);
    if let Some(handler) = handlers(raises).filter(|handler| !raises_later(handler.end())) {
        return finding
            .fact("swallowed", Some(Fact::from(named(module, handler.type_.as_deref()))))
            .fact("handler_at", place(handler.range()));
    }
    let skipped = unguarded(def, yielded).filter(|_| attempts.is_empty());
    let skipped = skipped.and_then(|range| def.body.iter().find(|statement| statement.range() == range));
    match skipped.filter(|statement| !matches!(statement, Stmt::Pass(_) | Stmt::Return(_))) {
        Some(statement) => finding
            .fact("skipped", Some(Fact::from(module.source(statement).lines().next().unwrap_or_default())))
            .fact("skipped_at", place(statement.range())),
        None => finding,
    }
}

/// The exceptions that a handler names.
fn named(module: &Module, classes: Option<&Expr>) -> Vec<String> {
    match classes {
        Some(Expr::Tuple(tuple)) => tuple.elts.iter().map(|class| module.source(class).to_string()).collect(),
        Some(class) => vec![module.source(class).to_string()],
        None => vec!["BaseException".to_string()],
    }
}

/// Whether something in `body` may raise on purpose.
fn raises(body: &[Stmt]) -> bool {
    own_nodes(body).iter().any(|node| match node {
        AnyNodeRef::StmtRaise(_) | AnyNodeRef::StmtAssert(_) => true,
        AnyNodeRef::ExprCall(call) => {
            let last = match &*call.func {
                Expr::Attribute(attribute) => attribute.attr.as_str(),
                Expr::Name(name) => name.id.as_str(),
                _ => return true,
            };
            RAISING.contains(&last)
        }
        _ => false,
    })
}

/// Whether something in `body` may leave the loop around it.
fn leaves_loop(body: &[Stmt]) -> bool {
    let leaves = |node: &AnyNodeRef| matches!(node, AnyNodeRef::StmtReturn(_) | AnyNodeRef::StmtBreak(_));
    raises(body) || own_nodes(body).iter().any(leaves)
}
