//! A descriptor object assigned in a class body.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::class_reading::{is_built_plainly, is_dataclass, lacks_dict};
use super::descriptor_shape::Shape;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{MemberKind, Site};
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["descriptors/definition"], nodes: &[NodeKind::StmtAnnAssign, NodeKind::StmtAssign], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtClassDef(statement) = site.parent()? else { return None };
    let (target, value) = match site.node {
        AnyNodeRef::StmtAssign(assign) => match assign.targets.as_slice() {
            [Expr::Name(name)] => (name, &*assign.value),
            _ => return None,
        },
        AnyNodeRef::StmtAnnAssign(assign) => (assign.target.as_name_expr()?, assign.value.as_deref()?),
        _ => return None,
    };
    if matches!(value, Expr::Lambda(_)) || value.is_literal_expr() {
        return None;
    }
    let owner = site.module.class(statement)?;
    let member = owner.own_member(&target.id)?;
    let MemberKind::Descriptor(descriptor) = member.kind else { return None };
    if descriptor.is("builtins.classmethod") || descriptor.is("builtins.staticmethod") {
        return None;
    }
    let is_last = member.place.is_some_and(|place| place.range() == target.range());
    if !is_last || site.is_type_checking() || !is_built_plainly(&owner) {
        return None;
    }
    let shape = Shape::of(descriptor);
    let call = value.as_call_expr();
    let default = match call {
        Some(call) => shape.default_of_call(site.module, call).or_else(|| shape.default()),
        None => shape.default(),
    };
    let (default, default_at) = default.unzip();
    let named = call.map_or(value, |call| &*call.func);
    let stored_as = shape.stored_as(call.map(|call| (site.module, call)), &target.id);
    findings.push(
        Finding::new("descriptors/definition", TextRange::new(target.start(), named.end()))
            .fact("owner", Fact::from(owner.name()))
            .fact("attribute", Fact::from(target.id.as_str()))
            .fact("descriptor", Fact::from(descriptor.name()))
            .fact("accessors", Fact::from(shape.accessors()))
            .fact(
                "data_method",
                shape.data_method().filter(|_| shape.get.is_some() && shape.set.is_some()).map(Fact::from),
            )
            .fact(
                "reads_past",
                shape.set.as_ref().filter(|_| shape.get.is_none()).map(|_| Fact::from(target.id.as_str())),
            )
            .fact(
                "read_only",
                shape
                    .get
                    .as_ref()
                    .filter(|_| shape.set.is_none() && shape.delete.is_some())
                    .map(|_| Fact::from(target.id.as_str())),
            )
            .fact("non_data_method", shape.non_data_method().filter(|_| !lacks_dict(&owner)).map(Fact::from))
            .fact("stored_as", stored_as.filter(|name| name != target.id.as_str()).map(Fact::from))
            .fact("named_by", shape.set_name.as_ref().map(|hook| Fact::from(hook.label())))
            .fact("default", default.filter(|_| shape.set.is_some()).map(Fact::from))
            .fact("default_at", default_at.flatten().map(Fact::from))
            .fact("dataclass_default", dataclass_default(site, statement, &shape, &target.id))
            .hint_at(site.node.end()),
    );
    Some(())
}

/// `Owner.attribute`, where `@dataclass` reads it as a field's default and gets the descriptor.
fn dataclass_default(site: &Site, owner: &ast::StmtClassDef, shape: &Shape, attribute: &str) -> Option<Fact> {
    let is_field = matches!(site.node, AnyNodeRef::StmtAnnAssign(_)) && is_dataclass(&site.module.class(owner)?);
    let gives_itself = shape.class_access()?.returns_self.is_some();
    (is_field && gives_itself).then(|| Fact::from(format!("{}.{attribute}", owner.name)))
}
