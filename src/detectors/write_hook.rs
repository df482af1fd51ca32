//! `def __setattr__` and `def __delattr__`: what they take before the object is ready, whom they pass by, and classes whose
//! attributes cannot be set at all.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::method_body::{find_own, is_dict_of, is_name, method, parameter};
use super::method_shape::without_docstring;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Module, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["attributes/setattr"], nodes: &[NodeKind::StmtFunctionDef], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtFunctionDef(def) = site.node else { return None };
    let hook = def.name.as_str();
    if !matches!(hook, "__setattr__" | "__delattr__") {
        return None;
    }
    let AnyNodeRef::StmtClassDef(statement) = site.parent()? else { return None };
    let class = site.module.class(statement)?;
    let refused = refused(def);
    let set_at = refused.filter(|_| hook == "__setattr__").and_then(|_| set_in_init(site.module, statement));
    let taken = if hook == "__setattr__" { "assignment" } else { "deletion" };
    let early = (hook == "__setattr__").then(|| early_read(def, &class)).flatten();
    let past = past(def);
    let passed = passed_by(&class);
    findings.push(
        Finding::new("attributes/setattr", def.name.range())
            .fact("class", Fact::from(statement.name.as_str()))
            .fact("method", Fact::from(hook))
            .fact("statement", Fact::from(taken))
            .fact("refuses", refused.map(Fact::from))
            .fact("init_at", set_at.map(Fact::from))
            .fact("hands_on", refused.is_none().then(|| Fact::from(hook)))
            .fact("early", early.as_ref().map(|early| Fact::from(early.read.as_str())))
            .fact("first", early.as_ref().map(|early| Fact::from(early.first.as_str())))
            .fact("first_at", early.and_then(|early| early.first_at).map(Fact::from))
            .fact("past", past.filter(|_| !passed.is_empty()).map(|node| Fact::from(site.module.source(node))))
            .fact("passed", past.map(|_| Fact::from(passed))),
    );
    Some(())
}

/// What the hook reads of its object, and the statement of `__init__` that comes there before that is set.
struct Early {
    read: String,
    first: String,
    first_at: Option<Place>,
}

/// The first thing the hook does is to read an attribute that `__init__` does not set first.
fn early_read(def: &ast::StmtFunctionDef, class: &Class) -> Option<Early> {
    let own = parameter(def, 0)?;
    let tested = match without_docstring(&def.body).first()? {
        Stmt::If(branches) => &*branches.test,
        Stmt::Expr(statement) => &*statement.value,
        Stmt::Assign(assign) => &*assign.value,
        _ => return None,
    };
    let attribute = match tested {
        Expr::Attribute(attribute) => attribute,
        Expr::UnaryOp(negated) => negated.operand.as_attribute_expr()?,
        Expr::Compare(compare) => compare.left.as_attribute_expr()?,
        _ => return None,
    };
    let name = attribute.attr.as_str();
    if !is_name(&attribute.value, own) || name.starts_with("__") || class.definer("__getattr__").is_some() {
        return None;
    }
    if class.mro().iter().any(|class| class.binds(name)) || !class.mro_is_complete() {
        return None;
    }
    let definer = class.mro().into_iter().find(|class| class.binds("__init__"))?;
    definer.with_statement(|module, statement| {
        let init = method(&statement.body, "__init__")?;
        let this = parameter(init, 0)?;
        let first = without_docstring(&init.body).first()?;
        let [target] = first.as_assign_stmt()?.targets.as_slice() else { return None };
        let set = target.as_attribute_expr().filter(|set| is_name(&set.value, this))?;
        Some(Early {
            read: format!("{own}.{name}"),
            first: module.source(set).to_string(),
            first_at: module.place(first.range()),
        })
    })
}

/// `self.__dict__[name] = …` and the like: the usual way is not taken.
fn past(def: &ast::StmtFunctionDef) -> Option<&ast::ExprSubscript> {
    let own = parameter(def, 0)?;
    find_own(&def.body, |node| match node {
        AnyNodeRef::ExprSubscript(item) => (!item.ctx.is_load() && is_dict_of(&item.value, own)).then_some(item),
        _ => None,
    })
}

/// The data descriptors of the class, which a store in the `__dict__` passes by.
fn passed_by(class: &Class) -> Vec<String> {
    let is_data =
        |name: &String| class.own_member(name).is_some_and(|member| member.is_data_descriptor() == Some(true));
    class.own_names().into_iter().filter(is_data).collect()
}

/// The exception that the method raises, whatever it is called with.
fn refused(def: &ast::StmtFunctionDef) -> Option<&str> {
    let Some(Stmt::Raise(raise)) = without_docstring(&def.body).first() else { return None };
    match ast::helpers::map_callable(raise.exc.as_deref()?) {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        _ => None,
    }
}

/// The first `self.name = …` of the class's own `__init__`.
fn set_in_init(module: &Module, class: &ast::StmtClassDef) -> Option<Place> {
    let init = method(&class.body, "__init__")?;
    let own = parameter(init, 0)?;
    find_own(&init.body, |node| match node {
        AnyNodeRef::ExprAttribute(target) if target.ctx.is_store() && is_name(&target.value, own) => {
            module.place(target.range())
        }
        _ => None,
    })
}
