//! Rings that are closed by a call: an object hands itself, or a method of its own, to another object that keeps it.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use super::super::closure_capture::free_names;
use super::super::finalize::is_bound_method;
use super::super::reference_count::{Path, PathStep, binds, finalizer, root};
use super::super::{Fact, Finding};
use super::keeping::{ADDING, Kept, breaker, is_strong_container, keeps, removes};
use crate::analysis::{MemberKind, Module, Site, Step};
use crate::text::{Place, Ranged as _};

/// The most links of a ring.
const LINKS: usize = 4;

/// A variable's object that a value holds.
struct Held<'a> {
    name: String,
    /// What was given: the object, or its bound method.
    given: &'a Expr,
    is_method: bool,
    /// The new object in between.
    through: Option<Through>,
}

/// A new object that keeps what it was given.
#[derive(Clone)]
struct Through {
    class: String,
    finalizer: Option<String>,
    kept: Kept,
}

fn held<'a>(module: &Module, value: &'a Expr) -> Vec<Held<'a>> {
    let plain = |name: &str, is_method| Held { name: name.to_string(), given: value, is_method, through: None };
    match value {
        Expr::Name(name) => vec![plain(&name.id, false)],
        Expr::Attribute(attribute) => match &*attribute.value {
            Expr::Name(name) if is_bound_method(module, attribute) => vec![plain(&name.id, true)],
            _ => vec![],
        },
        Expr::Lambda(lambda) => {
            let captured = free_names(lambda.parameters.as_deref(), AnyNodeRef::from(&*lambda.body));
            captured.iter().filter(|name| *name == "self").map(|name| plain(name, false)).collect()
        }
        Expr::List(list) => list.elts.iter().flat_map(|item| held(module, item)).collect(),
        Expr::Tuple(tuple) => tuple.elts.iter().flat_map(|item| held(module, item)).collect(),
        Expr::Call(call) if module.calls(call, &["functools.partial"]) => {
            call.arguments.args.iter().flat_map(|item| held(module, item)).collect()
        }
        Expr::Call(call) => {
            let Some(class) = module.class_reference(&call.func) else { return vec![] };
            let given = keeps(module, call).into_iter();
            given
                .flat_map(|(argument, kept)| {
                    let through = Through { class: class.name(), finalizer: finalizer(&class), kept };
                    let direct = held(module, argument).into_iter().filter(|held| held.through.is_none());
                    direct.map(move |held| Held { given: argument, through: Some(through.clone()), ..held })
                })
                .collect()
        }
        _ => vec![],
    }
}

/// `self.child = Child(self)`, and assignments that close a ring over calls made before.
pub(super) fn of_assignment(site: &Site, assign: &ast::StmtAssign) -> Option<Finding> {
    let module = site.module;
    let [target] = assign.targets.as_slice() else { return None };
    let (owner, attribute) = root(target)?;
    let attribute = attribute?;
    if !holds(module, target) {
        return None;
    }
    let all = held(module, &assign.value);
    if let Some(finding) = through_new(site, target, (&owner.id, attribute), &all) {
        return Some(Finding { range: assign.range(), ..finding });
    }
    let links = all.iter().filter_map(|held| link(module, &owner.id, Some((target, attribute)), held));
    closed(site, assign.into(), links.collect())
}

/// A place that starts with a variable gets a new object that keeps the variable's own.
fn through_new(site: &Site, stored: &Expr, (owner, attribute): (&str, &str), all: &[Held]) -> Option<Finding> {
    let module = site.module;
    let handed = all.iter().find(|held| held.name == owner && held.through.is_some())?;
    let Held { given, is_method, through: Some(Through { class, finalizer: other, kept }), .. } = handed else {
        return None;
    };
    let class_of_owner = module.receiver_class(innermost(stored));
    let own = class_of_owner.as_ref().and_then(finalizer);
    let cleared = class_of_owner.and_then(|owner| breaker(&owner, attribute, site.function()?.name.as_str()));
    let (breaker, breaker_at) = cleared.unzip();
    let label = || Fact::from(kept.label.as_str());
    Some(
        Finding::new("memory/cyclic-gc", stored.range())
            .fact("stored", Fact::from(module.source(stored)))
            .fact("made", Fact::from(class.as_str()))
            .fact("handed", Fact::from(module.source(*given)))
            .fact("kept_in", label())
            .fact("kept_at", kept.place.clone().map(Fact::from))
            .fact("weak", (!is_method).then(label))
            .fact("weak_method", is_method.then(label))
            .fact("finalizer", other.clone().or(own).map(Fact::from))
            .fact("breaker", breaker.map(Fact::from))
            .fact("breaker_at", breaker_at.flatten().map(Fact::from)),
    )
}

