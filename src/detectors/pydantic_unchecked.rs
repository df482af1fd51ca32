//! What a pydantic model keeps without looking at it: what is assigned later, and what `model_construct()` is given.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::nodes::method;
use super::pydantic_field::is_plain_model;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Module, Origin, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["third-party/pydantic-unchecked"],
    nodes: &[NodeKind::ExprCall, NodeKind::StmtAssign],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let module = site.module;
    if !site.is_asked(site.node.range()) || !module.may_use_package("pydantic") {
        return None;
    }
    let found = match site.node {
        AnyNodeRef::ExprCall(call) => constructed(module, call),
        AnyNodeRef::StmtAssign(assign) => assigned(module, assign),
        _ => None,
    };
    findings.extend(found);
    Some(())
}

/// A field as a class body writes it.
struct Field {
    name: String,
    /// The annotation, if it is a plain name.
    kind: Option<String>,
    has_default: bool,
    place: Option<Place>,
}

/// The fields of a model, those of its bases first.
fn fields(class: &Class) -> Vec<Field> {
    let mut found: Vec<Field> = vec![];
    for base in class.mro().iter().rev().filter(|base| base.symbol().origin == Origin::Project) {
        base.with_statement(|home, statement| {
            for field in statement.body.iter().filter_map(Stmt::as_ann_assign_stmt) {
                let Some(name) = field.target.as_name_expr() else { continue };
                let annotation = home.source(&*field.annotation);
                if annotation.contains("ClassVar") || name.id.starts_with('_') {
                    continue;
                }
                found.retain(|known| known.name != name.id.as_str());
                found.push(Field {
                    name: name.id.to_string(),
                    kind: field.annotation.as_name_expr().map(|kind| kind.id.to_string()),
                    // What `Annotated` says may be a default, or another name.
                    has_default: field.value.is_some() || annotation.contains("Annotated"),
                    place: home.place(field.target.range()),
                });
            }
        });
    }
    found
}

/// Whether a class of the project in the model's line says one of `words`.
fn says(class: &Class, words: &[&str]) -> bool {
    class.mro().iter().filter(|base| base.symbol().origin == Origin::Project).any(|base| {
        base.with_statement(|home, statement| words.iter().any(|word| home.source(statement).contains(word)))
    })
}

/// Whether `value` is written so that it is no instance of the class called `kind`, nor stands for one.
fn is_other(value: &Expr, kind: &str) -> bool {
    let wrong: &[&str] = match value {
        Expr::StringLiteral(_) | Expr::FString(_) => &["bool", "bytes", "float", "int"],
        Expr::NumberLiteral(_) => &["bytes", "str"],
        Expr::NoneLiteral(_) => &["bool", "bytes", "float", "int", "str"],
        _ => &[],
    };
    wrong.contains(&kind)
}

/// `job.age = "no number"`.
fn assigned(module: &Module, assign: &ast::StmtAssign) -> Option<Finding> {
    const CHECKS: &[&str] = &["__setattr__", "frozen", "validate_assignment"];
    let [Expr::Attribute(target)] = assign.targets.as_slice() else { return None };
    let value = &*assign.value;
    if !matches!(value, Expr::StringLiteral(_) | Expr::FString(_) | Expr::NumberLiteral(_) | Expr::NoneLiteral(_)) {
        return None;
    }
    let class = module.receiver_class(&target.value).filter(is_plain_model)?;
    let field = fields(&class).into_iter().find(|field| field.name == target.attr.as_str())?;
    let kind = field.kind.filter(|kind| is_other(value, kind))?;
    if says(&class, CHECKS) {
        return None;
    }
    Some(
        Finding::new("third-party/pydantic-unchecked", target.range())
            .fact("assigned", Fact::from(module.source(target)))
            .fact("value", Fact::from(module.source(value)))
            .fact("kind", Fact::from(kind))
            .fact("model", Fact::from(class.name()))
            .fact("declared_at", field.place.map(Fact::from)),
    )
}

/// `Job.model_construct(age="no number")`.
fn constructed(module: &Module, call: &ast::ExprCall) -> Option<Finding> {
    let (receiver, "model_construct") = method(call)? else { return None };
    let class = module.class_reference(receiver).filter(is_plain_model)?;
    let keywords = &call.arguments.keywords;
    let fields = fields(&class);
    let given = |field: &&Field| keywords.iter().find(|keyword| keyword.arg.as_deref() == Some(field.name.as_str()));
    let is_open = keywords.iter().any(|keyword| keyword.arg.is_none()) || says(&class, &["alias"]);
    let missing = fields.iter().filter(|field| !is_open && !field.has_default && given(field).is_none());
    let wrong = fields.iter().find_map(|field| {
        let keyword = given(&field)?;
        let kind = field.kind.as_deref().filter(|kind| is_other(&keyword.value, kind))?;
        Some((module.source(keyword), kind.to_string()))
    });
    let (wrong, kind) = wrong.unzip();
    Some(
        Finding::new("third-party/pydantic-unchecked", call.func.range())
            .fact("callee", Fact::from(module.source(&*call.func)))
            .fact("model", Fact::from(class.name()))
            .fact("missing", Fact::from(missing.map(|field| field.name.clone()).collect::<Vec<_>>()))
            .fact("given", wrong.map(Fact::from))
            .fact("kind", kind.map(Fact::from)),
    )
}
