//! Whether a container can be changed behind the statements' back.
//!
//! It cannot, if only this scope can reach it; or if no code of others has run since the object was stored.

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal, walk_node};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use super::fate::{Fate, Slot, new_object_is_kept, of_argument, with_def};
use super::lifetime::{assignment, head_parts};
use super::mentions::{Inner, Mention, binds, inner_use, mentions};
use super::path::Step;
use super::uses::{CONTAINER_METHODS, CONTAINERS, LOOKING};
use crate::analysis::{MemberKind, Module, Origin};
use crate::text::Ranged as _;

/// How many calls deep the container's owner is followed.
const DEPTH: usize = 3;

/// Whether `slot`, filled in the step `stored`, certainly still holds its object at the end of `steps`.
pub(super) fn stays_put(module: &Module, steps: &[Step], stored: usize, slot: &Slot, scope: &[Stmt]) -> bool {
    is_private(module, steps, &slot.root, scope) || steps[stored + 1..].iter().all(|step| is_quiet(module, *step))
}

/// Whether only the statements of this scope can reach the object of `root`.
fn is_private(module: &Module, steps: &[Step], root: &str, scope: &[Stmt]) -> bool {
    if inner_use(scope, root) != Inner::Unused {
        return false;
    }
    let binding = steps.iter().rposition(|step| match step {
        Step::Ran(statement) => binds(std::slice::from_ref(statement), root),
        Step::Perhaps(block) => binds(block, root),
        Step::Head(_) => false,
    });
    let Some(made) = binding else { return false };
    let Step::Ran(statement) = steps[made] else { return false };
    if !assignment(statement).is_some_and(|(targets, value)| targets.len() == 1 && is_new(module, value)) {
        return false;
    }
    steps[made + 1..].iter().all(|step| match step {
        Step::Ran(statement) => all_private(module, std::slice::from_ref(statement), root),
        Step::Perhaps(block) => all_private(module, block, root),
        Step::Head(node) => head_parts(*node).into_iter().all(|part| !names(part, root)),
    })
}

fn all_private(module: &Module, statements: &[Stmt], root: &str) -> bool {
    mentions(statements, &[root]).iter().all(|mention| stays_private(module, mention, DEPTH))
}

fn names(part: AnyNodeRef, root: &str) -> bool {
    struct Names<'n>(&'n str, bool);
    impl<'a> SourceOrderVisitor<'a> for Names<'_> {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            self.1 |= matches!(node, AnyNodeRef::ExprName(name) if name.id == self.0);
            TraversalSignal::Traverse
        }
    }
    let mut finder = Names(root, false);
    walk_node(&mut finder, part);
    finder.1
}

/// Whether the value is an object that nothing else refers to yet.
fn is_new(module: &Module, value: &Expr) -> bool {
    match value {
        Expr::List(_) | Expr::Dict(_) | Expr::Set(_) | Expr::ListComp(_) | Expr::DictComp(_) | Expr::SetComp(_) => true,
        Expr::Call(call) => module.class_reference(&call.func).is_some_and(|class| {
            let symbol = class.symbol();
            symbol.is_any(CONTAINERS) || (symbol.origin == Origin::Project && !new_object_is_kept(&class))
        }),
        _ => false,
    }
}

/// Whether a use of a variable gives nobody else a reference to its object.
fn stays_private(module: &Module, mention: &Mention, depth: usize) -> bool {
    if mention.is_deferred() {
        return is_weak_callback(module, mention);
    }
    match mention.around(0) {
        Some(AnyNodeRef::ExprAttribute(attribute)) => match mention.around(1) {
            Some(AnyNodeRef::ExprCall(call)) if call.func.range() == attribute.range() => {
                method_stays_private(module, attribute, call, depth)
            }
            _ => !module.lookup(attribute).is_some_and(|lookup| {
                matches!(
                    lookup.member.kind,
                    MemberKind::Function | MemberKind::Property { .. } | MemberKind::Descriptor(_)
                )
            }),
        },
        Some(AnyNodeRef::ExprSubscript(subscript)) => subscript.value.range() == mention.name.range(),
        Some(
            AnyNodeRef::ExprCompare(_)
            | AnyNodeRef::InterpolatedElement(_)
            | AnyNodeRef::StmtIf(_)
            | AnyNodeRef::StmtAssert(_)
            | AnyNodeRef::StmtExpr(_),
        ) => true,
        Some(AnyNodeRef::Arguments(_) | AnyNodeRef::Keyword(_)) => {
            let calls = mention.ancestors.iter().rev().take(3).find_map(|node| match node {
                AnyNodeRef::ExprCall(call) => Some(*call),
                _ => None,
            });
            calls.is_some_and(|call| {
                is_looking(module, call)
                    || matches!(of_argument(module, call, mention.name.range(), depth), Some(Fate::Dropped))
            })
        }
        _ => false,
    }
}

/// What a method does with its own object, followed a few calls deep.
fn method_stays_private(module: &Module, attribute: &ast::ExprAttribute, call: &ast::ExprCall, depth: usize) -> bool {
    if module.class_of(&*attribute.value).is_some_and(|class| class.symbol().is_any(CONTAINERS)) {
        return CONTAINER_METHODS.contains(&attribute.attr.as_str());
    }
    let Some(depth) = depth.checked_sub(1) else { return false };
    let Some(function) = module.called_function(call) else { return false };
    let private = with_def(module, &function, |module, def| {
        let own = def.parameters.iter_non_variadic_params().next()?.name();
        let uses = mentions(&def.body, &[own.as_str()]);
        let is_plain = !def.is_async && def.decorator_list.is_empty();
        Some(is_plain && uses.iter().all(|mention| stays_private(module, mention, depth)))
    });
    private.flatten().unwrap_or(false)
}

/// Whether the use stands in the callback of a weak reference: it runs only when that reference dies.
fn is_weak_callback(module: &Module, mention: &Mention) -> bool {
    let mut around = mention.ancestors.iter().rev().skip_while(|node| !matches!(node, AnyNodeRef::ExprLambda(_)));
    let (_, _, call) = (around.next(), around.next(), around.next());
    match call {
        Some(AnyNodeRef::ExprCall(call)) => module.callee(call).is_some_and(|symbol| symbol.is("weakref.ref")),
        _ => false,
    }
}

fn is_looking(module: &Module, call: &ast::ExprCall) -> bool {
    module.callee(call).is_some_and(|symbol| symbol.is_any(LOOKING))
}

/// Whether a step runs no code of others, as far as calls show it.
fn is_quiet(module: &Module, step: Step) -> bool {
    struct Calls<'m, 's>(&'m Module<'s>, bool);
    impl<'a> SourceOrderVisitor<'a> for Calls<'_, '_> {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            match node {
                AnyNodeRef::ExprCall(call) => self.1 &= is_looking(self.0, call),
                AnyNodeRef::ExprAwait(_) | AnyNodeRef::ExprYield(_) | AnyNodeRef::ExprYieldFrom(_) => self.1 = false,
                AnyNodeRef::StmtWith(_) => self.1 = false,
                _ => {}
            }
            TraversalSignal::Traverse
        }
    }
    let mut finder = Calls(module, true);
    match step {
        Step::Ran(statement) => finder.visit_stmt(statement),
        Step::Perhaps(block) => finder.visit_body(block),
        Step::Head(AnyNodeRef::StmtWith(_)) => return false,
        Step::Head(node) => head_parts(node).into_iter().for_each(|part| walk_node(&mut finder, part)),
    }
    finder.1
}
