//! `is` between objects whose identity says nothing, and between objects whose class compares by value.

use ruff_python_ast::{AnyNodeRef, CmpOp, Expr, NodeKind};

use super::class_reading::is_own;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::{Ranged as _, TextRange, TextSize};

pub(super) const DETECTOR: Detector = Detector { concepts: &["keywords/is"], nodes: &[NodeKind::ExprCompare], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCompare(compare) = site.node else { return None };
    let mut left = compare.left.as_ref();
    for (operator, right) in compare.ops.iter().zip(&compare.comparators) {
        if matches!(operator, CmpOp::Is | CmpOp::IsNot) {
            findings.extend(compared(site, left, *operator, right));
        }
        left = right;
    }
    Some(())
}

fn compared(site: &Site, left: &Expr, operator: CmpOp, right: &Expr) -> Option<Finding> {
    let module = site.module;
    let between = TextRange::new(left.end(), right.start());
    let offset = module.source(between).find("is").and_then(|at| TextSize::try_from(at).ok())?;
    let length = match operator {
        CmpOp::IsNot => module.source(between).get(offset.to_usize()..)?.trim_end().len(),
        _ => 2,
    };
    let range = TextRange::at(between.start() + offset, TextSize::try_from(length).ok()?);
    let finding = Finding::new("keywords/is", range).fact("value", Fact::from(module.source(left)));
    if let Some(literal) = [left, right].into_iter().find(|side| is_shared_by_chance(side)) {
        return Some(finding.fact("literal", Fact::from(module.source(literal))));
    }
    if let Some(method) = [left, right].into_iter().find_map(|side| bound_method(site, side)) {
        return Some(finding.fact("method", Fact::from(method)));
    }
    // Asking for `None` itself is what `is` is for.
    if [left, right].into_iter().any(is_singleton) {
        return None;
    }
    let class = [left, right].into_iter().find_map(|side| module.receiver_class(side))?;
    let definer = class.definer("__eq__").filter(is_own)?;
    Some(
        finding
            .fact("eq", Fact::from(format!("{}.__eq__", definer.name())))
            .fact("eq_at", definer.own_member("__eq__").and_then(|member| member.place).map(Fact::from)),
    )
}

/// A literal of which there may be one object or several.
fn is_shared_by_chance(expr: &Expr) -> bool {
    match expr {
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::BytesLiteral(_) => true,
        // One with a variable in it is made anew each time, and Python does not warn.
        Expr::Tuple(tuple) => tuple.elts.iter().all(|item| is_shared_by_chance(item) || is_singleton(item)),
        _ => false,
    }
}

fn is_singleton(expr: &Expr) -> bool {
    matches!(expr, Expr::NoneLiteral(_) | Expr::BooleanLiteral(_) | Expr::EllipsisLiteral(_))
}

/// `object.method`, made anew by each access.
fn bound_method(site: &Site, expr: &Expr) -> Option<String> {
    let Expr::Attribute(attribute) = expr else { return None };
    let class = site.module.receiver_class(&attribute.value)?;
    if site.module.class_reference(&attribute.value).is_some() || class.definer(&attribute.attr).is_none() {
        return None;
    }
    let function = site.module.function(expr).filter(|function| !function.is_decorated)?;
    Some(format!("{}.{}", site.module.source(&*attribute.value), function.name))
}
