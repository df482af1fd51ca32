//! `def __new__` of an ordinary class: when `__init__` follows.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::metaclass::returned;
use super::method_body::{is_name, own_nodes, parameter};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["metaclasses/new-vs-init"], nodes: &[NodeKind::StmtFunctionDef], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtFunctionDef(def) = site.node else { return None };
    let AnyNodeRef::StmtClassDef(statement) = site.parent()? else { return None };
    if def.name.as_str() != "__new__" {
        return None;
    }
    let class = site.module.class(statement).filter(|class| !class.is_metaclass())?;
    let init = class.definer("__init__");
    let init_place = init.and_then(|definer| definer.own_member("__init__")).and_then(|member| member.place);
    let values = returned(def);
    let stored = values.iter().copied().find(|value| is_stored(def, value));
    let has_init = init.is_some();
    findings.push(
        Finding::new("metaclasses/new-vs-init", def.name.range())
            .fact("class", Fact::from(statement.name.as_str()))
            .fact("init", init.map(|definer| Fact::from(format!("{}.__init__", definer.name()))))
            .fact("init_at", init_place.map(Fact::from))
            .fact("stored", stored.filter(|_| has_init).map(|value| Fact::from(site.module.source(value))))
            .fact("foreign", foreign(&values).map(|value| Fact::from(site.module.source(value))))
            .fact("no_init", no_init(&class).then(|| Fact::from(statement.name.as_str()))),
    );
    Some(())
}

/// The literal that every `return` gives.
fn foreign<'a>(values: &[&'a Expr]) -> Option<&'a Expr> {
    match values {
        [only] if only.is_literal_expr() => Some(only),
        _ => None,
    }
}

fn no_init(class: &Class) -> bool {
    class.mro_is_complete() && class.definer("__init__").is_none()
}

/// Whether a returned value is kept on the class: `cls.name`, or an entry of one.
fn is_stored(def: &ast::StmtFunctionDef, value: &Expr) -> bool {
    let Some(cls) = parameter(def, 0) else { return false };
    match value {
        Expr::Attribute(attribute) => is_name(&attribute.value, cls),
        Expr::Subscript(subscript) => is_stored(def, &subscript.value),
        Expr::Name(name) => {
            let mut is_kept = false;
            own_nodes(&def.body, |node| {
                if let AnyNodeRef::StmtAssign(assign) = node
                    && assign.targets.iter().any(|target| is_name(target, name.id.as_str()))
                {
                    is_kept |= !assign.value.is_name_expr() && is_stored(def, &assign.value);
                }
            });
            is_kept
        }
        _ => false,
    }
}
