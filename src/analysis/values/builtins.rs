//! What is not written in Python: builtins, C modules, and what their functions give, by the stubs that describe them.

use std::sync::Arc;

use ruff_db::files::File;
use ruff_python_ast::{AnyRootNodeRef, Expr, Stmt};

use super::c_types::CEntry;
use super::modules::{Context, Evaluator, module_name};
use super::{Alias, Arguments, ClassRef, Function, MadeClass, Value};

impl<'db> Evaluator<'db> {
    /// A builtin name; none if there is none.
    pub fn builtin(&self, name: &str) -> Option<Value> {
        match name {
            "__debug__" => Some(Value::Bool(true)),
            "Ellipsis" => Some(Value::c_instance("builtins.ellipsis")),
            "NotImplemented" => Some(Value::c_instance("builtins.NotImplementedType")),
            "reveal_type" | "reveal_locals" | "WindowsError" => None,
            _ => self.c_attribute("builtins", name),
        }
    }

    /// An attribute of a module written in C.
    pub fn c_attribute(&self, module: &str, name: &str) -> Option<Value> {
        if module == "sys"
            && let Some(value) = self.sys_attribute(name)
        {
            return Some(value);
        }
        match self.db.knowledge().c_types.entry(module, name) {
            Some(CEntry::Class(class)) => return Some(Value::Class(ClassRef::C(class))),
            Some(CEntry::Function) => return Some(Value::Builtin(format!("{module}.{name}").into())),
            Some(CEntry::Value(class)) => return Some(Value::Instance(self.named_class(&class))),
            None => {}
        }
        let stub = self.stub(module)?;
        let context = self.module_context(stub);
        let reached = self.reach(&context, 0, name, None);
        let number = *reached.bindings.first()?;
        let binding = &context.source.index.scope(0).bindings[number];
        match context.source.node(binding.node) {
            // What a stub imports, it does not export.
            AnyRootNodeRef::Alias(alias) if alias.asname.is_none() => None,
            AnyRootNodeRef::Stmt(Stmt::FunctionDef(_)) => Some(Value::Builtin(format!("{module}.{name}").into())),
            // A class the table does not know is one of another platform or version, or of the stub alone.
            AnyRootNodeRef::Stmt(Stmt::ClassDef(_)) => Some(Value::Unknown),
            AnyRootNodeRef::Stmt(Stmt::AnnAssign(assign)) => Some(match &assign.value {
                Some(value) => self.evaluate(&context, value),
                None => self.annotated(&context, &assign.annotation),
            }),
            _ => Some(Value::Unknown),
        }
    }

    fn sys_attribute(&self, name: &str) -> Option<Value> {
        let version = self.version();
        Some(match name {
            "version_info" => {
                let numbers = [i64::from(version.0), i64::from(version.1)].map(Value::Int);
                let rest = [Value::c_instance("builtins.int"), Value::Str("final".into()), Value::Int(0)];
                Value::Tuple(numbers.into_iter().chain(rest).collect())
            }
            "hexversion" => Value::Int((i64::from(version.0) << 24) | (i64::from(version.1) << 16) | 0xf0),
            "platform" => Value::Str("linux".into()),
            "maxsize" => Value::Int(i64::MAX),
            "byteorder" => Value::Str("little".into()),
            "modules" => Value::c_instance("builtins.dict"),
            // Among others that are not listed here.
            "builtin_module_names" => Value::Tuple([Value::Str("posix".into()), Value::Unknown].into()),
            _ => return None,
        })
    }

    /// The version of Python that the code runs on.
    pub fn version(&self) -> (u8, u8) {
        let version = self.any_file().map(|file| self.db.python_version_with_source(file).version);
        version.map_or((3, 13), |version| (version.major, version.minor))
    }

    /// What a type written in C holds under `name`: a function, or something unknown.
    pub fn c_entry(&self, class: &str, name: &str) -> Option<Value> {
        let full = || Value::Builtin(format!("{class}.{name}").into());
        match (class, name) {
            ("builtins.object", "__new__" | "__init__" | "__init_subclass__" | "__setattr__" | "__getattribute__")
            | ("builtins.type", "__new__" | "__init__" | "__call__" | "__prepare__") => return Some(full()),
            // The stub gives these to its own ends.
            (_, "__get__" | "__set__" | "__delete__" | "__slots__" | "__hash__" | "__set_name__") => {
                let facts = self.db.knowledge().c_types.facts(class)?;
                let has = match name {
                    "__get__" => facts.is_descriptor(self.version()),
                    "__set__" | "__delete__" => facts.descriptor(self.version()) == super::c_types::Descriptor::Data,
                    "__hash__" => true,
                    _ => false,
                };
                return has.then(full);
            }
            _ => {}
        }
        let node = self.stub_class(class)?;
        let context = self.module_context(node.file);
        let scope = context.source.index.scope_of(node.number)?;
        let reached = self.reach(&Context { scope, ..context.clone() }, scope, name, None);
        let binding = &context.source.index.scope(scope).bindings[*reached.bindings.first()?];
        let Some(def) = context.source.function(binding.node) else { return Some(Value::Unknown) };
        let has = |name: &str| def.decorator_list.iter().any(|decorator| is_named(&decorator.expression, name));
        if has("property") {
            return Some(Value::Unknown);
        }
        if has("staticmethod") || has("classmethod") {
            return Some(Value::Method((Value::c_class(class), full()).into()));
        }
        Some(full())
    }

