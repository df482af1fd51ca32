//! What a function does with an argument: drops it, stores it in a place that can be named, or neither is certain.

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use super::mentions::{Mention, binds, is_scope, mentions, yields};
use super::uses::{Use, classify};
use crate::analysis::{Class, Function, Module, Origin};
use crate::text::{Place, Ranged as _, TextRange};

/// A place that holds an object strongly.
#[derive(Clone, Debug)]
pub(in crate::detectors) struct Slot {
    /// As source that the reader can evaluate: `cache._cache["key1"]`.
    pub path: String,
    /// The variable the path starts with.
    pub root: String,
    /// The attribute of the root that holds the container, if it is one.
    pub attribute: Option<String>,
    /// Where it was stored.
    pub place: Place,
    /// A callback made together with it may remove it again.
    pub fragile: bool,
}

/// What becomes of an argument.
pub(in crate::detectors) enum Fate {
    Dropped,
    Stored(Vec<Slot>),
    Escapes,
}

/// The place that `target` is, when it starts with a name: `self._cache[key]`.
pub(super) fn slot(module: &Module, target: &Expr) -> Option<Slot> {
    let (root, attribute) = root(target)?;
    Some(Slot {
        path: module.source(target.range()).to_string(),
        root: root.id.to_string(),
        attribute: attribute.map(str::to_string),
        place: module.place(target.range())?,
        fragile: false,
    })
}

/// The name a chain of attributes and subscripts starts with, and the first attribute after it.
pub(in crate::detectors) fn root(expr: &Expr) -> Option<(&ast::ExprName, Option<&str>)> {
    match expr {
        Expr::Name(name) => Some((name, None)),
        Expr::Attribute(attribute) => {
            let (name, first) = root(&attribute.value)?;
            Some((name, first.or(Some(attribute.attr.as_str()))))
        }
        Expr::Subscript(subscript) => root(&subscript.value),
        _ => None,
    }
}

/// Calls `read` with the `def` of a function of the project, in its own file.
pub(in crate::detectors) fn with_def<R>(
    module: &Module,
    function: &Function,
    read: impl FnOnce(&Module, &ast::StmtFunctionDef) -> R,
) -> Option<R> {
    if function.symbol.origin != Origin::Project {
        return None;
    }
    let place = function.place.as_ref()?;
    let find = |module: &Module, read: &mut dyn FnMut(&Module, &ast::StmtFunctionDef)| {
        let mut finder = DefAt { name: place.range(), found: None };
        finder.visit_body(&module.syntax().body);
        if let Some(def) = finder.found {
            read(module, def);
        }
    };
    let mut read = Some(read);
    let mut result = None;
    let mut once = |module: &Module, def: &ast::StmtFunctionDef| {
        result = read.take().map(|read| read(module, def));
    };
    match module.path() == Some(place.path.as_path()) {
        true => find(module, &mut once),
        false => find(&module.snapshot().module(&place.path).ok()?, &mut once),
    }
    result
}

struct DefAt<'a> {
    name: TextRange,
    found: Option<&'a ast::StmtFunctionDef>,
}

impl<'a> SourceOrderVisitor<'a> for DefAt<'a> {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        if let AnyNodeRef::StmtFunctionDef(def) = node
            && def.name.range() == self.name
        {
            self.found = Some(def);
        }
        match node.is_statement() && node.range().contains_range(self.name) {
            true => TraversalSignal::Traverse,
            false if node.is_statement() || node.is_expression() => TraversalSignal::Skip,
            false => TraversalSignal::Traverse,
        }
    }
}

