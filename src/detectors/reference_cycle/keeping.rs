//! What a constructor or a method of the project keeps of what it is given: `self.parent = parent`,
//! `self.handlers[event].append(handler)`.
//!
//! Only stores that run whenever the method does, in attributes that nothing of the class takes over, count.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use super::super::class_reading::is_own;
use super::super::handed_over::CONTAINERS;
use super::super::method_body::{attribute_of, is_name, method, own_nodes, parameter};
use super::super::reference_count::{binds, creates_specially, root};
use crate::analysis::{Class, MemberKind, Module};
use crate::text::{Place, Ranged as _, TextRange};

/// How many methods are followed that hand on what they are given.
const DEPTH: usize = 3;
/// Methods of containers that keep their last argument.
pub(super) const ADDING: &[&str] = &["add", "append", "appendleft", "insert"];

/// Where the object lies that a method was given.
#[derive(Clone)]
pub(super) struct Kept {
    /// `Child.parent`.
    pub label: String,
    pub place: Option<Place>,
}

/// The arguments of a call that the object keeps which it makes, or whose method it calls.
pub(super) fn keeps<'a>(module: &Module, call: &'a ast::ExprCall) -> Vec<(&'a Expr, Kept)> {
    let Some((class, name)) = called(module, call) else { return vec![] };
    let mut found = vec![];
    for (index, argument) in call.arguments.args.iter().enumerate() {
        if argument.is_starred_expr() {
            break;
        }
        found.extend(kept(&class, &class, &name, Given::Position(index + 1), DEPTH).map(|kept| (argument, kept)));
    }
    for keyword in &call.arguments.keywords {
        let Some(word) = &keyword.arg else { continue };
        found.extend(kept(&class, &class, &name, Given::Keyword(word), DEPTH).map(|kept| (&keyword.value, kept)));
    }
    found
}

/// The class of the project whose method a call runs, and the method's name.
fn called<'s>(module: &Module<'s>, call: &ast::ExprCall) -> Option<(Class<'s>, String)> {
    if let Some(class) = module.class_reference(&call.func) {
        let is_plain = is_own(&class)
            && class.mro_is_complete()
            && class.definer("__new__").is_none_or(|definer| definer.is("builtins.object"))
            && !creates_specially(&class);
        return is_plain.then(|| (class, "__init__".to_string()));
    }
    let attribute = call.func.as_attribute_expr()?;
    if !module.may_have_method(&attribute.attr) {
        return None;
    }
    let lookup = module.lookup(attribute)?;
    let is_method = lookup.member.kind == MemberKind::Function && !lookup.through_class;
    (is_method && is_own(&lookup.member.owner)).then(|| (lookup.receiver, attribute.attr.to_string()))
}

/// How a parameter gets its argument.
#[derive(Clone, Copy)]
enum Given<'a> {
    /// By position, where `self` is 0.
    Position(usize),
    Keyword(&'a str),
}

/// Where the method `name`, as `from` and what stands behind it in the order of `class` define it, keeps an argument.
fn kept(class: &Class, from: &Class, name: &str, given: Given, depth: usize) -> Option<Kept> {
    let depth = depth.checked_sub(1)?;
    if class.definer("__setattr__").is_some_and(|definer| is_own(&definer)) {
        return None;
    }
    let definer = class.mro().into_iter().skip_while(|other| other != from).find(|other| other.binds(name))?;
    if !is_own(&definer) {
        return None;
    }
    definer.with_statement(|module, statement| {
        let def = method(&statement.body, name)?;
        if def.is_async || !def.decorator_list.is_empty() || super::super::nodes::is_generator(def) {
            return None;
        }
        let own = parameter(def, 0)?;
        let name = match given {
            Given::Position(index) => parameter(def, index)?,
            Given::Keyword(name) => def.parameters.iter().find(|item| item.name().as_str() == name)?.name().as_str(),
        };
        let method = Method { class, definer: &definer, module, own, name, depth };
        method.stored(&def.body)
    })
}

/// A method, and the parameter that is followed in it.
struct Method<'m, 's> {
    class: &'m Class<'s>,
    definer: &'m Class<'s>,
    module: &'m Module<'s>,
    own: &'m str,
    name: &'m str,
    depth: usize,
}

