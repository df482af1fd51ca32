//! Processes started while a module is imported: a child that imports the module again starts them again.

use ruff_python_ast::{AnyNodeRef, NodeKind};

use super::nodes::method;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{ExecutionContext, Site};
use crate::pages::Severity;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["processes/no-main-guard"], nodes: &[NodeKind::ExprCall], detect };

/// What starts processes when it is called.
const STARTERS: &[&str] = &["multiprocessing.Manager", "multiprocessing.Pool"];
/// The version from which on no system copies the process by default.
const NEVER_FORKS: (u8, u8) = (3, 14);

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    if !matches!(site.context(), ExecutionContext::Module) || site.enclosing().any(runs_at_times) {
        return None;
    }
    let is_started = match method(call) {
        Some((receiver, "start")) => {
            module.may_use_package("multiprocessing")
                && module.receiver_class(receiver).is_some_and(|class| class.inherits("multiprocessing.Process"))
        }
        _ => site.module.may_be(&call.func, STARTERS) && site.callee_among(call, STARTERS).is_some(),
    };
    // Who names a start method has thought of it.
    let text = module.text();
    let is_chosen = ["set_start_method", "get_context"].iter().any(|name| text.contains(name));
    if !is_started || is_chosen || site.is_type_checking() {
        return None;
    }
    let finding = Finding::new("processes/no-main-guard", call.func.range())
        .fact("callee", Fact::from(module.source(&*call.func)));
    let finding = match module.version() < NEVER_FORKS {
        true => finding.severity(Severity::Information),
        false => finding,
    };
    findings.push(finding);
    Some(())
}

/// A test such as `__name__ == "__main__"`, or code that is no statement of the module.
fn runs_at_times(node: AnyNodeRef) -> bool {
    matches!(node, AnyNodeRef::StmtIf(_) | AnyNodeRef::StmtMatch(_) | AnyNodeRef::StmtClassDef(_))
}
