//! What Django adds to a model from the other side of a relation, and `refresh_from_db()`.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::django_relation::is_model;
use super::nodes::{body_around, method, own_nodes};
use super::suspension::around;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["third-party/django-reverse", "third-party/django-refresh"],
    nodes: &[NodeKind::ExprAttribute],
    detect,
};

/// Fields that give the other model a name, and whether there it is one object.
const RELATIONS: &[(&str, bool)] = &[("ForeignKey", false), ("ManyToManyField", false), ("OneToOneField", true)];
/// The most files that are looked through for the other side.
const FILES: usize = 60;

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprAttribute(attribute) = site.node else { return None };
    let module = site.module;
    if !attribute.ctx.is_load() || !site.is_asked(attribute.attr.range()) || !module.may_use_package("django") {
        return None;
    }
    let class = module.receiver_class(&attribute.value)?;
    let name = attribute.attr.as_str();
    if module.class_reference(&attribute.value).is_some() || !is_model(&class) || class.definer(name).is_some() {
        return None;
    }
    if name == "refresh_from_db" {
        return refreshed(site, attribute, findings);
    }
    let other = other_side(module, &class.name(), name)?;
    let receiver = module.source(&*attribute.value);
    let finding = Finding::new("third-party/django-reverse", attribute.attr.range())
        .fact("code", Fact::from(module.source(attribute)))
        .fact("name", Fact::from(name))
        .fact("receiver", Fact::from(receiver))
        .fact("model", Fact::from(other.model))
        .fact("field", Fact::from(other.field))
        .fact("field_at", other.place.map(Fact::from));
    let in_loop = around(site).find_map(|node| match node {
        AnyNodeRef::StmtFor(turns) => {
            let is_it = turns.target.as_name_expr().is_some_and(|target| target.id.as_str() == receiver);
            is_it.then(|| module.place(turns.range()))?
        }
        _ => None,
    });
    findings.push(match other.is_one {
        true => finding.fact("one", Fact::from(receiver)),
        false => finding.fact("many", Fact::from(receiver)).fact("loop_at", in_loop.map(Fact::from)),
    });
    Some(())
}

/// The relation that leads to a model under this name.
struct OtherSide {
    model: String,
    field: String,
    place: Option<Place>,
    is_one: bool,
}

fn other_side(module: &Module, model: &str, name: &str) -> Option<OtherSide> {
    let snapshot = module.snapshot();
    let here = || module.path().map(std::path::Path::to_path_buf);
    let mut files = snapshot.files_with_word(model).filter(|files| files.len() <= FILES).unwrap_or_default();
    files.extend(here().filter(|path| !files.contains(path)));
    let mut found = files.iter().filter_map(|path| {
        let other = snapshot.module(path).ok()?;
        if !other.text().contains("models.") && !other.text().contains("django") {
            return None;
        }
        super::nodes::all_nodes(&other.syntax().body).into_iter().find_map(|node| match node {
            AnyNodeRef::StmtClassDef(class) => relation(&other, class, model, name),
            _ => None,
        })
    });
    match (found.next(), found.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

/// The field of `class` that gives `model` the attribute `name`.
fn relation(home: &Module, class: &ast::StmtClassDef, model: &str, name: &str) -> Option<OtherSide> {
    // An abstract model gives its fields to its subclasses, and the names come from theirs.
    let is_abstract = class.body.iter().any(|inner| match inner {
        ast::Stmt::ClassDef(meta) => meta.name.as_str() == "Meta" && home.source(meta).contains("abstract"),
        _ => false,
    });
    if is_abstract {
        return None;
    }
    class.body.iter().find_map(|statement| {
        let assign = statement.as_assign_stmt()?;
        let [Expr::Name(target)] = assign.targets.as_slice() else { return None };
        let call = assign.value.as_call_expr()?;
        let last = match &*call.func {
            Expr::Name(function) => home.imported_name(&function.id),
            Expr::Attribute(function) => function.attr.as_str(),
            _ => return None,
        };
        let (_, is_one) = *RELATIONS.iter().find(|(field, _)| *field == last)?;
        let to = call.arguments.find_argument_value("to", 0)?;
        let target_model = match to {
            Expr::StringLiteral(text) => text.value.to_str().rsplit('.').next()?.to_string(),
            other => home.source(other).rsplit('.').next()?.to_string(),
        };
        let given = call.arguments.find_keyword("related_name");
        let reverse = match given {
            Some(keyword) => keyword.value.as_string_literal_expr()?.value.to_string(),
            None if is_one => class.name.as_str().to_lowercase(),
            None => format!("{}_set", class.name.as_str().to_lowercase()),
        };
        (target_model == model && reverse == name).then(|| OtherSide {
            model: class.name.to_string(),
            field: target.id.to_string(),
            place: home.place(call.range()),
            is_one,
        })
    })
}

/// `order.refresh_from_db()`: what was assigned before and never saved.
fn refreshed(site: &Site, attribute: &ast::ExprAttribute, findings: &mut Findings) -> Option<()> {
    let module = site.module;
    let Some(AnyNodeRef::ExprCall(call)) = site.parent() else { return None };
    let object = module.source(&*attribute.value);
    let nodes = own_nodes(body_around(module, call.range()));
    let mut unsaved: Vec<(String, Place)> = vec![];
    for node in nodes.iter().filter(|node| node.end() <= call.start()) {
        match node {
            AnyNodeRef::StmtAssign(ast::StmtAssign { targets, .. }) => {
                for target in targets.iter().filter_map(Expr::as_attribute_expr) {
                    if module.source(&*target.value) == object {
                        unsaved.extend(Some(module.source(target).to_string()).zip(module.place(target.range())));
                    }
                }
                if targets.iter().any(|target| module.source(target) == object) {
                    unsaved.clear();
                }
            }
            // A method of the object, or a function that is given it, may save.
            AnyNodeRef::ExprCall(other) => {
                let is_it = |expr: &Expr| module.source(expr) == object;
                let is_on_it = method(other).is_some_and(|(receiver, _)| is_it(receiver));
                let is_given = other.arguments.iter_source_order().any(|given| match given.value() {
                    Expr::List(list) => list.elts.iter().any(is_it),
                    given => is_it(given),
                });
                if is_on_it || is_given {
                    unsaved.clear();
                }
            }
            _ => {}
        }
    }
    let fields = call.arguments.find_argument_value("fields", 1);
    if let Some(fields) = fields {
        let text = module.source(fields);
        unsaved.retain(|(name, _)| name.rsplit('.').next().is_some_and(|name| text.contains(name)));
    }
    // An attribute that is no field stays as it is.
    let class = module.receiver_class(&attribute.value)?;
    let is_field = |name: &str| name.rsplit('.').next().is_some_and(|name| class.definer(name).is_some());
    unsaved.retain(|(name, _)| is_field(name));
    let (names, places): (Vec<_>, Vec<_>) = unsaved.into_iter().unzip();
    findings.push(
        Finding::new("third-party/django-refresh", attribute.attr.range())
            .fact("object", Fact::from(object))
            .fact("lost", Fact::from(names))
            .fact("lost_at", Fact::from(places))
            .fact("fields", fields.map(|fields| Fact::from(module.source(fields)))),
    );
    Some(())
}