impl Method<'_, '_> {
    fn stored(&self, body: &[Stmt]) -> Option<Kept> {
        for (index, statement) in body.iter().enumerate() {
            if binds(std::slice::from_ref(statement), self.name) || binds(std::slice::from_ref(statement), self.own) {
                return None;
            }
            if let Some((attribute, range)) = self.stores(statement) {
                let label = format!("{}.{attribute}", self.class.name());
                let lasts = self.takes_writes(attribute) && !removes(&body[index + 1..], self.own, attribute);
                return lasts.then(|| Kept { label, place: self.module.place(range) });
            }
            if let Some(kept) = self.handed_on(statement) {
                return Some(kept);
            }
            match statement {
                Stmt::If(branch) if self.is_given(&branch.test) => {
                    if let Some(kept) = self.stored(&branch.body) {
                        return Some(kept);
                    }
                }
                Stmt::Return(_) | Stmt::Raise(_) => return None,
                _ => {}
            }
        }
        None
    }

    /// `if parent:` and `if parent is not None:` are true of what is given here.
    fn is_given(&self, test: &Expr) -> bool {
        match test {
            Expr::Compare(compare) => {
                let is_not = matches!(&*compare.ops, [ast::CmpOp::IsNot]);
                is_not && is_name(&compare.left, self.name) && compare.comparators[0].is_none_literal_expr()
            }
            other => is_name(other, self.name),
        }
    }

    /// The attribute in which a statement stores the parameter.
    fn stores<'a>(&self, statement: &'a Stmt) -> Option<(&'a str, TextRange)> {
        let (targets, value): (&[Expr], &Expr) = match statement {
            Stmt::Assign(assign) => (&assign.targets, &assign.value),
            Stmt::AnnAssign(assign) => (std::slice::from_ref(&*assign.target), assign.value.as_deref()?),
            Stmt::Expr(statement) => {
                let call = statement.value.as_call_expr()?;
                let container = added_to(call, self.name)?;
                return self
                    .is_strong(container)
                    .then(|| self.attribute(container))?
                    .map(|found| (found, call.range()));
            }
            _ => return None,
        };
        if !is_or_holds(value, self.name) {
            return None;
        }
        targets.iter().find_map(|target| {
            let holds = match target {
                Expr::Attribute(attribute) => is_name(&attribute.value, self.own),
                Expr::Subscript(item) => self.is_strong(&item.value),
                _ => false,
            };
            holds.then(|| self.attribute(target))?.map(|found| (found, statement.range()))
        })
    }

    /// The attribute of the method's own object that a place starts with.
    fn attribute<'a>(&self, place: &'a Expr) -> Option<&'a str> {
        match place {
            Expr::Attribute(attribute) => attribute_of(place, self.own).or_else(|| self.attribute(&attribute.value)),
            Expr::Subscript(item) => self.attribute(&item.value),
            Expr::Call(call) => self.attribute(&call.func.as_attribute_expr()?.value),
            _ => None,
        }
    }

    /// Whether what is put into the container is held by it: not so in a `WeakSet`.
    fn is_strong(&self, container: &Expr) -> bool {
        is_strong_container(self.module, container)
    }

    /// Whether the attribute is an ordinary one, which holds what is assigned to it.
    fn takes_writes(&self, attribute: &str) -> bool {
        let member = self.class.member(attribute);
        member.is_none_or(|member| {
            member.kind == MemberKind::Slot
                || matches!(member.kind, MemberKind::Instance | MemberKind::Value)
                    && member.is_data_descriptor() == Some(false)
        })
    }

    /// `super().__init__(parent)` and `self.attach(parent)`.
    fn handed_on(&self, statement: &Stmt) -> Option<Kept> {
        let call = statement.as_expr_stmt()?.value.as_call_expr()?;
        let function = call.func.as_attribute_expr()?;
        let name = function.attr.as_str();
        let start = match &*function.value {
            Expr::Name(receiver) if receiver.id == self.own => self.class.mro().into_iter().next()?,
            Expr::Call(parent) if is_name(&parent.func, "super") && parent.arguments.is_empty() => {
                self.class.mro().into_iter().skip_while(|other| other != self.definer).nth(1)?
            }
            _ => return None,
        };
        let positional = call.arguments.args.iter().take_while(|argument| !argument.is_starred_expr());
        let by_position = positional.enumerate().find(|(_, argument)| is_name(argument, self.name));
        let by_keyword = call.arguments.keywords.iter().find(|keyword| is_name(&keyword.value, self.name));
        let given = match (by_position, by_keyword) {
            (Some((index, _)), _) => Given::Position(index + 1),
            (None, Some(keyword)) => Given::Keyword(keyword.arg.as_ref()?),
            (None, None) => return None,
        };
        kept(self.class, &start, name, given, self.depth)
    }
}

