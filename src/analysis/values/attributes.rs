//! Attributes: what a class holds, and what reading it through a class or an object gives.

use ruff_python_ast::{AnyRootNodeRef, Expr, Stmt};
use ruff_text_size::Ranged as _;

use super::modules::{Context, Evaluator, is_compiled, module_name};
use super::{Arguments, ClassRef, Node, Object, Value};

/// What `Class[…]` calls on a generic class.
pub(super) const GENERIC_SUBSCRIPT: &str = "typing.Generic.__class_getitem__";

impl<'db> Evaluator<'db> {
    /// The class of an object; none if it is not known.
    pub fn type_of(&self, value: &Value) -> Option<ClassRef> {
        let c = |name: &str| Some(ClassRef::C(name.into()));
        match value {
            Value::Unknown | Value::Form(_) => None,
            Value::None => c("builtins.NoneType"),
            Value::Bool(_) => c("builtins.bool"),
            Value::Int(_) => c("builtins.int"),
            Value::Str(_) => c("builtins.str"),
            Value::Tuple(_) => c("builtins.tuple"),
            Value::Class(class) => self.metaclass(class),
            Value::Alias(alias) => c(alias.class),
            Value::Function(function) => match is_compiled(self.db, function.node.file) {
                true => None,
                false => c("builtins.function"),
            },
            Value::Builtin(name) => c(self.c_function_type(name)),
            Value::Method(method) => match method.1 {
                // A slot of the type, bound: `itertools.count().__next__`.
                Value::Builtin(ref name) if self.c_function_type(name) == "builtins.wrapper_descriptor" => {
                    c("builtins.method-wrapper")
                }
                Value::Builtin(_) => c("builtins.builtin_function_or_method"),
                _ => c("builtins.method"),
            },
            Value::Module(_) => c("builtins.module"),
            Value::Instance(class) => Some(class.clone()),
            Value::Object(object) => Some(object.class.clone()),
            Value::OneOf(values) => {
                let mut classes = values.iter().map(|value| self.type_of(value));
                let first = classes.next()??;
                classes.all(|class| class.as_ref() == Some(&first)).then_some(first)
            }
        }
    }

    pub fn is_c(&self, class: &ClassRef, name: &str) -> bool {
        matches!(class, ClassRef::C(own) if &**own == name)
    }

    /// The first entry for `name` along the MRO, with the class that has it. Unknown when a class on the way is not known.
    pub fn class_entry(&self, class: &ClassRef, name: &str) -> Option<(ClassRef, Value)> {
        let Some(order) = self.mro(class) else { return Some((class.clone(), Value::Unknown)) };
        order.iter().find_map(|owner| Some((owner.clone(), self.own_entry(owner, name)?)))
    }

    /// What the class's own `__dict__` holds under `name`.
    pub fn own_entry(&self, class: &ClassRef, name: &str) -> Option<Value> {
        match class {
            ClassRef::Source(node) => super::members::member_value(self.db, node.file, node.number, name.to_string()),
            ClassRef::C(c) => self.c_entry(c, name),
            ClassRef::Made(made) => {
                let is_slot = made.slots.as_ref().is_some_and(|slots| slots.iter().any(|slot| slot == name));
                is_slot.then(|| Value::c_instance("builtins.member_descriptor"))
            }
        }
    }

    /// `object.name`; none if it certainly raises `AttributeError`.
    pub fn attribute(&self, context: &Context<'db>, object: &Value, name: &str) -> Option<Value> {
        match object {
            Value::Module(module) => self.module_attribute(module, name),
            Value::Class(class) => Some(self.class_attribute(context, class, name)),
            Value::Alias(alias) => Some(self.class_attribute(context, &alias.origin, name)),
            Value::Function(function) => Some(self.function_attribute(function.node, object, name)),
            Value::Object(made) if self.is_c(&made.class, "builtins.super") => {
                Some(self.super_attribute(context, made, name))
            }
            Value::Object(made) if self.is_c(&made.class, "builtins.property") => Some(match name {
                "setter" | "deleter" | "getter" => {
                    let function = Value::Builtin(format!("builtins.property.{name}").into());
                    Value::Method((object.clone(), function).into())
                }
                "fget" => made.arguments.get(0, "fget").cloned().unwrap_or(Value::None),
                "fset" => made.arguments.get(1, "fset").cloned().unwrap_or(Value::None),
                "fdel" => made.arguments.get(2, "fdel").cloned().unwrap_or(Value::None),
                _ => Value::Unknown,
            }),
            Value::Object(made)
                if name == "__func__"
                    && (self.is_c(&made.class, "builtins.classmethod")
                        || self.is_c(&made.class, "builtins.staticmethod")) =>
            {
                made.arguments.positional.first().cloned()
            }
            _ => {
                let class = self.type_of(object)?;
                Some(self.instance_attribute(context, object, &class, name))
            }
        }
    }

