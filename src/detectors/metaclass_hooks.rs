//! What a metaclass does to the classes it builds, read off its `__new__` and `__init__`.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr};

use super::class_reading::class_statements;
use super::method_body::{find_own, is_name, mentions, method, own_nodes, parameter};
use crate::analysis::{Class, Module};
use crate::text::{Place, Ranged as _, TextRange};

/// A name that a metaclass gives to the classes it builds.
pub(super) struct Provided {
    pub name: String,
    /// `ServiceMeta.__new__`.
    pub hook: String,
    pub place: Option<Place>,
    /// The source of its value, one local variable back.
    pub value: Option<String>,
    /// Whether every class gets it: the statement stands under no condition, and no `return` comes before.
    pub is_certain: bool,
    /// The parameter for the namespace, if the value is computed from it.
    pub namespace: Option<String>,
    /// The value holds the namespace's functions whose names start with this.
    pub prefix: Option<String>,
}

/// The names that `metaclass` gives to every class, in the order of its methods.
pub(super) fn provided(metaclass: &Class) -> Vec<Provided> {
    let mut found = vec![];
    for owner in metaclass.mro().into_iter().take_while(|class| !class.is("builtins.type")) {
        for hook in ["__new__", "__init__"] {
            owner.with_statement(|module, statement| {
                if let Some(def) = method(&statement.body, hook) {
                    let hook = format!("{}.{hook}", owner.name());
                    collect(module, def, &hook, &mut found);
                }
            });
        }
    }
    found
}

/// The name of the parameter that receives the namespace in a metaclass's `__new__` or `__init__`.
pub(super) fn namespace_parameter(def: &ast::StmtFunctionDef) -> Option<&str> {
    parameter(def, 3)
}

/// The variable that holds the finished class: the first parameter of `__init__`, or what `super().__new__(…)` gave.
pub(super) fn finished_class(def: &ast::StmtFunctionDef) -> Option<&str> {
    if def.name.as_str() != "__new__" {
        return parameter(def, 0);
    }
    find_own(&def.body, |node| {
        let AnyNodeRef::StmtAssign(assign) = node else { return None };
        let [Expr::Name(target)] = assign.targets.as_slice() else { return None };
        let call = assign.value.as_call_expr()?;
        let makes_class = call.func.as_attribute_expr()?.attr.as_str() == "__new__";
        makes_class.then_some(target.id.as_str())
    })
}

fn collect(module: &Module, def: &ast::StmtFunctionDef, hook: &str, found: &mut Vec<Provided>) {
    // The class is made from a copy: what `__init__` writes to the namespace never reaches it.
    let namespace = namespace_parameter(def).filter(|_| def.name.as_str() == "__new__");
    let class = finished_class(def);
    own_nodes(&def.body, |node| {
        let (name, value, range) = match node {
            AnyNodeRef::StmtAssign(assign) => {
                let [target] = assign.targets.as_slice() else { return };
                let Some(name) = key(target, namespace).or_else(|| attribute(target, class)) else { return };
                (name, &*assign.value, target.range())
            }
            AnyNodeRef::ExprCall(call) => {
                let Some((name, value)) = setdefault(call, namespace) else { return };
                (name, value, call.range())
            }
            _ => return,
        };
        if found.iter().any(|known| known.name == name) {
            return;
        }
        let value = local_value(def, value);
        let from_namespace = namespace.filter(|namespace| mentions(value, namespace));
        found.push(Provided {
            name: name.to_string(),
            hook: hook.to_string(),
            place: module.place(range),
            value: Some(module.source(value).to_string()),
            is_certain: is_certain(def, range),
            namespace: from_namespace.map(ToString::to_string),
            prefix: from_namespace.and_then(|namespace| prefix(value, namespace)),
        });
    });
}

/// Whether the statement at `range` stands directly in the function, and no `return` or `raise` comes before.
fn is_certain(def: &ast::StmtFunctionDef, range: TextRange) -> bool {
    let is_direct = def.body.iter().any(|statement| {
        let is_simple = matches!(statement, ast::Stmt::Assign(_) | ast::Stmt::Expr(_));
        is_simple && statement.range().contains_range(range)
    });
    let left = find_own(&def.body, |node| match node {
        AnyNodeRef::StmtReturn(_) | AnyNodeRef::StmtRaise(_) => (node.end() <= range.start()).then_some(()),
        _ => None,
    });
    is_direct && left.is_none()
}

/// The names that are given to every class, and those that some get.
pub(super) fn given(provided: impl IntoIterator<Item = Provided>) -> (Vec<String>, Vec<String>) {
    let (certain, perhaps): (Vec<_>, Vec<_>) = provided.into_iter().partition(|provided| provided.is_certain);
    let names = |provided: Vec<Provided>| provided.into_iter().map(|provided| provided.name).collect::<Vec<_>>();
    (names(certain), names(perhaps))
}

