//! `WeakKeyDictionary()`, `WeakSet()` and `WeakValueDictionary()`: what is put into it, and whether equal keys meet.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::class_reading::is_own;
use super::method_body::{each_node, find_own};
use super::weak_target::bound_method;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Module, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["weakref/weak-key-dictionary", "weakref/weak-set", "weakref/weak-value-dictionary"],
    nodes: &[NodeKind::ExprCall],
    detect,
};

/// What a weak container holds weakly.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Keys,
    Elements,
    Values,
}

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    const MADE: &[&str] = &["weakref.WeakKeyDictionary", "weakref.WeakSet", "weakref.WeakValueDictionary"];
    if !site.module.may_be(&call.func, MADE) {
        return None;
    }
    let symbol = site.module.callee(call).filter(|symbol| symbol.is_any(MADE))?;
    let (kind, concept) = match symbol.last() {
        "WeakKeyDictionary" => (Kind::Keys, "weakref/weak-key-dictionary"),
        "WeakSet" => (Kind::Elements, "weakref/weak-set"),
        _ => (Kind::Values, "weakref/weak-value-dictionary"),
    };
    let target = match site.parent()? {
        AnyNodeRef::StmtAssign(assign) if assign.value.range() == call.range() => match assign.targets.as_slice() {
            [target] => Some(target),
            _ => None,
        },
        AnyNodeRef::StmtAnnAssign(assign) => Some(&*assign.target),
        _ => None,
    };
    let stored = target.map(|target| stored(site.module, target, kind)).unwrap_or_default();
    let finding = Finding::new(concept, call.func.range())
        .fact("target", target.map(|target| Fact::from(site.module.source(target))));
    let finding = with_held(finding, &stored);
    let by_value = stored.iter().filter(|_| kind != Kind::Values).find_map(|entry| {
        let class = entry.class?;
        let equal = class.definer("__eq__").filter(is_own)?;
        let place = equal.own_member("__eq__").and_then(|member| member.place);
        (class.definer("__hash__").is_some_and(|definer| is_own(&definer))).then_some((class.name(), place))
    });
    let selfish = stored.iter().find(|entry| entry.is_selfish);
    let (by_value, equal_at) = by_value.unzip();
    let raced = target.filter(|_| kind == Kind::Values).and_then(|target| raced(site.module, target));
    let (raced, raced_at) = raced.unzip();
    findings.push(
        finding
            .fact("raced", raced.map(Fact::from))
            .fact("raced_at", raced_at.flatten().map(Fact::from))
            .fact("by_value", by_value.map(Fact::from))
            .fact("equal_at", equal_at.flatten().map(Fact::from))
            .fact("selfish", selfish.map(|entry| Fact::from(entry.source.as_str())))
            .fact("selfish_at", selfish.and_then(|entry| entry.place.clone()).map(Fact::from)),
    );
    Some(())
}

/// `d[key]` behind a test `key in d`: between the two the entry may go.
fn raced(module: &Module, target: &Expr) -> Option<(String, Option<Place>)> {
    let name = module.source(target);
    let mut found = None;
    each_node(&module.syntax().body, |node| {
        let AnyNodeRef::StmtIf(branch) = node else { return };
        let Expr::Compare(test) = &*branch.test else { return };
        if !matches!(&*test.ops, [ast::CmpOp::In]) || module.source(&test.comparators[0]) != name {
            return;
        }
        let read = find_own(&branch.body, |node| match node {
            AnyNodeRef::ExprSubscript(item) if item.ctx.is_load() && module.source(&*item.value) == name => {
                (module.source(&*item.slice) == module.source(&*test.left)).then(|| item.range())
            }
            _ => None,
        });
        if found.is_none() {
            found = read.map(|range| (module.source(range).to_string(), module.place(range)));
        }
    });
    found
}

/// The classes of what is put into the container, where they are known, and where that is done.
fn with_held(finding: Finding, stored: &[Entry]) -> Finding {
    let mut names: Vec<String> = vec![];
    for class in stored.iter().filter_map(|entry| entry.class) {
        if !names.contains(&class.name()) {
            names.push(class.name());
        }
    }
    let is_known = stored.iter().all(|entry| entry.class.is_some());
    let places: Vec<Place> = stored.iter().filter_map(|entry| entry.place.clone()).collect();
    let method = stored.iter().find(|entry| entry.is_method);
    finding
        .fact("held", is_known.then(|| Fact::from(names)))
        .fact("stored_at", Fact::from(places))
        .fact("method", method.map(|entry| Fact::from(entry.held.as_str())))
        .fact("method_at", method.and_then(|entry| entry.place.clone()).map(Fact::from))
}

/// One thing that the file puts into the container.
struct Entry<'s> {
    source: String,
    /// What is held weakly, as it is written.
    held: String,
    place: Option<Place>,
    class: Option<Class<'s>>,
    /// Whether the value holds the key.
    is_selfish: bool,
    is_method: bool,
}

fn stored<'s>(module: &Module<'s>, target: &Expr, kind: Kind) -> Vec<Entry<'s>> {
    let name = module.source(target);
    let mut found = vec![];
    each_node(&module.syntax().body, |node| {
        let Some((container, held, value)) = entry(node, kind) else { return };
        if module.source(container) != name {
            return;
        }
        let key = held.as_name_expr().filter(|_| kind == Kind::Keys);
        found.push(Entry {
            source: module.source(node).to_string(),
            held: module.source(held).to_string(),
            place: module.place(node.range()),
            class: module.receiver_class(held).filter(is_own),
            is_selfish: key.zip(value).is_some_and(|(key, value)| holds(value, &key.id)),
            is_method: bound_method(module, held).is_some(),
        });
    });
    found
}

/// The container, what it holds weakly, and the value where that is the key: of `d[key] = value`, `d.setdefault(key, value)`
/// and `s.add(element)`.
fn entry(node: AnyNodeRef<'_>, kind: Kind) -> Option<(&Expr, &Expr, Option<&Expr>)> {
    match node {
        AnyNodeRef::StmtAssign(assign) if kind != Kind::Elements => {
            let item = assign.targets.iter().find_map(Expr::as_subscript_expr)?;
            let held = if kind == Kind::Keys { &*item.slice } else { &*assign.value };
            Some((&item.value, held, Some(&assign.value)))
        }
        AnyNodeRef::ExprCall(call) => {
            let function = call.func.as_attribute_expr()?;
            match (function.attr.as_str(), kind, &*call.arguments.args) {
                ("add", Kind::Elements, [element]) => Some((&function.value, element, None)),
                ("setdefault", Kind::Keys, [key, value]) => Some((&function.value, key, Some(value))),
                ("setdefault", Kind::Values, [_, value]) => Some((&function.value, value, None)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether a value that is written out holds the object of a name, strongly.
fn holds(value: &Expr, name: &str) -> bool {
    let is_it = |expr: &Expr| super::method_body::is_name(expr, name) || holds(expr, name);
    match value {
        Expr::Name(_) => super::method_body::is_name(value, name),
        Expr::List(list) => list.elts.iter().any(is_it),
        Expr::Tuple(tuple) => tuple.elts.iter().any(is_it),
        Expr::Set(set) => set.elts.iter().any(is_it),
        Expr::Dict(dict) => dict.items.iter().any(|ast::DictItem { value, .. }| is_it(value)),
        _ => false,
    }
}
