//! `asyncio.iscoroutinefunction` → `inspect.iscoroutinefunction`
//!
//! Only where this file itself takes it from asyncio: another module that hands it on may choose between the two. Before
//! Python 3.12, `asyncio` also says yes to what is only marked as a coroutine function, `inspect` does not.

use ruff_python_ast::{self as ast, AnyNodeRef};

use super::imports::{drop_unused, imported_member};
use super::layout::generated;
use super::{Offer, Rewrite, Target};
use crate::analysis::{Module, Site};
use crate::detectors::nodes::all_nodes;
use crate::text::{Edit, Ranged as _, TextRange};

pub(super) const REWRITE: Rewrite = Rewrite { name: "inspect_coroutine", offer };

fn offer(target: &Target) -> Option<Offer> {
    let site = &target.site;
    let statement = site.statement()?.range();
    if site.module.syntax_errors().iter().any(|error| error.intersect(statement).is_some()) {
        return None;
    }
    let knows_marks = target.oldest_python >= (3, 12);
    let title = match knows_marks {
        true => "Use `inspect.iscoroutinefunction`",
        false => "Use `inspect.iscoroutinefunction` (before Python 3.12, it does not count what is only marked)",
    };
    match edits(site, target.finding.range) {
        Ok(edits) => Offer::edit(site.module, title, edits, knows_marks),
        Err(reason) => Offer::refused(title, reason),
    }
}

fn edits(site: &Site, range: TextRange) -> Result<Vec<Edit>, String> {
    let module = site.module;
    if let Some(reason) = generated(module) {
        return Err(reason);
    }
    if let Some(line) = version_test(site) {
        return Err(format!("line {line} asks what this Python has: this is for the older ones"));
    }
    let root = module.source(range).split('.').next().unwrap_or_default().trim().to_string();
    if let Some(origin) = handed_on(module, &root) {
        return Err(format!("`{root}` comes from `{origin}`, which may choose between the two"));
    }
    let function = imported_member(site, "inspect", "iscoroutinefunction")?;
    let mut edits = vec![Edit::replace(range, function.name)];
    edits.extend(function.edit);
    edits.extend(drop_unused(module, &root, range));
    Ok(edits)
}

/// The line of a test around the site, or before it in the same condition, that asks for the version of Python, or for what it has.
fn version_test(site: &Site) -> Option<usize> {
    let module = site.module;
    let test = site.enclosing().find_map(|node| {
        let tests: Vec<&ast::Expr> = match node {
            AnyNodeRef::ExprBoolOp(condition) => condition.values.iter().collect(),
            AnyNodeRef::ExprIf(choice) => vec![&*choice.test],
            AnyNodeRef::StmtIf(branch) => {
                let others = branch.elif_else_clauses.iter().filter_map(|clause| clause.test.as_ref());
                others.chain([&*branch.test]).collect()
            }
            _ => vec![],
        };
        tests.into_iter().find(|test| {
            let written = module.source(*test);
            ["version_info", "hexversion", "hasattr(inspect", "hasattr(asyncio", "PY3"]
                .iter()
                .any(|it| written.contains(it))
        })
    })?;
    Some(module.lines().line(test.start()))
}

/// The module other than asyncio that the file imports the name from.
fn handed_on(module: &Module, name: &str) -> Option<String> {
    let imports = all_nodes(&module.syntax().body).into_iter().filter_map(|node| match node {
        AnyNodeRef::StmtImportFrom(import) => Some(import),
        _ => None,
    });
    let binds = |alias: &ast::Alias| alias.asname.as_ref().unwrap_or(&alias.name).as_str() == name;
    let is_asyncio = |import: &ast::StmtImportFrom| {
        let origin = import.module.as_deref().unwrap_or_default();
        import.level == 0 && (origin == "asyncio" || origin.starts_with("asyncio."))
    };
    let mut others = imports.filter(|import| import.names.iter().any(binds) && !is_asyncio(import));
    let other = others.next()?;
    Some(format!("{}{}", ".".repeat(other.level as usize), other.module.as_deref().unwrap_or_default()))
}
