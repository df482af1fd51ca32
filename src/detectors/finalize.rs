//! `weakref.finalize`: what is called when, and the arguments that keep the object alive for ever.

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal, walk_node};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{MemberKind, Module, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["weakref/finalize", "weakref/finalize-holds-object"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    let [object, callback, arguments @ ..] = &*call.arguments.args else { return None };
    if !module.may_be(&call.func, &["weakref.finalize"]) || !module.callee(call)?.is("weakref.finalize") {
        return None;
    }
    let keywords = || call.arguments.keywords.iter();
    let given: Vec<&Expr> = arguments.iter().chain(keywords().map(|keyword| &keyword.value)).collect();
    let sources = || {
        let positional = arguments.iter().map(|argument| argument.range());
        let ranges = positional.chain(keywords().map(|keyword| keyword.range()));
        ranges.map(|range| module.source(range)).collect::<Vec<_>>().join(", ")
    };
    let shown = Fact::from(module.source(object));
    let evaluated = given.iter().filter(|argument| !argument.is_literal_expr());
    let target = match site.parent() {
        Some(AnyNodeRef::StmtAssign(assign)) if assign.targets.len() == 1 => assign.targets.first(),
        _ => None,
    };
    let called = (!callback.is_lambda_expr()).then(|| format!("{}({})", module.source(callback), sources()));
    let finding = Finding::new("weakref/finalize", call.func.range())
        .fact("object", shown.clone())
        .fact("call", called.map(Fact::from))
        .fact(
            "arguments",
            Fact::from(evaluated.map(|argument| module.source(*argument).to_string()).collect::<Vec<_>>()),
        )
        .fact("target", target.map(|target| Fact::from(module.source(target))));
    let held = |object: &ast::ExprName| {
        std::iter::once(callback).chain(given.iter().copied()).filter(|held| holds(module, held, object)).collect()
    };
    let held: Vec<&Expr> = object.as_name_expr().map(held).unwrap_or_default();
    findings.push(finding.fact("holder", held.first().map(|held| Fact::from(module.source(*held)))));
    for held in held {
        let finding = Finding::new("weakref/finalize-holds-object", held.range())
            .fact("object", shown.clone())
            .fact("holder", Fact::from(module.source(held)));
        findings.push(finding);
    }
    Some(())
}

/// Whether `held` certainly refers to the object of the variable `object`.
fn holds(module: &Module, held: &Expr, object: &ast::ExprName) -> bool {
    match held {
        Expr::Name(name) => name.id == object.id,
        Expr::Attribute(attribute) => {
            let is_of_object = matches!(&*attribute.value, Expr::Name(name) if name.id == object.id);
            is_of_object && is_bound_method(module, attribute)
        }
        Expr::Lambda(lambda) => uses(lambda, &object.id),
        Expr::Call(call) if module.callee(call).is_some_and(|symbol| symbol.is("functools.partial")) => {
            let keywords = call.arguments.keywords.iter().map(|keyword| &keyword.value);
            call.arguments.args.iter().chain(keywords).any(|argument| holds(module, argument, object))
        }
        _ => false,
    }
}

/// Whether the attribute makes a method bound to its receiver.
pub(super) fn is_bound_method(module: &Module, attribute: &ast::ExprAttribute) -> bool {
    let lookup = module.lookup(attribute);
    lookup.is_some_and(|lookup| lookup.member.kind == MemberKind::Function && !lookup.through_class)
}

/// Whether a lambda uses the variable `name` of the scope around it, in its body or as a default.
pub(super) fn uses(lambda: &ast::ExprLambda, name: &str) -> bool {
    struct Uses<'n>(&'n str, bool);
    impl<'a> SourceOrderVisitor<'a> for Uses<'_> {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            self.1 |= matches!(node, AnyNodeRef::ExprName(name) if name.id == self.0 && name.ctx.is_load());
            TraversalSignal::Traverse
        }
    }
    let mut finder = Uses(name, false);
    let parameters = lambda.parameters.as_deref();
    for default in parameters.into_iter().flat_map(|parameters| parameters.iter()).filter_map(|item| item.default()) {
        walk_node(&mut finder, default.into());
    }
    let is_parameter = parameters.is_some_and(|parameters| parameters.iter().any(|item| item.name().as_str() == name));
    if !is_parameter {
        walk_node(&mut finder, AnyNodeRef::from(&*lambda.body));
    }
    finder.1
}
