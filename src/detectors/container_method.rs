//! `def __len__`, `__getitem__` and their kind: what else asks for them, and what goes past them.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::method_body::{find_own, is_name, own_nodes};
use super::method_shape::SpecialMethod;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["datamodel/container"], nodes: &[NodeKind::StmtFunctionDef], detect };

const METHODS: &[&str] = &[
    "__contains__",
    "__delitem__",
    "__getitem__",
    "__len__",
    "__length_hint__",
    "__missing__",
    "__reversed__",
    "__setitem__",
];

/// What `dict` and `list` do themselves, in C, without asking the method of a subclass.
const PAST: &[(&str, &str, &[&str])] = &[
    ("builtins.dict", "__contains__", &["get", "setdefault"]),
    ("builtins.dict", "__delitem__", &["pop", "popitem", "clear"]),
    ("builtins.dict", "__getitem__", &["get", "items", "values", "pop", "setdefault"]),
    ("builtins.dict", "__setitem__", &["update", "setdefault"]),
    ("builtins.list", "__delitem__", &["pop", "remove", "clear"]),
    ("builtins.list", "__getitem__", &["__iter__", "pop", "index"]),
    ("builtins.list", "__setitem__", &["append", "extend", "insert"]),
];

/// What the mixins of `collections.abc` make of the method.
const THROUGH: &[(&str, &str, &[&str])] = &[
    ("Mapping", "__getitem__", &["get", "__contains__", "items", "values"]),
    ("Sequence", "__getitem__", &["__iter__", "__contains__", "__reversed__", "index"]),
];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let method = SpecialMethod::at(site, METHODS)?;
    let finding = Finding::new("datamodel/container", method.def.name.range());
    let name = || Fact::from(method.statement.name.as_str());
    let finding = match method.def.name.as_str() {
        "__len__" => match method.class.definer("__bool__") {
            Some(definer) => {
                let place = definer.own_member("__bool__").and_then(|member| member.place)?;
                finding
                    .fact("decider", Fact::from(format!("{}.__bool__", definer.name())))
                    .fact("decider_at", Fact::from(place))
            }
            None => finding.fact("empty", method.lacks("__bool__").then(name)),
        },
        "__length_hint__" => match method.class.definer("__len__").filter(super::class_reading::is_own) {
            Some(definer) => {
                let place = definer.own_member("__len__").and_then(|member| member.place)?;
                finding
                    .fact("counted", Fact::from(format!("{}.__len__", definer.name())))
                    .fact("counted_at", Fact::from(place))
            }
            None => finding.fact("uncounted", method.lacks("__len__").then(name)),
        },
        "__missing__" => missing(site, &method, finding),
        "__reversed__" => {
            let value = super::iterator::no_iterator(site.module, &method);
            finding.fact("no_iterator", value.map(|value| Fact::from(site.module.source(value))))
        }
        "__contains__" => finding.fact("no_loop", (method.lacks("__iter__") && method.lacks("__getitem__")).then(name)),
        "__setitem__" => finding.fact("no_read", method.lacks("__getitem__").then(name)),
        "__getitem__" => {
            let is_looped = method.lacks("__iter__") && !method.class.is_metaclass();
            finding.fact("looped", is_looped.then(name)).fact("error", raised(&method).filter(|_| is_looped))
        }
        _ => finding,
    };
    let finding = with_builtin(&method, finding);
    finding.facts.iter().next()?;
    findings.push(finding.fact("class", name()).fact("method", Fact::from(method.def.name.as_str())));
    Some(())
}

/// What a builtin or a mixin among the bases does with the method, or without it.
fn with_builtin(method: &SpecialMethod, finding: Finding) -> Finding {
    let name = method.def.name.as_str();
    let others = |table: &'static [(&str, &str, &[&str])], is_base: &dyn Fn(&str) -> bool| {
        let (base, _, names) = table.iter().find(|(base, own, _)| *own == name && is_base(base))?;
        let inherited = |other: &&&str| {
            method
                .class
                .definer(other)
                .is_some_and(|definer| definer.symbol().origin != crate::analysis::Origin::Project)
        };
        let left: Vec<String> = names.iter().filter(inherited).map(ToString::to_string).collect();
        (!left.is_empty()).then_some((*base, left))
    };
    let has_past = |base: &str| method.class.mro_is_complete() && is_plain_subclass(&method.class, base);
    if let Some((base, past)) = others(PAST, &has_past) {
        return finding.fact("past", Fact::from(past)).fact("base", Fact::from(short(base)));
    }
    match others(THROUGH, &|base| is_mixin(&method.class, base)) {
        Some((base, through)) => finding.fact("through", Fact::from(through)).fact("base", Fact::from(short(base))),
        None => finding,
    }
}

