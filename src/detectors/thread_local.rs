//! `threading.local()` where it is made: who sets its attributes, who reads them, and what the workers of a pool keep.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::context_var::only_target;
use super::nodes::{all_nodes, around, function_around};
use super::threads::{created, hand_over};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["threads/thread-local"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    if !site.is_asked(call.func.range()) {
        return None;
    }
    let module = site.module;
    site.callee_among(call, &["threading.local"])?;
    let mut finding = Finding::new("threads/thread-local", call.func.range());
    if let Some(target) = only_target(site) {
        let uses = uses(module, target, call);
        let places = |stores: bool| -> Vec<Place> {
            let of_kind = uses.iter().filter(|used| used.ctx.is_store() == stores);
            of_kind.filter_map(|used| module.place(used.range())).collect()
        };
        let (set_at, read_at) = (places(true), places(false));
        finding = finding
            .fact("target", Fact::from(module.source(target)))
            .fact("set_at", Fact::from(set_at))
            .fact("read_at", Fact::from(read_at));
        finding = pooled(module, finding, &uses);
        finding = unset(module, finding, target, &uses);
    }
    findings.push(finding);
    Some(())
}

/// The attributes of the object that this file names, in the order of the text.
fn uses<'m>(module: &'m Module, target: &Expr, made: &ast::ExprCall) -> Vec<&'m ast::ExprAttribute> {
    let written = module.source(target);
    let nodes = all_nodes(&module.syntax().body).into_iter().filter_map(|node| match node {
        AnyNodeRef::ExprAttribute(used) => Some(used),
        _ => None,
    });
    nodes
        .filter(|used| module.source(&*used.value) == written)
        .filter(|used| module.origins(&used.value).iter().any(|origin| origin.range() == made.range()))
        .collect()
}

/// A function that sets an attribute and is run by the workers of a pool: the next call on the same worker finds what it set.
fn pooled(module: &Module, finding: Finding, uses: &[&ast::ExprAttribute]) -> Finding {
    let found = uses.iter().filter(|used| used.ctx.is_store()).find_map(|used| {
        let function = function_around(module, used.range())?;
        let call = hand_over(module, function)?;
        // A thread of its own ends with the function, and its values with it.
        created(module, call).is_none().then_some((function, call))
    });
    let Some((function, call)) = found else { return finding };
    finding
        .fact("pooled", Fact::from(function.name.as_str()))
        .fact("pool_call", Fact::from(module.source(&*call.func)))
        .fact("pool_at", module.place(call.range()).map(Fact::from))
}

/// A function that runs on a thread of its own and reads what only the module's own code sets.
fn unset(module: &Module, finding: Finding, target: &Expr, uses: &[&ast::ExprAttribute]) -> Finding {
    let text = module.text();
    let written = module.source(target);
    let is_dynamic = ["setattr(", "hasattr(", "__dict__", "vars("].iter().any(|word| text.contains(word));
    let is_taken = module.path().is_none_or(|path| module.snapshot().is_taken_elsewhere(path, written));
    if is_dynamic || !target.is_name_expr() || is_taken {
        return finding;
    }
    let found = uses.iter().filter(|used| used.ctx.is_load()).find_map(|used| {
        let function = function_around(module, used.range())?;
        let mut stores = uses.iter().filter(|other| other.attr.id == used.attr.id && other.ctx.is_store()).peekable();
        stores.peek()?;
        let is_tried = around(module, used.range()).into_iter().any(|node| node.is_stmt_try());
        let is_elsewhere = stores.all(|store| function_around(module, store.range()).is_none());
        (is_elsewhere && !is_tried && hand_over(module, function).is_some()).then_some((function, *used))
    });
    let Some((function, used)) = found else { return finding };
    finding
        .fact("reader", Fact::from(function.name.as_str()))
        .fact("unset", Fact::from(module.source(used)))
        .fact("unset_at", module.place(used.range()).map(Fact::from))
}
