//! Enumerations: what their metaclass makes of the names in the body.

use super::c_types::Descriptor;
use super::classes::Classification;
use super::generic::ClassForm;
use super::modules::{Context, Evaluator};
use super::{Arguments, ClassRef, Node, Value};

impl<'db> Evaluator<'db> {
    /// Whether a metaclass is that of enumerations.
    pub fn is_enum_type(&self, metaclass: &ClassRef) -> bool {
        let Some(order) = self.mro(metaclass) else { return false };
        order.iter().any(|class| matches!(self.class_name(class).as_deref(), Some("enum.EnumType" | "enum.EnumMeta")))
    }

    /// `Color(1)` is a member; `Enum("Color", "RED")` makes a class.
    pub fn call_enum(&self, _context: &Context<'db>, class: &ClassRef, arguments: Arguments) -> Value {
        match arguments.positional.len() == 1 && arguments.keywords.is_empty() && !arguments.is_open {
            true => Value::Instance(class.clone()),
            false => Value::Unknown,
        }
    }

    /// What going through an enumeration gives.
    pub fn members_of_enum(&self, class: &ClassRef) -> Option<Value> {
        let ClassRef::Source(node) = class else { return None };
        if !self.is_enum_type(&self.metaclass(class)?) {
            return None;
        }
        let members = super::members::own_members(self.db, node.file, node.number);
        let is_member = |value: &Value| self.type_of(value).as_ref() == Some(class);
        Some(Value::Tuple(members.into_iter().map(|member| member.value).filter(is_member).collect()))
    }

    /// What an enumeration holds under a name of its body.
    pub fn enum_member(&self, node: Node, facts: &Classification, name: &str, value: Value) -> Value {
        let version = self.db.python_version_with_source(node.file).version;
        let version = (version.major, version.minor);
        let is_special =
            name.starts_with('_') && (name.ends_with('_') || (name.starts_with("__") && version >= (3, 11)));
        if is_special {
            let is_static = name == "_generate_next_value_" && version >= (3, 12);
            return match &value {
                // The enumeration puts its own `__new__` in the place of the one that makes members; `Enum` itself keeps it.
                Value::Object(method) if name == "__new__" && self.derives_from_enum(facts) => {
                    method.arguments.positional.first().cloned().unwrap_or(Value::Unknown)
                }
                Value::Function(_) if is_static => {
                    Value::object(ClassRef::C("builtins.staticmethod".into()), Arguments::of(vec![value]))
                }
                _ => value,
            };
        }
        match self.descriptor_kind(&value) {
            // What is assigned and cannot be read is hardly ever a descriptor.
            Some(Descriptor::None) | None => {}
            Some(_) => return value,
        }
        if matches!(&value, Value::Class(_)) {
            return if version >= (3, 13) { value } else { Value::Unknown };
        }
        if matches!(name, "name" | "value") {
            return Value::Unknown;
        }
        if facts.form == ClassForm::SimpleEnum && version < (3, 13) {
            return Value::Instance(self.named_class("enum.property"));
        }
        Value::Instance(ClassRef::Source(node))
    }

    fn derives_from_enum(&self, facts: &Classification) -> bool {
        let is_enum = |base: &ClassRef| self.metaclass(base).is_some_and(|metaclass| self.is_enum_type(&metaclass));
        facts.bases.iter().flatten().any(is_enum)
    }
}
