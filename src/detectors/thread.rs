//! Calls that make a thread object: what it will run, and what the rest of the file does with it.

use ruff_python_ast::{AnyNodeRef, NodeKind};

use super::threads::{Created, as_call, calls_on, created};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Origin, Site};
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
            .fact("as_call", made.target().and_then(|target| as_call(module, call, target)).map(Fact::from))
            .fact("runs", runs.map(|runs| Fact::from(runs.name)))
            .fact("init", init(&made).map(Fact::from))
            .fact("daemon_at", made.daemon_at(module).map(Fact::from))
            .fact("started_at", Fact::from(started_at))
            .fact("joined_at", Fact::from(joined_at)),
    );
    Some(())
}

/// The project's `__init__` that the call runs.
fn init(made: &Created) -> Option<String> {
    let definer = made.class.definer("__init__")?;
    (definer.symbol().origin == Origin::Project).then(|| format!("{}.__init__", definer.name()))
}
