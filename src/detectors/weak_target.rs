//! What is handed to a weak reference or container: a bound method, a temporary, an object that allows none.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::handed_over::{Keeping, keeping};
use super::reference_count::new_object_is_kept;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Member, MemberKind, Module, Origin, Site, Step};
use crate::text::{Place, Ranged as _, TextRange};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["weakref/bound-method", "weakref/not-weakrefable", "weakref/temporary"],
    nodes: &[NodeKind::ExprCall, NodeKind::StmtAssign],
    detect,
};

/// Whether instances of a class have room for weak references.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Weakrefable {
    Yes,
    No(Reason),
    Unknown,
}

/// Why they have none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// A built-in type; whether a subclass of it has room.
    Builtin { subclassable: bool },
    /// Derived from a built-in type of variable size.
    Derived,
    /// All classes are slotted; this one is the first whose slots can be changed.
    Slots(String, Option<Place>),
}

/// Whether instances of `class` can be weakly referenced.
pub(super) fn weakrefable(class: &Class) -> Weakrefable {
    let layout = class.layout();
    match layout.is_weakrefable {
        Some(true) => Weakrefable::Yes,
        None => Weakrefable::Unknown,
        Some(false) if class.symbol().origin != Origin::Project => {
            Weakrefable::No(Reason::Builtin { subclassable: !layout.is_variable && !layout.is_final })
        }
        Some(false) if layout.is_variable => Weakrefable::No(Reason::Derived),
        Some(false) => {
            let slots_at = class.own_member("__slots__").and_then(|slots| slots.place);
            Weakrefable::No(Reason::Slots(class.name(), slots_at.or(class.place())))
        }
    }
}

/// Whether no subclass makes the room: the object may be one of a subclass.
fn is_room_in_no_subclass<'s>(module: &Module<'s>, class: &Class<'s>) -> bool {
    let subclasses = module.snapshot().subclasses(class);
    subclasses.is_some_and(|classes| classes.iter().all(|class| matches!(weakrefable(class), Weakrefable::No(_))))
}

/// What is about to be held weakly.
struct Held<'a> {
    object: &'a Expr,
    /// The weak container it goes into.
    container: Option<&'a Expr>,
    /// Where a refusal is reported.
    range: TextRange,
}

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let module = site.module;
    let held = match site.node {
        AnyNodeRef::ExprCall(call) => match from_call(site, call) {
            Some(held) => held,
            None => return through_function(site, call, findings),
        },
        AnyNodeRef::StmtAssign(assign) => from_assignment(module, assign)?,
        _ => return None,
    };
    let container = held.container.map(|container| Fact::from(module.source(container.range())));
    if let Some(method) = bound_method(module, held.object) {
        let finding = Finding::new("weakref/bound-method", held.object.range())
            .fact("method", Fact::from(module.source(held.object.range())))
            .fact("receiver", Fact::from(module.source(method)))
            .fact("container", container);
        findings.push(finding);
        return Some(());
    }
    if let Some(class) = temporary(module, held.object) {
        let finding = Finding::new("weakref/temporary", held.object.range())
            .fact("class", Fact::from(class.name()))
            .fact("container", container);
        findings.push(finding);
        return Some(());
    }
    let class = module.class_of(held.object)?;
    let Weakrefable::No(reason) = weakrefable(&class) else { return None };
    let is_certain = match reason {
        Reason::Slots(..) => is_room_in_no_subclass(module, &class),
        Reason::Builtin { subclassable: true } => is_exactly(module, held.object),
        // What is of a subclass has no room either.
        Reason::Builtin { subclassable: false } | Reason::Derived => true,
    };
    if !is_certain {
        return None;
    }
    let stored = stored_before(site, held.object);
    let name = if class.is("types.NoneType") { "NoneType".to_string() } else { class.name() };
    let mut finding = Finding::new("weakref/not-weakrefable", held.range)
        .fact("class", Fact::from(name.as_str()))
        .fact("stored_first_at", stored.and_then(|stored| module.place(stored.range())).map(Fact::from))
        .fact("stored_first", stored.map(|stored| Fact::from(module.source(stored.range()))));
    finding = match reason {
        Reason::Builtin { subclassable: true } => finding.fact("subclassable", Fact::from(name)),
        Reason::Builtin { subclassable: false } => finding.fact("builtin", Fact::from(name)),
        Reason::Derived => finding.fact("builtin", Fact::from(name)),
        Reason::Slots(class, place) => {
            finding.fact("slots_class", Fact::from(class)).fact("slots_at", place.map(Fact::from))
        }
    };
    findings.push(finding);
    Some(())
}

/// `weakref.ref(x)`, `weakref.proxy(x)`, `weakref.finalize(x, …)`, `weak_set.add(x)`.
fn from_call<'a>(site: &Site<'a, '_>, call: &'a ast::ExprCall) -> Option<Held<'a>> {
    const HOLDERS: &[&str] = &["weakref.WeakSet.add", "weakref.finalize", "weakref.proxy", "weakref.ref"];
    let object = call.arguments.args.first().filter(|_| site.module.may_be(&call.func, HOLDERS))?;
    if site.is_whole_file && !site.module.may_use_package("weakref") {
        return None;
    }
    let symbol = site.module.callee(call)?;
    if symbol.is_any(&["weakref.finalize", "weakref.proxy", "weakref.ref"]) {
        // A finalizer of a temporary runs at once, which may be meant.
        let is_meant = symbol.is("weakref.finalize") && object.is_call_expr();
        return (!is_meant).then_some(Held { object, container: None, range: call.func.range() });
    }
    let Expr::Attribute(method) = &*call.func else { return None };
    symbol.is("weakref.WeakSet.add").then_some(Held { object, container: Some(&method.value), range: object.range() })
}

