//! Tasks that nothing refers to: the event loop holds them weakly.
//!
//! Silent for task groups and anything else that is not asyncio's own, for a result that is passed on, stored, returned
//! or read again, for a local name that lives on because the function suspends later, and for `_ = …`.

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind};

use super::suspension::{around, call_head, coroutine_function, frame, reads, suspensions};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["asyncio/task-not-kept"], nodes: &[NodeKind::ExprCall], detect };

const SPAWNERS: &[&str] = &["asyncio.AbstractEventLoop.create_task", "asyncio.create_task", "asyncio.ensure_future"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    if !site.module.may_be(&call.func, SPAWNERS) {
        return None;
    }
    let bound_to = match site.parent()? {
        AnyNodeRef::StmtExpr(_) => None,
        AnyNodeRef::StmtAssign(assign) => Some(dying_name(site, assign)?),
        _ => return None,
    };
    let symbol = site.module.callee(call)?;
    if !symbol.is_any(SPAWNERS) || site.is_type_checking() {
        return None;
    }
    let coroutine = call.arguments.args.first()?;
    let known = coroutine.as_call_expr().filter(|inner| coroutine_function(site.module, &inner.func).is_some());
    // A future that `ensure_future` gets comes back as it is: somebody else may hold it.
    if symbol.is("asyncio.ensure_future") && known.is_none() {
        return None;
    }
    let shown = known.map_or_else(|| site.module.source(coroutine).to_string(), |call| call_head(site.module, call));
    findings.push(
        Finding::new("asyncio/task-not-kept", call.func.range())
            .fact("coroutine", Fact::from(shown))
            .fact("bound_to", bound_to.map(Fact::from)),
    );
    Some(())
}

/// The local name that the task is bound to, if the function ends without suspending and without reading it.
fn dying_name<'a>(site: &Site<'a, '_>, assign: &'a ast::StmtAssign) -> Option<&'a str> {
    let [ast::Expr::Name(name)] = assign.targets.as_slice() else { return None };
    let name = name.id.as_str();
    site.function()?;
    let body = frame(site);
    let is_in_loop = around(site).any(|node| matches!(node, AnyNodeRef::StmtFor(_) | AnyNodeRef::StmtWhile(_)));
    let lives_on = suspensions(body).iter().any(|at| is_in_loop || at.start() > site.node.end());
    let is_declared = body.iter().any(|statement| matches!(statement, ast::Stmt::Global(_) | ast::Stmt::Nonlocal(_)));
    let is_unused = name != "_" && !lives_on && !is_declared && reads(body, name).is_empty();
    is_unused.then_some(name)
}
