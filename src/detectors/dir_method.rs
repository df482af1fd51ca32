//! `def __dir__`: what it leaves out.

use ruff_python_ast::{AnyNodeRef, NodeKind};

use super::method_body::{find_own, is_name};
use super::method_shape::SpecialMethod;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["datamodel/dir-method"], nodes: &[NodeKind::StmtFunctionDef], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let method = SpecialMethod::at(site, &["__dir__"])?;
    let own = method.own()?;
    let asks_its_class = find_own(&method.def.body, |node| match node {
        AnyNodeRef::ExprName(name) => matches!(name.id.as_str(), "super" | "type").then_some(()),
        AnyNodeRef::ExprAttribute(attribute) => {
            matches!(attribute.attr.as_str(), "__dir__" | "__class__" | "__mro__").then_some(())
        }
        AnyNodeRef::ExprCall(call) if is_name(&call.func, "dir") => {
            call.arguments.args.iter().any(|argument| is_name(argument, own)).then_some(())
        }
        _ => None,
    });
    if asks_its_class.is_some() {
        return None;
    }
    findings.push(
        Finding::new("datamodel/dir-method", method.def.name.range())
            .fact("class", Fact::from(method.statement.name.as_str())),
    );
    Some(())
}