    fn function_attribute(&self, node: Node, function: &Value, name: &str) -> Value {
        match name {
            "__name__" | "__qualname__" => {
                let source = self.source(node.file);
                source.function(node.number).map_or(Value::Unknown, |def| Value::Str(def.name.as_str().into()))
            }
            "__module__" => module_name(self.db, node.file).map_or(Value::Unknown, Value::Str),
            "__get__" => Value::Method((function.clone(), Value::Builtin("builtins.function.__get__".into())).into()),
            _ => Value::Unknown,
        }
    }

    /// `Class.name`.
    pub fn class_attribute(&self, context: &Context<'db>, class: &ClassRef, name: &str) -> Value {
        match name {
            "__name__" | "__qualname__" => {
                return self
                    .class_name(class)
                    .map_or(Value::Unknown, |name| Value::Str(name.rsplit('.').next().unwrap_or(&name).into()));
            }
            "__module__" => return Value::c_instance("builtins.str"),
            "__class__" => return self.metaclass(class).map_or(Value::Unknown, Value::Class),
            "__bases__" | "__mro__" => {
                let classes = if name == "__mro__" { self.mro(class) } else { self.bases(class) };
                return classes
                    .map_or(Value::Unknown, |classes| Value::Tuple(classes.into_iter().map(Value::Class).collect()));
            }
            "__dict__" | "__subclasses__" => return Value::Unknown,
            _ => {}
        }
        match self.class_entry(class, name) {
            Some((_, entry)) => entry.map(|entry| self.through_class(context, class, entry)),
            None => {
                let Some(metaclass) = self.metaclass(class) else { return Value::Unknown };
                self.instance_attribute(context, &Value::Class(class.clone()), &metaclass, name)
            }
        }
    }

    /// What an entry of a class's `__dict__` gives when it is read through the class.
    fn through_class(&self, context: &Context<'db>, class: &ClassRef, entry: &Value) -> Value {
        match entry {
            Value::Object(object) => {
                let function = || object.arguments.positional.first().cloned().unwrap_or(Value::Unknown);
                if self.is_c(&object.class, "builtins.staticmethod") {
                    return function();
                }
                if self.is_c(&object.class, "builtins.classmethod") {
                    return Value::Method((Value::Class(class.clone()), function()).into());
                }
                self.got(context, entry, &object.class, Value::None, class)
            }
            Value::Instance(of) => self.got(context, entry, &of.clone(), Value::None, class),
            other => other.clone(),
        }
    }

    /// What `__get__` of a descriptor gives; the object itself if it is none.
    fn got(&self, context: &Context<'db>, entry: &Value, of: &ClassRef, instance: Value, class: &ClassRef) -> Value {
        if let ClassRef::C(name) = of {
            let knows = &self.db.knowledge().c_types;
            let is_descriptor = knows.facts(name).is_none_or(|facts| facts.is_descriptor(self.version()));
            let is_accessed = matches!(instance, Value::None);
            return match (is_descriptor, is_accessed) {
                (false, _) => entry.clone(),
                // The descriptors of C give themselves when they are read through the class.
                (true, true) if &**name != "functools._lru_cache_wrapper" => entry.clone(),
                _ => Value::Unknown,
            };
        }
        match self.class_entry(of, "__get__") {
            None => entry.clone(),
            Some((_, Value::Function(getter))) => {
                let arguments = Arguments::of(vec![entry.clone(), instance, Value::Class(class.clone())]);
                let _ = context;
                self.call_function(&getter, arguments, None)
            }
            Some(_) => Value::Unknown,
        }
    }

