//! `lock.acquire()` … `lock.release()` → `with lock:`
//!
//! For an `acquire()` without arguments that is a statement of its own: directly followed by a `try` whose `finally`
//! releases, or with the `release()` as the last statement of the same block.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use super::layout::lost_comment;
use super::{Offer, Rewrite, Target};
use crate::analysis::{Module, Site};
use crate::detectors::locks::lock_statement;
use crate::detectors::nodes::{block_around, own_nodes};
use crate::detectors::suspension::is_in;
use crate::text::{Edit, Ranged as _, TextRange, TextSize};

pub(super) const REWRITE: Rewrite = Rewrite { name: "with_lock", offer };

fn offer(target: &Target) -> Option<Offer> {
    let site = &target.site;
    let module = site.module;
    let (block, index) = block_around(module, site.statement()?.range())?;
    let lock = lock_statement(block.get(index)?, "acquire")?;
    match block.get(index + 1)? {
        Stmt::Try(following) if !following.finalbody.is_empty() => in_finally(site, &block[index], lock, following),
        _ => at_end(site, &block[index..], lock),
    }
}

/// `acquire()`, then `try: … finally: release()`.
fn in_finally(site: &Site, acquire: &Stmt, lock: &Expr, following: &ast::StmtTry) -> Option<Offer> {
    let module = site.module;
    let written = module.source(lock);
    let title = format!("Use `with {written}:`");
    let release = following.finalbody.iter().position(|statement| is_release(module, statement, written))?;
    if following.finalbody.len() > 1 {
        let other = following.finalbody.iter().enumerate().find(|(index, _)| *index != release)?.1;
        let line = module.lines().line(other.start());
        return Offer::refused(title, format!("the `finally` does more than release the lock (line {line})"));
    }
    let is_plain = following.handlers.is_empty() && following.orelse.is_empty();
    let last = body_end(following)?;
    let rebound = rebinding(module, &following.body, written);
    if let Some(reason) = rebound.or_else(|| obstacle(module, TextRange::new(acquire.start(), following.end()))) {
        return Offer::refused(title, reason);
    }
    let removed = TextRange::new(line_end(module, last), line_end(module, following.end()));
    let header = TextRange::new(acquire.start(), line_end(module, following.start()));
    if let Some(reason) = lost_comment(module, removed, &[]).or_else(|| lost_comment(module, header, &[])) {
        return Offer::refused(title, reason);
    }
    let lines = module.lines();
    if following.body.first().is_some_and(|first| lines.line(first.start()) == lines.line(following.start())) {
        let line = lines.line(following.start());
        return Offer::refused(title, format!("the body of the `try` in line {line} stands on its line"));
    }
    let mut edits = vec![Edit::delete(removed)];
    if is_plain {
        edits.push(Edit::replace(header, format!("with {written}:")));
    } else {
        edits.push(Edit::replace(acquire.range(), format!("with {written}:")));
        edits.extend(indent(module, TextRange::new(following.start(), last)));
    }
    Offer::edit(module, title, edits, true)
}

/// `acquire()`, statements, and `release()` at the end of the block.
fn at_end(site: &Site, statements: &[Stmt], lock: &Expr) -> Option<Offer> {
    let module = site.module;
    let written = module.source(lock);
    let title = format!("Use `with {written}:` (an exception releases the lock, too)");
    let [acquire, between @ .., release] = statements else { return None };
    let (first, last) = (between.first()?, between.last()?);
    if !is_release(module, release, written) {
        return None;
    }
    let nodes = own_nodes(between);
    let is_in_loop = |range: TextRange| {
        nodes.iter().any(|node| match node {
            AnyNodeRef::StmtFor(turns) => is_in(&turns.body, range),
            AnyNodeRef::StmtWhile(turns) => is_in(&turns.body, range),
            _ => false,
        })
    };
    let leaving = nodes.iter().find(|node| match node {
        AnyNodeRef::StmtReturn(_) => true,
        AnyNodeRef::StmtBreak(_) | AnyNodeRef::StmtContinue(_) => !is_in_loop(node.range()),
        _ => false,
    });
    if let Some(leaving) = leaving {
        let line = module.lines().line(leaving.start());
        return Offer::refused(title, format!("line {line} leaves the block with the lock held"));
    }
    let whole = TextRange::new(acquire.start(), release.end());
    if let Some(reason) = rebinding(module, between, written).or_else(|| obstacle(module, whole)) {
        return Offer::refused(title, reason);
    }
    let removed = TextRange::new(line_end(module, last.end()), line_end(module, release.end()));
    if let Some(reason) = lost_comment(module, removed, &[]) {
        return Offer::refused(title, reason);
    }
    let mut edits = vec![Edit::replace(acquire.range(), format!("with {written}:")), Edit::delete(removed)];
    let start = line_end(module, acquire.end()) + TextSize::new(1);
    edits.extend(indent(module, TextRange::new(start.min(first.start()), last.end())));
    Offer::edit(module, title, edits, true)
}

