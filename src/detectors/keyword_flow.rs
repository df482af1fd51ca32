//! Clauses that run on some ways only: the `else` of a loop, `finally`, and `raise … from`.

use std::cell::Cell;
use std::slice;

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::method_body::{find_own, own_nodes};
use super::nodes::is_true;
use super::suspension::is_in;
use super::threads::hand_over;
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
            if findings.wants("keywords/finally") {
                findings.extend(finally(site, statement));
            }
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
    if !site.is_asked(range) {
        return None;
    }
    let skipped = cancelled_again(&statement.finalbody).and_then(|range| module.place(range));
    let unbound = site.function().and_then(|def| unbound(site, def, statement));
    let yielded = find_own(&statement.body, |node| match node {
        AnyNodeRef::ExprYield(_) | AnyNodeRef::ExprYieldFrom(_) => Some(node.range()),
        _ => None,
    });
    let stopped = site.function().and_then(|def| daemon(module, def));
    if skipped.is_none() && unbound.is_none() && yielded.is_none() && stopped.is_none() {
        return None;
    }
    let (name, raised) = unbound.unzip();
    Some(
        Finding::new("keywords/finally", range)
            .fact("first", Fact::from(module.source(first)))
            .fact("unbound", name.map(Fact::from))
            .fact("raised_at", raised.and_then(|range| module.place(range)).map(Fact::from))
            .fact("yielded_at", yielded.and_then(|range| module.place(range)).map(Fact::from))
            .fact("daemon", stopped.map(Fact::from))
            .fact("awaits_at", skipped.map(Fact::from)),
    )
}

/// The first `await` of a `finally` block that has something behind it.
fn cancelled_again(block: &[Stmt]) -> Option<TextRange> {
    let (_, before_last) = block.split_last()?;
    find_own(before_last, |node| node.is_expr_await().then(|| node.range()))
}

/// A name that only the `try` block binds and the `finally` block reads whatever happened, and the statement that may raise
/// before it is bound.
fn unbound(site: &Site, def: &ast::StmtFunctionDef, statement: &ast::StmtTry) -> Option<(String, TextRange)> {
    let repeats = |node: AnyNodeRef| node.is_stmt_for() || node.is_stmt_while();
    if site.enclosing().take_while(|node| !node.is_stmt_function_def()).any(repeats) {
        return None;
    }
    let first = statement.body.first()?;
    let may_raise = |statement: &Stmt| {
        let calls = |node: AnyNodeRef| (node.is_expr_call() || node.is_expr_await()).then_some(());
        matches!(statement, Stmt::Assign(_) | Stmt::Expr(_)) && find_own(slice::from_ref(statement), calls).is_some()
    };
    if !may_raise(first) {
        return None;
    }
    let reads_at_once = statement.finalbody.iter().filter(|inner| matches!(inner, Stmt::Expr(_) | Stmt::Assign(_)));
    for inner in reads_at_once {
        let name = find_own(slice::from_ref(inner), |node| match node {
            AnyNodeRef::ExprName(name) if name.ctx.is_load() && is_bound_only_in(def, statement, &name.id) => {
                Some(name.id.to_string())
            }
            _ => None,
        });
        if let Some(name) = name {
            return Some((name, first.range()));
        }
    }
    None
}

/// Whether `name` is a variable of `def`, and each statement that binds it stands in the `try` block.
fn is_bound_only_in(def: &ast::StmtFunctionDef, statement: &ast::StmtTry, name: &str) -> bool {
    if def.parameters.iter().any(|parameter| parameter.name().as_str() == name) {
        return false;
    }
    let (inside, elsewhere) = (Cell::new(false), Cell::new(false));
    let see = |range: TextRange| match is_in(&statement.body, range) {
        true => inside.set(true),
        false => elsewhere.set(true),
    };
    let declares = |names: &[ast::Identifier]| names.iter().any(|item| item.as_str() == name);
    own_nodes(&def.body, |node| match node {
        AnyNodeRef::ExprName(bound) if !bound.ctx.is_load() && bound.id == name => see(bound.range()),
        AnyNodeRef::StmtFunctionDef(bound) if bound.name.as_str() == name => see(bound.range()),
        AnyNodeRef::StmtClassDef(bound) if bound.name.as_str() == name => see(bound.range()),
        AnyNodeRef::Alias(alias) => {
            let bound = alias.asname.as_ref().unwrap_or(&alias.name);
            if bound.as_str().split('.').next() == Some(name) {
                see(bound.range());
            }
        }
        AnyNodeRef::ExceptHandlerExceptHandler(handler) if handler.name.as_deref() == Some(name) => {
            see(handler.range())
        }
        AnyNodeRef::StmtGlobal(declared) if declares(&declared.names) => elsewhere.set(true),
        AnyNodeRef::StmtNonlocal(declared) if declares(&declared.names) => elsewhere.set(true),
        AnyNodeRef::MatchCase(_) => elsewhere.set(true),
        _ => {}
    });
    inside.get() && !elsewhere.get()
}

/// What makes the daemon thread that runs the function, as written.
fn daemon(module: &Module, def: &ast::StmtFunctionDef) -> Option<String> {
    let call = hand_over(module, def)?;
    let is_daemon = call.arguments.find_keyword("daemon").is_some_and(|keyword| is_true(&keyword.value));
    is_daemon.then(|| module.source(&*call.func).to_string())
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
    let around = site.enclosing().take_while(|node| !node.is_stmt_function_def() && !node.is_expr_lambda());
    let handled = around.into_iter().find_map(|node| match node {
        AnyNodeRef::ExceptHandlerExceptHandler(handler) => Some(handler),
        _ => None,
    });
    let class = ast::helpers::map_callable(raised);
    let finding = Finding::new("keywords/raise-from", range).fact("raised", Fact::from(module.source(class)));
    if cause.is_none_literal_expr() {
        // Of a handler that names what it handles, the reader knows what is hidden.
        let handler = handled?;
        let body = site.enclosing().find_map(|node| match node {
            AnyNodeRef::StmtTry(attempt) => Some(&attempt.body),
            _ => None,
        })?;
        let is_broad =
            handler.type_.as_deref().is_none_or(|class| ["Exception", "BaseException"].contains(&module.source(class)));
        let lines = (module.place(body.first()?.range())?, module.place(body.last()?.range())?);
        return (is_broad && body.len() > 1)
            .then(|| finding.fact("first_at", Fact::from(lines.0)).fact("last_at", Fact::from(lines.1)));
    }
    let name = handled.and_then(|handler| handler.name.as_ref());
    let is_same = matches!(cause, Expr::Name(cause) if name.is_some_and(|name| name.as_str() == cause.id.as_str()));
    if is_same {
        return None;
    }
    // Where nothing is handled, nothing is displaced.
    let displaced = match handled?.type_.as_deref() {
        Some(class) => Fact::from(module.source(class)),
        None => Fact::from("except"),
    };
    Some(finding.fact("cause", Fact::from(module.source(cause))).fact("displaced", displaced))
}

/// The word `from` between what is raised and its cause.
fn word_before(module: &Module, start: TextSize, end: TextSize) -> Option<TextRange> {
    let offset = module.source(TextRange::new(start, end)).find("from")?;
    Some(TextRange::at(start + TextSize::try_from(offset).ok()?, TextSize::new(4)))
}