    /// `object.name` for an object of `class`.
    pub fn instance_attribute(&self, context: &Context<'db>, object: &Value, class: &ClassRef, name: &str) -> Value {
        if name == "__class__" {
            return Value::Class(class.clone());
        }
        match self.class_entry(class, name) {
            Some((owner, entry)) => entry.map(|entry| match entry {
                Value::Function(_) => Value::Method((object.clone(), entry.clone()).into()),
                Value::Builtin(_) => Value::Method((object.clone(), entry.clone()).into()),
                Value::Object(made) if self.is_c(&made.class, "builtins.property") => {
                    match made.arguments.get(0, "fget") {
                        Some(getter @ Value::Function(_)) => {
                            self.call(context, getter, Arguments::of(vec![object.clone()]))
                        }
                        _ => Value::Unknown,
                    }
                }
                Value::Object(made) if self.is_c(&made.class, "builtins.classmethod") => {
                    let function = made.arguments.positional.first().cloned().unwrap_or(Value::Unknown);
                    Value::Method((Value::Class(class.clone()), function).into())
                }
                Value::Object(made) if self.is_c(&made.class, "builtins.staticmethod") => {
                    made.arguments.positional.first().cloned().unwrap_or(Value::Unknown)
                }
                Value::Object(made) => self.got(context, entry, &made.class, object.clone(), class),
                // A plain value in the class may be hidden by one in the object.
                _ if !matches!(owner, ClassRef::C(_)) && self.sets(class, name) => Value::Unknown,
                Value::Instance(of) => self.got(context, entry, of, object.clone(), class),
                other => other.clone(),
            }),
            None => match object {
                Value::Object(made) => self.set_in_init(made, name),
                _ => Value::Unknown,
            },
        }
    }

    fn sets(&self, class: &ClassRef, name: &str) -> bool {
        let Some(order) = self.mro(class) else { return true };
        order.iter().any(|owner| {
            let ClassRef::Source(node) = owner else { return false };
            let source = self.source(node.file);
            source.class(node.number).is_some_and(|class| {
                let defs = class.body.iter().filter_map(Stmt::as_function_def_stmt);
                defs.into_iter().any(|def| assigns_attribute(&def.body, name))
            })
        })
    }

    /// `self.name = …` at the top of `__init__`, for the arguments the object was made with.
    fn set_in_init(&self, object: &Object, name: &str) -> Value {
        let Some((_, Value::Function(init))) = self.class_entry(&object.class, "__init__") else {
            return Value::Unknown;
        };
        let source = self.source(init.node.file);
        let Some(def) = source.function(init.node.number) else { return Value::Unknown };
        let Some(receiver) = def.parameters.iter_non_variadic_params().next() else { return Value::Unknown };
        let receiver = receiver.name().as_str();
        let is_target = |target: &Expr| {
            target.as_attribute_expr().is_some_and(|target| {
                target.attr.as_str() == name && target.value.as_name_expr().is_some_and(|name| name.id == receiver)
            })
        };
        let value = def.body.iter().rev().find_map(|statement| match statement {
            Stmt::Assign(assign) if assign.targets.iter().any(is_target) => Some(&*assign.value),
            Stmt::AnnAssign(assign) if is_target(&assign.target) => assign.value.as_deref(),
            _ => None,
        });
        let Some(value) = value else { return Value::Unknown };
        let mut arguments = object.arguments.clone();
        arguments.positional.insert(0, Value::Instance(object.class.clone()));
        let Some(context) = self.context_of_call(&init, arguments) else { return Value::Unknown };
        self.evaluate(&Context { at: Some(value.start()), ..context }, value)
    }

