//! One reference to a function: what is done with it, and what runs the call.

use ruff_python_ast::{self as ast, AnyNodeRef, CmpOp, Expr};

use super::plan::Plan;
use crate::analysis::{Module, Site};
use crate::detectors::suspension::{call_head, is_in};
use crate::rewrites::awaiting::{TAKE_ALL, suspension_obstacle};
use crate::text::{Ranged as _, TextRange};

/// What runs a call.
pub(super) enum Runner<'a> {
    /// A coroutine function: it can await.
    Coroutine,
    /// A plain function, which has to become one.
    Function(&'a ast::StmtFunctionDef),
    /// The top level of a script.
    Entry,
}

/// The call whose callee is the last node of `path`.
pub(in crate::rewrites) fn of<'a, 's>(module: &'a Module<'s>, path: &'a [AnyNodeRef<'a>]) -> Option<Site<'a, 's>> {
    let (callee, ancestors) = path.split_last()?;
    let (parent, ancestors) = ancestors.split_last()?;
    let AnyNodeRef::ExprCall(call) = parent else { return None };
    let is_callee = call.func.range() == callee.range();
    is_callee.then_some(Site::at(module, *parent, ancestors))
}

/// What is done with a function that is not called, as the end of "`f` …".
pub(in crate::rewrites) fn use_of(module: &Module, path: &[AnyNodeRef]) -> String {
    let mut parents = path.iter().rev().skip(1);
    while let Some(parent) = parents.next() {
        match parent {
            AnyNodeRef::Arguments(_) | AnyNodeRef::Keyword(_) | AnyNodeRef::ExprStarred(_) => {}
            AnyNodeRef::ExprCall(call) => return format!("is passed to `{}`", call_head(module, call)),
            AnyNodeRef::Decorator(_) => {
                let decorated = parents.find_map(|node| match node {
                    AnyNodeRef::StmtFunctionDef(def) => Some(def.name.as_str()),
                    AnyNodeRef::StmtClassDef(class) => Some(class.name.as_str()),
                    _ => None,
                });
                return format!("decorates `{}`", decorated.unwrap_or_default());
            }
            AnyNodeRef::ExprAttribute(attribute) => return format!("is asked for `.{}`", attribute.attr),
            _ => break,
        }
    }
    "is used as a value".to_string()
}

/// What runs the call at `site`.
///
/// # Errors
/// Why it cannot be awaited, as the end of "`f` …".
pub(super) fn runner<'a>(plan: &Plan, site: &Site<'a, '_>) -> Result<Runner<'a>, String> {
    let module = site.module;
    let call = site.node.range();
    if site.is_annotation() {
        return Err("is called in an annotation".to_string());
    }
    let mut comprehensions = 0;
    let mut in_loop = false;
    for (index, node) in site.enclosing().enumerate() {
        match node {
            AnyNodeRef::ExprLambda(_) => return Err("is called in a lambda".to_string()),
            AnyNodeRef::ExprGenerator(generator) if !is_first_iterable(&generator.generators, call) => {
                comprehensions += 1;
                consumed(site, generator, index)?;
            }
            AnyNodeRef::ExprListComp(ast::ExprListComp { generators, .. })
            | AnyNodeRef::ExprSetComp(ast::ExprSetComp { generators, .. })
            | AnyNodeRef::ExprDictComp(ast::ExprDictComp { generators, .. }) => {
                comprehensions += usize::from(!is_first_iterable(generators, call));
            }
            AnyNodeRef::StmtClassDef(class) => {
                return Err(format!("is called in the body of the class `{}`", class.name));
            }
            AnyNodeRef::StmtFunctionDef(def) if !is_in(&def.body, call) => {
                return Err(format!("is called in a default or a decorator of `{}`", def.name));
            }
            AnyNodeRef::StmtFunctionDef(def) => {
                if comprehensions > 1 && plan.oldest_python < (3, 11) {
                    return Err("is called in nested comprehensions, which can await from Python 3.11 on".to_string());
                }
                if let Some(reason) = suspension_obstacle(site) {
                    return Err(format!("is called where no `await` may stand: {reason}"));
                }
                return Ok(if def.is_async { Runner::Coroutine } else { Runner::Function(def) });
            }
            AnyNodeRef::StmtFor(turns) => in_loop |= is_in(&turns.body, call),
            AnyNodeRef::StmtWhile(turns) => in_loop |= !is_in(&turns.orelse, call),
            _ => {}
        }
    }
    if in_loop || comprehensions > 0 {
        return Err("is called in a loop at module level: each turn would start an event loop".to_string());
    }
    if let (false, Some((importer, line))) =
        (is_guarded(site), module.path().and_then(|path| plan.snapshot.importer(path)))
    {
        let importer = plan.at_line(&importer, line);
        return Err(format!("is called at the top level of a module that {importer} imports"));
    }
    Ok(Runner::Entry)
}

fn is_first_iterable(generators: &[ast::Comprehension], range: TextRange) -> bool {
    generators.first().is_some_and(|first| first.iter.range().contains_range(range))
}

/// Whether a generator expression with an `await` can become a list: what takes it takes all of it.
pub(in crate::rewrites) fn consumed(site: &Site, generator: &ast::ExprGenerator, index: usize) -> Result<(), String> {
    let mut outer = site.enclosing().skip(index + 1);
    let taker = match (outer.next(), outer.next()) {
        (Some(AnyNodeRef::Arguments(_)), Some(AnyNodeRef::ExprCall(call))) => Some(call),
        _ => None,
    };
    let symbol = taker.and_then(|call| site.module.callee(call));
    match symbol {
        Some(symbol) if symbol.is_any(TAKE_ALL) => Ok(()),
        Some(symbol) if symbol.is_any(&["builtins.all", "builtins.any"]) => {
            Err(format!("is called in a generator expression that `{}` may leave early", symbol.last()))
        }
        _ => {
            let line = site.module.lines().line(generator.start());
            Err(format!("is called in a generator expression (line {line}), which would become asynchronous"))
        }
    }
}

/// Whether the site stands under `if __name__ == "__main__":`.
fn is_guarded(site: &Site) -> bool {
    site.enclosing().any(|node| match node {
        AnyNodeRef::StmtIf(statement) => is_main_test(&statement.test) && is_in(&statement.body, site.node.range()),
        _ => false,
    })
}

fn is_main_test(test: &Expr) -> bool {
    let Expr::Compare(compare) = test else { return false };
    let ([CmpOp::Eq], [right]) = (&*compare.ops, &*compare.comparators) else { return false };
    let is_name = |expr: &Expr| expr.as_name_expr().is_some_and(|name| name.id == "__name__");
    let is_main = |expr: &Expr| expr.as_string_literal_expr().is_some_and(|text| text.value.to_str() == "__main__");
    (is_name(&compare.left) && is_main(right)) || (is_main(&compare.left) && is_name(right))
}
