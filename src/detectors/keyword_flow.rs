//! Clauses that run on some ways only: the `else` of a loop, `finally`, and `raise … from`.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::method_body::own_nodes;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Place, Ranged as _, TextRange, TextSize};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["keywords/finally", "keywords/finally-discards", "keywords/loop-else", "keywords/raise-from"],
    nodes: &[NodeKind::StmtFor, NodeKind::StmtRaise, NodeKind::StmtTry, NodeKind::StmtWhile],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let module = site.module;
    match site.node {
        AnyNodeRef::StmtFor(statement) => findings.extend(loop_else(module, &statement.body, &statement.orelse)),
        AnyNodeRef::StmtWhile(statement) => findings.extend(loop_else(module, &statement.body, &statement.orelse)),
        AnyNodeRef::StmtRaise(statement) => findings.extend(raise_from(site, statement)),
        AnyNodeRef::StmtTry(statement) => {
            findings.extend(finally(site, statement));
            findings.extend(discards(module, statement));
        }
        _ => {}
    }
    Some(())
}

/// The range of `word` between two places of the text.
fn word(module: &Module, start: TextSize, end: TextSize, word: &str) -> Option<TextRange> {
    let between = module.source(TextRange::new(start, end));
    // The word stands at the start of a line; a comment between the blocks may hold it as well.
    let mut offset = 0;
    for line in between.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        if line.trim_start().starts_with(word) {
            let at = start + TextSize::try_from(offset + indent).ok()?;
            return Some(TextRange::at(at, TextSize::try_from(word.len()).ok()?));
        }
        offset += line.len();
    }
    None
}

fn loop_else(module: &Module, body: &[Stmt], orelse: &[Stmt]) -> Option<Finding> {
    let (last, first) = (body.last()?, orelse.first()?);
    let range = word(module, last.end(), first.start(), "else")?;
    let places: Vec<Place> = breaks(body).into_iter().filter_map(|at| module.place(at)).collect();
    let none = places.is_empty().then(|| Fact::from(module.source(first)));
    Some(Finding::new("keywords/loop-else", range).fact("breaks_at", Fact::from(places)).fact("always", none))
}

/// The `break` statements that leave the loop with this body.
fn breaks(body: &[Stmt]) -> Vec<TextRange> {
    let mut found = vec![];
    jumps(body, false, &mut |statement| {
        if let Stmt::Break(_) = statement {
            found.push(statement.range());
        }
    });
    found
}

/// Visits the statements of `body`, those of nested loops only where `inside_loops`, and none of nested functions.
fn jumps<'a>(body: &'a [Stmt], inside_loops: bool, visit: &mut dyn FnMut(&'a Stmt)) {
    for statement in body {
        visit(statement);
        let blocks: Vec<&[Stmt]> = match statement {
            Stmt::For(node) if inside_loops => vec![&node.body, &node.orelse],
            Stmt::While(node) if inside_loops => vec![&node.body, &node.orelse],
            Stmt::For(node) => vec![&node.orelse],
            Stmt::While(node) => vec![&node.orelse],
            Stmt::If(node) => {
                let clauses = node.elif_else_clauses.iter().map(|clause| clause.body.as_slice());
                std::iter::once(node.body.as_slice()).chain(clauses).collect()
            }
            Stmt::With(node) => vec![&node.body],
            Stmt::Try(node) => {
                let handlers = node.handlers.iter().map(|handler| match handler {
                    ast::ExceptHandler::ExceptHandler(handler) => handler.body.as_slice(),
                });
                let rest = [node.body.as_slice(), &node.orelse, &node.finalbody];
                rest.into_iter().chain(handlers).collect()
            }
            Stmt::Match(node) => node.cases.iter().map(|case| case.body.as_slice()).collect(),
            _ => vec![],
        };
        for block in blocks {
            jumps(block, inside_loops, visit);
        }
    }
}

fn finally(site: &Site, statement: &ast::StmtTry) -> Option<Finding> {
    let module = site.module;
    let first = statement.finalbody.first()?;
    let before = [statement.orelse.last(), statement.body.last()].into_iter().flatten().map(Stmt::end);
    let handlers = statement.handlers.iter().map(|handler| handler.end());
    let range = word(module, before.chain(handlers).max()?, first.start(), "finally")?;
    let (mut returns, mut awaits) = (vec![], None);
    own_nodes(&statement.body, |node| {
        if let AnyNodeRef::StmtReturn(_) = node {
            returns.extend(module.place(node.range()));
        }
    });
    own_nodes(&statement.finalbody, |node| {
        if let AnyNodeRef::ExprAwait(_) = node {
            awaits = awaits.take().or_else(|| module.place(node.range()));
        }
    });
    Some(
        Finding::new("keywords/finally", range)
            .fact("first", Fact::from(module.source(first)))
            .fact("first_async", site.async_function().map(|_| Fact::from(module.source(first))))
            .fact("returns_at", Fact::from(returns))
            .fact("awaits_at", awaits.map(Fact::from)),
    )
}

/// A `return`, or a `break` or `continue` of an outer loop, in the `finally` block.
fn discards(module: &Module, statement: &ast::StmtTry) -> Vec<Finding> {
    let mut found = vec![];
    let mut push = |statement: &Stmt, kind: &str| {
        found.push(
            Finding::new("keywords/finally-discards", statement.range())
                .fact("statement", Fact::from(kind))
                .fact("code", Fact::from(module.source(statement))),
        );
    };
    jumps(&statement.finalbody, true, &mut |statement| {
        if let Stmt::Return(_) = statement {
            push(statement, "return");
        }
    });
    jumps(&statement.finalbody, false, &mut |statement| match statement {
        Stmt::Break(_) => push(statement, "break"),
        Stmt::Continue(_) => push(statement, "continue"),
        _ => {}
    });
    found
}

fn raise_from(site: &Site, statement: &ast::StmtRaise) -> Option<Finding> {
    let module = site.module;
    let (raised, cause) = (statement.exc.as_deref()?, statement.cause.as_deref()?);
    let range = word_before(module, raised.end(), cause.start())?;
    let handled = site.enclosing().find_map(|node| match node {
        AnyNodeRef::ExceptHandlerExceptHandler(handler) => Some(handler),
        AnyNodeRef::StmtFunctionDef(_) | AnyNodeRef::ExprLambda(_) => None,
        _ => None,
    });
    let class = ast::helpers::map_callable(raised);
    let finding = Finding::new("keywords/raise-from", range).fact("raised", Fact::from(module.source(class)));
    if cause.is_none_literal_expr() {
        let hidden = handled.and_then(|handler| handler.type_.as_deref());
        return Some(
            finding
                .fact("hides", Fact::from("None"))
                .fact("hidden", hidden.map(|hidden| Fact::from(module.source(hidden)))),
        );
    }
    let is_handled = handled.and_then(|handler| handler.name.as_ref());
    let is_same =
        matches!(cause, Expr::Name(name) if is_handled.is_some_and(|handled| handled.as_str() == name.id.as_str()));
    Some(
        finding
            .fact("cause", Fact::from(module.source(cause)))
            .fact("handled", is_handled.filter(|_| is_same).map(|name| Fact::from(name.as_str()))),
    )
}

/// The word `from` between what is raised and its cause.
fn word_before(module: &Module, start: TextSize, end: TextSize) -> Option<TextRange> {
    let offset = module.source(TextRange::new(start, end)).find("from")?;
    Some(TextRange::at(start + TextSize::try_from(offset).ok()?, TextSize::new(4)))
}
