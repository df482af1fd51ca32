//! `a = await f()` followed by `b = await g()`, where nothing flows from one to the next: they could wait side by side.

use ruff_python_ast::{self as ast, Expr, NodeKind, Stmt};

use super::nodes::block_around;
use super::suspension::{call_head, coroutine_function};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Ranged as _, TextRange, TextSize};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["asyncio/sequential-awaits"],
    nodes: &[NodeKind::StmtAnnAssign, NodeKind::StmtAssign],
    detect,
};

/// `name = await call`.
pub(crate) struct Awaited<'a> {
    pub statement: &'a Stmt,
    pub name: &'a ast::ExprName,
    pub annotation: Option<&'a Expr>,
    pub call: &'a ast::ExprCall,
    keyword: TextRange,
}

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    site.async_function()?;
    let module = site.module;
    let run = run_at(module, site.node.range())?;
    let own = run.iter().find(|awaited| awaited.statement.range() == site.node.range())?;
    let calls: Vec<String> = run.iter().map(|awaited| call_head(module, awaited.call)).collect();
    findings.push(
        Finding::new("asyncio/sequential-awaits", own.keyword)
            .fact("count", Fact::from(run.len()))
            .fact("calls", Fact::from(calls))
            .fact("first", Fact::from(run.first()?.name.id.as_str()))
            .fact("last", Fact::from(run.last()?.name.id.as_str())),
    );
    Some(())
}

/// The longest run of such statements around the one at `range`, two or more.
pub(crate) fn run_at<'a>(module: &'a Module, range: TextRange) -> Option<Vec<Awaited<'a>>> {
    let (block, index) = block_around(module, range)?;
    let own = awaited(block.get(index)?)?;
    coroutine_function(module, &own.call.func)?;
    let before = block[..index].iter().rev().map_while(|statement| known(module, statement));
    let mut run: Vec<Awaited> = vec![own];
    for earlier in before {
        if !run.iter().all(|later| is_free_of(earlier.name, later)) {
            break;
        }
        run.insert(0, earlier);
    }
    for later in block[index + 1..].iter().map_while(|statement| known(module, statement)) {
        if !run.iter().all(|earlier| is_free_of(earlier.name, &later)) {
            break;
        }
        run.push(later);
    }
    (run.len() > 1).then_some(run)
}

fn known<'a>(module: &Module, statement: &'a Stmt) -> Option<Awaited<'a>> {
    let awaited = awaited(statement)?;
    coroutine_function(module, &awaited.call.func)?;
    Some(awaited)
}

fn awaited(statement: &Stmt) -> Option<Awaited<'_>> {
    let (target, annotation, value) = match statement {
        Stmt::Assign(assign) => match assign.targets.as_slice() {
            [target] => (target, None, &*assign.value),
            _ => return None,
        },
        Stmt::AnnAssign(assign) => (&*assign.target, Some(&*assign.annotation), assign.value.as_deref()?),
        _ => return None,
    };
    let awaited = value.as_await_expr()?;
    let call = awaited.value.as_call_expr()?;
    let keyword = TextRange::at(awaited.start(), TextSize::new(5));
    Some(Awaited { statement, name: target.as_name_expr()?, annotation, call, keyword })
}

/// Whether `later` neither reads the name nor binds it again.
fn is_free_of(name: &ast::ExprName, later: &Awaited) -> bool {
    let reads = |expr: &Expr| {
        ast::helpers::any_over_expr(expr, |part| part.as_name_expr().is_some_and(|read| read.id == name.id))
    };
    let call = later.call;
    let arguments = call.arguments.args.iter().chain(call.arguments.keywords.iter().map(|keyword| &keyword.value));
    later.name.id != name.id && !reads(&call.func) && !arguments.into_iter().any(reads)
}
