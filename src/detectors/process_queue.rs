//! Queues between processes: what `put` sends is pickled later, and a process that has put something ends only when it is read.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::method_body::own_nodes;
use super::nodes::{body_around, calls, method, own_nodes as nodes_of, with_def};
use super::suspension::around;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["processes/join-before-read", "processes/queue-put"], nodes: &[NodeKind::ExprCall], detect };

const QUEUES: &[&str] = &["multiprocessing.JoinableQueue", "multiprocessing.Queue"];
/// Methods that change their object.
pub(super) const CHANGES: &[&str] = &[
    "add",
    "append",
    "clear",
    "extend",
    "insert",
    "pop",
    "popitem",
    "remove",
    "reverse",
    "setdefault",
    "sort",
    "update",
];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let (receiver, name) = method(call)?;
    if !matches!(name, "join" | "put" | "put_nowait") || !site.module.may_use_package("multiprocessing") {
        return None;
    }
    match name {
        "join" => join(site, call, receiver, findings),
        _ => put(site, call, receiver, findings),
    }
}

/// Whether `expr` is seen to be a queue of `multiprocessing`; and where it is made.
fn queue<'m>(module: &'m Module, expr: &'m Expr) -> Option<&'m ast::ExprCall> {
    match module.origins(expr).as_slice() {
        [Expr::Call(made)] if module.calls(made, QUEUES) => Some(made),
        _ => None,
    }
}

fn put(site: &Site, call: &ast::ExprCall, receiver: &Expr, findings: &mut Findings) -> Option<()> {
    let module = site.module;
    queue(module, receiver)?;
    let item = call.arguments.find_argument_value("obj", 0)?;
    let name = item.as_name_expr().map(|name| name.id.as_str());
    let body = body_around(module, call.range());
    let loop_around = around(site).find(|node| node.is_stmt_for() || node.is_stmt_while());
    let mut changed = None;
    own_nodes(body, |node| {
        let later =
            node.start() > call.end() || loop_around.is_some_and(|turns| turns.range().contains_range(node.range()));
        if later && changed.is_none() && name.is_some_and(|name| changes(node, name)) {
            changed = Some(node.range());
        }
    });
    // What each turn makes anew is another object.
    let made_anew = loop_around.is_some_and(|turns| name.is_some_and(|name| binds_in(turns, name)));
    let changed = changed.filter(|range| range.start() > call.end() || !made_anew);
    findings.push(
        Finding::new("processes/queue-put", call.func.range())
            .fact("queue", Fact::from(module.source(receiver)))
            .fact("item", Fact::from(module.source(item)))
            .fact("changed", changed.and(name).map(Fact::from))
            .fact("changed_at", changed.and_then(|range| module.place(range)).map(Fact::from)),
    );
    Some(())
}

/// Whether a node changes the object that `name` refers to.
pub(super) fn changes(node: AnyNodeRef, name: &str) -> bool {
    let is_it = |expr: &Expr| expr.as_name_expr().is_some_and(|found| found.id == name);
    match node {
        AnyNodeRef::ExprCall(call) => {
            method(call).is_some_and(|(receiver, method)| is_it(receiver) && CHANGES.contains(&method))
        }
        AnyNodeRef::ExprSubscript(subscript) => !subscript.ctx.is_load() && is_it(&subscript.value),
        AnyNodeRef::ExprAttribute(attribute) => !attribute.ctx.is_load() && is_it(&attribute.value),
        _ => false,
    }
}

fn binds_in(turns: AnyNodeRef, name: &str) -> bool {
    let is_it = |target: &Expr| target.as_name_expr().is_some_and(|target| target.id == name);
    let (body, target) = match turns {
        AnyNodeRef::StmtFor(turns) => (&turns.body, Some(&*turns.target)),
        AnyNodeRef::StmtWhile(turns) => (&turns.body, None),
        _ => return false,
    };
    let mut binds = target.is_some_and(is_it);
    own_nodes(body, |node| {
        if let AnyNodeRef::StmtAssign(assign) = node {
            binds |= assign.targets.iter().any(is_it);
        }
    });
    binds
}

fn join(site: &Site, call: &ast::ExprCall, receiver: &Expr, findings: &mut Findings) -> Option<()> {
    let module = site.module;
    if !call.arguments.is_empty() || !matches!(site.parent(), Some(AnyNodeRef::StmtExpr(_))) {
        return None;
    }
    let [Expr::Call(made)] = *module.origins(receiver) else { return None };
    let class = module.class_reference(&made.func)?;
    if !class.inherits("multiprocessing.Process") || site.is_type_checking() {
        return None;
    }
    let target = made.arguments.find_keyword("target").and_then(|keyword| module.function(&keyword.value))?;
    let passed = made.arguments.find_keyword("args")?.value.as_tuple_expr()?;
    let body = nodes_of(body_around(module, call.range()));
    for (index, argument) in passed.elts.iter().enumerate() {
        let Some(queue_made) = queue(module, argument) else { continue };
        let reads: Vec<TextRange> = calls(&body)
            .into_iter()
            .filter(|read| {
                method(read).is_some_and(|(receiver, name)| {
                    matches!(name, "get" | "get_nowait")
                        && queue(module, receiver).is_some_and(|made| made.range() == queue_made.range())
                })
            })
            .map(|read| read.range())
            .collect();
        let Some(first) = reads.iter().min_by_key(|range| range.start()) else { continue };
        let puts = with_def(module, &target, |_, def| {
            let name = def.parameters.iter_non_variadic_params().nth(index)?.name().as_str().to_string();
            let puts = calls(&nodes_of(&def.body)).into_iter().any(|put| {
                method(put).is_some_and(|(receiver, method)| {
                    method == "put" && receiver.as_name_expr().is_some_and(|receiver| receiver.id == name)
                })
            });
            Some(puts)
        });
        if first.start() > call.end() && puts == Some(true) {
            findings.push(
                Finding::new("processes/join-before-read", call.func.range())
                    .fact("process", Fact::from(module.source(receiver)))
                    .fact("queue", Fact::from(module.source(argument)))
                    .fact("read_at", module.place(*first).map(Fact::from)),
            );
            return Some(());
        }
    }
    None
}
