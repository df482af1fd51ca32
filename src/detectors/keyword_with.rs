//! `with`: which code runs at the two ends of the block, and whether it swallows exceptions.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::locks::locks_of;
use super::method_body::own_nodes;
use super::nodes::is_true;
use super::suspension::{call_head, with_def};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Module, Origin, Site};
use crate::text::{Place, Ranged as _, TextRange, TextSize};

pub(super) const DETECTOR: Detector = Detector { concepts: &["keywords/with"], nodes: &[NodeKind::StmtWith], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtWith(with) = site.node else { return None };
    if with.is_async || !findings.wants("keywords/with") || is_one_lock(site.module, with) {
        return None;
    }
    let finding = Finding::new("keywords/with", TextRange::at(with.start(), TextSize::new(4)));
    let finding = match with.items.as_slice() {
        [only] => {
            let target = only.optional_vars.as_deref().and_then(Expr::as_name_expr);
            let finding = finding.fact("target", target.map(|target| Fact::from(target.id.as_str())));
            with_manager(site.module, &only.context_expr, finding)?
        }
        [.., last] => finding
            .fact("last", Fact::from(site.module.source(&last.context_expr)))
            .fact("count", Fact::from(with.items.len())),
        [] => return None,
    };
    findings.push(finding);
    Some(())
}

/// What is to be said is said at the lock.
fn is_one_lock(module: &Module, with: &ast::StmtWith) -> bool {
    with.items.len() == 1 && !locks_of(module, with).is_empty()
}

fn with_manager(module: &Module, manager: &Expr, finding: Finding) -> Option<Finding> {
    if let Some(finding) = with_factory(module, manager, &finding) {
        return Some(finding);
    }
    if let Expr::Call(call) = manager
        && module.calls(call, &["contextlib.suppress"])
    {
        let errors: Vec<String> = call.arguments.args.iter().map(|error| module.source(error).to_string()).collect();
        return Some(finding.fact("suppressed", Fact::from(errors)));
    }
    let class = module.class_of(manager);
    let name = class.as_ref().map(Class::name).or_else(|| Some(module.class_name(manager)?.last().to_string()))?;
    let opened = matches!(manager, Expr::Call(call) if module.calls(call, &["builtins.open", "io.open"]));
    let finding = finding
        .fact("opened", opened.then(|| Fact::from(module.source(manager))))
        .fact("manager_class", Fact::from(name));
    let Some(class) = class else { return Some(finding) };
    let finding = finding
        .fact("enter_at", place(&class, "__enter__").map(Fact::from))
        .fact("exit_at", place(&class, "__exit__").map(Fact::from));
    Some(finding.fact("swallows_at", swallows(&class).map(Fact::from)))
}

fn place(class: &Class, method: &str) -> Option<Place> {
    let definer = class.definer(method).filter(|definer| definer.symbol().origin == Origin::Project)?;
    definer.own_member(method)?.place
}

/// Where `__exit__` returns `True`, whatever the exception is.
fn swallows(class: &Class) -> Option<Place> {
    let definer = class.definer("__exit__").filter(|definer| definer.symbol().origin == Origin::Project)?;
    definer.with_statement(|module, statement| {
        let exit = super::method_body::method(&statement.body, "__exit__")?;
        let mut at = None;
        own_nodes(&exit.body, |node| {
            if let AnyNodeRef::StmtReturn(ast::StmtReturn { value: Some(value), .. }) = node
                && is_true(value)
                && at.is_none()
            {
                at = Some(node.range());
            }
        });
        module.place(at?)
    })
}

/// For a manager made by `contextlib.contextmanager`: its generator function.
fn with_factory(module: &Module, manager: &Expr, finding: &Finding) -> Option<Finding> {
    let Expr::Call(call) = manager else { return None };
    let function = module.called_function(call).filter(|function| function.is_generator && function.is_decorated)?;
    let (yield_at, unguarded_at) = with_def(module, &function, |module, def| {
        let is_manager = |decorator: &ast::Decorator| {
            module.symbol(&decorator.expression).is_some_and(|symbol| symbol.is("contextlib.contextmanager"))
        };
        if !def.decorator_list.iter().all(is_manager) {
            return None;
        }
        let first = first_yield(def)?;
        Some((module.place(first)?, unguarded(def, first).and_then(|range| module.place(range))))
    })??;
    Some(
        finding
            .clone()
            .fact("factory", Fact::from(call_head(module, call)))
            .fact("factory_at", function.place.map(Fact::from))
            .fact("yield_at", Fact::from(yield_at))
            .fact("unguarded_at", unguarded_at.map(Fact::from)),
    )
}

pub(super) fn first_yield(def: &ast::StmtFunctionDef) -> Option<TextRange> {
    let mut first = None;
    own_nodes(&def.body, |node| {
        if let AnyNodeRef::ExprYield(_) = node {
            first = first.or(Some(node.range()));
        }
    });
    first
}

/// The statement right behind a `yield` that stands in the function's own block: an exception in the block skips it.
pub(super) fn unguarded(def: &ast::StmtFunctionDef, yielded: TextRange) -> Option<TextRange> {
    let index = def.body.iter().position(|statement| statement.range().contains_range(yielded))?;
    let is_plain = matches!(def.body.get(index)?, ast::Stmt::Expr(_) | ast::Stmt::Assign(_));
    def.body.get(index + 1).filter(|_| is_plain).map(|next| next.range())
}
