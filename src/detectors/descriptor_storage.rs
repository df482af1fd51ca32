//! Where a descriptor keeps the value of an instance: the calls and subscripts in its own methods that read or write it.
//!
//! Silent for a key under which `__set__` stores nothing: what is read there belongs to somebody else.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::class_reading::{Use, lacks_dict, uses};
use super::descriptor_shape::{Accessor, Shape};
use super::method_body::{attribute_of, find_own, is_name, mentions, parameter};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["descriptors/storage"], nodes: &[NodeKind::ExprCall, NodeKind::ExprSubscript], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let access = access(site.node)?;
    let (def, class) = method_of(site, &["__get__", "__set__", "__delete__"])?;
    let (receiver, instance) = (parameter(def, 0)?, parameter(def, 1)?);
    if !is_name(access.object, instance) || !mentions(access.key, receiver) {
        return None;
    }
    let shape = Shape::of(class);
    shape.set.as_ref()?;
    let key = site.module.source(access.key);
    if !shape.storage()?.0.contains(key) {
        return None;
    }
    let kept = kept(site, &shape);
    let code = site.module.source(site.node);
    let of_kept = |show: &dyn Fn(&Kept) -> String, wanted: &dyn Fn(&Kept) -> bool| {
        Fact::from(kept.iter().filter(|kept| wanted(kept)).map(show).collect::<Vec<_>>())
    };
    let is_own = |kept: &Kept| kept.key == kept.made.attribute;
    let comes_back = !access.is_dict
        && matches!(
            (def.name.as_str(), access.does),
            ("__get__", Does::Read) | ("__set__", Does::Write) | ("__delete__", Does::Other)
        );
    let no_dict = |kept: &Kept| access.is_dict && lacks_dict(&kept.owner);
    let no_slot = |kept: &Kept| {
        access.does == Does::Write
            && !access.is_dict
            && lacks_dict(&kept.owner)
            && kept.owner.member(&kept.key).is_none()
    };
    let needs_room = access.does == Does::Write && !access.is_dict && !kept.iter().any(no_slot);
    let (default, shared) = default(&access, &shape, receiver);
    findings.push(
        Finding::new("descriptors/storage", site.node.range())
            .fact("class", Fact::from(shape.class.name()))
            .fact("instance", Fact::from(instance))
            .fact("code", Fact::from(code))
            .fact("read", (access.does == Does::Read).then(|| Fact::from(code)))
            .fact("write", (access.does == Does::Write).then(|| Fact::from(code)))
            .fact("uses", of_kept(&|kept| kept.made.label(), &|_| true))
            .fact("keys", of_kept(&|kept| kept.key.clone(), &|_| true))
            .fact("open", of_kept(&|kept| kept.key.clone(), &|kept| !is_own(kept)))
            .fact("covered", of_kept(&|kept| kept.made.label(), &|kept| is_own(kept) && access.is_dict))
            .fact("recursive", of_kept(&|kept| kept.made.label(), &|kept| is_own(kept) && comes_back))
            .fact("no_dict", of_kept(&|kept| kept.owner.name(), &no_dict))
            .fact("no_slot", of_kept(&|kept| kept.owner.name(), &no_slot))
            .fact("missing", of_kept(&|kept| kept.key.clone(), &no_slot))
            .fact("default", default.map(|default| Fact::from(default.map_or("None", |expr| site.module.source(expr)))))
            .fact("shared", shared.map(Fact::from))
            .fact("needs_room", needs_room.then(|| Fact::from("__slots__"))),
    );
    Some(())
}

