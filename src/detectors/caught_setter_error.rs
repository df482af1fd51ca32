//! `except TypeError:` around assignments that a descriptor refuses with that error.
//!
//! Silent unless the `__set__` that raises it is at hand and names the very class that the handler catches.

use ruff_python_ast::{AnyNodeRef, Expr, NodeKind};

use super::descriptor_shape::Shape;
use super::method_body::raised;
use super::nodes::own_nodes;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Access, MemberKind, Module, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["descriptors/caught-error"], nodes: &[NodeKind::StmtTry], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtTry(statement) = site.node else { return None };
    if !findings.wants("descriptors/caught-error") || site.is_type_checking() {
        return None;
    }
    for handler in &statement.handlers {
        let Some(caught) = handler.as_except_handler().and_then(|handler| handler.type_.as_deref()) else { continue };
        let Some(name) = caught.as_name_expr() else { continue };
        let nodes = own_nodes(&statement.body);
        let Some((target, setter, raised_at)) =
            nodes.iter().find_map(|node| refused(site.module, *node, name.id.as_str()))
        else {
            continue;
        };
        let others = nodes.iter().filter(|node| matches!(node, AnyNodeRef::ExprCall(_))).count();
        findings.push(
            Finding::new("descriptors/caught-error", caught.range())
                .fact("error", Fact::from(name.id.as_str()))
                .fact("target", Fact::from(target))
                .fact("setter", Fact::from(setter))
                .fact("raised_at", raised_at.map(Fact::from))
                .fact("first_call", first_call(site.module, &nodes).filter(|_| others > 0).map(Fact::from)),
        );
    }
    Some(())
}

/// The assignment a descriptor refuses with `error`: its target, the setter, and where that raises.
fn refused(module: &Module, node: AnyNodeRef, error: &str) -> Option<(String, String, Option<Place>)> {
    let AnyNodeRef::ExprAttribute(attribute) = node else { return None };
    let lookup = module.lookup(attribute).filter(|lookup| lookup.access == Access::Write)?;
    let MemberKind::Descriptor(descriptor) = lookup.member.kind else { return None };
    let shape = Shape::of(descriptor);
    let set = shape.set.as_ref()?;
    let (names, first) = set.read(|module, def| {
        let (names, first) = raised(&def.body);
        Some((names, first.and_then(|range| module.place(range))))
    })?;
    names.iter().any(|name| name == error).then(|| (module.source(attribute).to_string(), set.label(), first))
}

fn first_call(module: &Module, nodes: &[AnyNodeRef]) -> Option<String> {
    nodes.iter().find_map(|node| match node {
        AnyNodeRef::ExprCall(call) => match &*call.func {
            Expr::Name(_) | Expr::Attribute(_) => Some(module.source(&*call.func).to_string()),
            _ => None,
        },
        _ => None,
    })
}