    /// What a call of a function written in C gives.
    pub fn call_builtin(&self, context: &Context<'db>, name: &str, arguments: &Arguments) -> Value {
        let first = || arguments.positional.first();
        let second = || arguments.positional.get(1);
        let truth = |truth: Option<bool>| truth.map_or_else(|| Value::c_instance("builtins.bool"), Value::Bool);
        match name {
            "builtins.isinstance" => match (first(), second()) {
                (Some(value), Some(classes)) => truth(self.is_instance(value, classes)),
                _ => Value::Unknown,
            },
            "builtins.issubclass" => match (first(), second()) {
                (Some(Value::Class(class)), Some(classes)) => truth(self.is_subclass(class, classes)),
                _ => Value::c_instance("builtins.bool"),
            },
            "builtins.callable" => match first() {
                Some(Value::Function(_) | Value::Class(_) | Value::Builtin(_) | Value::Method(_)) => Value::Bool(true),
                Some(Value::None | Value::Str(_) | Value::Int(_) | Value::Bool(_) | Value::Tuple(_)) => {
                    Value::Bool(false)
                }
                _ => Value::c_instance("builtins.bool"),
            },
            "builtins.hasattr" => self.has_attribute(context, arguments),
            "builtins.getattr" => self.get_attribute(context, arguments),
            "builtins.object.__new__" => match first() {
                Some(Value::Class(class)) => Value::Instance(class.clone()),
                _ => Value::Unknown,
            },
            "builtins.type.__new__" => match first() {
                Some(Value::Class(metaclass)) => {
                    let rest = Arguments { positional: arguments.positional[1..].to_vec(), ..arguments.clone() };
                    self.class_of_parts(context.source.file, metaclass, &rest)
                }
                _ => Value::Unknown,
            },
            "builtins.type.__call__" => match first() {
                Some(Value::Class(class)) => {
                    let rest = Arguments { positional: arguments.positional[1..].to_vec(), ..arguments.clone() };
                    self.make_instance(context, class, rest)
                }
                _ => Value::Unknown,
            },
            super::attributes::GENERIC_SUBSCRIPT => match first() {
                Some(Value::Class(origin)) => {
                    let class = "typing._GenericAlias";
                    Value::Alias(Alias { origin: origin.clone(), class, is_special: false }.into())
                }
                _ => Value::Unknown,
            },
            "builtins.function.__get__" => match (first(), second()) {
                (Some(function), Some(Value::None)) => function.clone(),
                (Some(function), Some(receiver)) => Value::Method((receiver.clone(), function.clone()).into()),
                _ => Value::Unknown,
            },
            "builtins.property.setter" | "builtins.property.getter" | "builtins.property.deleter" => {
                let (Some(Value::Object(property)), Some(function)) = (first(), second()) else {
                    return Value::Unknown;
                };
                let mut accessors = property.arguments.clone();
                let position = ["getter", "setter", "deleter"].iter().position(|last| name.ends_with(last));
                let position = position.unwrap_or_default();
                while accessors.positional.len() <= position {
                    accessors.positional.push(Value::None);
                }
                accessors.positional[position] = function.clone();
                Value::object(property.class.clone(), accessors)
            }
            _ if name.ends_with(".__new__") => match first() {
                // The types of C make instances of the class they are given.
                Some(Value::Class(class)) => Value::Instance(class.clone()),
                _ => Value::Unknown,
            },
            _ => self.described_result(name),
        }
    }

    fn has_attribute(&self, context: &Context<'db>, arguments: &Arguments) -> Value {
        let [object, Value::Str(name)] = arguments.positional.as_slice() else {
            return Value::c_instance("builtins.bool");
        };
        let found = match object {
            Value::Module(_) => self.attribute(context, object, name).map(|_| true).or(Some(false)),
            Value::Class(class) => match self.class_entry(class, name) {
                Some((_, Value::Unknown)) => None,
                Some(_) => Some(true),
                None => None,
            },
            Value::Function(_) if name.starts_with("__") => match &**name {
                "__name__" | "__call__" | "__code__" | "__get__" | "__dict__" | "__doc__" | "__module__" => Some(true),
                "__func__" | "__self__" => Some(false),
                _ => None,
            },
            _ => None,
        };
        found.map_or_else(|| Value::c_instance("builtins.bool"), Value::Bool)
    }

