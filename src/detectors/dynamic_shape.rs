//! Whether objects of a class get attributes under names that only run time knows, and where those names come from.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr};

use super::class_reading::is_own;
use super::method_body::{attribute_of, is_dict_of, is_name, method, own_nodes, parameter};
use crate::analysis::{Class, Module};
use crate::text::{Place, Ranged as _, TextRange};

/// How computed attributes come into being.
pub(super) enum Dynamic {
    /// There are none.
    Absent,
    /// Only from the keywords of the constructor, by the code at this place.
    Keywords(Option<Place>),
    /// From somewhere else.
    Unknown,
}

/// What the methods of the user's classes along the order do.
pub(super) fn dynamic(class: &Class) -> Dynamic {
    let mut result = Dynamic::Absent;
    for class in class.mro().iter().filter(|class| is_own(class)) {
        let found = class.with_statement(|module, statement| {
            let mut stores = vec![];
            for def in statement.body.iter().filter_map(ast::Stmt::as_function_def_stmt) {
                stores.extend(
                    computed_stores(def).into_iter().map(|store| (module.place(store.range), store.from_keywords)),
                );
            }
            stores
        });
        for (place, from_keywords) in found {
            match from_keywords {
                true if matches!(result, Dynamic::Absent) => result = Dynamic::Keywords(place),
                true => {}
                false => return Dynamic::Unknown,
            }
        }
    }
    result
}

/// A statement that sets attributes of the method's first parameter under computed names.
pub(super) struct ComputedStore {
    pub range: TextRange,
    pub from_keywords: bool,
}

/// The computed stores of one method.
pub(super) fn computed_stores(def: &ast::StmtFunctionDef) -> Vec<ComputedStore> {
    let mut stores = vec![];
    let Some(receiver) = parameter(def, 0) else { return stores };
    if matches!(def.name.as_str(), "__setattr__" | "__delattr__") {
        return stores; // What arrives there was written as an assignment elsewhere.
    }
    let keywords = def.parameters.kwarg.as_ref().filter(|_| def.name.as_str() == "__init__");
    let keywords = keywords.map(|keywords| keywords.name.as_str());
    own_nodes(&def.body, |node| {
        if let Some(names) = computed_names(node, receiver) {
            let from_keywords = keywords.is_some_and(|keywords| match names {
                Names::Key(key) => is_key_of(def, key, keywords),
                Names::Mapping(mapping) => is_name(mapping, keywords),
                Names::Unknown => false,
            });
            stores.push(ComputedStore { range: node.range(), from_keywords });
        }
    });
    stores
}

/// Where the names of a computed store come from.
enum Names<'a> {
    Key(&'a Expr),
    Mapping(&'a Expr),
    Unknown,
}

fn computed_names<'a>(node: AnyNodeRef<'a>, receiver: &str) -> Option<Names<'a>> {
    match node {
        AnyNodeRef::ExprCall(call) => {
            let arguments = &*call.arguments.args;
            match (&*call.func, arguments) {
                (Expr::Name(name), [object, key, _]) if name.id == "setattr" && is_name(object, receiver) => {
                    (!key.is_string_literal_expr()).then_some(Names::Key(key))
                }
                (Expr::Attribute(attribute), _) if attribute.attr.as_str() == "__setattr__" => {
                    let key = arguments.iter().rev().nth(1)?;
                    (!key.is_string_literal_expr()).then_some(Names::Key(key))
                }
                (Expr::Attribute(attribute), _) if is_dict_of(&attribute.value, receiver) => {
                    if !matches!(attribute.attr.as_str(), "update" | "setdefault" | "__setitem__") {
                        return None;
                    }
                    // A name that is written there is none that is computed.
                    let is_written = match attribute.attr.as_str() {
                        "update" => {
                            arguments.is_empty() && call.arguments.keywords.iter().all(|item| item.arg.is_some())
                        }
                        _ => arguments.first().is_some_and(ast::Expr::is_string_literal_expr),
                    };
                    if is_written {
                        return None;
                    }
                    let spread = call.arguments.keywords.iter().find(|keyword| keyword.arg.is_none());
                    Some(match (arguments, spread) {
                        ([], None) => return None,
                        ([mapping], None) => Names::Mapping(mapping),
                        ([], Some(spread)) => Names::Mapping(&spread.value),
                        _ => Names::Unknown,
                    })
                }
                _ => None,
            }
        }
        AnyNodeRef::StmtAssign(assign) => {
            let target = assign.targets.first()?;
            if attribute_of(target, receiver) == Some("__dict__") {
                return Some(Names::Mapping(&assign.value));
            }
            let item = target.as_subscript_expr()?;
            let is_computed = is_dict_of(&item.value, receiver) && !item.slice.is_string_literal_expr();
            is_computed.then_some(Names::Key(&item.slice))
        }
        AnyNodeRef::StmtAugAssign(assign) => {
            (attribute_of(&assign.target, receiver) == Some("__dict__")).then_some(Names::Mapping(&assign.value))
        }
        _ => None,
    }
}

/// Whether `key` is the loop variable of `for key, … in keywords.items()` or `for key in keywords`.
fn is_key_of(def: &ast::StmtFunctionDef, key: &Expr, keywords: &str) -> bool {
    let Some(key) = key.as_name_expr() else { return false };
    let mut is_key = false;
    own_nodes(&def.body, |node| {
        let AnyNodeRef::StmtFor(statement) = node else { return };
        let variable = match &*statement.target {
            Expr::Tuple(tuple) => tuple.elts.first(),
            other => Some(other),
        };
        let iterated = match &*statement.iter {
            Expr::Call(call) => match &*call.func {
                Expr::Attribute(attribute) if matches!(attribute.attr.as_str(), "items" | "keys") => &*attribute.value,
                _ => return,
            },
            other => other,
        };
        is_key |= variable.is_some_and(|variable| is_name(variable, &key.id)) && is_name(iterated, keywords);
    });
    is_key
}

/// The keywords of a call of the class that no parameter of `__init__` takes; `None` with a `**mapping`.
pub(super) fn extra_keywords(class: &Class, call: &ast::ExprCall) -> Option<Vec<String>> {
    let names: Option<Vec<&str>> = call.arguments.keywords.iter().map(|keyword| keyword.arg.as_deref()).collect();
    let names = names?;
    class.definer("__init__")?.with_statement(|_, statement| {
        let def = method(&statement.body, "__init__")?;
        let taken =
            |name: &&str| def.parameters.iter_non_variadic_params().any(|item| item.parameter.name.as_str() == *name);
        Some(names.iter().filter(|name| !taken(name)).map(ToString::to_string).collect())
    })
}

/// The calls in this file that make objects of the class.
pub(super) fn constructions<'m, 's>(module: &'m Module<'s>, class: &Class<'s>) -> Vec<&'m ast::ExprCall> {
    let mut calls = module.calls_of(&class.name());
    calls.retain(|call| module.class_reference(&call.func).is_some_and(|called| called == *class));
    calls.sort_by_key(|call| call.start());
    calls
}
