//! Generic classes and the special forms of `typing`: what subscripts give, and what they are as bases.

use std::sync::Arc;

use ruff_python_ast::{self as ast, Expr};

use super::classes::Classification;
use super::modules::{Context, Evaluator};
use super::{Alias, Arguments, ClassRef, Node, Object, Value};

/// How the members of a class come about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) enum ClassForm {
    #[default]
    Plain,
    NamedTuple,
    TypedDict,
    /// An enumeration made by the decorator `enum._simple_enum`, as some of the standard library are.
    SimpleEnum,
}

/// A base that makes a class of another kind.
pub(super) struct SpecialBase {
    form: ClassForm,
    module: Arc<str>,
    is_generic: bool,
}

impl<'db> Evaluator<'db> {
    /// A member of a module that its source does not show plainly.
    pub fn known_member(&self, module: &str, name: &str, is_stub: bool) -> Option<Value> {
        match (module, name) {
            ("typing" | "typing_extensions", "NamedTuple" | "TypedDict") => {
                Some(Value::Form(format!("{module}.{name}").into()))
            }
            ("typing" | "typing_extensions", "TYPE_CHECKING") => Some(Value::Bool(false)),
            ("os", "name") => Some(Value::Str("posix".into())),
            // The stub only declares these.
            ("typing" | "typing_extensions", "Generic" | "Protocol") if is_stub => {
                Some(Value::c_class(&format!("typing.{name}")))
            }
            ("typing", _) if is_stub && name.starts_with(|first: char| first.is_uppercase()) => None,
            _ => None,
        }
    }

