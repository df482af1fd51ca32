//! Sessions of aiohttp and clients of httpx where they are made: the limits that hold because nothing else is said.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["asyncio/client-session", "asyncio/httpx-client"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let name = match &*call.func {
        Expr::Name(_) => None,
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        _ => return None,
    };
    // An attribute keeps its last part; names are cheaper than types.
    if name.is_some_and(|name| !matches!(name, "AsyncClient" | "Client" | "ClientSession")) {
        return None;
    }
    let symbol = site.module.callee(call)?;
    let missing = |keyword: &str| {
        let is_known = call.arguments.keywords.iter().all(|keyword| keyword.arg.is_some());
        let is_missing = is_known && call.arguments.find_keyword(keyword).is_none();
        is_missing.then(|| Fact::from(site.module.source(&*call.func)))
    };
    let range = call.func.range();
    let finding = if symbol.is("aiohttp.ClientSession") {
        Finding::new("asyncio/client-session", range)
            .fact("no_timeout", missing("timeout"))
            .fact("no_connector", missing("connector"))
            .fact("no_raise", missing("raise_for_status"))
    } else if symbol.is_any(&["httpx.AsyncClient", "httpx.Client"]) {
        let blocks = symbol.is("httpx.Client") && site.async_function().is_some();
        Finding::new("asyncio/httpx-client", range)
            .fact("no_timeout", missing("timeout"))
            .fact("no_limits", missing("limits"))
            .fact("no_follow", missing("follow_redirects"))
            .fact("blocking", blocks.then(|| Fact::from(site.module.source(&*call.func))))
    } else {
        return None;
    };
    findings.push(finding.fact("target", target(site).map(|target| Fact::from(site.module.source(target)))));
    Some(())
}

/// What the client is bound to.
fn target<'a>(site: &Site<'a, '_>) -> Option<&'a Expr> {
    match site.parent()? {
        AnyNodeRef::StmtAssign(ast::StmtAssign { targets, .. }) => targets.first(),
        AnyNodeRef::StmtAnnAssign(assign) => Some(&assign.target),
        AnyNodeRef::WithItem(item) => item.optional_vars.as_deref(),
        _ => None,
    }
}
