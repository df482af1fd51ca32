//! A list comprehension as the only argument of a function that reads its elements one by one.

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{AnyNodeRef, Expr, NodeKind};

use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["memory/generator-memory"], nodes: &[NodeKind::ExprCall], detect };

const READERS: &[&str] = &["builtins.all", "builtins.any", "builtins.max", "builtins.min", "builtins.sum"];
const EARLY: &[&str] = &["builtins.all", "builtins.any"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let [list @ Expr::ListComp(comprehension)] = &*call.arguments.args else { return None };
    if !site.module.may_be(&call.func, READERS) || comprehension.generators.iter().any(|part| part.is_async) {
        return None;
    }
    // Without the brackets it would be an asynchronous generator, which these do not read.
    if awaits(list) {
        return None;
    }
    let symbol = site.module.callee(call)?;
    if !symbol.is_any(READERS) {
        return None;
    }
    let finding = Finding::new("memory/generator-memory", list.range())
        .fact("consumer", Fact::from(symbol.last()))
        .fact("early", symbol.is_any(EARLY).then(|| Fact::from(symbol.last())));
    findings.push(finding);
    Some(())
}

fn awaits(list: &Expr) -> bool {
    struct Awaits(bool);
    impl<'a> SourceOrderVisitor<'a> for Awaits {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            self.0 |= node.is_expr_await();
            if self.0 || node.is_expr_lambda() { TraversalSignal::Skip } else { TraversalSignal::Traverse }
        }
    }
    let mut found = Awaits(false);
    found.visit_expr(list);
    found.0
}
