//! Reads of a relation of a Django model: each may be a query.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::method_body::own_nodes;
use super::nodes::body_around;
use super::suspension::around;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Origin, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["third-party/django-relation"], nodes: &[NodeKind::ExprAttribute], detect };

/// Fields that hold the key of one other object.
const RELATIONS: &[&str] = &["ForeignKey", "OneToOneField"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprAttribute(attribute) = site.node else { return None };
    let module = site.module;
    if !attribute.ctx.is_load() || site.is_type_checking() {
        return None;
    }
    if !module.may_have_class_attribute(attribute.attr.as_str()) {
        return None;
    }
    let class = module.receiver_class(&attribute.value)?;
    if module.class_reference(&attribute.value).is_some() || !is_model(&class) {
        return None;
    }
    let name = attribute.attr.as_str();
    let definer = class.definer(name)?;
    let (field_at, is_keyed_by_id) = definer.with_statement(|home, statement| {
        let call = field(statement, name)?;
        let last = match &*call.func {
            Expr::Name(name) => home.imported_name(&name.id).to_string(),
            Expr::Attribute(attribute) => attribute.attr.to_string(),
            _ => return None,
        };
        let is_relation = RELATIONS.contains(&last.as_str());
        is_relation.then(|| (home.place(call.range()), call.arguments.find_keyword("to_field").is_none()))
    })?;
    if is_given(site, attribute) {
        return None;
    }
    // `book.author.id`: the key is in `book` already.
    let key = match site.parent() {
        Some(AnyNodeRef::ExprAttribute(outer)) if outer.ctx.is_load() && is_keyed_by_id => {
            ["id", "pk"].contains(&outer.attr.as_str()).then_some(outer)
        }
        _ => None,
    };
    let in_loop = around(site).find_map(|node| match node {
        AnyNodeRef::StmtFor(turns) => {
            let target = turns.target.as_name_expr()?;
            let root = attribute.value.as_name_expr()?;
            (target.id == root.id && !turns.iter.range().contains_range(attribute.range())).then_some(turns)
        }
        _ => None,
    });
    findings.push(
        Finding::new("third-party/django-relation", attribute.attr.range())
            .fact("code", Fact::from(module.source(attribute)))
            .fact("receiver", Fact::from(module.source(&*attribute.value)))
            .fact("relation", Fact::from(name))
            .fact("model", Fact::from(definer.name()))
            .fact("field_at", field_at.map(Fact::from))
            .fact("key", key.map(|outer| Fact::from(module.source(outer))))
            .fact("loop_at", in_loop.and_then(|turns| module.place(turns.range())).map(Fact::from))
            .fact("coroutine", site.async_function().map(|function| Fact::from(function.name.as_str()))),
    );
    Some(())
}

/// Whether the object got its related object here: by an assignment before, or when it was made.
fn is_given(site: &Site, read: &ast::ExprAttribute) -> bool {
    let module = site.module;
    let (source, name) = (module.source(read), read.attr.as_str());
    let mut is_assigned = false;
    own_nodes(body_around(module, read.range()), |node| {
        is_assigned |= matches!(node, AnyNodeRef::ExprAttribute(set) if
            !set.ctx.is_load() && set.end() <= read.start() && module.source(set) == source);
    });
    let is_made_with = |made: &&Expr| {
        let made = match made {
            Expr::Await(awaited) => &awaited.value,
            other => *other,
        };
        let Expr::Call(call) = made else { return false };
        let is_creation = match &*call.func {
            Expr::Attribute(method) if matches!(method.attr.as_str(), "create" | "acreate") => true,
            other => module.class_reference(other).is_some(),
        };
        is_creation && call.arguments.find_keyword(name).is_some()
    };
    // A query that names `select_related` brings it along.
    let is_fetched = |made: &&Expr| module.source(*made).contains("select_related");
    is_assigned || module.origins(&read.value).iter().any(|made| is_made_with(made) || is_fetched(made))
}

pub(super) fn is_model(class: &Class) -> bool {
    const MODELS: &[&str] = &["django.db.models.Model", "django.db.models.base.Model"];
    // Where Django is not installed, the import alone tells.
    class.mro().iter().filter(|base| base.symbol().origin == Origin::Project).any(|base| {
        base.with_statement(|home, statement| {
            statement.bases().iter().any(|base| home.symbol(base).is_some_and(|symbol| symbol.is_any(MODELS)))
        })
    })
}

/// The call that a class body assigns to `name`.
fn field<'a>(statement: &'a ast::StmtClassDef, name: &str) -> Option<&'a ast::ExprCall> {
    let is_it = |target: &Expr| target.as_name_expr().is_some_and(|target| target.id == name);
    statement.body.iter().find_map(|statement| match statement {
        Stmt::Assign(assign) if assign.targets.iter().any(is_it) => assign.value.as_call_expr(),
        Stmt::AnnAssign(assign) if is_it(&assign.target) => assign.value.as_deref()?.as_call_expr(),
        _ => None,
    })
}
