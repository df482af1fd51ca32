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
    // Of several managers, each one's name speaks for itself.
    let [only] = with.items.as_slice() else { return None };
    let target = only.optional_vars.as_deref().and_then(Expr::as_name_expr);
    findings.push(with_manager(site.module, with, &only.context_expr, finding, target)?);
    Some(())
}

/// What is to be said is said at the lock.
fn is_one_lock(module: &Module, with: &ast::StmtWith) -> bool {
    with.items.len() == 1 && !locks_of(module, with).is_empty()
}

/// What runs at the two ends, where it is the project's own code or does not do what its looks promise.
fn with_manager(
    module: &Module,
    with: &ast::StmtWith,
    manager: &Expr,
    finding: Finding,
    target: Option<&ast::ExprName>,
) -> Option<Finding> {
    if let Some(finding) = with_factory(module, manager, &finding) {
        return Some(finding);
    }
    if let Expr::Call(call) = manager
        && module.calls(call, &["contextlib.suppress"])
    {
        let errors: Vec<String> = call.arguments.args.iter().map(|error| module.source(error).to_string()).collect();
        let rest = with.body.get(1).and_then(|second| module.place(second.range()))?;
        return Some(finding.fact("suppressed", Fact::from(errors)).fact("rest_at", Fact::from(rest)));
    }
    let class = module.class_of(manager)?;
    if class.inherits("sqlite3.Connection") && may_commit_by_itself(module, manager) {
        return None;
    }
    let manager = Fact::from(module.source(manager));
    if class.inherits("sqlite3.Connection") {
        return Some(finding.fact("connection", manager));
    }
    if class.inherits("subprocess.Popen") {
        return Some(finding.fact("child", manager));
    }
    let (enter_at, exit_at) = (place(&class, "__enter__"), place(&class, "__exit__"));
    if enter_at.is_none() && exit_at.is_none() {
        return None;
    }
    Some(
        finding
            .fact("manager_class", Fact::from(class.name()))
            .fact("target", target.filter(|_| !returns_itself(&class)).map(|target| Fact::from(target.id.as_str())))
            .fact("enter_at", enter_at.map(Fact::from))
            .fact("exit_at", exit_at.map(Fact::from))
            .fact("swallows_at", swallows(&class).map(Fact::from)),
    )
}

/// Whether a connection of SQLite may be in autocommit, by either of two settings: then a block has nothing to roll back.
fn may_commit_by_itself(module: &Module, connection: &Expr) -> bool {
    let is_plain = |made: &&Expr| {
        let Expr::Call(call) = made else { return false };
        module.calls(call, &["sqlite3.connect"])
            && call.arguments.args.len() == 1
            && call
                .arguments
                .keywords
                .iter()
                .all(|keyword| keyword.arg.as_ref().is_some_and(|name| !SQLITE_COMMITS.contains(&name.as_str())))
    };
    let is_set = SQLITE_COMMITS.iter().any(|setting| module.text().contains(&format!(".{setting} = ")));
    let origins = module.origins(connection);
    if !origins.is_empty() && origins.iter().all(is_plain) {
        return is_set;
    }
    SQLITE_COMMITS.iter().any(|setting| {
        module.text().contains(setting)
            || module.snapshot().files_with_word(setting).is_some_and(|files| !files.is_empty())
    })
}

const SQLITE_COMMITS: &[&str] = &["autocommit", "isolation_level"];

/// Whether the project's `__enter__` returns the manager and nothing else.
fn returns_itself(class: &Class) -> bool {
    let Some(definer) = class.definer("__enter__") else { return true };
    definer.with_statement(|_, statement| {
        let Some(enter) = super::method_body::method(&statement.body, "__enter__") else { return true };
        let this = super::method_body::parameter(enter, 0).unwrap_or_default();
        let mut all = true;
        own_nodes(&enter.body, |node| {
            if let AnyNodeRef::StmtReturn(returned) = node {
                all &= returned.value.as_deref().is_some_and(|value| super::method_body::is_name(value, this));
            }
        });
        all
    })
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