    fn get_attribute(&self, context: &Context<'db>, arguments: &Arguments) -> Value {
        let [object, Value::Str(name), default @ ..] = arguments.positional.as_slice() else { return Value::Unknown };
        match object {
            Value::Unknown => Value::Unknown,
            Value::Module(_) => {
                let found = self.attribute(context, object, name);
                found.or_else(|| default.first().cloned()).unwrap_or(Value::Unknown)
            }
            object => self.attribute(context, object, name).unwrap_or(Value::Unknown),
        }
    }

    /// What calling a type written in C gives, where it is not merely an instance of it.
    pub fn instantiate_c(&self, context: &Context<'db>, class: &str, arguments: &Arguments) -> Option<Value> {
        match (class, arguments.positional.as_slice()) {
            ("builtins.type", [value]) if arguments.keywords.is_empty() && !arguments.is_open => {
                Some(self.type_of(value).map_or(Value::Unknown, Value::Class))
            }
            ("builtins.type", _) => {
                let metaclass = ClassRef::C(class.into());
                Some(self.class_of_parts(context.source.file, &metaclass, arguments))
            }
            ("builtins.super", [_, _]) => Some(Value::object(ClassRef::C(class.into()), arguments.clone())),
            ("builtins.super", _) => Some(Value::Unknown),
            ("builtins.bool", [value]) => self.truth_of(value).map(Value::Bool),
            ("builtins.tuple", [tuple @ Value::Tuple(_)]) => Some(tuple.clone()),
            ("builtins.tuple" | "builtins.list", [Value::Class(class)]) => self.members_of_enum(class),
            // The error number chooses a subclass.
            ("builtins.OSError", [_, _, ..]) => Some(Value::Unknown),
            ("builtins.str", [text @ Value::Str(_)]) => Some(text.clone()),
            _ => None,
        }
    }

    /// A call of a metaclass.
    pub fn make_class(&self, context: &Context<'db>, metaclass: &ClassRef, arguments: &Arguments) -> Value {
        match self.class_entry(metaclass, "__new__") {
            Some((_, function @ Value::Function(_))) => {
                let mut all = arguments.clone();
                all.positional.insert(0, Value::Class(metaclass.clone()));
                self.call(context, &function, all)
            }
            _ => self.class_of_parts(context.source.file, metaclass, arguments),
        }
    }

    /// `type(name, bases, namespace)`.
    fn class_of_parts(&self, file: File, metaclass: &ClassRef, arguments: &Arguments) -> Value {
        let [Value::Str(name), Value::Tuple(bases), ..] = arguments.positional.as_slice() else {
            return Value::Unknown;
        };
        let class_of = |value: &Value| match value {
            Value::Class(class) => Some(class.clone()),
            _ => None,
        };
        let Some(bases) = bases.iter().map(class_of).collect::<Option<Vec<_>>>() else { return Value::Unknown };
        let Some(metaclass) = self.winner(metaclass.clone(), &bases) else { return Value::Unknown };
        let module = module_name(self.db, file).unwrap_or_default();
        let name = format!("{module}.{name}").into();
        // What the namespace holds is not followed, so its `__slots__` are not known either.
        let made = MadeClass { name, bases, metaclass: Some(metaclass), slots: None };
        Value::Class(ClassRef::Made(Arc::new(made)))
    }

    /// Functions of the standard library whose effect cannot be read off their code.
    pub fn known_function(
        &self,
        function: &Arc<Function>,
        arguments: &Arguments,
        caller: Option<File>,
    ) -> Option<Value> {
        let source = self.source(function.node.file);
        let name = source.function(function.node.number)?.name.as_str();
        let is_meant = |full: &str| self.qualified_name(function.node).as_deref() == Some(full);
        if name == "update_wrapper" && is_meant("functools.update_wrapper") {
            // It gives its first argument back, which is a function by its contract.
            let wrapper = arguments.get(0, "wrapper").cloned().unwrap_or(Value::Unknown);
            return Some(if wrapper.is_unknown() { Value::c_instance("builtins.function") } else { wrapper });
        }
        if name != "namedtuple" || !is_meant("collections.namedtuple") {
            return None;
        }
        let Some(Value::Str(type_name)) = arguments.get(0, "typename") else { return Some(Value::Unknown) };
        let module = caller.and_then(|file| module_name(self.db, file)).unwrap_or_default();
        let made = MadeClass {
            name: format!("{module}.{type_name}").into(),
            bases: vec![ClassRef::C("builtins.tuple".into())],
            metaclass: Some(ClassRef::C("builtins.type".into())),
            slots: Some(vec![]),
        };
        Some(Value::Class(ClassRef::Made(Arc::new(made))))
    }
}

pub(super) fn is_named(expr: &Expr, name: &str) -> bool {
    match expr {
        Expr::Name(found) => found.id == name,
        Expr::Attribute(found) => found.attr.as_str() == name,
        _ => false,
    }
}
