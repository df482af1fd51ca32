//! What objects of a pydantic model share with others, and what they copy: defaults, arguments, `model_copy()`.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::nodes::{is_true, method};
use super::pydantic_field::is_plain_model;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["third-party/pydantic-copy"],
    nodes: &[NodeKind::ExprCall, NodeKind::Keyword, NodeKind::StmtAnnAssign],
    detect,
};

/// Containers that validation makes anew, as annotations and as classes.
const CONTAINERS: &[&str] = &["dict", "list", "set"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    if !site.is_asked(site.node.range()) || !site.module.may_use_package("pydantic") {
        return None;
    }
    let found = match site.node {
        AnyNodeRef::StmtAnnAssign(field) => default(site, field),
        AnyNodeRef::Keyword(keyword) => argument(site, keyword),
        AnyNodeRef::ExprCall(call) => copied(site, call),
        _ => None,
    };
    findings.extend(found);
    Some(())
}

/// `tags: list[str] = []` in the body of a model.
fn default(site: &Site, field: &ast::StmtAnnAssign) -> Option<Finding> {
    let module = site.module;
    let Some(AnyNodeRef::StmtClassDef(statement)) = site.parent() else { return None };
    let value =
        field.value.as_deref().filter(|value| value.is_list_expr() || value.is_dict_expr() || value.is_set_expr())?;
    let name = field.target.as_name_expr()?;
    let is_field = !module.source(&*field.annotation).contains("ClassVar") && !name.id.starts_with('_');
    if !is_field || !is_plain_model(&module.class(statement)?) {
        return None;
    }
    Some(
        Finding::new("third-party/pydantic-copy", value.range())
            .fact("default", Fact::from(module.source(value)))
            .fact("field", Fact::from(name.id.as_str()))
            .fact("model", Fact::from(statement.name.as_str())),
    )
}

/// `Job(tags=names)`.
fn argument(site: &Site, keyword: &ast::Keyword) -> Option<Finding> {
    let module = site.module;
    let given = keyword.value.as_name_expr()?;
    let call = site.enclosing().nth(1).and_then(|node| match node {
        AnyNodeRef::ExprCall(call) => Some(call),
        _ => None,
    })?;
    let name = keyword.arg.as_ref()?.as_str();
    let class = module.class_reference(&call.func).filter(is_plain_model)?;
    let container = container(&class, name)?;
    module.class_of(&keyword.value).filter(|class| class.is(&format!("builtins.{container}")))?;
    Some(
        Finding::new("third-party/pydantic-copy", keyword.value.range())
            .fact("given", Fact::from(given.id.as_str()))
            .fact("kind", Fact::from(container))
            .fact("field", Fact::from(name))
            .fact("model", Fact::from(class.name())),
    )
}

/// `job.model_copy()` without `deep=True`.
fn copied(site: &Site, call: &ast::ExprCall) -> Option<Finding> {
    let module = site.module;
    let (receiver, "model_copy") = method(call)? else { return None };
    let deep = call.arguments.find_keyword("deep").is_some_and(|keyword| is_true(&keyword.value));
    let class = module.receiver_class(receiver).filter(is_plain_model)?;
    let update = call.arguments.find_keyword("update").map(|keyword| &keyword.value);
    let updated = update.map(|update| module.source(update)).unwrap_or_default();
    let mut shared: Vec<String> = vec![];
    for base in class.mro().iter().rev() {
        for name in base.own_names() {
            let is_it =
                !name.starts_with('_') && container(&class, &name).is_some() && !updated.contains(name.as_str());
            if is_it && !deep && !shared.contains(&name) {
                shared.push(name);
            }
        }
    }
    if shared.is_empty() && update.is_none() {
        return None;
    }
    // What is shared comes first, and what is updated in a line of its own.
    let update_as = if shared.is_empty() { "update" } else { "unvalidated" };
    Some(
        Finding::new("third-party/pydantic-copy", call.func.range())
            .fact("original", Fact::from(module.source(receiver)))
            .fact("shared", Fact::from(shared))
            .fact(update_as, update.map(|update| Fact::from(module.source(update)))),
    )
}

/// The kind of container that a field is annotated with.
fn container(class: &Class, name: &str) -> Option<&'static str> {
    let definer = class.definer(name)?;
    definer.with_statement(|home, statement| {
        statement.body.iter().find_map(|statement| {
            let Stmt::AnnAssign(field) = statement else { return None };
            field.target.as_name_expr().filter(|target| target.id.as_str() == name)?;
            let outer = ast::helpers::map_subscript(&field.annotation);
            let last = match outer {
                Expr::Name(name) => home.imported_name(&name.id).to_lowercase(),
                Expr::Attribute(attribute) => attribute.attr.to_lowercase(),
                _ => return None,
            };
            CONTAINERS.iter().copied().find(|container| *container == last)
        })
    })
}
