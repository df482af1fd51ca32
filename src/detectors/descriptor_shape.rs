//! What a descriptor class does: which methods of the protocol it has, where it keeps the value, what it raises.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use super::method_body::{
    attribute_of, find_own, is_dict_of, is_name, mentions, method, own_nodes, parameter, runs_before_return,
};
use crate::analysis::{Class, Module};
use crate::text::{Place, Ranged as _, TextRange};

/// One method of the protocol, at the class that defines it.
pub(super) struct Accessor<'s> {
    pub owner: Class<'s>,
    pub name: &'static str,
    pub place: Option<Place>,
}

impl<'s> Accessor<'s> {
    pub(super) fn of(class: &Class<'s>, name: &'static str) -> Option<Self> {
        let owner = class.definer(name)?;
        let module = owner.module();
        let range = owner.with_statement(|_, statement| method(&statement.body, name).map(|def| def.name.range()));
        // What a stub declares is there at run time; in source, only what runs counts.
        if range.is_none() && !module.is_stub() && owner.own_member(name)?.source.is_none() {
            return None;
        }
        let place = match module.is_stub() {
            true => owner.own_member(name).and_then(|member| member.place),
            false => range.and_then(|range| module.place(range)),
        };
        Some(Self { owner, name, place })
    }

    /// As it is called: `TypedProperty.__set__`.
    pub fn label(&self) -> String {
        format!("{}.{}", self.owner.name(), self.name)
    }

    /// Calls `read` with the method's definition; `None` when there is no source.
    pub fn read<R>(&self, read: impl FnOnce(&Module<'s>, &ast::StmtFunctionDef) -> Option<R>) -> Option<R> {
        self.owner.with_statement(|module, statement| read(module, method(&statement.body, self.name)?))
    }
}

/// The methods of a descriptor class.
pub(super) struct Shape<'s> {
    pub class: Class<'s>,
    pub get: Option<Accessor<'s>>,
    pub set: Option<Accessor<'s>>,
    pub delete: Option<Accessor<'s>>,
    pub set_name: Option<Accessor<'s>>,
}

impl<'s> Shape<'s> {
    pub fn of(class: Class<'s>) -> Self {
        Self {
            class,
            get: Accessor::of(&class, "__get__"),
            set: Accessor::of(&class, "__set__"),
            delete: Accessor::of(&class, "__delete__"),
            set_name: Accessor::of(&class, "__set_name__"),
        }
    }

    /// The names of the methods that answer access.
    pub fn accessors(&self) -> Vec<String> {
        [&self.get, &self.set, &self.delete].into_iter().flatten().map(|accessor| accessor.name.to_string()).collect()
    }

