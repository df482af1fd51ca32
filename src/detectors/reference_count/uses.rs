//! What one use of a variable does with the object: looks at it, names it again, stores it, or lets anybody have it.
//!
//! Whatever is not understood counts as "anybody may hold it now". A `__repr__` or `__eq__` that stores its own object is not
//! thought of.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr};

use super::fate::{self, Fate, Slot};
use super::mentions::Mention;
use crate::analysis::{MemberKind, Module, Origin};
use crate::text::Ranged as _;

/// Functions that keep no reference to their arguments, nor give one back.
pub(super) const LOOKING: &[&str] = &[
    "builtins.abs",
    "builtins.all",
    "builtins.any",
    "builtins.ascii",
    "builtins.bool",
    "builtins.bytearray",
    "builtins.bytes",
    "builtins.callable",
    "builtins.dict",
    "builtins.dir",
    "builtins.float",
    "builtins.format",
    "builtins.frozenset",
    "builtins.hasattr",
    "builtins.hash",
    "builtins.id",
    "builtins.int",
    "builtins.isinstance",
    "builtins.len",
    "builtins.list",
    "builtins.print",
    "builtins.repr",
    "builtins.set",
    "builtins.sorted",
    "builtins.str",
    "builtins.sum",
    "builtins.tuple",
    "builtins.type",
    "copy.copy",
    "copy.deepcopy",
    "gc.get_referents",
    "gc.get_referrers",
    "gc.is_tracked",
    "json.dumps",
    "pickle.dumps",
    "pprint.pprint",
    "sys.getrefcount",
    "sys.getsizeof",
    "tracemalloc.get_object_traceback",
    "weakref.getweakrefcount",
    "weakref.proxy",
    "weakref.ref",
];

/// Containers whose methods below keep no reference to the container itself.
pub(super) const CONTAINERS: &[&str] =
    &["builtins.bytearray", "builtins.dict", "builtins.list", "builtins.set", "collections.deque"];
pub(super) const CONTAINER_METHODS: &[&str] = &[
    "add",
    "append",
    "appendleft",
    "clear",
    "copy",
    "count",
    "discard",
    "extend",
    "get",
    "index",
    "insert",
    "pop",
    "popitem",
    "popleft",
    "remove",
    "reverse",
    "rotate",
    "setdefault",
    "sort",
    "update",
];
/// The methods among them that store their last argument.
const ADDING: &[&str] = &["add", "append", "appendleft", "insert"];

/// What a use does.
pub(in crate::detectors) enum Use {
    /// Nothing refers to the object because of it.
    Looks,
    /// Binds the object to these further names of the same scope.
    Names(Vec<String>),
    /// Stores it there.
    Stores(Vec<Slot>),
    /// Anything may hold it now.
    Escapes,
}

/// What a use of a variable does with its object. `depth` limits how many calls are followed.
pub(in crate::detectors) fn classify(module: &Module, mention: &Mention, depth: usize) -> Use {
    if mention.is_deferred() {
        return Use::Escapes;
    }
    let here = mention.name.range();
    match mention.around(0) {
        Some(
            AnyNodeRef::StmtExpr(_)
            | AnyNodeRef::ExprCompare(_)
            | AnyNodeRef::InterpolatedElement(_)
            | AnyNodeRef::StmtIf(_)
            | AnyNodeRef::StmtWhile(_)
            | AnyNodeRef::ElifElseClause(_)
            | AnyNodeRef::StmtAssert(_)
            | AnyNodeRef::StmtFor(_)
            | AnyNodeRef::StmtDelete(_)
            | AnyNodeRef::StmtAugAssign(_),
        ) => Use::Looks,
        Some(AnyNodeRef::ExprUnaryOp(unary)) if unary.op == ast::UnaryOp::Not => Use::Looks,
        Some(AnyNodeRef::ExprSubscript(subscript)) => {
            match subscript.value.range() == here || subscript.ctx.is_load() {
                true => Use::Looks,
                false => Use::Escapes,
            }
        }
        Some(AnyNodeRef::ExprAttribute(attribute)) => attribute_use(module, mention, attribute, depth),
        Some(AnyNodeRef::StmtAssign(assign)) if assign.value.range() == here => assigned(module, assign),
        Some(AnyNodeRef::Arguments(_) | AnyNodeRef::Keyword(_)) => argument_use(module, mention, depth),
        Some(AnyNodeRef::ExprList(_) | AnyNodeRef::ExprTuple(_) | AnyNodeRef::ExprDict(_)) => {
            display_use(module, mention)
        }
        Some(AnyNodeRef::Comprehension(comprehension)) if comprehension.iter.range() == here => {
            match mention.around(1) {
                Some(AnyNodeRef::ExprGenerator(_)) => Use::Escapes,
                _ => Use::Looks,
            }
        }
        _ => Use::Escapes,
    }
}

