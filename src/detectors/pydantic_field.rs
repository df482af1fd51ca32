//! A field of a pydantic model that is read from the class, which has no such attribute.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Module, Origin, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["third-party/pydantic-class-field"], nodes: &[NodeKind::ExprAttribute], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprAttribute(attribute) = site.node else { return None };
    let module = site.module;
    let name = attribute.attr.as_str();
    if !attribute.ctx.is_load() || name.starts_with('_') || site.is_annotation() || site.is_type_checking() {
        return None;
    }
    if site.is_whole_file && !module.may_use_package("pydantic") {
        return None;
    }
    if !module.is_named_like_a_class(&attribute.value) || is_called(site) {
        return None;
    }
    let class = module.class_reference(&attribute.value)?;
    let metaclass = class.metaclass().map(|metaclass| metaclass.class.name());
    if metaclass.is_some_and(|name| name != "ModelMetaclass" && name != "type") || !is_plain_model(&class) {
        return None;
    }
    // In its own body, or where the error is asked for, there is nothing to tell.
    let is_tried = site.enclosing().any(|node| matches!(node, AnyNodeRef::StmtTry(_)));
    let definer = class.definer(name)?;
    let declared_at = definer.with_statement(|home, statement| field(home, statement, name))?;
    let inside = site.class().is_some_and(|around| around.name.as_str() == class.name()) && site.function().is_none();
    if is_tried || inside {
        return None;
    }
    findings.push(
        Finding::new("third-party/pydantic-class-field", attribute.range())
            .fact("code", Fact::from(module.source(attribute)))
            .fact("model", Fact::from(module.source(&*attribute.value)))
            .fact("field", Fact::from(name))
            .fact("declared_at", Fact::from(declared_at)),
    );
    Some(())
}

/// A method of a class is called, not a field.
fn is_called(site: &Site) -> bool {
    matches!(site.parent(), Some(AnyNodeRef::ExprCall(call)) if call.func.range() == site.node.range())
}

/// Whether the class derives from pydantic's own model, and from nothing else but classes of the project: other libraries put
/// something in place of the field. Where pydantic is not installed, the import alone tells.
pub(super) fn is_plain_model(class: &Class) -> bool {
    const MODELS: &[&str] = &["pydantic.BaseModel", "pydantic.main.BaseModel"];
    let (mut is_model, mut is_plain) = (false, true);
    for base in class.mro().iter().filter(|base| base.symbol().origin == Origin::Project) {
        base.with_statement(|home, statement| {
            is_plain &= statement.keywords().iter().all(|keyword| keyword.arg.as_deref() != Some("metaclass"));
            for base in statement.bases() {
                let symbol = home.symbol(ast::helpers::map_subscript(base));
                match symbol {
                    Some(symbol) if symbol.is_any(MODELS) => is_model = true,
                    Some(symbol) => {
                        is_plain &= symbol.origin == Origin::Project
                            || symbol.origin == Origin::StandardLibrary
                            || symbol.is("typing.Generic");
                    }
                    None => is_plain = false,
                }
            }
        });
    }
    is_model && is_plain
}

/// Where the class body declares the field `name`, if each statement that binds the name does.
fn field(module: &Module, statement: &ast::StmtClassDef, name: &str) -> Option<Place> {
    let is_it = |target: &Expr| target.as_name_expr().is_some_and(|target| target.id == name);
    let mut declared = None;
    for statement in &statement.body {
        match statement {
            Stmt::AnnAssign(assign) if is_it(&assign.target) => {
                let is_class_variable = module.source(&*assign.annotation).contains("ClassVar");
                declared = (!is_class_variable).then(|| module.place(assign.target.range())).flatten();
                declared.as_ref()?;
            }
            Stmt::FunctionDef(def) if def.name.as_str() == name => return None,
            Stmt::ClassDef(class) if class.name.as_str() == name => return None,
            Stmt::If(_) | Stmt::Try(_) => return None,
            _ => {}
        }
    }
    declared
}
