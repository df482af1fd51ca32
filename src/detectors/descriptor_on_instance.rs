//! `self.size = Descriptor()`: a descriptor where its protocol does not work.
//!
//! Silent for objects that are also called, as decorators are, and where the class holds a descriptor that takes the write.

use ruff_python_ast::{AnyNodeRef, NodeKind};

use super::descriptor_shape::Shape;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Site, Step};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["descriptors/on-instance"], nodes: &[NodeKind::StmtAssign], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtAssign(assign) = site.node else { return None };
    let [target] = assign.targets.as_slice() else { return None };
    let attribute = target.as_attribute_expr()?;
    let call = assign.value.as_call_expr()?;
    let may_be_descriptor =
        || site.module.may_have_method("__set__") || site.module.may_be(&call.func, &["builtins.property"]);
    if site.is_whole_file && !may_be_descriptor() {
        return None;
    }
    let class = site.module.class_reference(&call.func)?;
    let shape = Shape::of(class);
    let is_for_class_bodies = shape.get.is_some() && shape.set.is_some();
    if !is_for_class_bodies || class.definer("__call__").is_some() || site.is_type_checking() {
        return None;
    }
    if site.module.class_reference(&attribute.value).is_some() {
        return None;
    }
    let owner = site.module.class_of(&*attribute.value)?;
    let lookup = site.module.lookup(attribute)?;
    if lookup.step != Step::InstanceDict || owner.is_metaclass() {
        return None;
    }
    findings.push(
        Finding::new("descriptors/on-instance", assign.range())
            .fact("target", Fact::from(site.module.source(attribute)))
            .fact("descriptor", Fact::from(class.name()))
            .fact("accessors", Fact::from(shape.accessors())),
    );
    Some(())
}
