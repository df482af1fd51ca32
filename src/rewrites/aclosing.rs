//! `async for row in rows():` → `async with contextlib.aclosing(rows()) as items:` around the loop.

use ruff_python_ast::{self as ast, AnyNodeRef};

use super::imports::imported_member;
use super::layout::{free_name, generated, indent, lost_comment, own_lines, unit};
use super::{Offer, Rewrite, Target};
use crate::analysis::Site;
use crate::detectors::suspension::call_head;
use crate::text::{Edit, Ranged as _};

pub(super) const REWRITE: Rewrite = Rewrite { name: "aclosing", offer };

fn offer(target: &Target) -> Option<Offer> {
    let mut site = target.site;
    let statement = loop {
        match site.node {
            AnyNodeRef::StmtFor(statement) if statement.is_async && statement.iter.range() == target.finding.range => {
                break statement;
            }
            node if node.is_statement() => return None,
            _ => site = site.up()?,
        }
    };
    let module = site.module;
    let is_broken = module.syntax_errors().iter().any(|error| error.intersect(statement.range()).is_some());
    if is_broken || target.oldest_python < (3, 10) {
        return None;
    }
    let call = call_head(module, statement.iter.as_call_expr()?);
    let title = format!("Wrap in `contextlib.aclosing` (the cleanup of `{call}` runs as soon as the loop is left)");
    match edits(&site, statement) {
        Ok(edits) => Offer::edit(module, title, edits, false),
        Err(reason) => Offer::refused(title, reason),
    }
}

fn edits(site: &Site, statement: &ast::StmtFor) -> Result<Vec<Edit>, String> {
    let module = site.module;
    let lines = own_lines(module, statement.range())?;
    let lost = lost_comment(module, statement.iter.range(), &[]);
    if let Some(reason) = generated(module).or(lost) {
        return Err(reason);
    }
    let name = free_name(site, &["items", "stream", "generator"])?;
    let aclosing = imported_member(site, "contextlib", "aclosing")?;
    let (newline, unit) = (module.lines().newline(), unit(site));
    let outer = module.lines().indentation(statement.start());
    let call = module.source(&*statement.iter);
    let head = format!("async with {}({call}) as {name}:{newline}{outer}{unit}", aclosing.name);
    let mut edits = vec![Edit::insert(statement.start(), head), Edit::replace(statement.iter.range(), name)];
    let rest = indent(module, lines, &unit).into_iter();
    edits.extend(rest.filter(|edit| edit.range.start() > statement.start()));
    edits.extend(aclosing.edit);
    Ok(edits)
}