/// The method of a descriptor class, with one of these names, whose own code the node is; and that class.
pub(super) fn method_of<'a, 's>(site: &Site<'a, 's>, names: &[&str]) -> Option<(&'a ast::StmtFunctionDef, Class<'s>)> {
    let def = site.function()?;
    if !names.contains(&def.name.as_str()) || !def.decorator_list.is_empty() || site.is_type_checking() {
        return None;
    }
    let statement = site.class()?;
    let is_method = statement.body.iter().any(|statement| statement.range() == def.range());
    let class = site.module.class(statement).filter(|_| is_method)?;
    (!class.inherits("typing.Protocol")).then_some((def, class))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Does {
    Read,
    Write,
    Other,
}

/// An access to something of an object under a key that is not written as an attribute.
struct Access<'a> {
    object: &'a Expr,
    key: &'a Expr,
    does: Does,
    is_dict: bool,
    /// What is given when nothing is there: `Some(None)` is the default `None`, `None` an exception.
    default: Option<Option<&'a Expr>>,
}

fn access(node: AnyNodeRef<'_>) -> Option<Access<'_>> {
    match node {
        AnyNodeRef::ExprCall(call) => of_call(call),
        AnyNodeRef::ExprSubscript(item) => {
            let does = match item.ctx {
                ast::ExprContext::Load => Does::Read,
                ast::ExprContext::Store => Does::Write,
                _ => Does::Other,
            };
            Some(Access { object: dict_owner(&item.value)?, key: &item.slice, does, is_dict: true, default: None })
        }
        _ => None,
    }
}

fn of_call(call: &ast::ExprCall) -> Option<Access<'_>> {
    match (&*call.func, &*call.arguments.args) {
        (Expr::Name(name), [object, key, rest @ ..]) => {
            let does = match (name.id.as_str(), rest) {
                ("getattr", [] | [_]) => Does::Read,
                ("setattr", [_]) => Does::Write,
                ("delattr", []) => Does::Other,
                _ => return None,
            };
            let default = rest.first().filter(|_| does == Does::Read).map(Some);
            Some(Access { object, key, does, is_dict: false, default })
        }
        (Expr::Attribute(method), [key, rest @ ..]) => {
            let object = dict_owner(&method.value)?;
            let (does, default) = match (method.attr.as_str(), rest) {
                ("get", []) => (Does::Read, Some(None)),
                ("get", [default]) => (Does::Read, Some(Some(default))),
                ("pop", _) => (Does::Other, None),
                _ => return None,
            };
            Some(Access { object, key, does, is_dict: true, default })
        }
        _ => None,
    }
}

/// `object` in `object.__dict__` and `vars(object)`.
fn dict_owner(expr: &Expr) -> Option<&Expr> {
    match expr {
        Expr::Attribute(attribute) => (attribute.attr.as_str() == "__dict__").then_some(&*attribute.value),
        Expr::Call(call) => match &*call.arguments.args {
            [object] if is_name(&call.func, "vars") => Some(object),
            _ => None,
        },
        _ => None,
    }
}

/// A use of the descriptor, its class, and the key that its value has on the instance.
struct Kept<'m, 's> {
    made: Use<'m>,
    owner: Class<'s>,
    key: String,
}

/// The uses in this file; none, unless the keys of all of them can be worked out.
fn kept<'a, 's>(site: &Site<'a, 's>, shape: &Shape<'s>) -> Vec<Kept<'a, 's>> {
    let kept = uses(site.module, &shape.class).into_iter().map(|made| {
        let key = shape.stored_as(Some((site.module, made.call)), made.attribute)?;
        let owner = site.module.class(made.owner)?;
        Some(Kept { made, owner, key })
    });
    kept.collect::<Option<Vec<_>>>().unwrap_or_default()
}

/// The default, and its source if it is an attribute that `__init__` sets on the descriptor: one object for all instances.
fn default<'a>(access: &Access<'a>, shape: &Shape, receiver: &str) -> (Option<Option<&'a Expr>>, Option<String>) {
    let shared = access.default.flatten().and_then(|default| {
        let attribute = attribute_of(default, receiver)?;
        let init = Accessor::of(&shape.class, "__init__")?;
        init.read(|_, def| {
            let receiver = parameter(def, 0)?;
            find_own(&def.body, |node| super::descriptor_shape::assigned(node, receiver, attribute))
                .map(|_| format!("{receiver}.{attribute}"))
        })
    });
    (access.default, shared)
}
