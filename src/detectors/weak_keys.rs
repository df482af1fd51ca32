//! `weakref.WeakKeyDictionary()`: what is put into it, and whether equal keys meet.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::class_reading::is_own;
use super::method_body::each_node;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Module, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["weakref/weak-key-dictionary"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    const MADE: &[&str] = &["weakref.WeakKeyDictionary"];
    if !site.module.may_be(&call.func, MADE) || !site.module.calls(call, MADE) {
        return None;
    }
    let target = match site.parent()? {
        AnyNodeRef::StmtAssign(assign) if assign.value.range() == call.range() => match assign.targets.as_slice() {
            [target] => Some(target),
            _ => None,
        },
        AnyNodeRef::StmtAnnAssign(assign) => Some(&*assign.target),
        _ => None,
    };
    let stored = target.map(|target| stored(site.module, target)).unwrap_or_default();
    let finding = Finding::new("weakref/weak-key-dictionary", call.func.range())
        .fact("target", target.map(|target| Fact::from(site.module.source(target))));
    let by_value = stored.iter().find_map(|entry| {
        let class = entry.class?;
        let equal = class.definer("__eq__").filter(is_own)?;
        let place = equal.own_member("__eq__").and_then(|member| member.place);
        (class.definer("__hash__").is_some_and(|definer| is_own(&definer))).then_some((class.name(), place))
    });
    let selfish = stored.iter().find(|entry| entry.is_selfish);
    let any_key = by_value.is_none().then(|| Fact::from("keys"));
    let (by_value, equal_at) = by_value.unzip();
    findings.push(
        finding
            .fact("by_value", by_value.map(Fact::from))
            .fact("equal_at", equal_at.flatten().map(Fact::from))
            .fact("any_key", any_key)
            .fact("selfish", selfish.map(|entry| Fact::from(entry.source.as_str())))
            .fact("selfish_at", selfish.and_then(|entry| entry.place.clone()).map(Fact::from)),
    );
    Some(())
}

/// `target[key] = value` in the file.
struct Entry<'s> {
    source: String,
    place: Option<Place>,
    class: Option<Class<'s>>,
    /// Whether the value holds the key.
    is_selfish: bool,
}

fn stored<'s>(module: &Module<'s>, target: &Expr) -> Vec<Entry<'s>> {
    let name = module.source(target);
    let mut found = vec![];
    each_node(&module.syntax().body, |node| {
        let AnyNodeRef::StmtAssign(assign) = node else { return };
        let [Expr::Subscript(item)] = assign.targets.as_slice() else { return };
        if module.source(&*item.value) != name {
            return;
        }
        found.push(Entry {
            source: module.source(assign.range()).to_string(),
            place: module.place(assign.range()),
            class: module.class_of(&*item.slice).filter(is_own),
            is_selfish: item.slice.as_name_expr().is_some_and(|key| holds(&assign.value, &key.id)),
        });
    });
    found
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