/// The name that a place starts with.
fn innermost(place: &Expr) -> &Expr {
    match place {
        Expr::Attribute(attribute) => innermost(&attribute.value),
        Expr::Subscript(item) => innermost(&item.value),
        other => other,
    }
}

/// `self.bus.subscribe(self.on_event)`, and calls that close a ring.
pub(super) fn of_call(site: &Site, call: &ast::ExprCall) -> Option<Finding> {
    let module = site.module;
    let function = call.func.as_attribute_expr()?;
    let (owner, attribute) = root(&function.value)?;
    if attribute.is_some() && !matches!(&*function.value, Expr::Attribute(held) if is_own_attribute(module, held)) {
        return None;
    }
    if attribute.is_none() {
        return closed(site, call.into(), added(module, call)?);
    }
    if ADDING.contains(&function.attr.as_str()) && is_strong_container(module, &function.value) {
        let all = held(module, call.arguments.args.last()?);
        let found = through_new(site, &function.value, (&owner.id, attribute?), &all);
        let closed = || closed(site, call.into(), added(module, call)?);
        return found.map(|finding| Finding { range: call.range(), ..finding }).or_else(closed);
    }
    keeps(module, call).into_iter().find_map(|(argument, kept)| {
        let all = held(module, argument);
        let held = all.iter().find(|held| held.name == owner.id.as_str() && held.through.is_none())?;
        let label = || Fact::from(kept.label.as_str());
        Some(
            Finding::new("memory/cyclic-gc", call.range())
                .fact("keeper", Fact::from(module.source(&*function.value)))
                .fact("holder", Fact::from(owner.id.as_str()))
                .fact("handed", Fact::from(module.source(argument)))
                .fact("kept_in", label())
                .fact("weak", (!held.is_method).then(label))
                .fact("weak_method", held.is_method.then(label))
                .fact("kept_at", kept.place.clone().map(Fact::from)),
        )
    })
}

/// Whether a place holds what is assigned to it: no descriptor takes it, no weak container.
fn holds(module: &Module, target: &Expr) -> bool {
    match target {
        Expr::Attribute(attribute) => module
            .lookup(attribute)
            .is_none_or(|lookup| lookup.step != Step::DataDescriptor || lookup.member.kind == MemberKind::Slot),
        Expr::Subscript(item) => is_strong_container(module, &item.value),
        _ => false,
    }
}

/// Whether the attribute is one that the object itself holds.
fn is_own_attribute(module: &Module, attribute: &ast::ExprAttribute) -> bool {
    let lookup = module.lookup(attribute);
    attribute.value.is_name_expr()
        && lookup.is_some_and(|lookup| matches!(lookup.member.kind, MemberKind::Instance | MemberKind::Slot))
}

/// The object of one variable holds that of another.
#[derive(Clone)]
struct Link {
    from: String,
    to: String,
    /// The place, as a reader would write it.
    path: String,
    /// The attribute of `from` that holds it.
    attribute: String,
    place: Option<Place>,
}

/// The link that a variable's object gets by holding something: in a place, or in itself when it is new.
fn link(module: &Module, owner: &str, target: Option<(&Expr, &str)>, held: &Held) -> Option<Link> {
    let (from, to) = (owner.to_string(), held.name.clone());
    match (target, &held.through) {
        (None, Some(through)) => {
            let (path, place) = (through.kept.label.clone(), through.kept.place.clone());
            Some(Link { from, to, attribute: last(&path).to_string(), path, place })
        }
        (None, None) => None,
        (Some((target, attribute)), through) => {
            let rest = through.as_ref().map(|through| format!(".{}", last(&through.kept.label))).unwrap_or_default();
            let path = format!("{}{rest}", module.source(target));
            Some(Link { from, to, path, attribute: attribute.to_string(), place: module.place(target.range()) })
        }
    }
}

/// `parent` of `Child.parent`.
fn last(label: &str) -> &str {
    label.rsplit('.').next().unwrap_or_default()
}

/// The links that a statement makes between variables.
fn links_in(module: &Module, statement: &Stmt) -> Vec<Link> {
    match statement {
        Stmt::Assign(assign) => {
            let [target] = assign.targets.as_slice() else { return vec![] };
            let Some((owner, attribute)) = root(target) else { return vec![] };
            let all = held(module, &assign.value);
            let target = match attribute {
                Some(attribute) if holds(module, target) => Some((target, attribute)),
                None if target.is_name_expr() => None,
                _ => return vec![],
            };
            all.iter().filter_map(|held| link(module, &owner.id, target, held)).collect()
        }
        Stmt::Expr(statement) => match &*statement.value {
            Expr::Call(call) => added(module, call).unwrap_or_default(),
            _ => vec![],
        },
        _ => vec![],
    }
}

