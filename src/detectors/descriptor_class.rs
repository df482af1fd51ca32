//! A class that defines a method of the descriptor protocol, at its `class` statement.

use ruff_python_ast::{AnyNodeRef, NodeKind};

use super::class_reading::{Use, is_protocol, uses};
use super::descriptor_names::named_by_hand;
use super::descriptor_shape::Shape;
use super::method_body::method;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["descriptors/protocol"], nodes: &[NodeKind::StmtClassDef], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtClassDef(statement) = site.node else { return None };
    ["__get__", "__set__", "__delete__"].iter().find_map(|name| method(&statement.body, name))?;
    let class = site.module.class(statement)?;
    if site.is_type_checking() || is_protocol(&class) || class.is_metaclass() {
        return None;
    }
    let shape = Shape::of(class);
    let uses = uses(site.module, &class);
    let mut owners: Vec<String> = uses.iter().map(|made| made.owner.name.to_string()).collect();
    owners.dedup();
    let (storage, storage_at) = shape.storage().unzip();
    let by_hand = named_by_hand(site.module, statement, &shape, &uses);
    let is_missing = |missing: bool, name: &'static str| missing.then(|| Fact::from(name));
    let (has_set, has_delete) = (shape.set.is_some(), shape.delete.is_some());
    findings.push(
        Finding::new("descriptors/protocol", statement.name.range())
            .fact("class", Fact::from(class.name()))
            .fact("owners", Fact::from(owners))
            .fact("accessors", Fact::from(shape.accessors()))
            .fact("data_method", shape.data_method().map(Fact::from))
            .fact("non_data_method", shape.non_data_method().map(Fact::from))
            .fact("storage", storage.map(Fact::from))
            .fact("storage_at", storage_at.flatten().map(Fact::from))
            .fact("uses", Fact::from(uses.iter().map(Use::label).collect::<Vec<_>>()))
            .fact("by_hand", by_hand.first().map(|parameter| Fact::from(parameter.name.as_str())))
            .fact("missing_delete", is_missing(has_set && !has_delete, "__delete__"))
            .fact("missing_set", is_missing(has_delete && !has_set, "__set__")),
    );
    Some(())
}
