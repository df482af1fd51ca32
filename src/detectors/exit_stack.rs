//! `with ExitStack() as stack`: what the block hands out, though the stack leaves it when the block ends. Silent where
//! `pop_all` moves it on, and where the stack itself goes elsewhere.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::method_body::is_name;
use super::nodes::{all_nodes, block_around};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["metaclasses/exit-stack"], nodes: &[NodeKind::StmtWith], detect };

const STACKS: &[&str] = &["contextlib.AsyncExitStack", "contextlib.ExitStack"];
const ENTERING: &[&str] = &["enter_async_context", "enter_context"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtWith(with) = site.node else { return None };
    let [item] = with.items.as_slice() else { return None };
    let call = item.context_expr.as_call_expr().filter(|call| site.is_asked(call.func.range()))?;
    let stack = item.optional_vars.as_deref()?.as_name_expr()?.id.as_str();
    site.callee_among(call, STACKS)?;
    let nodes = all_nodes(&with.body);
    if goes_elsewhere(&nodes, stack) {
        return None;
    }
    let module = site.module;
    let mut entered: Vec<&str> = vec![];
    // What is used in the block itself is meant to end with it.
    let is_set_up = with.body.iter().all(|statement| match statement {
        Stmt::Assign(_) => true,
        Stmt::Expr(expr) => expr.value.as_call_expr().is_some_and(|call| is_on(call, stack)),
        _ => false,
    });
    let mut kept = None;
    for node in &nodes {
        let AnyNodeRef::StmtAssign(assign) = node else { continue };
        match assign.targets.as_slice() {
            [Expr::Name(name)] if enters(&assign.value, stack) => entered.push(&name.id),
            [Expr::Attribute(attribute)] if enters(&assign.value, stack) && is_set_up => {
                kept = kept.or(Some(attribute.range()));
            }
            _ => {}
        }
    }
    let behind = block_around(module, with.range()).and_then(|(block, index)| block.get(index + 1)?.as_return_stmt());
    let inside = nodes.iter().filter_map(|node| match node {
        AnyNodeRef::StmtReturn(returned) => Some(*returned),
        _ => None,
    });
    let returned = inside.chain(behind).find_map(|returned| {
        let value = returned.value.as_deref()?;
        let parts = match value {
            Expr::Tuple(tuple) => &tuple.elts,
            Expr::List(list) => &list.elts,
            other => std::slice::from_ref(other),
        };
        let is_entered = |part: &Expr| {
            enters(part, stack) || part.as_name_expr().is_some_and(|name| entered.contains(&name.id.as_str()))
        };
        parts.iter().any(is_entered).then_some((value, returned))
    });
    let finding = Finding::new("metaclasses/exit-stack", call.func.range());
    findings.push(match (returned, kept) {
        (Some((value, returned)), _) => finding
            .fact("handed_out", Fact::from(module.source(value)))
            .fact("return_at", module.place(returned.range()).map(Fact::from)),
        (None, Some(kept)) => {
            finding.fact("kept", Fact::from(module.source(kept))).fact("kept_at", module.place(kept).map(Fact::from))
        }
        (None, None) => return None,
    });
    Some(())
}

/// Whether the value is, or is a list of, what `stack.enter_context(…)` returns.
fn enters(value: &Expr, stack: &str) -> bool {
    let call = match value {
        Expr::Await(awaited) => return enters(&awaited.value, stack),
        Expr::ListComp(listed) => return enters(&listed.elt, stack),
        Expr::Call(call) => call,
        _ => return false,
    };
    let method = call.func.as_attribute_expr();
    is_on(call, stack) && method.is_some_and(|method| ENTERING.contains(&method.attr.as_str()))
}

/// Whether the call is one of a method of the stack.
fn is_on(call: &ast::ExprCall, stack: &str) -> bool {
    call.func.as_attribute_expr().is_some_and(|method| is_name(&method.value, stack))
}

/// Whether the stack is mentioned other than to put something on it.
fn goes_elsewhere(nodes: &[AnyNodeRef], stack: &str) -> bool {
    const PUTTING: &[&str] = &["callback", "enter_async_context", "enter_context", "push", "push_async_callback"];
    let mentions = nodes.iter().filter(|node| matches!(node, AnyNodeRef::ExprName(name) if name.id == stack)).count();
    let puts = nodes.iter().filter(|node| match node {
        AnyNodeRef::ExprAttribute(method) => PUTTING.contains(&method.attr.as_str()) && is_name(&method.value, stack),
        _ => false,
    });
    puts.count() != mentions
}
