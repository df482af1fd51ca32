//! `asyncio.Queue` where it is made: its limit, who fills it and who empties it.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::suspension::function_name_at;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["asyncio/queue", "asyncio/queue-get", "asyncio/queue-put"],
    nodes: &[NodeKind::ExprCall],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    if site.module.may_be(&call.func, &["asyncio.Queue.put"]) {
        return put(site, call, findings);
    }
    if site.module.may_be(&call.func, &["asyncio.Queue.get"]) {
        return get(site, call, findings);
    }
    site.callee_among(call, &["asyncio.LifoQueue", "asyncio.PriorityQueue", "asyncio.Queue"])?;
    let target = match site.parent()? {
        AnyNodeRef::StmtAssign(assign) => assign.targets.first(),
        AnyNodeRef::StmtAnnAssign(assign) => Some(&*assign.target),
        _ => None,
    };
    let name = target.map(|target| Fact::from(module.source(target)));
    let (limit, is_unbounded) = limit(module, call);
    findings.push(
        Finding::new("asyncio/queue", call.func.range())
            .fact("queue", name.clone())
            .fact("maxsize", limit.filter(|limit| *limit > 0).map(|limit| Fact::from(limit.to_string())))
            .fact("unbounded", name.filter(|_| is_unbounded))
            .fact("producers", Fact::from(users(module, call, &["put", "put_nowait"])))
            .fact("consumers", Fact::from(users(module, call, &["get", "get_nowait"]))),
    );
    Some(())
}

/// The size limit of the queue that `made` makes, if it is a number; and whether it has none.
fn limit(module: &Module, made: &ast::ExprCall) -> (Option<u32>, bool) {
    let size = made.arguments.find_argument_value("maxsize", 0);
    let limit = size.and_then(|size| module.source(size).parse::<u32>().ok());
    (limit, size.is_none() || limit == Some(0))
}

fn put(site: &Site, call: &ast::ExprCall, findings: &mut Findings) -> Option<()> {
    let module = site.module;
    site.callee_among(call, &["asyncio.Queue.put"])?;
    let receiver = &call.func.as_attribute_expr()?.value;
    let origins = module.origins(receiver);
    let is_unbounded = |origin: &&Expr| origin.as_call_expr().is_some_and(|made| limit(module, made).1);
    let unbounded = !origins.is_empty() && origins.iter().all(is_unbounded);
    let written = Fact::from(module.source(&**receiver));
    findings.push(
        Finding::new("asyncio/queue-put", call.func.range())
            .fact("function", site.function().map(|function| Fact::from(function.name.as_str())))
            .fact("unbounded", unbounded.then(|| written.clone()))
            .fact("receiver", written),
    );
    Some(())
}

fn get(site: &Site, call: &ast::ExprCall, findings: &mut Findings) -> Option<()> {
    let module = site.module;
    site.callee_among(call, &["asyncio.Queue.get"])?;
    let receiver = &call.func.as_attribute_expr()?.value;
    let mut producers: Vec<String> = vec![];
    if site.is_asked(call.range()) {
        for made in module.origins(receiver).iter().filter_map(|origin| origin.as_call_expr()) {
            let others = users(module, made, &["put", "put_nowait"]);
            producers.extend(others.into_iter().filter(|user| !producers.contains(user)).collect::<Vec<_>>());
        }
    }
    findings.push(
        Finding::new("asyncio/queue-get", call.func.range())
            .fact("function", site.function().map(|function| Fact::from(function.name.as_str())))
            .fact("receiver", Fact::from(module.source(&**receiver)))
            .fact("producers", Fact::from(producers)),
    );
    Some(())
}

/// The functions of this file that call one of `methods` on the queue made by `made`.
fn users(module: &Module, made: &ast::ExprCall, methods: &[&str]) -> Vec<String> {
    let mut users = vec![];
    for call in methods.iter().flat_map(|method| module.calls_of(method)) {
        let Expr::Attribute(method) = &*call.func else { continue };
        let is_this = module.origins(&method.value).iter().any(|origin| origin.range() == made.range());
        let user = is_this.then(|| function_name_at(module, call.range())).flatten();
        users.extend(user.filter(|user| !users.contains(user)));
    }
    users
}