    /// The method that makes it a data descriptor.
    pub fn data_method(&self) -> Option<&'static str> {
        self.set.as_ref().or(self.delete.as_ref()).map(|accessor| accessor.name)
    }

    /// `__get__`, if that is all there is.
    pub fn non_data_method(&self) -> Option<&'static str> {
        let is_data = self.set.is_some() || self.delete.is_some();
        self.get.as_ref().filter(|_| !is_data).map(|accessor| accessor.name)
    }

    /// Where `__set__`, or for want of it `__get__`, keeps the value per instance.
    pub fn storage(&self) -> Option<(String, Option<Place>)> {
        let keeper = self.set.as_ref().or(self.get.as_ref())?;
        keeper.read(|module, def| {
            let instance = parameter(def, 1)?;
            let store = find_own(&def.body, |node| store(node, instance))?;
            let source = module.source(store.statement).split(" = ").next().unwrap_or_default();
            let shown = if store.is_call { module.source(store.statement) } else { source };
            Some((shown.to_string(), module.place(store.statement)))
        })
    }

    /// The attribute or key under which the value of `attribute` is kept on the instance, where it can be worked out.
    pub fn stored_as(&self, made_by: Option<(&Module, &ast::ExprCall)>, attribute: &str) -> Option<String> {
        let set = self.set.as_ref()?;
        set.read(|_, def| {
            let (receiver, instance) = (parameter(def, 0)?, parameter(def, 1)?);
            let key = find_own(&def.body, |node| store(node, instance)?.key)?;
            match key {
                Key::Literal(name) => Some(name),
                Key::Computed(expr) => {
                    let known = Known { shape: self, receiver, made_by, attribute };
                    known.text(&expr, &|_| None, 4)
                }
            }
        })
    }

    /// What `__get__` answers when nothing was stored, and where it says so.
    pub fn default(&self) -> Option<(String, Option<Place>)> {
        self.get.as_ref()?.read(|module, def| {
            let instance = parameter(def, 1)?;
            let (default, range) = find_own(&def.body, |node| default_of(node, instance))?;
            let text = default.map_or("None", |range| module.source(range));
            Some((text.to_string(), module.place(range)))
        })
    }

    /// [`Shape::default`] for the descriptor that `call` makes: `self.default` is looked up in the arguments.
    pub fn default_of_call(&self, module: &Module, call: &ast::ExprCall) -> Option<(String, Option<Place>)> {
        let (text, place) = self.default()?;
        let Some(attribute) = text.strip_prefix("self.") else { return Some((text, place)) };
        let init = Accessor::of(&self.class, "__init__")?;
        let value = init.read(|its_module, def| {
            let receiver = parameter(def, 0)?;
            let value = find_own(&def.body, |node| assigned(node, receiver, attribute))?;
            let name = value.as_name_expr()?.id.as_str();
            match argument(def, call, name) {
                Some(argument) => Some(module.source(argument).to_string()),
                None => default_value(def, name).map(|value| its_module.source(value).to_string()),
            }
        })?;
        Some((value, place))
    }

    /// What is read through the class: where `__get__` returns the descriptor itself, where it branches, or where it uses `None`.
    pub fn class_access(&self) -> Option<ClassAccess> {
        self.get.as_ref()?.read(|module, def| Some(class_access(module, def, self)))
    }
}

/// What `__get__` does when the instance is `None`.
#[derive(Default)]
pub(super) struct ClassAccess {
    /// It returns `self` there.
    pub returns_self: Option<Place>,
    /// It asks for `None` there.
    pub none_branch: Option<Place>,
}

fn class_access(module: &Module, def: &ast::StmtFunctionDef, _shape: &Shape) -> ClassAccess {
    let (Some(receiver), Some(instance)) = (parameter(def, 0), parameter(def, 1)) else {
        return ClassAccess::default();
    };
    let mut access = ClassAccess::default();
    own_nodes(&def.body, |node| {
        let (test, when_none, range) = match node {
            AnyNodeRef::StmtIf(branch) => (&*branch.test, returned(&branch.body), branch.test.range()),
            AnyNodeRef::ExprIf(branch) => (&*branch.test, Some(&*branch.body), branch.test.range()),
            _ => return,
        };
        if !is_none_test(test, instance) || access.none_branch.is_some() {
            return;
        }
        access.none_branch = module.place(range);
        if when_none.is_some_and(|value| is_name(value, receiver)) {
            access.returns_self = module.place(range);
        }
    });
    access
}

fn returned(body: &[Stmt]) -> Option<&Expr> {
    match body {
        [Stmt::Return(statement)] => statement.value.as_deref(),
        _ => None,
    }
}

/// `instance is None` or `not instance`.
pub(super) fn is_none_test(test: &Expr, instance: &str) -> bool {
    match test {
        Expr::Compare(compare) => {
            let is_asked = matches!(&*compare.ops, [ast::CmpOp::Is | ast::CmpOp::Eq]);
            is_asked
                && is_name(&compare.left, instance)
                && matches!(&*compare.comparators, [right] if right.is_none_literal_expr())
        }
        Expr::UnaryOp(unary) => unary.op == ast::UnaryOp::Not && is_name(&unary.operand, instance),
        _ => false,
    }
}

