//! `ThreadPoolExecutor(…)`: how many threads, which functions run on them, and where the program waits for them.

mod executor_calls;

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::nodes::{calls, method, own_nodes};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Place, Ranged as _, TextRange};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &[
        "threads/executor-future",
        "threads/executor-map",
        "threads/future-result",
        "threads/thread-pool-executor",
    ],
    nodes: &[NodeKind::ExprCall],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    if executor_calls::detect(site, call, findings).is_some() {
        return Some(());
    }
    module.class_reference(&call.func)?.inherits("concurrent.futures.ThreadPoolExecutor").then_some(())?;
    let workers = call.arguments.find_argument_value("max_workers", 0).filter(|size| !size.is_none_literal_expr());
    let with = site.enclosing().find_map(|node| match node {
        AnyNodeRef::StmtWith(with) if with.items.iter().any(|item| item.context_expr.range() == call.range()) => {
            Some(with)
        }
        _ => None,
    });
    let pool = match (with, site.parent()) {
        (Some(with), _) => {
            let item = with.items.iter().find(|item| item.context_expr.range() == call.range())?;
            item.optional_vars.as_deref()
        }
        (None, Some(AnyNodeRef::StmtAssign(assign))) => assign.targets.first(),
        _ => None,
    };
    let callee = module.source(&*call.func);
    let work = pool.map(|pool| submitted(module, site, pool)).unwrap_or_default();
    findings.push(
        Finding::new("threads/thread-pool-executor", call.func.range())
            .fact("pool", pool.map(|pool| Fact::from(module.source(pool))))
            .fact("workers", workers.map(|size| Fact::from(module.source(size))))
            .fact("defaulted", workers.is_none().then(|| Fact::from(callee)))
            .fact("left_at", with.and_then(|with| end(module, with)).map(Fact::from))
            .fact("work", Fact::from(work)),
    );
    Some(())
}

/// The functions given to `submit` and `map` of the pool.
fn submitted(module: &Module, site: &Site, pool: &Expr) -> Vec<String> {
    let body = match site.function() {
        Some(function) if pool.is_name_expr() => &function.body,
        _ => &module.syntax().body,
    };
    let nodes = if pool.is_name_expr() { own_nodes(body) } else { super::nodes::all_nodes(body) };
    let mut names: Vec<String> = vec![];
    for call in calls(&nodes) {
        let Some((receiver, "submit" | "map")) = method(call) else { continue };
        let Some(function) = call.arguments.args.first() else { continue };
        let name = module.source(function);
        if module.source(receiver) == module.source(pool) && !names.iter().any(|other| other == name) {
            names.push(name.to_string());
        }
    }
    names
}

/// The last line of a `with` block.
fn end(module: &Module, with: &ast::StmtWith) -> Option<Place> {
    module.place(TextRange::empty(with.body.last()?.end()))
}
