//! An object that cannot be hashed, as a member of a set or a key of a dictionary.
//!
//! Silent where a subclass of its class can be hashed, and in tests that expect the error.

use ruff_python_ast::{AnyNodeRef, Expr, NodeKind};

use super::class_reading::{is_built_plainly, is_own};
use super::never_awaited::is_expected;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["datamodel/unhashable-key"],
    nodes: &[NodeKind::ExprCall, NodeKind::ExprDict, NodeKind::ExprSet, NodeKind::ExprSubscript],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    if !findings.wants("datamodel/unhashable-key") || site.is_type_checking() || site.is_annotation() {
        return None;
    }
    let holds = |expr: &Expr, name: &str| site.module.class_of(expr).is_some_and(|class| class.is(name));
    let keys: Vec<&Expr> = match site.node {
        AnyNodeRef::ExprSet(set) => set.elts.iter().collect(),
        AnyNodeRef::ExprDict(dict) => dict.items.iter().filter_map(|item| item.key.as_ref()).collect(),
        AnyNodeRef::ExprSubscript(item) => {
            let is_mapping = may_have_no_hash(site, &item.slice)
                && site
                    .module
                    .class_of(&*item.value)
                    .is_some_and(|class| class.symbol().is_any(&["builtins.dict", "weakref.WeakKeyDictionary"]));
            is_mapping.then_some(&*item.slice).into_iter().collect()
        }
        AnyNodeRef::ExprCall(call) => {
            let method = call.func.as_attribute_expr().filter(|method| method.attr.as_str() == "add")?;
            let [only] = &*call.arguments.args else { return None };
            (may_have_no_hash(site, only) && holds(&method.value, "builtins.set")).then_some(only).into_iter().collect()
        }
        _ => return None,
    };
    for key in keys.into_iter().filter(|key| may_have_no_hash(site, key)) {
        findings.extend(unhashable(site, key));
    }
    Some(())
}

/// Whether the key is an object of a class that the function, or the file where it is in none, names with it: types are
/// asked only there.
fn may_have_no_hash(site: &Site, key: &Expr) -> bool {
    if !site.is_whole_file {
        return matches!(key, Expr::Name(_) | Expr::Attribute(_) | Expr::Call(_));
    }
    let around = site.function().map_or(site.module.syntax().range(), |function| function.range());
    matches!(key, Expr::Name(_) | Expr::Attribute(_) | Expr::Call(_)) && site.module.names_unhashable(around, key)
}

fn unhashable(site: &Site, key: &Expr) -> Option<Finding> {
    if site.module.class_reference(key).is_some() {
        return None;
    }
    let class = site.module.class_of(key).filter(is_own)?;
    let decides = |class: &&Class| class.binds("__eq__") || class.binds("__hash__");
    let order = class.mro();
    let decider = order.iter().find(decides).filter(|class| is_own(class))?;
    let has_hash = decider.binds("__hash__") || decider.is_given("__hash__");
    let is_decorated = order
        .iter()
        .filter(|class| is_own(class))
        .any(|class| class.with_statement(|_, statement| !statement.decorator_list.is_empty()));
    if has_hash || is_decorated || !is_built_plainly(&class) || is_expected(site) {
        return None;
    }
    // What is annotated with a class may be of a subclass.
    let hashing = site.module.snapshot().classes_defining("__hash__").ok()?;
    if hashing.iter().any(|other| other.is_subclass_of(&class)) {
        return None;
    }
    let place = decider.own_member("__eq__").and_then(|member| member.place);
    Some(
        Finding::new("datamodel/unhashable-key", key.range())
            .fact("key", Fact::from(site.module.source(key)))
            .fact("class", Fact::from(class.name()))
            .fact("eq", Fact::from(format!("{}.__eq__", decider.name())))
            .fact("eq_at", place.map(Fact::from)),
    )
}