/// One statement that keeps a value for an instance.
struct Store {
    statement: TextRange,
    is_call: bool,
    key: Option<Key>,
}

enum Key {
    Literal(String),
    Computed(Expr),
}

/// `setattr(instance, key, …)`, `instance.__dict__[key] = …`, `instance.name = …` or `self.values[instance] = …`.
fn store(node: AnyNodeRef, instance: &str) -> Option<Store> {
    match node {
        AnyNodeRef::ExprCall(call) => {
            let called = match &*call.func {
                Expr::Name(name) => name.id.as_str(),
                Expr::Attribute(attribute) => attribute.attr.as_str(),
                _ => return None,
            };
            let [first, key, _] = &*call.arguments.args else { return None };
            let is_store = matches!(called, "setattr" | "__setattr__") && is_name(first, instance);
            is_store.then(|| Store { statement: call.range(), is_call: true, key: Some(key_of(key)) })
        }
        AnyNodeRef::StmtAssign(assign) => {
            let [target] = assign.targets.as_slice() else { return None };
            let statement = assign.range();
            if let Some(name) = attribute_of(target, instance) {
                let key = (name != "__dict__").then(|| Key::Literal(name.to_string()))?;
                return Some(Store { statement, is_call: false, key: Some(key) });
            }
            let subscript = target.as_subscript_expr()?;
            if is_dict_of(&subscript.value, instance) {
                return Some(Store { statement, is_call: false, key: Some(key_of(&subscript.slice)) });
            }
            let is_keyed = mentions(&subscript.slice, instance);
            is_keyed.then_some(Store { statement, is_call: false, key: None })
        }
        _ => None,
    }
}

/// Whether `body` keeps something for the instance.
pub(super) fn keeps_per_instance(body: &[Stmt], instance: &str) -> bool {
    find_own(body, |node| store(node, instance)).is_some()
}

fn key_of(key: &Expr) -> Key {
    match key {
        Expr::StringLiteral(text) => Key::Literal(text.value.to_str().to_string()),
        other => Key::Computed(other.clone()),
    }
}

/// `getattr(instance, key, default)` or `….get(key, default)` as what is returned: the default and the whole.
fn default_of(node: AnyNodeRef, instance: &str) -> Option<(Option<TextRange>, TextRange)> {
    let AnyNodeRef::StmtReturn(statement) = node else { return None };
    let call = statement.value.as_deref()?.as_call_expr()?;
    match &*call.func {
        Expr::Name(name) if name.id == "getattr" => match &*call.arguments.args {
            [first, _, default] if is_name(first, instance) => Some((Some(default.range()), call.range())),
            _ => None,
        },
        Expr::Attribute(attribute) if attribute.attr.as_str() == "get" => {
            let is_kept = is_dict_of(&attribute.value, instance)
                || call.arguments.args.first().is_some_and(|key| mentions(key, instance));
            let default = call.arguments.args.get(1).map(|default| default.range());
            is_kept.then_some((default, call.range()))
        }
        _ => None,
    }
}

/// The value of `receiver.attribute = value`.
pub(super) fn assigned<'a>(node: AnyNodeRef<'a>, receiver: &str, attribute: &str) -> Option<&'a Expr> {
    match node {
        AnyNodeRef::StmtAssign(assign) => {
            let is_it = |target: &Expr| attribute_of(target, receiver) == Some(attribute);
            if assign.targets.iter().any(is_it) {
                return Some(&assign.value);
            }
            // `self.name, self.kind = name, kind`
            let ([Expr::Tuple(targets)], Expr::Tuple(values)) = (assign.targets.as_slice(), &*assign.value) else {
                return None;
            };
            let index = targets.elts.iter().position(is_it)?;
            values.elts.get(index)
        }
        AnyNodeRef::StmtAnnAssign(assign) => {
            (attribute_of(&assign.target, receiver) == Some(attribute)).then_some(assign.value.as_deref())?
        }
        _ => None,
    }
}