    /// `Class[…]`.
    pub fn subscripted_class(&self, context: &Context<'db>, value: &Value, _slice: &Expr) -> Value {
        let Value::Class(class) = value else { return Value::Unknown };
        let alias = |class_name: &'static str| {
            Value::Alias(Alias { origin: class.clone(), class: class_name, is_special: false }.into())
        };
        let Some(metaclass) = self.metaclass(class) else { return Value::Unknown };
        if self.is_enum_type(&metaclass) {
            return Value::Instance(class.clone());
        }
        if let Some((_, getter @ Value::Function(_))) = self.class_entry(&metaclass, "__getitem__") {
            let arguments = Arguments::of(vec![Value::Unknown]);
            return self.call_bound(Value::Class(class.clone()), &metaclass, "__getitem__", getter, arguments);
        }
        if matches!(class, ClassRef::C(name) if !name.starts_with("typing.")) {
            return alias("types.GenericAlias");
        }
        let Some((owner, entry)) = self.class_entry(class, "__class_getitem__") else {
            return match class {
                ClassRef::C(_) => alias("typing._GenericAlias"),
                _ if self.is_generic(class) => alias("typing._GenericAlias"),
                _ => Value::Unknown,
            };
        };
        let owner_name = self.class_name(&owner).unwrap_or_default();
        if owner_name.starts_with("typing.") || owner_name.starts_with("typing_extensions.") {
            return alias("typing._GenericAlias");
        }
        match entry {
            Value::Object(object) if self.is_c(&object.class, "builtins.classmethod") => {
                match object.arguments.positional.first() {
                    Some(Value::Class(_)) => alias("types.GenericAlias"),
                    Some(function) => {
                        let arguments = Arguments::of(vec![value.clone(), Value::Unknown]);
                        self.call(context, function, arguments)
                    }
                    None => Value::Unknown,
                }
            }
            Value::Builtin(_) => alias("types.GenericAlias"),
            _ => Value::Unknown,
        }
    }

    /// `typing.List[…]` and the like.
    pub fn subscripted_object(&self, object: &Object) -> Value {
        match self.special_alias(object) {
            Some(origin) => Value::Alias(Alias { origin, class: "typing._GenericAlias", is_special: true }.into()),
            None => Value::Unknown,
        }
    }

    /// The class that `typing.List` and the like stand for.
    fn special_alias(&self, object: &Object) -> Option<ClassRef> {
        let name = self.class_name(&object.class)?;
        let is_alias =
            matches!(name.as_str(), "typing._SpecialGenericAlias" | "typing._CallableType" | "typing._TupleType");
        match object.arguments.positional.first() {
            Some(Value::Class(origin)) if is_alias => Some(origin.clone()),
            _ => None,
        }
    }

    fn is_generic(&self, class: &ClassRef) -> bool {
        let Some(order) = self.mro(class) else { return false };
        order.iter().any(|class| self.class_name(class).as_deref() == Some("typing.Generic"))
    }

    /// Whether a base that is no class says itself what stands in its place.
    pub fn has_mro_entries(&self, value: &Value) -> bool {
        self.type_of(value).is_none_or(|class| self.class_entry(&class, "__mro_entries__").is_some())
    }

    /// The bases after `__mro_entries__`; none if one of them is not known.
    pub fn resolved_bases(&self, values: &[Value]) -> Option<Vec<ClassRef>> {
        let mut bases: Vec<ClassRef> = vec![];
        for (index, value) in values.iter().enumerate() {
            let later = &values[index + 1..];
            match value {
                Value::Class(class) => bases.push(class.clone()),
                Value::Alias(alias) => self.push_alias(&mut bases, alias, values, later),
                Value::Object(object) => match self.special_alias(object) {
                    Some(origin) => {
                        let alias = Alias { origin, class: "typing._GenericAlias", is_special: true };
                        self.push_alias(&mut bases, &alias, values, later);
                    }
                    None => bases.extend(self.mro_entries(value)?),
                },
                _ => return None,
            }
        }
        Some(bases)
    }

    fn push_alias(&self, bases: &mut Vec<ClassRef>, alias: &Alias, all: &[Value], later: &[Value]) {
        let is_named = |class: &ClassRef, name: &str| self.class_name(class).as_deref() == Some(name);
        let is_typing_alias =
            |value: &Value| matches!(value, Value::Alias(alias) if alias.class == "typing._GenericAlias");
        if is_named(&alias.origin, "typing.Generic") {
            let has_protocol = all.iter().any(|value| {
                matches!(value, Value::Class(class) if is_named(class, "typing.Protocol") || is_named(class, "typing_extensions.Protocol"))
            });
            if !has_protocol && !later.iter().any(is_typing_alias) {
                bases.push(alias.origin.clone());
            }
            return;
        }
        let is_among = all.iter().any(|value| matches!(value, Value::Class(class) if *class == alias.origin));
        if !(alias.is_special && is_among) {
            bases.push(alias.origin.clone());
        }
        if alias.is_special {
            let brings_generic = |value: &Value| match value {
                Value::Class(class) => self.is_generic(class),
                Value::Object(object) => self.special_alias(object).is_some(),
                other => is_typing_alias(other),
            };
            if !later.iter().any(brings_generic)
                && let Some(generic) = self.typing_class("typing", "Generic")
            {
                bases.push(generic);
            }
        }
    }

    fn mro_entries(&self, value: &Value) -> Option<Vec<ClassRef>> {
        let class = self.type_of(value)?;
        let (_, Value::Function(function)) = self.class_entry(&class, "__mro_entries__")? else { return None };
        let arguments = Arguments::of(vec![value.clone(), Value::Unknown]);
        let Value::Tuple(entries) = self.call_function(&function, arguments, None) else { return None };
        let class_of = |value: &Value| match value {
            Value::Class(class) => Some(class.clone()),
            _ => None,
        };
        entries.iter().map(class_of).collect()
    }

    /// A class of `typing` by name.
    pub fn typing_class(&self, module: &str, name: &str) -> Option<ClassRef> {
        match self.member_of(module, name)? {
            Value::Class(class) => Some(class),
            _ => None,
        }
    }

    /// A member of a module by its full name, found from anywhere.
    pub fn member_of(&self, module: &str, name: &str) -> Option<Value> {
        let file = self.any_file()?;
        let module = self.resolve(file, module)?;
        self.module_attribute(&module, name)
    }

    /// A class by its full name: one written in C if the table has it, otherwise what the module of that name holds.
    pub fn named_class(&self, full: &str) -> ClassRef {
        let in_c = || ClassRef::C(full.into());
        if self.db.knowledge().c_types.facts(full).is_some() {
            return in_c();
        }
        let Some((module, name)) = full.rsplit_once('.') else { return in_c() };
        self.typing_class(module, name).unwrap_or_else(in_c)
    }

    /// The base that makes the class a named tuple or a typed dictionary.
    pub fn special_class(&self, values: &[Value]) -> Option<SpecialBase> {
        let is_generic = values.iter().any(|value| match value {
            Value::Class(class) => self.is_generic(class),
            Value::Alias(alias) => self.is_generic(&alias.origin),
            _ => false,
        });
        values.iter().find_map(|value| match value {
            Value::Form(name) => {
                let (module, name) = name.rsplit_once('.')?;
                let form = if name == "NamedTuple" { ClassForm::NamedTuple } else { ClassForm::TypedDict };
                Some(SpecialBase { form, module: module.into(), is_generic })
            }
            other => {
                let metaclass = self.class_name(&self.metaclass(origin(other)?)?)?;
                let module = metaclass.strip_suffix("._TypedDictMeta")?;
                Some(SpecialBase { form: ClassForm::TypedDict, module: module.into(), is_generic })
            }
        })
    }

    pub fn special_classification(&self, node: Node, special: SpecialBase) -> Classification {
        let base = match special.form {
            ClassForm::NamedTuple => "builtins.tuple",
            _ => "builtins.dict",
        };
        let base = ClassRef::C(base.into());
        let generic = special.is_generic.then(|| self.typing_class("typing", "Generic")).flatten();
        let (bases, metaclass, slots) = match special.form {
            ClassForm::NamedTuple => {
                let metaclass = Some(ClassRef::C("builtins.type".into()));
                (std::iter::once(base).chain(generic).collect(), metaclass, Some(vec![]))
            }
            _ => {
                let metaclass = self.typing_class(&special.module, "_TypedDictMeta");
                (generic.into_iter().chain([base]).collect(), metaclass, None)
            }
        };
        Classification { form: special.form, ..self.complete(node, Some(bases), metaclass, slots) }
    }

    /// `@_simple_enum(Base)`: the decorator makes the class anew, with that base.
    pub fn rebuilt_enum(
        &self,
        context: &Context<'db>,
        node: Node,
        statement: &ast::StmtClassDef,
    ) -> Option<Classification> {
        let base = statement.decorator_list.iter().find_map(|decorator| {
            let call = decorator.expression.as_call_expr()?;
            let Value::Function(function) = self.evaluate(context, &call.func) else { return None };
            if self.qualified_name(function.node)? != "enum._simple_enum" {
                return None;
            }
            match self.arguments(context, &call.arguments).get(0, "etype") {
                Some(Value::Class(class)) => Some(class.clone()),
                None => self.typing_class("enum", "Enum"),
                _ => None,
            }
        })?;
        let metaclass = self.metaclass(&base);
        Some(Classification { form: ClassForm::SimpleEnum, ..self.complete(node, Some(vec![base]), metaclass, None) })
    }
}

fn origin(value: &Value) -> Option<&ClassRef> {
    match value {
        Value::Class(class) => Some(class),
        Value::Alias(alias) => Some(&alias.origin),
        _ => None,
    }
}
