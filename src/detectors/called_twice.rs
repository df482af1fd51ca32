//! `if r() is not None: r().use()` with a weak reference `r`: the object may be gone at the second call.
//!
//! Silent where a name of the same function holds the object.

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["weakref/called-twice"], nodes: &[NodeKind::StmtIf], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtIf(statement) = site.node else { return None };
    let module = site.module;
    let tested = tested_call(&statement.test)?;
    let calls = calls_like(module, &statement.body, tested);
    let first = calls.first()?;
    if !is_weak(module, &tested.func) || is_held(site, &tested.func) || is_bound_again(module, &statement.body, tested)
    {
        return None;
    }
    let finding = Finding::new("weakref/called-twice", first.range())
        .fact("call", Fact::from(module.source(*first)))
        .fact("first_at", module.place(tested.range()).map(Fact::from));
    findings.push(finding);
    Some(())
}

/// The call in `r()`, `r() is not None`, or either followed by `and …`.
pub fn tested_call(test: &Expr) -> Option<&ast::ExprCall> {
    match test {
        Expr::Call(call) if call.arguments.is_empty() => Some(call),
        Expr::Compare(compare) if matches!(&*compare.ops, [ast::CmpOp::IsNot]) => {
            let is_none = compare.comparators.iter().all(Expr::is_none_literal_expr);
            compare.left.as_call_expr().filter(|call| is_none && call.arguments.is_empty())
        }
        Expr::BoolOp(both) if both.op == ast::BoolOp::And => tested_call(both.values.first()?),
        _ => None,
    }
}

/// The calls in the statements that are written like `call`, nested functions left out.
pub fn calls_like<'a>(module: &Module, statements: &'a [Stmt], call: &ast::ExprCall) -> Vec<&'a ast::ExprCall> {
    struct Calls<'m, 's, 'a>(&'m Module<'s>, &'m str, Vec<&'a ast::ExprCall>);
    impl<'a> SourceOrderVisitor<'a> for Calls<'_, '_, 'a> {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            match node {
                AnyNodeRef::ExprCall(call) if self.0.source(call) == self.1 => self.2.push(call),
                AnyNodeRef::StmtFunctionDef(_) | AnyNodeRef::ExprLambda(_) => return TraversalSignal::Skip,
                _ => {}
            }
            TraversalSignal::Traverse
        }
    }
    let mut finder = Calls(module, module.source(call), vec![]);
    finder.visit_body(statements);
    finder.2
}

fn is_weak(module: &Module, func: &Expr) -> bool {
    if module.calls_of("ref").is_empty() && module.calls_of("WeakMethod").is_empty() {
        return false;
    }
    module.class_name(func).is_some_and(|class| class.is_any(&["weakref.WeakMethod", "weakref.ref"]))
}

/// Whether a variable of the function may hold the object: the reference was made here, of something that has a name.
fn is_held(site: &Site, func: &Expr) -> bool {
    func.is_name_expr()
        && site.module.origins(func).iter().any(|origin| match origin {
            Expr::Call(call) => {
                let is_named = call.arguments.args.first().is_some_and(|referent| !referent.is_call_expr());
                let around = site.function().map(|def| def.range());
                is_named && around.is_none_or(|around| around.contains_range(call.range()))
            }
            _ => false,
        })
}

/// Whether the block binds the reference, or the part it is read from, to something else.
fn is_bound_again(module: &Module, statements: &[Stmt], call: &ast::ExprCall) -> bool {
    let source = module.source(&*call.func);
    statements.iter().any(|statement| match statement {
        Stmt::Assign(assign) => assign.targets.iter().any(|target| module.source(target) == source),
        _ => false,
    })
}