/// The argument that `call` passes for parameter `name` of the method `def`.
pub(crate) fn argument<'a>(def: &ast::StmtFunctionDef, call: &'a ast::ExprCall, name: &str) -> Option<&'a Expr> {
    if let Some(keyword) = call.arguments.find_keyword(name) {
        return Some(&keyword.value);
    }
    let parameters = &def.parameters;
    let mut positional = parameters.posonlyargs.iter().chain(&parameters.args).skip(1);
    let index = positional.position(|parameter| parameter.parameter.name.as_str() == name)?;
    let argument = call.arguments.args.get(index)?;
    (!call.arguments.args[..=index].iter().any(Expr::is_starred_expr)).then_some(argument)
}

fn default_value<'a>(def: &'a ast::StmtFunctionDef, name: &str) -> Option<&'a Expr> {
    let mut parameters = def.parameters.iter_non_variadic_params();
    parameters.find(|parameter| parameter.parameter.name.as_str() == name)?.default.as_deref()
}

/// What is known about one descriptor object while its storage key is worked out.
struct Known<'a, 's> {
    shape: &'a Shape<'s>,
    receiver: &'a str,
    made_by: Option<(&'a Module<'s>, &'a ast::ExprCall)>,
    attribute: &'a str,
}

impl Known<'_, '_> {
    /// The text that `expr` evaluates to; `local` knows the parameters in scope.
    fn text(&self, expr: &Expr, local: &dyn Fn(&str) -> Option<String>, depth: usize) -> Option<String> {
        let depth = depth.checked_sub(1)?;
        match expr {
            Expr::StringLiteral(text) => Some(text.value.to_str().to_string()),
            Expr::Name(name) => local(&name.id),
            Expr::BinOp(sum) if sum.op == ast::Operator::Add => {
                Some(self.text(&sum.left, local, depth)? + &self.text(&sum.right, local, depth)?)
            }
            Expr::FString(string) => {
                let mut text = String::new();
                for element in string.value.elements() {
                    match element {
                        ast::InterpolatedStringElement::Literal(literal) => text.push_str(&literal.value),
                        ast::InterpolatedStringElement::Interpolation(part) => {
                            let is_plain = part.format_spec.is_none() && part.conversion.is_none();
                            text.push_str(&is_plain.then(|| self.text(&part.expression, local, depth))??);
                        }
                    }
                }
                Some(text)
            }
            Expr::Attribute(_) => self.attribute_text(attribute_of(expr, self.receiver)?, depth),
            _ => None,
        }
    }

    /// The text of `self.attribute`, as `__set_name__` or `__init__` assigns it.
    fn attribute_text(&self, attribute: &str, depth: usize) -> Option<String> {
        let named = self.shape.set_name.as_ref().and_then(|accessor| {
            accessor.read(|_, def| {
                let value = find_own(&def.body, |node| assigned(node, parameter(def, 0)?, attribute))?;
                let local = |name: &str| (parameter(def, 2) == Some(name)).then(|| self.attribute.to_string());
                // Below a condition the one of `__init__` may stay.
                let is_certain = runs_before_return(&def.body, value.range());
                Some(if is_certain { self.text(value, &local, depth) } else { None })
            })
        });
        if let Some(named) = named {
            return named;
        }
        let (_, call) = self.made_by?;
        Accessor::of(&self.shape.class, "__init__")?.read(|_, def| {
            let value = find_own(&def.body, |node| assigned(node, parameter(def, 0)?, attribute))?;
            let local = |name: &str| {
                let value = argument(def, call, name).or_else(|| default_value(def, name))?;
                Some(value.as_string_literal_expr()?.value.to_str().to_string())
            };
            let is_certain = runs_before_return(&def.body, value.range());
            is_certain.then(|| self.text(value, &local, depth)).flatten()
        })
    }
}