/// What the called function does with the argument at `range`; slots are named as the caller sees them.
pub(super) fn of_argument(module: &Module, call: &ast::ExprCall, range: TextRange, depth: usize) -> Option<Fate> {
    if call.arguments.args.iter().any(Expr::is_starred_expr) {
        return None;
    }
    let function = module.called_function(call).or_else(|| constructor(module, call))?;
    let receiver = match &*call.func {
        Expr::Attribute(attribute) if root(&attribute.value).is_some() => Some(module.source(&*attribute.value)),
        _ => None,
    };
    with_def(module, &function, |inside, def| {
        let is_bound = def.decorator_list.is_empty() && function.symbol.name.contains('.') && !call.func.is_name_expr();
        let is_bound = is_bound || function.name == "__init__";
        let bound = bindings(module, call, def, is_bound, receiver)?;
        let parameter = bound.iter().find(|bound| bound.range == Some(range))?;
        Some(match of_parameter(inside, def, parameter.name, depth) {
            Fate::Stored(slots) => match slots.iter().map(|slot| as_caller_sees(slot, &bound)).collect() {
                Some(slots) => Fate::Stored(slots),
                None => Fate::Escapes,
            },
            other => other,
        })
    })?
}

/// The `__init__` that a call of a class runs.
fn constructor(module: &Module, call: &ast::ExprCall) -> Option<Function> {
    let class = module.class_reference(&call.func)?;
    let own = class.definer("__init__")?;
    (class.definer("__new__").is_none() && !creates_specially(&class)).then_some(())?;
    let place = own.member("__init__")?.place?;
    let symbol = own.symbol().member("__init__");
    let name = "__init__".to_string();
    Some(Function { symbol, name, place: Some(place), is_async: false, is_generator: false, is_decorated: false })
}

/// Whether calling the class does something else than `__new__` and `__init__` of its own.
pub(in crate::detectors) fn creates_specially(class: &Class) -> bool {
    class.metaclass().is_some_and(|metaclass| !metaclass.class.is("abc.ABCMeta"))
}

struct Bound<'d> {
    name: &'d str,
    /// The source of the argument, or of the receiver for `self`.
    source: Option<String>,
    range: Option<TextRange>,
}

fn bindings<'d>(
    module: &Module,
    call: &ast::ExprCall,
    def: &'d ast::StmtFunctionDef,
    is_bound: bool,
    receiver: Option<&str>,
) -> Option<Vec<Bound<'d>>> {
    let parameters = &def.parameters;
    if parameters.vararg.is_some() || parameters.kwarg.is_some() {
        return None;
    }
    let mut bound = vec![];
    let mut positional = call.arguments.args.iter();
    for (index, parameter) in parameters.iter_non_variadic_params().enumerate() {
        let name = parameter.name().as_str();
        if index == 0 && is_bound {
            bound.push(Bound { name, source: receiver.map(str::to_string), range: None });
            continue;
        }
        let keyword = call.arguments.find_keyword(name).map(|keyword| &keyword.value);
        let value = keyword.or_else(|| positional.next());
        bound.push(Bound {
            name,
            source: value.map(|value| module.source(value.range()).to_string()),
            range: value.map(|value| value.range()),
        });
    }
    Some(bound)
}

/// A slot of the called function in the caller's words; `None` when it starts at something the caller cannot name.
fn as_caller_sees(slot: &Slot, bound: &[Bound]) -> Option<Slot> {
    let source = |name: &str| bound.iter().find(|bound| bound.name == name).map(|bound| bound.source.as_deref());
    let base = source(&slot.root)??;
    let rest = slot.path.strip_prefix(slot.root.as_str())?;
    // The last subscript may name another parameter.
    let path = match rest.rsplit_once('[').and_then(|(head, key)| Some((head, key.strip_suffix(']')?))) {
        Some((head, key)) if key.chars().all(|char| char.is_alphanumeric() || char == '_') && !is_number(key) => {
            format!("{base}{head}[{}]", source(key).flatten().unwrap_or("…"))
        }
        Some((head, key)) if !is_literal(key) => format!("{base}{head}[…]"),
        _ => format!("{base}{rest}"),
    };
    let root = base.split(['.', '[']).next()?.to_string();
    let attribute = match base == root {
        true => slot.attribute.clone(),
        false => None,
    };
    Some(Slot { path, root, attribute, ..slot.clone() })
}

fn is_number(key: &str) -> bool {
    key.parse::<i64>().is_ok()
}

fn is_literal(key: &str) -> bool {
    is_number(key) || (key.len() > 1 && key.starts_with(['"', '\'']) && key.ends_with(['"', '\'']))
}

