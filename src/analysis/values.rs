//! What names hold at run time: the code is read as CPython would run it, one import after the other, without running it.
//!
//! Types come from stubs and annotations and say what may be done with a value. Here the question is what a value *is*: the
//! object that a decorator leaves in the class, the metaclass that a base brings, the module that `try: import` ends up with.
//! So this reads the real sources, of the standard library too, and follows calls of functions a few levels deep. What is
//! written in C is described by a table (`explanations/tables/c_types.toml`) and by the stubs. [`Value::Unknown`] is always an
//! answer; a guess never is.

mod attributes;
mod builtins;
mod c_types;
mod calls;
mod changes;
mod classes;
mod decorators;
mod enums;
mod exports;
mod expressions;
mod generic;
mod handles;
mod imports;
mod index;
mod inspector;
mod layout;
mod members;
mod modules;
mod operators;
mod reaching;
mod rebased;
mod source;
mod statics;
mod stubs;

use std::sync::Arc;

use ruff_db::files::File;

use index::NodeNumber;

pub(super) use super::runtime::DescriptorKind;
pub use c_types::CTypes;
pub(super) use handles::{
    Held, Order, assigned_names, descriptor_kind_of, held, instance_of_global, keeps_members, later_value,
    layout_of_instances, metaclass_of, order_of, slots_of,
};
pub(super) use inspector::{Inspector, forget_tree};
pub use layout::Layout;
use members::OwnMember;
pub(super) use modules::module_name;

/// A node of a file's tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Node {
    pub file: File,
    pub number: NodeNumber,
}

/// A class object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum ClassRef {
    /// Made by a `class` statement.
    Source(Node),
    /// A type written in C, by its name at run time.
    C(Arc<str>),
    /// Made by a call, such as `type(…)` or `namedtuple(…)`.
    Made(Arc<MadeClass>),
}

/// A class that a call makes.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct MadeClass {
    /// Module and qualified name.
    pub name: Arc<str>,
    pub bases: Vec<ClassRef>,
    pub metaclass: Option<ClassRef>,
    /// The names of its `__slots__`, if it has some.
    pub slots: Option<Vec<String>>,
}

impl MadeClass {
    /// Whether its name is this one, in whatever module.
    fn is_named(&self, name: &str) -> bool {
        self.name.rsplit('.').next() == Some(name)
    }
}

/// What an expression evaluates to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Unknown,
    None,
    Bool(bool),
    Int(i64),
    Str(Arc<str>),
    Tuple(Arc<[Value]>),
    Class(ClassRef),
    /// `Base[int]`: a generic alias of a class.
    Alias(Arc<Alias>),
    Function(Arc<Function>),
    /// A function written in C, by module and name.
    Builtin(Arc<str>),
    /// A function bound to an object.
    Method(Arc<(Value, Value)>),
    Module(ModuleRef),
    /// An object of which only the class is known.
    Instance(ClassRef),
    /// An object with what it was made from.
    Object(Arc<Object>),
    /// A form of `typing` that is no class: `Any`, `TypeVar("T")`, `Generic[T]`.
    Form(Arc<str>),
    /// One of these, which differ.
    OneOf(Arc<[Value]>),
}

/// A subscripted class.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Alias {
    pub origin: ClassRef,
    /// The class of the alias object itself.
    pub class: &'static str,
    /// A name of `typing` that stands for another class, such as `typing.List`.
    pub is_special: bool,
}

/// A function or lambda.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub node: Node,
    /// The variables of the calls around the definition.
    pub closure: Option<Arc<Frame>>,
}

/// An object made by a call of a class.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Object {
    pub class: ClassRef,
    pub arguments: Arguments,
}

/// The arguments of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Arguments {
    pub positional: Vec<Value>,
    pub keywords: Vec<(String, Value)>,
    /// `*args` or `**kwargs` are among them: there may be more.
    pub is_open: bool,
}

impl Arguments {
    fn of(positional: Vec<Value>) -> Self {
        Self { positional, ..Self::default() }
    }

    fn keyword(&self, name: &str) -> Option<&Value> {
        self.keywords.iter().find(|(keyword, _)| keyword == name).map(|(_, value)| value)
    }

    /// The argument at a position, or given by keyword.
    fn get(&self, position: usize, name: &str) -> Option<&Value> {
        self.positional.get(position).or_else(|| self.keyword(name))
    }
}

/// The variables of one call.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// The function that runs.
    pub node: Node,
    pub parameters: Vec<(String, Value)>,
    pub closure: Option<Arc<Frame>>,
    /// The class in whose body the function was found: where `super()` starts.
    pub owner: Option<ClassRef>,
}

/// A module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ModuleRef {
    /// Written in Python, or a stub where there is no source.
    Source(File),
    /// Written in C and known to the table.
    C(Arc<str>),
    /// A package without `__init__`.
    Namespace(Arc<str>),
    /// An extension module, or anything else that cannot be read.
    Opaque,
}

/// How many alternatives are kept apart.
const ALTERNATIVES: usize = 8;

impl Value {
    fn c_instance(name: &str) -> Self {
        Self::Instance(ClassRef::C(name.into()))
    }

    fn c_class(name: &str) -> Self {
        Self::Class(ClassRef::C(name.into()))
    }

    fn object(class: ClassRef, arguments: Arguments) -> Self {
        Self::Object(Arc::new(Object { class, arguments }))
    }

    pub(super) fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// The alternatives, or the value itself.
    fn alternatives(&self) -> &[Value] {
        match self {
            Self::OneOf(values) => values,
            other => std::slice::from_ref(other),
        }
    }

    /// One value that may be any of `values`; unknown if one is, or if there are none.
    fn join(values: impl IntoIterator<Item = Value>) -> Self {
        let mut kept: Vec<Value> = vec![];
        for value in values {
            for value in value.alternatives() {
                if value.is_unknown() {
                    return Self::Unknown;
                }
                if !kept.contains(value) {
                    kept.push(value.clone());
                }
            }
        }
        match kept.len() {
            0 => Self::Unknown,
            1 => kept.swap_remove(0),
            2..=ALTERNATIVES => Self::OneOf(kept.into()),
            _ => Self::Unknown,
        }
    }

    /// Applies `f` to every alternative.
    fn map(&self, mut f: impl FnMut(&Value) -> Value) -> Self {
        match self {
            Self::OneOf(values) => Self::join(values.iter().map(f)),
            other => f(other),
        }
    }
}
