//! `if not ready: condition.wait()` → `condition.wait_for(lambda: ready)`
//!
//! For an `if` that does nothing else, with a test that only looks: names, attributes, items, comparisons and `len`.

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{self as ast, AnyNodeRef, CmpOp, Expr, UnaryOp};

use super::layout::lost_comment;
use super::{Offer, Rewrite, Target};
use crate::analysis::{Module, Site};
use crate::text::{Edit, Ranged as _};

pub(super) const REWRITE: Rewrite = Rewrite { name: "wait_for", offer };

fn offer(target: &Target) -> Option<Offer> {
    let statement_site = up_to_statement(&target.site)?;
    let AnyNodeRef::StmtIf(condition) = statement_site.parent()? else { return None };
    let [ast::Stmt::Expr(statement)] = condition.body.as_slice() else { return None };
    let call = statement.value.as_call_expr()?;
    let receiver = &call.func.as_attribute_expr()?.value;
    if !condition.elif_else_clauses.is_empty() {
        return None;
    }
    let module = target.site.module;
    let written = module.source(&**receiver);
    let title = format!("Use `{written}.wait_for(…)` (tests again after every wake-up)");
    if !only_looks(module, &condition.test) {
        return Offer::refused(title, format!("`{}` may do more than look", module.source(&*condition.test)));
    }
    if let Some(reason) = lost_comment(module, condition.range(), &[]) {
        return Offer::refused(title, reason);
    }
    let predicate = match &*condition.test {
        Expr::UnaryOp(not) if not.op == UnaryOp::Not => module.source(&*not.operand).to_string(),
        test => negated(module, test).unwrap_or_else(|| format!("not ({})", module.source(test))),
    };
    let timeout = call.arguments.find_argument_value("timeout", 0);
    let timeout = timeout.map(|timeout| format!(", timeout={}", module.source(timeout))).unwrap_or_default();
    let edit = Edit::replace(condition.range(), format!("{written}.wait_for(lambda: {predicate}{timeout})"));
    Offer::edit(module, title, vec![edit], true)
}

/// A comparison turned round, where that means its exact opposite.
fn negated(module: &Module, test: &Expr) -> Option<String> {
    let compare = test.as_compare_expr()?;
    let ([operator], [right]) = (&*compare.ops, &*compare.comparators) else { return None };
    let opposite = match operator {
        CmpOp::Eq => "!=",
        CmpOp::NotEq => "==",
        CmpOp::Is => "is not",
        CmpOp::IsNot => "is",
        CmpOp::In => "not in",
        CmpOp::NotIn => "in",
        CmpOp::Lt | CmpOp::LtE | CmpOp::Gt | CmpOp::GtE => return None,
    };
    Some(format!("{} {opposite} {}", module.source(&*compare.left), module.source(right)))
}

fn up_to_statement<'a, 's>(site: &Site<'a, 's>) -> Option<Site<'a, 's>> {
    let mut site = *site;
    while !site.node.is_statement() {
        site = site.up()?;
    }
    Some(site)
}

/// Whether evaluating `test` again has no effect: no call but `len`, nothing bound, nothing awaited.
fn only_looks(module: &Module, test: &Expr) -> bool {
    struct Looks<'a, 's> {
        module: &'a Module<'s>,
        only: bool,
    }
    impl<'a> SourceOrderVisitor<'a> for Looks<'_, '_> {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            self.only &= match node {
                AnyNodeRef::ExprCall(call) => self.module.calls(call, &["builtins.len"]),
                AnyNodeRef::ExprName(_)
                | AnyNodeRef::ExprAttribute(_)
                | AnyNodeRef::ExprSubscript(_)
                | AnyNodeRef::ExprCompare(_)
                | AnyNodeRef::ExprBoolOp(_)
                | AnyNodeRef::ExprUnaryOp(_)
                | AnyNodeRef::ExprNumberLiteral(_)
                | AnyNodeRef::ExprStringLiteral(_)
                | AnyNodeRef::ExprNoneLiteral(_)
                | AnyNodeRef::ExprBooleanLiteral(_)
                | AnyNodeRef::StringLiteral(_)
                | AnyNodeRef::Arguments(_)
                | AnyNodeRef::Identifier(_) => true,
                _ => false,
            };
            TraversalSignal::Traverse
        }
    }
    let mut looks = Looks { module, only: true };
    looks.visit_expr(test);
    looks.only
}