fn assigned(module: &Module, assign: &ast::StmtAssign) -> Use {
    let names: Option<Vec<_>> =
        assign.targets.iter().map(|target| Some(target.as_name_expr()?.id.to_string())).collect();
    if let Some(names) = names {
        return Use::Names(names);
    }
    match assign.targets.as_slice() {
        [target @ (Expr::Attribute(_) | Expr::Subscript(_))] => stored(fate::slot(module, target)),
        _ => Use::Escapes,
    }
}

fn stored(slot: Option<Slot>) -> Use {
    slot.map_or(Use::Escapes, |slot| Use::Stores(vec![slot]))
}

fn attribute_use(module: &Module, mention: &Mention, attribute: &ast::ExprAttribute, depth: usize) -> Use {
    if let Some(AnyNodeRef::ExprCall(call)) = mention.around(1)
        && call.func.range() == attribute.range()
    {
        return method_use(module, attribute, call, depth);
    }
    match module.lookup(attribute).map(|lookup| lookup.member.kind) {
        Some(MemberKind::Instance | MemberKind::Slot | MemberKind::Value | MemberKind::StaticMethod) => Use::Looks,
        // A new attribute of an instance whose class takes writes as they come.
        None if !attribute.ctx.is_load()
            && module.class_of(&attribute.value).is_some_and(|class| takes_writes(&class)) =>
        {
            Use::Looks
        }
        _ => Use::Escapes,
    }
}

fn takes_writes(class: &crate::analysis::Class) -> bool {
    class.mro_is_complete() && class.definer("__setattr__").is_none() && class.symbol().origin == Origin::Project
}

/// `name.method(…)`: what the method does with its `self`.
fn method_use(module: &Module, attribute: &ast::ExprAttribute, call: &ast::ExprCall, depth: usize) -> Use {
    let is_container = module.class_of(&attribute.value).is_some_and(|class| class.symbol().is_any(CONTAINERS));
    if is_container {
        let keeps_nothing = CONTAINER_METHODS.contains(&attribute.attr.as_str());
        return if keeps_nothing { Use::Looks } else { Use::Escapes };
    }
    let fate = module.called_function(call).and_then(|function| {
        fate::with_def(module, &function, |module, def| {
            let first = def.parameters.iter_non_variadic_params().next()?.name().to_string();
            Some(fate::of_parameter(module, def, &first, depth))
        })?
    });
    match fate {
        Some(Fate::Dropped) => Use::Looks,
        _ => Use::Escapes,
    }
}

fn argument_use(module: &Module, mention: &Mention, depth: usize) -> Use {
    let in_keyword = matches!(mention.around(0), Some(AnyNodeRef::Keyword(_)));
    let Some(AnyNodeRef::ExprCall(call)) = mention.around(1 + usize::from(in_keyword)) else { return Use::Escapes };
    if let Expr::Attribute(attribute) = &*call.func
        && ADDING.contains(&attribute.attr.as_str())
        && call.arguments.args.last().is_some_and(|last| last.range() == mention.name.range())
        && module.class_of(&attribute.value).is_some_and(|class| class.symbol().is_any(CONTAINERS))
    {
        return stored(fate::slot(module, &attribute.value));
    }
    if let Some(symbol) = module.callee(call) {
        let is_first = call.arguments.args.first().is_some_and(|first| first.range() == mention.name.range());
        if symbol.is_any(LOOKING) || (symbol.is("weakref.finalize") && is_first) {
            return Use::Looks;
        }
    }
    match fate::of_argument(module, call, mention.name.range(), depth) {
        Some(Fate::Dropped) => Use::Looks,
        Some(Fate::Stored(slots)) => Use::Stores(slots),
        Some(Fate::Escapes) | None => Use::Escapes,
    }
}

/// An element of a list, tuple or dict that is bound to one name: `queue = [job]`.
fn display_use(module: &Module, mention: &Mention) -> Use {
    let here = mention.name.range();
    let Some(AnyNodeRef::StmtAssign(assign)) = mention.around(1) else { return Use::Escapes };
    let [Expr::Name(target)] = assign.targets.as_slice() else { return Use::Escapes };
    let index_of = |items: &[Expr]| items.iter().position(|item| item.range() == here).map(|index| index.to_string());
    let key = match mention.around(0) {
        Some(AnyNodeRef::ExprList(list)) => index_of(&list.elts),
        Some(AnyNodeRef::ExprTuple(tuple)) => index_of(&tuple.elts),
        Some(AnyNodeRef::ExprDict(dict)) => {
            let key = dict.items.iter().find(|item| item.value.range() == here).and_then(|item| item.key.as_ref());
            key.filter(|key| key.is_literal_expr()).map(|key| module.source(key.range()).to_string())
        }
        _ => None,
    };
    let slot = key.and_then(|key| {
        let path = format!("{}[{key}]", target.id);
        Some(Slot { path, root: target.id.to_string(), attribute: None, place: module.place(here)?, fragile: false })
    });
    stored(slot)
}