/// What `def` does with the object its parameter `name` is given.
pub(in crate::detectors) fn of_parameter(
    module: &Module,
    def: &ast::StmtFunctionDef,
    name: &str,
    depth: usize,
) -> Fate {
    let Some(depth) = depth.checked_sub(1) else { return Fate::Escapes };
    if def.is_async || !def.decorator_list.is_empty() || yields(&def.body) || binds(&def.body, name) {
        return Fate::Escapes;
    }
    let mut slots = vec![];
    for mention in mentions(&def.body, &[name]) {
        match classify(module, &mention, depth) {
            Use::Looks => {}
            Use::Stores(found) if is_unconditional(def, mention.name.range()) => slots.extend(found),
            _ => return Fate::Escapes,
        }
    }
    let parameters: Vec<_> = def.parameters.iter_non_variadic_params().map(|item| item.name().as_str()).collect();
    for slot in &mut slots {
        let stays = parameters.contains(&slot.root.as_str()) && !binds(&def.body, &slot.root);
        if !stays || removes_after(def, slot) {
            return Fate::Escapes;
        }
        slot.fragile = slot.attribute.as_deref().is_some_and(|attribute| removes_later(&def.body, attribute));
    }
    if slots.is_empty() { Fate::Dropped } else { Fate::Stored(slots) }
}

/// Whether the statement at `range` runs whenever the function returns normally.
fn is_unconditional(def: &ast::StmtFunctionDef, range: TextRange) -> bool {
    let mut returns = Returns(false);
    for statement in &def.body {
        if statement.range().contains_range(range) {
            return matches!(statement, Stmt::Assign(_) | Stmt::Expr(_)) && !returns.0;
        }
        returns.visit_stmt(statement);
    }
    false
}

struct Returns(bool);

impl<'a> SourceOrderVisitor<'a> for Returns {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        self.0 |= matches!(node, AnyNodeRef::StmtReturn(_));
        TraversalSignal::Traverse
    }
}

/// Whether the function takes things out of the slot's container after storing.
fn removes_after(def: &ast::StmtFunctionDef, slot: &Slot) -> bool {
    let Some(attribute) = slot.attribute.as_deref() else { return false };
    let later = def.body.iter().position(|statement| statement.range().contains_range(slot.place.range()));
    let Some(later) = later.and_then(|at| def.body.get(at + 1..)) else { return true };
    mentions(later, &[&slot.root]).iter().any(|mention| !mention.is_deferred() && !leaves_alone(mention, attribute))
}

/// Whether a function made inside one of the statements mentions the attribute, as a callback that removes an entry does.
fn removes_later(statements: &[Stmt], attribute: &str) -> bool {
    struct Deferred<'n>(&'n str, usize, bool);
    impl<'a> SourceOrderVisitor<'a> for Deferred<'_> {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            self.1 += usize::from(is_scope(node));
            self.2 |= self.1 > 0 && matches!(node, AnyNodeRef::ExprAttribute(item) if item.attr.as_str() == self.0);
            TraversalSignal::Traverse
        }
        fn leave_node(&mut self, node: AnyNodeRef<'a>) {
            self.1 -= usize::from(is_scope(node));
        }
    }
    let mut finder = Deferred(attribute, 0, false);
    finder.visit_body(statements);
    finder.2
}

/// Whether a method of the class makes a function that mentions the attribute.
pub(super) fn defers_removal(class: &Class, attribute: &str) -> bool {
    let ours = class.mro().into_iter().filter(|class| class.symbol().origin == Origin::Project);
    ours.into_iter().any(|class| {
        class.with_statement(|_, statement| {
            let mut methods = statement.body.iter().filter_map(Stmt::as_function_def_stmt);
            methods.any(|def| removes_later(&def.body, attribute))
        })
    })
}

