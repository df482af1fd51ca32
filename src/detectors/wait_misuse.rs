//! `asyncio.wait` with coroutines, and with a limit behind which pending tasks are forgotten.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::suspension::{coroutine_function, frame, reads, visit_frame};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
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
    // What the set was made of may be looked at by its own names.
    let members: Vec<&Expr> = module.origins(tasks).into_iter().flat_map(members).collect();
    let is_looked_at = |member: &Expr| {
        let written = module.source(member);
        let mut is_read = false;
        visit_frame(body, &mut |node| {
            let is_expression = matches!(node, AnyNodeRef::ExprName(_) | AnyNodeRef::ExprAttribute(_));
            is_read |= is_expression && node.start() > call.end() && module.source(node) == written;
        });
        is_read
    };
    if members.iter().any(|member| is_looked_at(member)) {
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

/// The names and attributes in a literal.
fn members(literal: &Expr) -> Vec<&Expr> {
    let items: &[Expr] = match literal {
        Expr::List(list) => &list.elts,
        Expr::Set(set) => &set.elts,
        Expr::Tuple(tuple) => &tuple.elts,
        _ => &[],
    };
    items.iter().filter(|item| matches!(item, Expr::Name(_) | Expr::Attribute(_))).collect()
}