fn is_release(module: &Module, statement: &Stmt, lock: &str) -> bool {
    lock_statement(statement, "release").is_some_and(|receiver| module.source(receiver) == lock)
}

/// The end of what stays of a `try` statement without its `finally`.
fn body_end(statement: &ast::StmtTry) -> Option<TextSize> {
    let handlers = statement.handlers.last().map(|handler| handler.end());
    let orelse = statement.orelse.last().map(|statement| statement.end());
    orelse.or(handlers).or_else(|| statement.body.last().map(|statement| statement.end()))
}

/// A reason not to: the body gives the lock's name another value, so that `release()` would concern another lock.
fn rebinding(module: &Module, body: &[Stmt], lock: &str) -> Option<String> {
    let bound = own_nodes(body).into_iter().find(|node| match node {
        AnyNodeRef::ExprName(name) => !name.ctx.is_load() && module.source(*name) == lock,
        AnyNodeRef::ExprAttribute(attribute) => !attribute.ctx.is_load() && module.source(*attribute) == lock,
        _ => false,
    })?;
    Some(format!("`{lock}` is bound again in line {}", module.lines().line(bound.start())))
}

/// A reason not to: several statements on one line, or a string whose lines would be indented as well.
fn obstacle(module: &Module, range: TextRange) -> Option<String> {
    let lines = module.lines();
    let over_lines = module
        .string_ranges()
        .into_iter()
        .find(|string| range.contains_range(*string) && lines.line(string.start()) != lines.line(string.end()));
    if let Some(string) = over_lines {
        return Some(format!("the string in line {} goes over several lines", lines.line(string.start())));
    }
    let at = module.text()[range].find(';')?;
    let line = lines.line(range.start() + TextSize::try_from(at).ok()?);
    Some(format!("statements share line {line}"))
}

/// The end of the line that holds `offset`, without its line ending.
fn line_end(module: &Module, offset: TextSize) -> TextSize {
    let lines = module.lines();
    lines.line_range(lines.line(offset)).end()
}

/// Indents the lines of `range` by one more level; empty lines stay empty.
fn indent(module: &Module, range: TextRange) -> Vec<Edit> {
    let lines = module.lines();
    let unit = unit(module);
    (lines.line(range.start())..=lines.line(range.end()))
        .map(|line| lines.line_range(line))
        .filter(|line| !module.text()[*line].trim().is_empty())
        .map(|line| Edit::insert(line.start(), unit.clone()))
        .collect()
}

/// One level of indentation as the file has it: the white space of its first indented line.
fn unit(module: &Module) -> String {
    let blocks = own_nodes(&module.syntax().body).into_iter().find_map(|node| match node {
        AnyNodeRef::StmtFunctionDef(function) => function.body.first().map(|first| first.start()),
        AnyNodeRef::StmtClassDef(class) => class.body.first().map(|first| first.start()),
        AnyNodeRef::StmtWith(with) => with.body.first().map(|first| first.start()),
        AnyNodeRef::StmtIf(node) => node.body.first().map(|first| first.start()),
        AnyNodeRef::StmtTry(node) => node.body.first().map(|first| first.start()),
        _ => None,
    });
    let indentation = blocks.map(|start| module.lines().indentation(start).to_string()).unwrap_or_default();
    if indentation.is_empty() { "    ".to_string() } else { indentation }
}
