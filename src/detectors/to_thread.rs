//! `asyncio.to_thread` and `loop.run_in_executor`: what runs elsewhere, and when it starts.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::coroutine_function::blocking_call;
use super::suspension::with_def;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["asyncio/run-in-executor", "asyncio/to-thread"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    let symbol = site.callee_among(call, &["asyncio.AbstractEventLoop.run_in_executor", "asyncio.to_thread"])?;
    let callee = Fact::from(module.source(&*call.func));
    let (job, finding) = if symbol.is("asyncio.to_thread") {
        let finding = Finding::new("asyncio/to-thread", call.func.range());
        (call.arguments.find_argument_value("func", 0), finding.fact("lazy", callee))
    } else {
        let finding = Finding::new("asyncio/run-in-executor", call.func.range());
        let executor = call.arguments.find_argument_value("executor", 0);
        let other = executor.filter(|executor| !executor.is_none_literal_expr());
        let finding = finding.fact("eager", callee);
        let finding = finding.fact("executor", other.map(|executor| Fact::from(module.source(executor))));
        (call.arguments.find_argument_value("func", 1), finding)
    };
    findings.push(match job.map(|job| unwrapped(site, job)) {
        Some(job) => with_job(site, job, finding),
        None => finding,
    });
    Some(())
}

/// `f` in `functools.partial(f, …)`.
fn unwrapped<'a>(site: &Site, job: &'a Expr) -> &'a Expr {
    let Expr::Call(ast::ExprCall { func, arguments, .. }) = job else { return job };
    let is_partial = site.module.symbol(&**func).is_some_and(|symbol| symbol.is("functools.partial"));
    arguments.args.first().filter(|_| is_partial).unwrap_or(job)
}

fn with_job(site: &Site, job: &Expr, finding: Finding) -> Finding {
    let module = site.module;
    let finding = finding.fact("job", Fact::from(module.source(job)));
    let Some(function) = module.function(job) else { return finding };
    if function.makes_coroutine() {
        return finding.fact("coroutine", Fact::from(function.name));
    }
    let blocks = with_def(module, &function, |module, def| {
        let node = AnyNodeRef::StmtFunctionDef(def);
        let def_site = Site::at(module, node, &[]);
        blocking_call(&def_site, &def.body)
    });
    match blocks.flatten() {
        Some((callee, at)) => finding.fact("blocking_call", Fact::from(callee)).fact("blocking_at", at.map(Fact::from)),
        None => finding,
    }
}
