//! A function that runs on a worker of a pool and waits for another call of the same pool.
//!
//! Silent with a timeout, for other pools, and where it is not seen that one object is meant.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::nodes::{function_around, method};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["threads/pool-self-wait"], nodes: &[NodeKind::ExprCall], detect };

const POOLS: &[&str] = &["concurrent.futures.ThreadPoolExecutor"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    let (future, "result" | "exception") = method(call)? else { return None };
    if !call.arguments.is_empty() || module.calls_of("submit").len() < 2 || site.is_type_checking() {
        return None;
    }
    let function = site.function()?;
    let submitted = submission(module, future)?;
    let (pool, "submit") = method(submitted)? else { return None };
    let made = maker(module, pool)?;
    // The call has to come from the same run of the function.
    function_around(module, submitted.range()).filter(|around| around.range() == function.range())?;
    let handed_over = hand_over(module, function, made)?;
    let inner = submitted.arguments.args.first()?;
    let size = made.arguments.find_argument_value("max_workers", 0).map(|size| Fact::from(module.source(size)));
    findings.push(
        Finding::new("threads/pool-self-wait", call.func.range())
            .fact("code", Fact::from(module.source(call)))
            .fact("pool", Fact::from(module.source(pool)))
            .fact("size", size)
            .fact("function", Fact::from(function.name.as_str()))
            .fact("inner", Fact::from(module.source(inner)))
            .fact("submitted_at", module.place(submitted.range()).map(Fact::from))
            .fact("handed_over_at", module.place(handed_over.range()).map(Fact::from))
            .fact("made_at", module.place(made.range()).map(Fact::from)),
    );
    Some(())
}

/// The `pool.submit(…)` that gives the future.
fn submission<'m>(module: &'m Module, future: &'m Expr) -> Option<&'m ast::ExprCall> {
    match module.origins(future).as_slice() {
        [Expr::Call(call)] => Some(call),
        _ => None,
    }
}

/// The call that makes the pool.
fn maker<'m>(module: &'m Module, pool: &'m Expr) -> Option<&'m ast::ExprCall> {
    let origins = match pool {
        Expr::Name(_) | Expr::Attribute(_) => module.origins(pool),
        _ => return None,
    };
    match origins.as_slice() {
        [Expr::Call(made)] if module.calls(made, POOLS) => Some(made),
        _ => None,
    }
}

/// The call that gives `function` to the pool made by `made`.
fn hand_over<'m>(
    module: &'m Module,
    function: &ast::StmtFunctionDef,
    made: &ast::ExprCall,
) -> Option<&'m ast::ExprCall> {
    let def: TextRange = function.name.range();
    let is_it = |given: &Expr| {
        let last = match given {
            Expr::Name(name) => name.id.as_str(),
            Expr::Attribute(attribute) => attribute.attr.as_str(),
            _ => return false,
        };
        last == function.name.as_str()
            && module.function(given).and_then(|found| found.place).as_ref() == module.place(def).as_ref()
    };
    ["submit", "map"].iter().flat_map(|name| module.calls_of(name)).find(|call| {
        let Some((pool, _)) = method(call) else { return false };
        call.arguments.args.first().is_some_and(is_it)
            && maker(module, pool).is_some_and(|other| other.range() == made.range())
    })
}
