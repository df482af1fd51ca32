//! `for x in xs: out.append(await f(x))`: each turn waits for the one before.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::nodes::block_around;
use super::suspension::{call_head, coroutine_function};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Ranged as _, TextRange, TextSize};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["asyncio/awaits-in-loop"], nodes: &[NodeKind::StmtFor], detect };

/// The loop and the statement before it that makes the list.
pub(crate) struct Collecting<'a> {
    pub list: &'a ast::ExprName,
    pub annotation: Option<&'a Expr>,
    pub made: &'a Stmt,
    pub call: &'a ast::ExprCall,
}

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtFor(statement) = site.node else { return None };
    site.async_function()?;
    let module = site.module;
    let collecting = collecting(module, statement)?;
    findings.push(
        Finding::new("asyncio/awaits-in-loop", TextRange::at(statement.start(), TextSize::new(3)))
            .fact("call", Fact::from(call_head(module, collecting.call)))
            .fact("list", Fact::from(collecting.list.id.as_str()))
            .fact("iterable", Fact::from(module.source(&*statement.iter))),
    );
    Some(())
}

/// The parts of `out = []`, `for x in xs: out.append(await f(x))`.
pub(crate) fn collecting<'a>(module: &'a Module, statement: &'a ast::StmtFor) -> Option<Collecting<'a>> {
    let [Stmt::Expr(only)] = statement.body.as_slice() else { return None };
    let append = only.value.as_call_expr().filter(|_| !statement.is_async && statement.orelse.is_empty())?;
    let method = append.func.as_attribute_expr().filter(|method| method.attr.as_str() == "append")?;
    let list = method.value.as_name_expr()?;
    let [Expr::Await(awaited)] = &*append.arguments.args else { return None };
    let call = awaited.value.as_call_expr().filter(|_| append.arguments.keywords.is_empty())?;
    let (block, index) = block_around(module, statement.range())?;
    let made = block.get(index.checked_sub(1)?)?;
    let (target, annotation, value) = match made {
        Stmt::Assign(assign) => match assign.targets.as_slice() {
            [target] => (target, None, &*assign.value),
            _ => return None,
        },
        Stmt::AnnAssign(assign) => (&*assign.target, Some(&*assign.annotation), assign.value.as_deref()?),
        _ => return None,
    };
    let is_new = value.as_list_expr().is_some_and(|list| list.elts.is_empty());
    let is_it = target.as_name_expr().is_some_and(|name| name.id == list.id);
    let mentions = |expr: &Expr| {
        ast::helpers::any_over_expr(expr, |part| part.as_name_expr().is_some_and(|name| name.id == list.id))
    };
    let reads = |call: &ast::ExprCall| {
        let keywords = call.arguments.keywords.iter().map(|keyword| &keyword.value);
        mentions(&call.func) || call.arguments.args.iter().chain(keywords).any(mentions)
    };
    if !is_new || !is_it || mentions(&statement.iter) || reads(call) {
        return None;
    }
    coroutine_function(module, &call.func)?;
    Some(Collecting { list, annotation, made, call })
}