/// `signal.connect(self.changed)`, whose body refers weakly to what it is handed, and whose value nobody takes.
fn through_function(site: &Site, call: &ast::ExprCall, findings: &mut Findings) -> Option<()> {
    let module = site.module;
    let is_dropped = matches!(site.parent()?, AnyNodeRef::StmtExpr(_));
    let given = call.arguments.args.iter().chain(call.arguments.keywords.iter().map(|keyword| &keyword.value));
    let mut arguments = given.filter(|argument| argument.is_attribute_expr()).peekable();
    if !is_dropped || arguments.peek().is_none() || !module.may_use_package("weakref") || is_overridden(module, call) {
        return None;
    }
    for argument in arguments {
        let Some(Keeping::Weakly { function, at }) = keeping(module, call, argument.range()) else { continue };
        let Some(receiver) = bound_method(module, argument) else { continue };
        let finding = Finding::new("weakref/bound-method", argument.range())
            .fact("method", Fact::from(module.source(argument.range())))
            .fact("receiver", Fact::from(module.source(receiver)))
            .fact("holder", Fact::from(function))
            .fact("held_at", at.map(Fact::from));
        findings.push(finding);
    }
    Some(())
}

/// Whether the method that is called may be another one: a subclass has its own.
fn is_overridden(module: &Module, call: &ast::ExprCall) -> bool {
    let Expr::Attribute(method) = &*call.func else { return false };
    let Some(class) = module.receiver_class(&method.value) else { return false };
    let subclasses = module.snapshot().subclasses(&class);
    subclasses.is_none_or(|classes| classes.iter().any(|class| class.binds(&method.attr)))
}

/// `weak_values[key] = x`, `weak_keys[x] = value`.
fn from_assignment<'a>(module: &Module, assign: &'a ast::StmtAssign) -> Option<Held<'a>> {
    let [Expr::Subscript(entry)] = assign.targets.as_slice() else { return None };
    if module.calls_of("WeakValueDictionary").is_empty() && module.calls_of("WeakKeyDictionary").is_empty() {
        return None;
    }
    let class = module.receiver_class(&entry.value)?;
    let object = match class.symbol() {
        symbol if symbol.is("weakref.WeakValueDictionary") => &*assign.value,
        symbol if symbol.is("weakref.WeakKeyDictionary") => &*entry.slice,
        _ => return None,
    };
    Some(Held { object, container: Some(&entry.value), range: object.range() })
}

/// Whether the object is seen to be made, so that it is of no subclass: what is annotated `object` or `list` may be of one.
fn is_exactly(module: &Module, object: &Expr) -> bool {
    let origins = module.origins(object);
    let is_made = |origin: &&Expr| match origin {
        Expr::Call(call) => module.class_reference(&call.func).is_some(),
        Expr::FString(_) | Expr::List(_) | Expr::ListComp(_) | Expr::Dict(_) | Expr::DictComp(_) | Expr::Tuple(_) => {
            true
        }
        other => other.is_literal_expr(),
    };
    !origins.is_empty() && origins.iter().all(is_made)
}

/// The receiver of `object`, if that makes a bound method anew.
pub(super) fn bound_method<'a>(module: &Module, object: &'a Expr) -> Option<&'a Expr> {
    let Expr::Attribute(attribute) = object else { return None };
    let lookup = module.lookup(attribute)?;
    let Member { kind, owner, .. } = &lookup.member;
    let is_method = match kind {
        MemberKind::Function => !lookup.through_class && lookup.step == Step::ClassAttribute,
        MemberKind::ClassMethod => true,
        _ => false,
    };
    (is_method && owner.symbol().origin == Origin::Project).then_some(&attribute.value)
}

/// The class of a new object that nothing else refers to.
pub(super) fn temporary<'s>(module: &Module<'s>, object: &Expr) -> Option<Class<'s>> {
    let Expr::Call(call) = object else { return None };
    let class = module.class_reference(&call.func)?;
    let is_plain = class.symbol().origin == Origin::Project && !class.is_metaclass();
    (is_plain && !new_object_is_kept(&class) && weakrefable(&class) == Weakrefable::Yes).then_some(class)
}

/// The entry or attribute to which the function has assigned `object` before.
fn stored_before<'a>(site: &Site<'a, '_>, object: &Expr) -> Option<&'a Expr> {
    let Expr::Name(object) = object else { return None };
    let before = site.function()?.body.iter().take_while(|statement| statement.start() < site.node.start());
    before.filter_map(|statement| statement.as_assign_stmt()).find_map(|assign| {
        let is_object = matches!(&*assign.value, Expr::Name(value) if value.id == object.id);
        assign.targets.iter().find(|target| is_object && (target.is_subscript_expr() || target.is_attribute_expr()))
    })
}
