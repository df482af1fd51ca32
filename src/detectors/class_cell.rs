//! `__class__` in a method: the cell in which the compiler keeps the class that the method was written in; and `super()` where
//! it finds the cell but not the object.

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind};

use super::method_body::{is_name, parameter};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["attributes/class-cell"], nodes: &[NodeKind::ExprCall, NodeKind::ExprName], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let name = match site.node {
        AnyNodeRef::ExprName(name) => name,
        AnyNodeRef::ExprCall(call) => return displaced(site, call, findings),
        _ => return None,
    };
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

/// `super()` in a generator expression or a comprehension of a method.
fn displaced(site: &Site, call: &ast::ExprCall, findings: &mut Findings) -> Option<()> {
    if !is_name(&call.func, "super") || !call.arguments.is_empty() || !site.module.callee(call)?.is("builtins.super") {
        return None;
    }
    let name = match inner_scope(site)? {
        AnyNodeRef::ExprGenerator(_) => "generator",
        _ => "comprehension",
    };
    let own = parameter(site.function().filter(|_| site.class().is_some())?, 0)?;
    findings.push(Finding::new("attributes/class-cell", call.range()).fact(name, Fact::from(own)));
    Some(())
}

/// The generator expression or comprehension in whose own scope the node is evaluated.
pub(super) fn inner_scope<'a>(site: &Site<'a, '_>) -> Option<AnyNodeRef<'a>> {
    let range = site.node.range();
    for node in site.enclosing() {
        let generators = match node {
            AnyNodeRef::ExprGenerator(inner) => &inner.generators,
            AnyNodeRef::ExprListComp(inner) => &inner.generators,
            AnyNodeRef::ExprSetComp(inner) => &inner.generators,
            AnyNodeRef::ExprDictComp(inner) => &inner.generators,
            AnyNodeRef::StmtFunctionDef(_) | AnyNodeRef::StmtClassDef(_) | AnyNodeRef::ExprLambda(_) => return None,
            _ => continue,
        };
        // The first iterable is evaluated outside.
        if !generators.first().is_some_and(|first| first.iter.range().contains_range(range)) {
            return Some(node);
        }
    }
    None
}