fn short(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// Whether `base` is the only class along the order that is not the project's.
fn is_plain_subclass(class: &Class, base: &str) -> bool {
    let mut has_base = false;
    let is_plain = class.mro().iter().all(|class| {
        has_base |= class.is(base);
        super::class_reading::is_own(class) || class.symbol().is_any(&[base, "builtins.object", "typing.Generic"])
    });
    is_plain && has_base
}

/// Whether the class has `base` of `collections.abc` for its only base that does something.
fn is_mixin(class: &Class, base: &str) -> bool {
    let is_abc = |class: &Class| {
        matches!(class.symbol().module.as_str(), "_collections_abc" | "abc" | "collections.abc" | "typing")
    };
    let order = class.mro();
    // The order of these bases is not fully known to the stubs; that all bases that are written are known is enough.
    let knows_bases = |class: &Class| {
        class.with_statement(|module, statement| {
            statement.bases().iter().all(|base| module.class_reference(ast::helpers::map_subscript(base)).is_some())
        })
    };
    order.iter().filter(|class| super::class_reading::is_own(class)).all(knows_bases)
        && order.iter().any(|class| is_abc(class) && class.name() == base)
        && order.iter().all(|class| is_abc(class) || super::class_reading::is_own(class) || class.is("builtins.object"))
}

/// The exception that a lookup of items raises, if it is not the one that ends a loop.
fn raised(method: &SpecialMethod) -> Option<Fact> {
    let (names, _) = super::method_body::raised(&method.def.body);
    let is_other = !names.iter().any(|name| name == "IndexError" || name == "StopIteration");
    names.first().filter(|name| is_other && *name == "KeyError").map(|name| Fact::from(name.as_str()))
}

/// `__missing__`: who asks it, and whether it keeps what it makes.
fn missing(site: &Site, method: &SpecialMethod, finding: Finding) -> Finding {
    let class = &method.class;
    let name = || Fact::from(method.statement.name.as_str());
    if method.is_all_in_sight() && class.definer("__getitem__").is_none_or(|definer| !asks_missing(&definer)) {
        return finding.fact("never_asked", name());
    }
    if !class.inherits("builtins.dict") {
        return finding;
    }
    let hidden =
        class.definer("__getitem__").filter(super::class_reading::is_own).filter(|definer| !asks_missing(definer));
    if let Some(definer) = hidden {
        return finding.fact("hidden_by", Fact::from(format!("{}.__getitem__", definer.name())));
    }
    let mut stored = None;
    let own = method.own();
    own_nodes(&method.def.body, |node| {
        if let AnyNodeRef::ExprSubscript(item) = node
            && item.ctx.is_store()
            && own.is_some_and(|own| is_name(&item.value, own))
        {
            stored = stored.or(Some(item));
        }
    });
    let delegates = find_own(&method.def.body, |node| match node {
        AnyNodeRef::ExprCall(call) => {
            call.arguments.args.iter().chain([&*call.func]).find(|part| mentions_own(part, own)).map(|_| ())
        }
        _ => None,
    });
    match stored {
        Some(item) => finding.fact("kept", Fact::from(site.module.source(item))),
        None => finding.fact("made_anew", delegates.is_none().then(name)).fact("dict_only", name()),
    }
}

fn mentions_own(expr: &Expr, own: Option<&str>) -> bool {
    own.is_some_and(|own| super::method_body::mentions(expr, own)) || super::method_body::mentions(expr, "super")
}

/// Whether `__getitem__` may lead to `__missing__`.
fn asks_missing(definer: &Class) -> bool {
    definer.with_statement(|_, statement| {
        let Some(def) = super::method_body::method(&statement.body, "__getitem__") else { return true };
        let asks = find_own(&def.body, |node| match node {
            AnyNodeRef::ExprName(name) => (name.id == "super").then_some(()),
            AnyNodeRef::ExprAttribute(attribute) => {
                matches!(attribute.attr.as_str(), "__getitem__" | "__missing__").then_some(())
            }
            _ => None,
        });
        asks.is_some()
    })
}