/// Whether what is put into a container is certainly held by it: one of the builtins, or of `collections`.
pub(super) fn is_strong_container(module: &Module, container: &Expr) -> bool {
    let made = match container {
        // `self.handlers.setdefault(event, [])`
        Expr::Call(call) => {
            let is_default = call.func.as_attribute_expr().is_some_and(|method| method.attr.as_str() == "setdefault");
            return is_default
                && matches!(call.arguments.args.get(1), Some(Expr::List(_) | Expr::Set(_) | Expr::Dict(_)));
        }
        // `self.handlers[event]`, of a `defaultdict(list)`
        Expr::Subscript(item) => module.class_of(container).or_else(|| item_class(module, &item.value)),
        other => module.class_of(other).or_else(|| origin_class(module, other)),
    };
    made.is_some_and(|class| class.symbol().is_any(CONTAINERS))
}

/// The class of what an attribute is made with, where types do not say.
fn origin_class<'s>(module: &Module<'s>, container: &Expr) -> Option<Class<'s>> {
    let origins = module.origins(container);
    let mut classes = origins.iter().map(|origin| module.class_of(*origin));
    let first = classes.next()??;
    classes.all(|class| class.is_some_and(|class| class == first)).then_some(first)
}

/// The class that a `defaultdict` makes for a missing key.
fn item_class<'s>(module: &Module<'s>, container: &Expr) -> Option<Class<'s>> {
    let origins = module.origins(container);
    let [Expr::Call(call)] = origins.as_slice() else { return None };
    let is_default = module.calls(call, &["collections.defaultdict"]);
    is_default.then(|| module.class_reference(call.arguments.args.first()?))?
}

/// The container to which a call adds the object of a name.
fn added_to<'a>(call: &'a ast::ExprCall, name: &str) -> Option<&'a Expr> {
    let function = call.func.as_attribute_expr()?;
    let last = call.arguments.args.last()?;
    (ADDING.contains(&function.attr.as_str()) && is_or_holds(last, name)).then_some(&*function.value)
}

/// Whether a value is the object of a name, or a display that holds it.
fn is_or_holds(value: &Expr, name: &str) -> bool {
    match value {
        Expr::List(list) => list.elts.iter().any(|item| is_or_holds(item, name)),
        Expr::Tuple(tuple) => tuple.elts.iter().any(|item| is_or_holds(item, name)),
        other => is_name(other, name),
    }
}

/// Whether statements may take something out of `own.attribute` again.
pub(super) fn removes(statements: &[Stmt], own: &str, attribute: &str) -> bool {
    let mut found = false;
    own_nodes(statements, |node| found |= takes_out(node, own, attribute));
    found
}

fn takes_out(node: AnyNodeRef, own: &str, attribute: &str) -> bool {
    const TAKING: &[&str] = &["clear", "discard", "pop", "popitem", "popleft", "remove"];
    match node {
        AnyNodeRef::ExprAttribute(found) => {
            !found.ctx.is_load() && found.attr.as_str() == attribute && is_name(&found.value, own)
        }
        AnyNodeRef::StmtDelete(delete) => delete.targets.iter().any(|target| {
            root(target).is_some_and(|(name, first)| name.id.as_str() == own && first == Some(attribute))
        }),
        AnyNodeRef::ExprCall(call) => {
            let Some(function) = call.func.as_attribute_expr() else { return false };
            TAKING.contains(&function.attr.as_str()) && attribute_of(&function.value, own) == Some(attribute)
        }
        _ => false,
    }
}

/// The method of a class, besides `__init__` and `except`, that clears an attribute: `self.child = None`.
pub(super) fn breaker(class: &Class, attribute: &str, except: &str) -> Option<(String, Option<Place>)> {
    class.with_statement(|module, statement| {
        let methods = statement.body.iter().filter_map(Stmt::as_function_def_stmt);
        let mut others = methods.filter(|def| def.name.as_str() != "__init__" && def.name.as_str() != except);
        others.find_map(|def| {
            let own = parameter(def, 0)?;
            let mut cleared = None;
            own_nodes(&def.body, |node| {
                let clears = match node {
                    AnyNodeRef::StmtAssign(assign) => {
                        let is_it = |target: &Expr| attribute_of(target, own) == Some(attribute);
                        assign.value.is_none_literal_expr() && assign.targets.iter().any(is_it)
                    }
                    AnyNodeRef::StmtDelete(delete) => {
                        delete.targets.iter().any(|target| attribute_of(target, own) == Some(attribute))
                    }
                    AnyNodeRef::ExprCall(call) => call.func.as_attribute_expr().is_some_and(|function| {
                        function.attr.as_str() == "clear" && attribute_of(&function.value, own) == Some(attribute)
                    }),
                    _ => false,
                };
                if clears && cleared.is_none() {
                    cleared = Some(node.range());
                }
            });
            Some((format!("{}.{}", statement.name, def.name), module.place(cleared?)))
        })
    })
}
