//! `async with session.get(url) as response` of aiohttp: the two waits, and a status nobody looks at.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::suspension::visit_frame;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["asyncio/http-request"], nodes: &[NodeKind::StmtWith], detect };

const METHODS: &[&str] = &[
    "aiohttp.ClientSession.delete",
    "aiohttp.ClientSession.get",
    "aiohttp.ClientSession.head",
    "aiohttp.ClientSession.patch",
    "aiohttp.ClientSession.post",
    "aiohttp.ClientSession.put",
    "aiohttp.ClientSession.request",
];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtWith(with) = site.node else { return None };
    if !with.is_async {
        return None;
    }
    for item in &with.items {
        let Expr::Call(call) = &item.context_expr else { continue };
        if !is_request(site.module, call) {
            continue;
        }
        let finding = Finding::new("asyncio/http-request", call.func.range())
            .fact("request", Fact::from(site.module.source(call)));
        let response = item.optional_vars.as_deref().and_then(Expr::as_name_expr);
        findings.push(match response {
            Some(response) => with_response(site, with, call, response, finding),
            None => finding,
        });
    }
    Some(())
}

/// Whether `call` is a request of an aiohttp session.
pub(super) fn is_request(module: &Module, call: &ast::ExprCall) -> bool {
    module.callee(call).is_some_and(|symbol| symbol.is_any(METHODS))
}

fn with_response(
    site: &Site,
    with: &ast::StmtWith,
    call: &ast::ExprCall,
    response: &ast::ExprName,
    finding: Finding,
) -> Finding {
    let module = site.module;
    let mut looks_at_status = false;
    let mut body = None;
    visit_frame(&with.body, &mut |node| match node {
        AnyNodeRef::ExprAttribute(attribute) if is_response(&attribute.value, response) => {
            looks_at_status |= matches!(attribute.attr.as_str(), "ok" | "raise_for_status" | "status");
        }
        AnyNodeRef::ExprAwait(awaited) if body.is_none() => {
            body = awaited.value.as_call_expr().filter(|read| match &*read.func {
                Expr::Attribute(method) => {
                    is_response(&method.value, response) && matches!(method.attr.as_str(), "json" | "read" | "text")
                }
                _ => false,
            });
        }
        // A response that is passed on may be looked at there.
        AnyNodeRef::ExprCall(call) => {
            looks_at_status |= call.arguments.args.iter().any(|argument| is_response(argument, response));
        }
        _ => {}
    });
    // `raise_for_status=True` may be set on the request or on a session anywhere.
    looks_at_status |= module.text().contains("raise_for_status") || has_unpacked_keywords(call);
    let json = body.filter(|read| module.source(&*read.func).ends_with(".json"));
    let name = || Fact::from(response.id.as_str());
    finding
        .fact("response", name())
        .fact("body_at", body.and_then(|read| module.place(read.range())).map(Fact::from))
        .fact("json_call", json.map(|read| Fact::from(module.source(read))))
        .fact("unchecked", (!looks_at_status).then(name))
}

fn has_unpacked_keywords(call: &ast::ExprCall) -> bool {
    call.arguments.keywords.iter().any(|keyword| keyword.arg.is_none())
}

fn is_response(expr: &Expr, response: &ast::ExprName) -> bool {
    expr.as_name_expr().is_some_and(|name| name.id == response.id)
}
