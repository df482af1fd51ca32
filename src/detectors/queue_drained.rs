//! `while not q.empty(): … q.get()` behind a `join()`: here, and only here, an empty queue is final.
//!
//! An explanation, no hazard. Yields nothing unless every `put` into the queue is seen to come before the loop.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, UnaryOp};

use super::nodes::{calls, function_around, method, own_nodes};
use super::queues::{Queue, called_on_queue};
use super::threads::{creations, earlier_nodes};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["threads/queue-drained"], nodes: &[NodeKind::StmtWhile], detect };

/// What was waited for before the loop.
struct Waited {
    name: String,
    joined_at: Option<Place>,
    /// Where the workers report what `join()` of a queue waits for; empty when threads were joined.
    done_at: Vec<Place>,
}

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtWhile(statement) = site.node else { return None };
    let module = site.module;
    let receiver = tested_queue(module, &statement.test)?;
    let queue = Queue::of(module, receiver);
    queue.made?;
    let got = [queue.calls(module, "get"), queue.calls(module, "get_nowait")].concat();
    let in_loop = |call: &&&ast::ExprCall| statement.range().contains_range(call.range());
    if got.is_empty() || got.iter().filter(in_loop).count() != got.len() {
        return None;
    }
    let puts = [queue.calls(module, "put"), queue.calls(module, "put_nowait")].concat();
    let waited = calls(&earlier_nodes(module, statement.range())).into_iter().rev().find_map(|call| {
        let (_, "join") = method(call)? else { return None };
        waited_for(module, call, &puts)
    })?;
    let put_at: Vec<Place> = puts.iter().filter_map(|call| module.place(call.range())).collect();
    let is_queue = !waited.done_at.is_empty();
    let joined_at = || waited.joined_at.clone().map(Fact::from);
    findings.push(
        Finding::new("threads/queue-drained", statement.test.range())
            .fact("queue", Fact::from(module.source(receiver)))
            .fact("waited", Fact::from(waited.name.as_str()))
            .fact("put_at", Fact::from(put_at))
            .fact("joined_at", is_queue.then(joined_at).flatten())
            .fact("ended_at", (!is_queue).then(joined_at).flatten())
            .fact("done_at", Fact::from(waited.done_at)),
    );
    Some(())
}

/// `q` in `not q.empty()`.
fn tested_queue<'m>(module: &Module, test: &'m Expr) -> Option<&'m Expr> {
    let not = test.as_unary_op_expr().filter(|not| not.op == UnaryOp::Not)?;
    called_on_queue(module, not.operand.as_call_expr()?, "empty")
}

/// What `join` waits for, if that puts every one of `puts` before it.
fn waited_for(module: &Module, join: &ast::ExprCall, puts: &[&ast::ExprCall]) -> Option<Waited> {
    let joined_at = module.place(join.range());
    let join_call = module.calls_of("join").into_iter().find(|call| call.range() == join.range())?;
    let (receiver, _) = method(join_call)?;
    let name = module.source(receiver).to_string();
    if called_on_queue(module, join_call, "join").is_some() {
        let tasks = Queue::of(module, receiver);
        let mut done = vec![];
        for put in puts {
            let function = function_around(module, put.range())?;
            let report = calls(&own_nodes(&function.body)).into_iter().find(|call| {
                let on = called_on_queue(module, call, "task_done");
                call.start() > put.end() && on.is_some_and(|on| tasks.is(module, on))
            })?;
            done.extend(module.place(report.range()));
        }
        return (!done.is_empty()).then_some(Waited { name, joined_at, done_at: done });
    }
    let joined = creations(module, receiver);
    let ran: Vec<Place> = joined.iter().filter_map(|made| made.runs(module)?.place).collect();
    let ends_before = |put: &&ast::ExprCall| {
        let def = function_around(module, put.range()).and_then(|function| module.place(function.name.range()));
        def.is_some_and(|def| ran.contains(&def))
    };
    (!puts.is_empty() && puts.iter().all(ends_before)).then_some(Waited { name, joined_at, done_at: vec![] })
}
