//! `if not ready: condition.wait()`: woken once, and not looking again.
//!
//! Silent inside any `while`, for `wait_for`, for events, where the result of `wait` counts, and where no other thread can
//! change what the `if` tests: that is a sleep which can be cut short.

use ruff_python_ast::{self as ast, AnyNodeRef, CmpOp, Expr, NodeKind, Stmt};

use super::nodes::{all_nodes, method};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["threads/wait-without-loop"], nodes: &[NodeKind::StmtExpr], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtExpr(statement) = site.node else { return None };
    let module = site.module;
    let call = statement.value.as_call_expr()?;
    let (receiver, "wait") = method(call)? else { return None };
    let AnyNodeRef::StmtIf(condition) = site.parent()? else { return None };
    if !module.receiver_class(receiver)?.inherits("threading.Condition") || site.is_type_checking() {
        return None;
    }
    let function = site.function().map(|function| function.range());
    let mut frame = site.enclosing().take_while(|node| Some(node.range()) != function);
    if frame.any(|node| matches!(node, AnyNodeRef::StmtWhile(_))) {
        return None;
    }
    if !may_change(site, &condition.test) || leaves_it_to_the_caller(&condition.body, statement) {
        return None;
    }
    findings.push(
        Finding::new("threads/wait-without-loop", call.range())
            .fact("receiver", Fact::from(module.source(receiver)))
            .fact("predicate", Fact::from(module.source(&*condition.test))),
    );
    Some(())
}

/// Whether nothing is made of having been woken: the function returns, and whoever called it looks again.
fn leaves_it_to_the_caller(body: &[Stmt], wait: &ast::StmtExpr) -> bool {
    let mut behind = body.iter().skip_while(|statement| statement.range() != wait.range()).skip(1);
    match behind.next() {
        Some(Stmt::Return(returned)) => returned.value.as_deref().is_none_or(Expr::is_literal_expr),
        Some(Stmt::Continue(_)) => true,
        _ => false,
    }
}

/// Containers that another thread may fill while a name holds them.
const CONTAINERS: &[&str] =
    &["builtins.bytearray", "builtins.dict", "builtins.list", "builtins.set", "collections.deque"];

/// Whether another thread may make the test come out differently. A local name holds what it holds.
fn may_change(site: &Site, test: &Expr) -> bool {
    let is_container = |name: &Expr| {
        let class = site.module.class_of(name);
        class.is_some_and(|class| CONTAINERS.iter().any(|container| class.inherits(container)))
    };
    match test {
        Expr::Name(name) => !is_own(site, &name.id) || is_container(test),
        Expr::UnaryOp(unary) => may_change(site, &unary.operand),
        Expr::BoolOp(operands) => operands.values.iter().any(|operand| may_change(site, operand)),
        Expr::Compare(compare) => {
            let mut operands = std::iter::once(&*compare.left).chain(&compare.comparators);
            let is_identity = |operator: &CmpOp| matches!(operator, CmpOp::Is | CmpOp::IsNot);
            match compare.ops.iter().all(is_identity) {
                true => operands.any(|operand| match operand {
                    Expr::Name(name) => !is_own(site, &name.id),
                    _ => may_change(site, operand),
                }),
                false => operands.any(|operand| may_change(site, operand)),
            }
        }
        test => !test.is_literal_expr(),
    }
}

/// Whether only the function itself binds a name: as a parameter or a local variable.
fn is_own(site: &Site, name: &str) -> bool {
    let Some(function) = site.function() else { return false };
    let nodes = all_nodes(&function.body);
    let is_shared = nodes.iter().any(|node| match node {
        AnyNodeRef::StmtGlobal(statement) => statement.names.iter().any(|shared| shared.as_str() == name),
        AnyNodeRef::StmtNonlocal(statement) => statement.names.iter().any(|shared| shared.as_str() == name),
        _ => false,
    });
    let is_bound = nodes.iter().any(|node| match node {
        AnyNodeRef::ExprName(found) => found.ctx.is_store() && found.id == name,
        _ => false,
    });
    !is_shared && (is_bound || function.parameters.includes(name))
}