/// `parent.children.append(child)`, `parent.adopt(child)`.
fn added(module: &Module, call: &ast::ExprCall) -> Option<Vec<Link>> {
    let function = call.func.as_attribute_expr()?;
    let (owner, attribute) = root(&function.value)?;
    let Some(attribute) = attribute else {
        let mut links = vec![];
        for (argument, kept) in keeps(module, call) {
            let direct = held(module, argument).into_iter().filter(|held| held.through.is_none());
            links.extend(direct.map(|held| Link {
                from: owner.id.to_string(),
                to: held.name,
                path: kept.label.clone(),
                attribute: last(&kept.label).to_string(),
                place: kept.place.clone(),
            }));
        }
        return Some(links);
    };
    let given = call.arguments.args.last()?;
    if !ADDING.contains(&function.attr.as_str()) || !is_strong_container(module, &function.value) {
        return None;
    }
    let all = held(module, given);
    let target = Some((&*function.value, attribute));
    Some(all.iter().filter_map(|held| link(module, &owner.id, target, held)).collect())
}

/// The ring that new links close with those which statements made before.
fn closed(site: &Site, node: AnyNodeRef, new: Vec<Link>) -> Option<Finding> {
    if new.is_empty() {
        return None;
    }
    let module = site.module;
    let before = earlier(site)?;
    let (first, way) = new.into_iter().find_map(|link| {
        let way = way(&before, &link.to, &link.from, LINKS - 1)?;
        Some((link, way))
    })?;
    let ring: Vec<Link> = std::iter::once(first).chain(way).collect();
    let each = |fact: fn(&Link) -> Option<Fact>| {
        let facts: Option<Vec<Fact>> = ring.iter().map(fact).collect();
        facts.map(Fact::Each)
    };
    let members: Vec<String> = ring.iter().map(|link| link.from.clone()).collect();
    Some(
        Finding::new("memory/cyclic-gc", node.range())
            .fact("closes", Fact::from(module.source(node)))
            .fact("members", Fact::from(members))
            .fact("from", each(|link| Some(Fact::from(link.from.as_str()))))
            .fact("to", each(|link| Some(Fact::from(link.to.as_str()))))
            .fact("link", each(|link| Some(Fact::from(link.path.as_str()))))
            .fact("link_at", each(|link| link.place.clone().map(Fact::from))),
    )
}

/// The links that statements on the way to the site have certainly made, and that nothing since may have undone.
fn earlier(site: &Site) -> Option<Vec<Link>> {
    let path = Path::to(site)?;
    let mut links: Vec<Link> = vec![];
    for step in &path.steps {
        let block: &[Stmt] = match step {
            PathStep::Ran(statement) => std::slice::from_ref(*statement),
            PathStep::Perhaps(block) => block,
            PathStep::Head(AnyNodeRef::StmtFor(head)) => {
                links.extend(element(site.module, head));
                continue;
            }
            PathStep::Head(_) => continue,
        };
        links.retain(|link| {
            !binds(block, &link.from) && !binds(block, &link.to) && !removes(block, &link.from, &link.attribute)
        });
        if let PathStep::Ran(statement) = step {
            links.extend(links_in(site.module, statement));
        }
    }
    Some(links)
}

/// `for child in self.children`: the list holds what the loop's variable names.
fn element(module: &Module, head: &ast::StmtFor) -> Option<Link> {
    let target = head.target.as_name_expr()?;
    let held = head.iter.as_attribute_expr().filter(|held| is_own_attribute(module, held))?;
    let (owner, attribute) = root(&head.iter)?;
    is_strong_container(module, &head.iter).then(|| Link {
        attribute: attribute.unwrap_or_default().to_string(),
        from: owner.id.to_string(),
        to: target.id.to_string(),
        path: module.source(held).to_string(),
        place: module.place(head.iter.range()),
    })
}

/// A way over links from one variable to another.
fn way(links: &[Link], from: &str, to: &str, left: usize) -> Option<Vec<Link>> {
    let left = left.checked_sub(1)?;
    links.iter().filter(|link| link.from == from).find_map(|link| {
        if link.to == to {
            return Some(vec![link.clone()]);
        }
        let mut rest = way(links, &link.to, to, left)?;
        rest.insert(0, link.clone());
        Some(rest)
    })
}