/// Whether a use of `root` cannot take anything out of `root.attribute`.
pub(super) fn leaves_alone(mention: &Mention, attribute: &str) -> bool {
    const READING: &[&str] = &["copy", "count", "get", "index", "items", "keys", "values"];
    let Some(AnyNodeRef::ExprAttribute(first)) = mention.around(0) else {
        return matches!(mention.around(0), Some(AnyNodeRef::ExprCompare(_) | AnyNodeRef::InterpolatedElement(_)));
    };
    let next = mention.around(1);
    if first.attr.as_str() != attribute {
        // Another method may do anything; another attribute's value does not.
        return !matches!(next, Some(AnyNodeRef::ExprCall(call)) if call.func.range() == first.range());
    }
    match next {
        Some(AnyNodeRef::ExprSubscript(subscript)) => {
            subscript.ctx.is_load() && subscript.value.range() == first.range()
        }
        Some(AnyNodeRef::ExprAttribute(method)) => READING.contains(&method.attr.as_str()),
        Some(AnyNodeRef::ExprCompare(_) | AnyNodeRef::StmtFor(_) | AnyNodeRef::InterpolatedElement(_)) => true,
        _ => false,
    }
}

/// Whether `root.method(…)` calls a method of the project that cannot take anything out of `root.attribute`.
pub(super) fn method_leaves_alone(module: &Module, mention: &Mention, attribute: &str) -> bool {
    let Some(AnyNodeRef::ExprCall(call)) = mention.around(1) else { return false };
    let Some(function) = module.called_function(call) else { return false };
    let alone = with_def(module, &function, |_, def| {
        let own = def.parameters.iter_non_variadic_params().next()?.name();
        let uses = mentions(&def.body, &[own.as_str()]);
        Some(uses.iter().all(|mention| !mention.is_deferred() && leaves_alone(mention, attribute)))
    });
    alone.flatten().unwrap_or(false)
}

/// Whether a use of a container that holds an object in an unnamed place only adds to it or reads it.
pub(super) fn container_is_kept(mention: &Mention) -> bool {
    const KEEPING: &[&str] =
        &["add", "append", "appendleft", "copy", "count", "extend", "get", "index", "items", "keys", "values"];
    match mention.around(0) {
        Some(AnyNodeRef::ExprAttribute(attribute)) => KEEPING.contains(&attribute.attr.as_str()),
        Some(AnyNodeRef::ExprSubscript(subscript)) => subscript.ctx.is_load(),
        Some(AnyNodeRef::ExprCompare(_) | AnyNodeRef::InterpolatedElement(_)) => true,
        Some(AnyNodeRef::Arguments(_)) => match mention.around(1) {
            Some(AnyNodeRef::ExprCall(call)) => {
                matches!(&*call.func, Expr::Name(name) if ["len", "print", "repr", "sorted", "str"].contains(&name.id.as_str()))
            }
            _ => false,
        },
        _ => false,
    }
}

/// Whether making an instance may leave a reference to it somewhere: a registry, a callback, a base class that is not known.
pub(in crate::detectors) fn new_object_is_kept(class: &Class) -> bool {
    const PLAIN: &[&str] =
        &["abc.ABC", "builtins.dict", "builtins.list", "builtins.object", "builtins.set", "typing.Generic"];
    if !class.mro_is_complete() || creates_specially(class) || class.definer("__setattr__").is_some() {
        return true;
    }
    class.mro().iter().any(|class| {
        if class.symbol().is_any(PLAIN) {
            return false;
        }
        class.symbol().origin != Origin::Project || class.with_statement(keeps_new_object)
    })
}

fn keeps_new_object(module: &Module, class: &ast::StmtClassDef) -> bool {
    let is_dataclass = |decorator: &ast::Decorator| {
        let expr = match &decorator.expression {
            Expr::Call(call) => &call.func,
            other => other,
        };
        module.symbol(expr).is_some_and(|symbol| symbol.is("dataclasses.dataclass"))
    };
    if !class.decorator_list.iter().all(is_dataclass) {
        return true;
    }
    class.body.iter().filter_map(Stmt::as_function_def_stmt).any(|def| match def.name.as_str() {
        "__new__" => true,
        "__init__" | "__post_init__" => match def.parameters.iter_non_variadic_params().next() {
            Some(own) => !matches!(of_parameter(module, def, own.name().as_str(), 3), Fate::Dropped),
            None => true,
        },
        _ => false,
    })
}