/// `key` in `namespace["key"]`.
fn key<'a>(target: &'a Expr, namespace: Option<&str>) -> Option<&'a str> {
    let subscript = target.as_subscript_expr()?;
    is_name(&subscript.value, namespace?).then_some(())?;
    Some(subscript.slice.as_string_literal_expr()?.value.to_str())
}

/// `name` in `cls.name`.
fn attribute<'a>(target: &'a Expr, class: Option<&str>) -> Option<&'a str> {
    let attribute = target.as_attribute_expr()?;
    is_name(&attribute.value, class?).then_some(attribute.attr.as_str())
}

fn setdefault<'a>(call: &'a ast::ExprCall, namespace: Option<&str>) -> Option<(&'a str, &'a Expr)> {
    let function = call.func.as_attribute_expr()?;
    let is_setdefault = function.attr.as_str() == "setdefault" && is_name(&function.value, namespace?);
    let [key, value] = &*call.arguments.args else { return None };
    is_setdefault.then_some((key.as_string_literal_expr()?.value.to_str(), value))
}

/// The value that a local variable holds, if the function assigns it once; otherwise `value` itself.
pub(super) fn local_value<'a>(def: &'a ast::StmtFunctionDef, value: &'a Expr) -> &'a Expr {
    let Expr::Name(name) = value else { return value };
    let mut values = vec![];
    own_nodes(&def.body, |node| {
        if let AnyNodeRef::StmtAssign(assign) = node
            && assign.targets.iter().any(|target| is_name(target, name.id.as_str()))
        {
            values.push(&*assign.value);
        }
    });
    match values.as_slice() {
        [only] => only,
        _ => value,
    }
}

/// The prefix in `{k: v for k, v in namespace.items() if callable(v) and k.startswith("prefix")}`, with the tests in any
/// order, `callable` left out, and nothing else in it.
fn prefix(value: &Expr, namespace: &str) -> Option<String> {
    let comprehension = value.as_dict_comp_expr()?;
    let [generator] = comprehension.generators.as_slice() else { return None };
    let source = generator.iter.as_call_expr()?.func.as_attribute_expr()?;
    if source.attr.as_str() != "items" || !is_name(&source.value, namespace) {
        return None;
    }
    let [Expr::Name(key), Expr::Name(item)] = generator.target.as_tuple_expr()?.elts.as_slice() else { return None };
    let mut prefix = None;
    for test in generator.ifs.iter().flat_map(conjuncts) {
        let call = test.as_call_expr()?;
        match (&*call.func, &*call.arguments.args) {
            (Expr::Name(function), [argument]) if function.id == "callable" && is_name(argument, &item.id) => {}
            (Expr::Attribute(function), [argument])
                if function.attr.as_str() == "startswith" && is_name(&function.value, &key.id) =>
            {
                prefix = Some(argument.as_string_literal_expr()?.value.to_str().to_string());
            }
            _ => return None,
        }
    }
    prefix
}

/// The parts of a chain of `and`, or the test itself.
pub(super) fn conjuncts(test: &Expr) -> Vec<&Expr> {
    match test {
        Expr::BoolOp(chain) if chain.op == ast::BoolOp::And => chain.values.iter().flat_map(conjuncts).collect(),
        _ => vec![test],
    }
}

/// The names of the classes in this file that `is_meant` holds for.
pub(super) fn names_of_classes(module: &Module, is_meant: impl Fn(&Class) -> bool) -> Vec<String> {
    classes(module).iter().filter(|class| is_meant(class)).map(Class::name).collect()
}

/// The classes of this file, in the order of the text.
pub(super) fn classes<'s>(module: &Module<'s>) -> Vec<Class<'s>> {
    class_statements(module).into_iter().filter_map(|statement| module.class(statement)).collect()
}

/// Whether `class` is built by `metaclass` or a class that derives from it.
pub(super) fn is_built_by(class: &Class, metaclass: &Class) -> bool {
    class.metaclass().is_some_and(|found| found.class.is_subclass_of(metaclass))
}

/// The call `super().name(…)` or `type.name(…)` in a method.
pub(super) fn super_call(def: &ast::StmtFunctionDef) -> Option<TextRange> {
    find_own(&def.body, |node| {
        let AnyNodeRef::ExprCall(call) = node else { return None };
        let function = call.func.as_attribute_expr()?;
        (function.attr.as_str() == def.name.as_str()).then_some(())?;
        match &*function.value {
            Expr::Call(inner) => is_name(&inner.func, "super").then(|| call.range()),
            Expr::Name(_) | Expr::Attribute(_) => Some(call.range()),
            _ => None,
        }
    })
}
