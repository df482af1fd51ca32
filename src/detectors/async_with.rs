//! `async with`: which code runs at the two ends of the block.
//!
//! Silent for managers that have a page of their own.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::coroutine_function::yields;
use super::suspension::{call_head, with_def};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Origin, Site};
use crate::text::{Ranged as _, TextRange, TextSize};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["asyncio/async-with"], nodes: &[NodeKind::StmtWith], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtWith(with) = site.node else { return None };
    let first = with.items.first().filter(|_| with.is_async)?;
    if with.items.iter().any(|item| has_own_page(site, &item.context_expr)) {
        return None;
    }
    let finding = Finding::new("asyncio/async-with", TextRange::at(with.start(), TextSize::new(10)));
    let finding = match with.items.as_slice() {
        [only] => with_manager(site, &only.context_expr, finding),
        _ => finding,
    };
    // What the statement always means is no news.
    ["enter_at", "exit_at", "yield_at"].iter().find(|fact| finding.facts.get(fact).is_some())?;
    let target = first.optional_vars.as_deref().filter(|_| with.items.len() == 1).and_then(Expr::as_name_expr);
    findings.push(finding.fact("target", target.map(|target| Fact::from(target.id.as_str()))));
    Some(())
}

fn has_own_page(site: &Site, manager: &Expr) -> bool {
    const CLASSES: &[&str] =
        &["asyncio.BoundedSemaphore", "asyncio.Lock", "asyncio.Semaphore", "asyncio.TaskGroup", "asyncio.Timeout"];
    site.module.class_name(manager).is_some_and(|class| class.is_any(CLASSES))
}

fn with_manager(site: &Site, manager: &Expr, finding: Finding) -> Finding {
    if let Some(finding) = with_factory(site, manager, &finding) {
        return finding;
    }
    let Some(class) = site.module.class_of(manager) else {
        let name = site.module.class_name(manager);
        return finding.fact("manager_class", name.map(|name| Fact::from(name.last())));
    };
    let finding = finding.fact("manager_class", Fact::from(class.name()));
    let place = |method: &str| {
        let definer = class.definer(method).filter(|definer| definer.symbol().origin == Origin::Project)?;
        definer.own_member(method)?.place.map(Fact::from)
    };
    finding.fact("enter_at", place("__aenter__")).fact("exit_at", place("__aexit__"))
}

/// For a manager made by `contextlib.asynccontextmanager`: its generator function.
fn with_factory(site: &Site, manager: &Expr, finding: &Finding) -> Option<Finding> {
    let module = site.module;
    let Expr::Call(call) = manager else { return None };
    let function = module.called_function(call).filter(|function| function.is_generator && function.is_decorated)?;
    let yield_at = with_def(module, &function, |module, def| {
        let is_manager = |decorator: &ast::Decorator| {
            module.symbol(&decorator.expression).is_some_and(|symbol| symbol.is("contextlib.asynccontextmanager"))
        };
        let only = def.decorator_list.iter().all(is_manager);
        let first = yields(&def.body).first().copied().filter(|_| only)?;
        module.place(first)
    })??;
    Some(
        finding
            .clone()
            .fact("factory", Fact::from(call_head(module, call)))
            .fact("factory_at", function.place.map(Fact::from))
            .fact("yield_at", Fact::from(yield_at)),
    )
}
