//! `asyncio.wait` with coroutines, and with a limit behind which pending tasks are forgotten.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::suspension::{coroutine_function, frame, is_in, reads};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["asyncio/wait-coroutines", "asyncio/wait-pending"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    if !site.module.calls(call, &["asyncio.wait"]) || site.is_type_checking() {
        return None;
    }
    let tasks = call.arguments.find_argument_value("fs", 0)?;
    coroutines(site, tasks, findings);
    forgotten(site, call, tasks, findings)
}

/// A coroutine among the tasks of a literal or a comprehension.
fn coroutines(site: &Site, tasks: &Expr, findings: &mut Findings) -> Option<()> {
    let module = site.module;
    let origins = module.origins(tasks);
    let [made] = origins[..] else { return None };
    let items: &[Expr] = match made {
        Expr::List(list) => &list.elts,
        Expr::Set(set) => &set.elts,
        Expr::Tuple(tuple) => &tuple.elts,
        Expr::ListComp(list) => std::slice::from_ref(&*list.elt),
        Expr::SetComp(set) => std::slice::from_ref(&*set.elt),
        _ => return None,
    };
    let coroutine =
        items.iter().filter_map(Expr::as_call_expr).find(|call| coroutine_function(module, &call.func).is_some())?;
    findings.push(
        Finding::new("asyncio/wait-coroutines", tasks.range())
            .fact("coroutine", Fact::from(module.source(coroutine)))
            .fact("made_at", module.place(coroutine.range()).map(Fact::from)),
    );
    Some(())
}

/// A limit, and neither the set of pending tasks nor the tasks themselves are looked at afterwards.
fn forgotten(site: &Site, call: &ast::ExprCall, tasks: &Expr, findings: &mut Findings) -> Option<()> {
    let module = site.module;
    let arguments = &call.arguments;
    let timeout = arguments.find_keyword("timeout").filter(|timeout| !timeout.value.is_none_literal_expr());
    let limit = timeout.or_else(|| {
        arguments.find_keyword("return_when").filter(|when| module.source(&when.value).contains("FIRST_"))
    })?;
    if !site.is_awaited() {
        return None;
    }
    let statement = site.statement()?;
    let body = frame(site);
    let is_used_later = |name: &str| reads(body, name).iter().any(|read| read.start() > call.end());
    let is_forgotten = match statement {
        AnyNodeRef::StmtExpr(_) => true,
        AnyNodeRef::StmtAssign(assign) => {
            let [Expr::Tuple(target)] = assign.targets.as_slice() else { return None };
            let [_, Expr::Name(pending)] = target.elts.as_slice() else { return None };
            !is_used_later(&pending.id)
        }
        _ => return None,
    };
    // In a loop the same wait comes again; the tasks may be known under other names.
    let is_in_loop = site
        .enclosing()
        .take_while(|node| !matches!(node, AnyNodeRef::StmtFunctionDef(_)))
        .any(|node| matches!(node, AnyNodeRef::StmtWhile(_) | AnyNodeRef::StmtFor(_)));
    let names: Vec<&str> = match tasks {
        Expr::Name(name) => vec![name.id.as_str()],
        Expr::List(list) => {
            list.elts.iter().map(|item| item.as_name_expr().map(|name| name.id.as_str())).collect::<Option<_>>()?
        }
        Expr::Set(set) => {
            set.elts.iter().map(|item| item.as_name_expr().map(|name| name.id.as_str())).collect::<Option<_>>()?
        }
        _ => return None,
    };
    let is_parameter = |name: &&str| {
        site.function()
            .is_some_and(|def| def.parameters.iter_non_variadic_params().any(|item| item.name().as_str() == *name))
    };
    if !are_made_here(module, body, tasks) {
        return None;
    }
    if !is_forgotten || is_in_loop || names.iter().any(|name| is_used_later(name)) || names.iter().any(is_parameter) {
        return None;
    }
    findings.push(
        Finding::new("asyncio/wait-pending", call.func.range())
            .fact("limit", Fact::from(module.source(limit)))
            .fact("tasks", Fact::from(module.source(tasks))),
    );
    Some(())
}

/// Whether all tasks are made in `body`, and known to nobody else than the set: those of another function may be looked at there.
fn are_made_here(module: &Module, body: &[Stmt], tasks: &Expr) -> bool {
    let items: Vec<&Expr> = match tasks {
        Expr::Name(name) => {
            let origins = module.origins(tasks);
            let is_empty_call = |origin: &Expr| module.source(origin) == "set()" || module.source(origin) == "list()";
            if origins.is_empty() || !origins.iter().all(|made| is_empty_call(made) || literal(made).is_some()) {
                return false;
            }
            let added = ["add", "append"].into_iter().flat_map(|name| module.calls_of(name));
            let added = added.filter(|call| {
                let receiver = call.func.as_attribute_expr().and_then(|method| method.value.as_name_expr());
                is_in(body, call.range()) && receiver.is_some_and(|receiver| receiver.id == name.id)
            });
            let added = added.flat_map(|call| &call.arguments.args);
            origins.into_iter().filter_map(literal).flatten().chain(added).collect()
        }
        other => literal(other).unwrap_or_default(),
    };
    let is_made_here = |made: &Expr| made.is_call_expr() && is_in(body, made.range());
    items.into_iter().all(|item| match item {
        Expr::Name(name) => {
            let origins = module.origins(item);
            // A task with a name of its own may be asked by it.
            let is_asked = reads(body, &name.id).iter().any(|read| read.start() > tasks.end());
            !is_asked && !origins.is_empty() && origins.into_iter().all(is_made_here)
        }
        other => is_made_here(other),
    })
}

/// The items of a literal, or what a comprehension makes.
fn literal(made: &Expr) -> Option<Vec<&Expr>> {
    Some(match made {
        Expr::List(list) => list.elts.iter().collect(),
        Expr::Set(set) => set.elts.iter().collect(),
        Expr::Tuple(tuple) => tuple.elts.iter().collect(),
        Expr::ListComp(list) => vec![&list.elt],
        Expr::SetComp(set) => vec![&set.elt],
        _ => return None,
    })
}
