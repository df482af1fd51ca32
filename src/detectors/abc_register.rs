//! `Base.register(Other)`: what `isinstance` says from then on, and which abstract methods nobody looks for.

use ruff_python_ast::{AnyNodeRef, Expr, NodeKind};

use super::abstract_class::missing;
use super::class_reading::is_own;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["metaclasses/abc-register"], nodes: &[NodeKind::Decorator, NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let (function, other) = match site.node {
        AnyNodeRef::ExprCall(call) => {
            let [other] = &*call.arguments.args else { return None };
            let function = call.func.as_attribute_expr().filter(|function| function.attr.as_str() == "register")?;
            (function, site.module.class_reference(other)?)
        }
        AnyNodeRef::Decorator(decorator) => {
            let Expr::Attribute(function) = &decorator.expression else { return None };
            let AnyNodeRef::StmtClassDef(statement) = site.parent()? else { return None };
            (Some(function).filter(|function| function.attr.as_str() == "register")?, site.module.class(statement)?)
        }
        _ => return None,
    };
    let base = site.module.class_reference(&function.value)?;
    let is_abstract = base.metaclass().is_some_and(|metaclass| metaclass.class.is("abc.ABCMeta"));
    // A class that inherits from it gets everything, registered or not.
    if other.is_subclass_of(&base) {
        return None;
    }
    if !is_abstract || !is_own(&base) || base.definer("register").is_some() || site.is_type_checking() {
        return None;
    }
    let is_known =
        other.mro_is_complete() && other.mro().iter().all(|class| is_own(class) || class.is("builtins.object"));
    let mut lacks = missing(&base).filter(|_| is_known).unwrap_or_default();
    lacks.retain(|name| other.definer(name).is_none());
    findings.push(
        Finding::new("metaclasses/abc-register", function.attr.range())
            .fact("base", Fact::from(base.name()))
            .fact("class", Fact::from(other.name()))
            .fact("lacks", Fact::from(lacks)),
    );
    Some(())
}
