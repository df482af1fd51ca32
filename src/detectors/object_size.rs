//! `sys.getsizeof(x)`: what of `x` is not in the number.

use ruff_python_ast::{AnyNodeRef, NodeKind};

use super::class_reading::{is_own, lacks_dict};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["memory/getsizeof"], nodes: &[NodeKind::ExprCall], detect };

const CONTAINERS: &[&str] =
    &["builtins.dict", "builtins.frozenset", "builtins.list", "builtins.set", "builtins.tuple", "collections.deque"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    if !site.module.may_be(&call.func, &["sys.getsizeof"]) || !site.module.calls(call, &["sys.getsizeof"]) {
        return None;
    }
    let argument = call.arguments.args.first()?;
    let class = match site.module.class_reference(argument) {
        Some(_) => None,
        None => site.module.class_of(argument),
    };
    let finding =
        Finding::new("memory/getsizeof", call.func.range()).fact("argument", Fact::from(site.module.source(argument)));
    findings.push(match class {
        Some(class) if class.symbol().is_any(CONTAINERS) => finding.fact("container", Fact::from(class.name())),
        Some(class) if is_own(&class) && !lacks_dict(&class) => finding.fact("instance", Fact::from(class.name())),
        Some(_) => finding,
        None => finding.fact("any", Fact::from("unknown")),
    });
    Some(())
}
