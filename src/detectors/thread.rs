//! Calls that make a thread object: what it will run, and what the rest of the file does with it.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::threads::{Created, calls_on, created};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Origin, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector = Detector { concepts: &["threads/thread"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    let made = created(module, call).filter(|made| !made.class.inherits("threading.Timer"))?;
    let runs = made.runs(module);
    let started_at = calls_on(module, call.range(), "start");
    let joined_at = calls_on(module, call.range(), "join");
    findings.push(
        Finding::new("threads/thread", call.func.range())
            .fact("runs_at", runs.as_ref().and_then(|runs| runs.place.clone()).map(Fact::from))
            .fact("as_call", as_call(module, &made).map(Fact::from))
            .fact("runs", runs.map(|runs| Fact::from(runs.name)))
            .fact("init", init(&made).map(Fact::from))
            .fact("daemon_at", made.daemon_at(module).map(Fact::from))
            .fact("started_at", Fact::from(started_at))
            .fact("joined_at", Fact::from(joined_at)),
    );
    Some(())
}

/// The call that the new thread will make: `work(1, key=2)` for `target=work, args=(1,), kwargs={"key": 2}`.
fn as_call(module: &Module, made: &Created) -> Option<String> {
    let target = made.target()?;
    let mut parts = vec![];
    match made.call.arguments.find_argument_value("args", 3) {
        Some(Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. })) => {
            parts.extend(elts.iter().map(|item| module.source(item).to_string()));
        }
        Some(_) => return None,
        None => {}
    }
    match made.call.arguments.find_argument_value("kwargs", 4) {
        Some(Expr::Dict(dict)) => {
            for item in &dict.items {
                let key = item.key.as_ref()?.as_string_literal_expr()?;
                parts.push(format!("{}={}", key.value.to_str(), module.source(&item.value)));
            }
        }
        Some(_) => return None,
        None => {}
    }
    (!parts.is_empty()).then(|| format!("{}({})", module.source(target), parts.join(", ")))
}

/// The project's `__init__` that the call runs.
fn init(made: &Created) -> Option<String> {
    let definer = made.class.definer("__init__")?;
    (definer.symbol().origin == Origin::Project).then(|| format!("{}.__init__", definer.name()))
}
