//! `await response.json()` of aiohttp: where the body of a response is read.
//!
//! Silent unless the response is bound by an enclosing `async with` over a request of an aiohttp session.

use ruff_python_ast::{AnyNodeRef, Expr, NodeKind};

use super::http_request::is_request;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["asyncio/response-body"], nodes: &[NodeKind::ExprAwait], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprAwait(awaited) = site.node else { return None };
    let call = awaited.value.as_call_expr()?;
    let Expr::Attribute(method) = &*call.func else { return None };
    let response = method.value.as_name_expr()?;
    if !matches!(method.attr.as_str(), "json" | "read" | "text") {
        return None;
    }
    let module = site.module;
    let request = site.enclosing().find_map(|node| {
        let AnyNodeRef::StmtWith(with) = node else { return None };
        let binds = |vars: &Expr| vars.as_name_expr().is_some_and(|name| name.id == response.id);
        let item = with.items.iter().find(|item| item.optional_vars.as_deref().is_some_and(binds))?;
        item.context_expr.as_call_expr().filter(|request| with.is_async && is_request(module, request))
    })?;
    let looks_at_status = ["raise_for_status", ".status", ".ok"].iter().any(|word| module.text().contains(word));
    let name = || Fact::from(response.id.as_str());
    findings.push(
        Finding::new("asyncio/response-body", call.range())
            .fact("response", name())
            .fact("method", Fact::from(method.attr.as_str()))
            .fact("request_at", module.place(request.range()).map(Fact::from))
            .fact("json", (method.attr.as_str() == "json").then(name))
            .fact("unchecked", (!looks_at_status).then(name)),
    );
    Some(())
}