    fn super_attribute(&self, context: &Context<'db>, made: &Object, name: &str) -> Value {
        let [Value::Class(start), receiver] = made.arguments.positional.as_slice() else { return Value::Unknown };
        let of = match receiver {
            Value::Class(class) => Some(class.clone()),
            other => self.type_of(other),
        };
        let Some(of) = of else { return Value::Unknown };
        // In a metaclass the receiver is a class, and its metaclass is what the search starts from.
        let orders = [self.mro(&of), self.metaclass(&of).and_then(|metaclass| self.mro(&metaclass))];
        for order in orders.into_iter().flatten() {
            let Some(position) = order.iter().position(|class| class == start) else { continue };
            for owner in &order[position + 1..] {
                if name == "__class_getitem__"
                    && matches!(self.class_name(owner).as_deref(), Some("typing.Generic" | "typing.Protocol"))
                {
                    let function = Value::Builtin(GENERIC_SUBSCRIPT.into());
                    return Value::Method((receiver.clone(), function).into());
                }
                let Some(entry) = self.own_entry(owner, name) else { continue };
                return match &entry {
                    Value::Function(_) if name == "__new__" || name == "__init_subclass__" => entry,
                    Value::Builtin(_) if name == "__new__" => entry,
                    Value::Function(_) | Value::Builtin(_) => Value::Method((receiver.clone(), entry).into()),
                    Value::Object(inner) if self.is_c(&inner.class, "builtins.classmethod") => {
                        let function = inner.arguments.positional.first().cloned().unwrap_or(Value::Unknown);
                        Value::Method((Value::Class(of.clone()), function).into())
                    }
                    Value::Object(inner) if self.is_c(&inner.class, "builtins.staticmethod") => {
                        inner.arguments.positional.first().cloned().unwrap_or(Value::Unknown)
                    }
                    _ => Value::Unknown,
                };
            }
        }
        let _ = context;
        Value::Unknown
    }

    /// The class of a function written in C, which may be an entry of a type: `builtins.str.format`.
    fn c_function_type(&self, name: &str) -> &'static str {
        // Special methods that are no slots of the type, but plain methods.
        const METHODS: &[&str] = &[
            "__class_getitem__",
            "__contains__",
            "__copy__",
            "__deepcopy__",
            "__dir__",
            "__enter__",
            "__exit__",
            "__format__",
            "__getitem__",
            "__getnewargs__",
            "__getstate__",
            "__instancecheck__",
            "__reduce__",
            "__reduce_ex__",
            "__reversed__",
            "__round__",
            "__setstate__",
            "__sizeof__",
            "__subclasscheck__",
            "__trunc__",
        ];
        match name.rsplit_once('.') {
            Some((class, method)) if self.db.knowledge().c_types.facts(class).is_some() => {
                let is_special = method.starts_with("__") && method.ends_with("__");
                match method {
                    "__new__" | "__init_subclass__" | "__subclasshook__" => "builtins.builtin_function_or_method",
                    _ if is_special && !METHODS.contains(&method) => "builtins.wrapper_descriptor",
                    _ => "builtins.method_descriptor",
                }
            }
            _ => "builtins.builtin_function_or_method",
        }
    }

    /// The full name of a class: its module and its qualified name.
    pub fn class_name(&self, class: &ClassRef) -> Option<String> {
        match class {
            ClassRef::C(name) => Some(name.to_string()),
            ClassRef::Made(made) => Some(made.name.to_string()),
            ClassRef::Source(node) => self.qualified_name(*node),
        }
    }

    /// Module and qualified name of a `class` or `def`.
    pub fn qualified_name(&self, node: Node) -> Option<String> {
        let source = self.source(node.file);
        let module = module_name(self.db, node.file)?;
        let mut parts = vec![];
        let mut scope = source.index.scope_of(node.number);
        while let Some(number) = scope {
            let current = source.index.scope(number);
            let Some(node) = current.node else { break };
            let is_inner = !parts.is_empty();
            let (name, is_function) = match source.node(node) {
                AnyRootNodeRef::Stmt(Stmt::ClassDef(class)) => (class.name.as_str(), false),
                AnyRootNodeRef::Stmt(Stmt::FunctionDef(def)) => (def.name.as_str(), true),
                _ => return None,
            };
            if is_function && is_inner {
                parts.push("<locals>".to_string());
            }
            parts.push(name.to_string());
            scope = current.parent;
        }
        parts.reverse();
        Some(format!("{module}.{}", parts.join(".")))
    }
}

/// Whether an attribute of this name is assigned in a body, of whatever object.
fn assigns_attribute(body: &[Stmt], name: &str) -> bool {
    use ruff_python_ast::AnyNodeRef;
    use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
    struct Finder<'n>(&'n str, bool);
    impl<'a> SourceOrderVisitor<'a> for Finder<'_> {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            if let AnyNodeRef::ExprAttribute(attribute) = node {
                self.1 |= attribute.ctx.is_store() && attribute.attr.as_str() == self.0;
            }
            if self.1 { TraversalSignal::Skip } else { TraversalSignal::Traverse }
        }
    }
    let mut finder = Finder(name, false);
    finder.visit_body(body);
    finder.1
}
