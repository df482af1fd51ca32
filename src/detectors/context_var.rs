//! Context variables: where one is set and read, and who does not see what a task or a worker sets.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::coroutine_function::only_start;
use super::nodes::{function_around, method};
use super::threads::{created, hand_over};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Place, Ranged as _, TextRange};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["asyncio/context-var-set", "asyncio/context-vars"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    if !site.is_asked(call.func.range()) {
        return None;
    }
    let module = site.module;
    if site.callee_among(call, &["contextvars.ContextVar.set"]).is_some() {
        findings.push(set(site, call)?);
        return Some(());
    }
    site.callee_among(call, &["contextvars.ContextVar"])?;
    let target = only_target(site).map(|target| module.source(target));
    let made = calls_on(module, "set", |receiver| origin_is(module, receiver, call.range()));
    let read = calls_on(module, "get", |receiver| origin_is(module, receiver, call.range()));
    let reset = calls_on(module, "reset", |receiver| origin_is(module, receiver, call.range()));
    let places = |calls: &[&ast::ExprCall]| -> Fact {
        let places: Vec<Place> = calls.iter().filter_map(|call| module.place(call.range())).collect();
        Fact::from(places)
    };
    let has_default = call.arguments.find_keyword("default").is_some();
    // A `get` with a default of its own raises nothing.
    let may_raise = !has_default && read.iter().any(|read| read.arguments.is_empty());
    findings.push(
        Finding::new("asyncio/context-vars", call.func.range())
            .fact("target", target.map(Fact::from))
            .fact("set_at", places(&made))
            .fact("read_at", places(&read))
            .fact("reset_at", places(&reset))
            .fact("bare", target.filter(|_| may_raise).map(Fact::from))
            .fact("maker", site.function().map(|function| Fact::from(function.name.as_str()))),
    );
    Some(())
}

/// The one target of the assignment that binds the value of the node.
pub(super) fn only_target<'a>(site: &Site<'a, '_>) -> Option<&'a Expr> {
    match site.parent()? {
        AnyNodeRef::StmtAssign(assign) => match assign.targets.as_slice() {
            [target] => Some(target),
            _ => None,
        },
        AnyNodeRef::StmtAnnAssign(assign) => Some(&assign.target),
        _ => None,
    }
}

/// The calls of `name` on what `is_it` says yes to.
fn calls_on<'m>(module: &'m Module, name: &str, is_it: impl Fn(&'m Expr) -> bool) -> Vec<&'m ast::ExprCall> {
    let calls = module.calls_of(name).into_iter();
    calls.filter(|call| method(call).is_some_and(|(receiver, _)| is_it(receiver))).collect()
}

fn origin_is(module: &Module, receiver: &Expr, made: TextRange) -> bool {
    module.origins(receiver).iter().any(|origin| origin.range() == made)
}

/// `variable.set(…)`.
fn set(site: &Site, call: &ast::ExprCall) -> Option<Finding> {
    let module = site.module;
    let (receiver, _) = method(call)?;
    let finding = Finding::new("asyncio/context-var-set", call.func.range())
        .fact("receiver", Fact::from(module.source(receiver)));
    let Some(function) = site.function() else { return Some(finding) };
    let name = Fact::from(function.name.as_str());
    if !function.is_async {
        let handed = hand_over(module, function);
        let fact = match handed {
            None => return Some(finding.fact("plain", name)),
            Some(handed) if created(module, handed).is_some() => "threaded",
            Some(handed) if method(handed).is_some_and(|(_, name)| name == "to_thread") => "copied",
            Some(handed) if handed.func.is_name_expr() => "copied",
            Some(_) => "pooled",
        };
        return Some(
            finding
                .fact(fact, name)
                .fact("handed", handed.map(|handed| Fact::from(module.source(&*handed.func))))
                .fact("handed_at", handed.and_then(|handed| module.place(handed.range())).map(Fact::from)),
        );
    }
    let start = only_start(module, function);
    let given = start.and_then(|(_, starter)| Some((starter, starter.arguments.find_keyword("context")?)));
    if let Some((starter, context)) = given {
        return Some(
            finding
                .fact("given", Fact::from(module.source(&context.value)))
                .fact("in_given", name)
                .fact("started_at", module.place(starter.range()).map(Fact::from)),
        );
    }
    let finding = finding.fact("function", name.clone());
    // Before Python 3.12 `wait_for` made a task; since then it runs the coroutine in its own.
    let Some((_, starter)) = start.filter(|(_, starter)| !module.calls(starter, &["asyncio.wait_for"])) else {
        return Some(finding.fact("shared", name));
    };
    let finding = finding.fact("task", name).fact("started_at", module.place(starter.range()).map(Fact::from));
    let Some(parent) = function_around(module, starter.range()) else { return Some(finding) };
    let origins = module.origins(receiver);
    let reads = calls_on(module, "get", |other| {
        module.origins(other).iter().any(|origin| origins.iter().any(|own| own.range() == origin.range()))
    });
    let unseen = reads.into_iter().find(|read| {
        read.start() > starter.end()
            && function_around(module, read.range()).is_some_and(|around| around.range() == parent.range())
    });
    Some(
        finding
            .fact("parent", unseen.map(|_| Fact::from(parent.name.as_str())))
            .fact("unseen_at", unseen.and_then(|read| module.place(read.range())).map(Fact::from)),
    )
}
