//! `with lock:` → `async with lock:`, `for row in rows():` → `async for row in rows():`

use ruff_python_ast::{self as ast, AnyNodeRef};

use super::awaiting::obstacle;
use super::layout::generated;
use super::{Offer, Rewrite, Target};
use crate::analysis::Module;
use crate::detectors::missing_async::is_only_async_manager;
use crate::text::{Edit, Ranged as _};

pub(super) const REWRITE: Rewrite = Rewrite { name: "add_async", offer };

fn offer(target: &Target) -> Option<Offer> {
    let mut site = target.site;
    let with = loop {
        match site.node {
            AnyNodeRef::StmtWith(with) => break Some(with),
            AnyNodeRef::StmtFor(_) | AnyNodeRef::Comprehension(_) => break None,
            node if node.is_statement() => return None,
            _ => site = site.up()?,
        }
    };
    let module = site.module;
    let statement = site.statement()?.range();
    if module.syntax_errors().iter().any(|error| error.intersect(statement).is_some()) {
        return None;
    }
    let title = "Add `async` (other tasks run while it waits)";
    match generated(module).or_else(|| obstacle(&site)).or_else(|| plain_manager(module, with?)) {
        None => Offer::edit(module, title, vec![Edit::insert(site.node.start(), "async ")], true),
        Some(reason) => Offer::refused(title, reason),
    }
}

/// A manager beside the others that has the ordinary protocol.
fn plain_manager(module: &Module, with: &ast::StmtWith) -> Option<String> {
    let managers = with.items.iter().map(|item| &item.context_expr);
    let plain = managers.into_iter().find(|manager| !is_only_async_manager(module, manager))?;
    let line = module.lines().line(plain.start());
    Some(format!("`{}` in line {line} may have only the ordinary protocol", module.source(plain)))
}
