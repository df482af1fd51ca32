//! `__class__` in a method: the cell in which the compiler keeps the class that the method was written in.

use ruff_python_ast::{AnyNodeRef, NodeKind};

use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["attributes/class-cell"], nodes: &[NodeKind::ExprName], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprName(name) = site.node else { return None };
    if name.id != "__class__" || !name.ctx.is_load() {
        return None;
    }
    let function = site.function()?;
    let class = site.class().filter(|class| class.range().contains_range(function.range()))?;
    findings.push(
        Finding::new("attributes/class-cell", name.range())
            .fact("class", Fact::from(class.name.as_str()))
            .fact("function", Fact::from(function.name.as_str())),
    );
    Some(())
}
