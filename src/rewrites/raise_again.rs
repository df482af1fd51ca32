//! `except CancelledError: …` → `except CancelledError: …; raise`

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use super::layout::{generated, own_lines};
use super::{Offer, Rewrite, Target};
use crate::analysis::Site;
use crate::detectors::nodes::own_nodes;
use crate::text::{Edit, Ranged as _, TextRange};

pub(super) const REWRITE: Rewrite = Rewrite { name: "raise_again", offer };

fn offer(target: &Target) -> Option<Offer> {
    let site = &target.site;
    let mut around = std::iter::once(site.node).chain(site.enclosing());
    let (handler, statement) = around.find_map(|node| match node {
        AnyNodeRef::StmtTry(statement) => {
            let handlers = statement.handlers.iter().filter_map(|handler| handler.as_except_handler());
            let of_finding =
                |handler: &&ast::ExceptHandlerExceptHandler| handler.range().contains_range(target.finding.range);
            Some((handlers.into_iter().find(of_finding)?, statement))
        }
        _ => None,
    })?;
    let errors = site.module.syntax_errors();
    if errors.iter().any(|error| error.intersect(statement.range()).is_some()) {
        return None;
    }
    let title = "Add `raise` at the end of the handler (the cancellation goes on and ends the task)";
    match edit(site, handler) {
        Ok(edit) => Offer::edit(site.module, title, vec![edit], false),
        Err(reason) => Offer::refused(title, reason),
    }
}

fn edit(site: &Site, handler: &ast::ExceptHandlerExceptHandler) -> Result<Edit, String> {
    let module = site.module;
    let line = |range: TextRange| module.lines().line(range.start());
    if let Some(reason) = generated(module) {
        return Err(reason);
    }
    let handled = handler.type_.as_deref();
    if !handled.is_some_and(|handled| module.is_symbol(handled, "asyncio.CancelledError")) {
        let written = handled.map_or("except:".to_string(), |handled| format!("except {}", module.source(handled)));
        return Err(format!("`{written}` in line {} catches other errors as well", line(handler.range())));
    }
    let leaves = own_nodes(&handler.body).into_iter().find(|node| matches!(node, AnyNodeRef::StmtContinue(_)));
    if let Some(leaves) = leaves {
        return Err(format!("line {} goes on with the loop", line(leaves.range())));
    }
    let (Some(first), Some(last)) = (handler.body.first(), handler.body.last()) else {
        return Err(format!("the handler in line {} is empty", line(handler.range())));
    };
    if handler.body.len() == 1 && is_empty(first) {
        return Ok(Edit::replace(first.range(), "raise"));
    }
    match own_lines(module, last.range()) {
        Ok(lines) => {
            let (newline, indentation) = (module.lines().newline(), module.lines().indentation(last.start()));
            Ok(Edit::insert(lines.end(), format!("{newline}{indentation}raise")))
        }
        Err(reason) if is_compound(last) => Err(reason),
        Err(_) => Ok(Edit::insert(last.end(), "; raise")),
    }
}

/// `pass` or `...`.
fn is_empty(statement: &Stmt) -> bool {
    match statement {
        Stmt::Pass(_) => true,
        Stmt::Expr(statement) => matches!(*statement.value, Expr::EllipsisLiteral(_)),
        _ => false,
    }
}

fn is_compound(statement: &Stmt) -> bool {
    matches!(
        statement,
        Stmt::ClassDef(_)
            | Stmt::For(_)
            | Stmt::FunctionDef(_)
            | Stmt::If(_)
            | Stmt::Match(_)
            | Stmt::Try(_)
            | Stmt::While(_)
            | Stmt::With(_)
    )
}
