//! `def __setattr__` and `def __delattr__`: what they take, and classes whose attributes cannot be set at all.

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind, Stmt};

use super::method_body::{find_own, is_name, method, parameter};
use super::method_shape::without_docstring;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["attributes/setattr"], nodes: &[NodeKind::StmtFunctionDef], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtFunctionDef(def) = site.node else { return None };
    let AnyNodeRef::StmtClassDef(class) = site.parent()? else { return None };
    let hook = def.name.as_str();
    if !matches!(hook, "__setattr__" | "__delattr__") {
        return None;
    }
    let refused = refused(def);
    let set_at = refused.filter(|_| hook == "__setattr__").and_then(|_| set_in_init(site.module, class));
    let (is_set, set_at) = (set_at.is_some(), set_at.flatten());
    let statement = if hook == "__setattr__" { "assignment" } else { "deletion" };
    findings.push(
        Finding::new("attributes/setattr", def.name.range())
            .fact("class", Fact::from(class.name.as_str()))
            .fact("method", Fact::from(hook))
            .fact("statement", Fact::from(statement))
            .fact("refuses", refused.map(Fact::from))
            .fact("init_at", set_at.filter(|_| is_set).map(Fact::from))
            .fact("hands_on", refused.is_none().then(|| Fact::from(hook))),
    );
    Some(())
}

/// The exception that the method raises, whatever it is called with.
fn refused(def: &ast::StmtFunctionDef) -> Option<&str> {
    let Some(Stmt::Raise(raise)) = without_docstring(&def.body).first() else { return None };
    match ast::helpers::map_callable(raise.exc.as_deref()?) {
        ast::Expr::Name(name) => Some(name.id.as_str()),
        ast::Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        _ => None,
    }
}

/// The first `self.name = …` of the class's own `__init__`.
fn set_in_init(module: &Module, class: &ast::StmtClassDef) -> Option<Option<Place>> {
    let init = method(&class.body, "__init__")?;
    let own = parameter(init, 0)?;
    find_own(&init.body, |node| match node {
        AnyNodeRef::ExprAttribute(target) if target.ctx.is_store() && is_name(&target.value, own) => {
            Some(module.place(target.range()))
        }
        _ => None,
    })
}
