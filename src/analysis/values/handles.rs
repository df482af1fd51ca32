//! Class definitions, as the types name them, and the classes they make: so that whoever asks about a class is answered here.
//!
//! Types name the classes of the standard library by their stubs. The order and the members are read off the sources, and
//! what they lead to is named by the stubs again.

use std::collections::BTreeSet;

use ruff_db::files::File;
use ruff_db::parsed::parsed_module;
use ruff_text_size::{Ranged as _, TextRange, TextSize};
use ty_python_core::definition::{Definition, DefinitionKind};
use ty_python_core::semantic_index;

use super::super::database::Db;
use super::super::runtime::DescriptorKind;
use super::index::number;
use super::inspector::public;
use super::layout::Layout;
use super::members::member_value;
use super::modules::{Evaluator, module_member};
use super::reaching::Runs;
use super::{Arguments, ClassRef, Node, Value};

/// The method resolution order of a class.
#[derive(Clone, Debug, PartialEq, Eq, salsa::SalsaValue)]
pub(in super::super) enum Order<'db> {
    Known(Vec<Definition<'db>>),
    /// It is known, but a class in it has no definition that types would name.
    Unnamed,
    Unknown,
}

/// What a class holds under a name.
pub(in super::super) enum Held<'db> {
    Function,
    ClassMethod,
    StaticMethod,
    Property {
        getter: bool,
        setter: bool,
        deleter: bool,
    },
    CachedProperty,
    Slot,
    Descriptor(Definition<'db>),
    Class,
    Value,
    /// The finished class has no such name, though the body binds it.
    Nothing,
}

/// What `Class.name = …` puts into a class behind its statement.
pub(in super::super) struct Later<'db> {
    /// None where it is not known what that is.
    pub held: Option<Held<'db>>,
    /// The end of the statement.
    pub at: TextSize,
    pub value: Option<TextRange>,
}

/// The order of the class that a definition makes.
#[salsa::tracked(returns(ref), cycle_result = no_order)]
pub(in super::super) fn order_of<'db>(db: &'db dyn Db, definition: Definition<'db>) -> Order<'db> {
    let evaluator = Evaluator::new(db);
    let Some(order) = evaluator.class_of(definition).and_then(|class| evaluator.mro(&class)) else {
        return Order::Unknown;
    };
    // Behind a single base the order is that base's own, so that a long chain is not named from its start for each class.
    if let [_, base, rest @ ..] = order.as_slice()
        && evaluator.mro(base).is_some_and(|of_base| of_base[1..] == *rest)
        && let Some(base) = evaluator.definition_of(base)
        && base != definition
        && let Order::Known(of_base) = order_of(db, base)
    {
        return Order::Known(std::iter::once(definition).chain(of_base.iter().copied()).collect());
    }
    // These add no members that code asks for, and are no classes to the types.
    let is_form = |class: &ClassRef| {
        let name = evaluator.class_name(class).unwrap_or_default();
        let name = name.strip_prefix("typing_extensions.").or(name.strip_prefix("typing."));
        matches!(name, Some("Generic" | "Protocol"))
    };
    let named = order.iter().filter(|class| !is_form(class)).map(|class| evaluator.definition_of(class));
    match named.collect::<Option<Vec<_>>>() {
        // The first is the one asked for, however it is reached.
        Some(mut order) if !order.is_empty() => {
            order[0] = definition;
            Order::Known(order)
        }
        _ => Order::Unnamed,
    }
}

fn no_order<'db>(_db: &'db dyn Db, _id: salsa::Id, _definition: Definition<'db>) -> Order<'db> {
    Order::Unknown
}

/// The metaclass of the class that a definition makes, if it is not `type`, and the class that says so; none if not known.
#[salsa::tracked(returns(copy))]
pub(in super::super) fn metaclass_of<'db>(
    db: &'db dyn Db,
    definition: Definition<'db>,
) -> Option<Option<(Definition<'db>, Definition<'db>)>> {
    let evaluator = Evaluator::new(db);
    let class = evaluator.class_of(definition)?;
    let metaclass = evaluator.metaclass(&class)?;
    if evaluator.is_c(&metaclass, "builtins.type") {
        return Some(None);
    }
    let order = evaluator.mro(&class)?;
    let has_it = |class: &&ClassRef| evaluator.metaclass(class).as_ref() == Some(&metaclass);
    let writes_it = |class: &&ClassRef| {
        let ClassRef::Source(node) = class else { return false };
        let source = evaluator.source(node.file);
        let arguments = source.class(node.number).and_then(|class| class.arguments.as_deref());
        arguments.is_some_and(|arguments| arguments.find_keyword("metaclass").is_some())
    };
    // Without a keyword, as with `six.with_metaclass`, it is the class from which the others have it.
    let mut having = order.iter().filter(has_it);
    let written_on = having.clone().find(writes_it).or_else(|| having.next_back())?;
    Some(Some((evaluator.definition_of(&metaclass)?, evaluator.definition_of(written_on)?)))
}

/// The names in the `__slots__` of a class statement: none if they are not known, `Some(None)` without `__slots__`.
#[salsa::tracked(returns(clone))]
pub(in super::super) fn slots_of<'db>(db: &'db dyn Db, definition: Definition<'db>) -> Option<Option<Vec<String>>> {
    let evaluator = Evaluator::new(db);
    match evaluator.class_of(definition)? {
        ClassRef::Source(node) => evaluator.slots_of(node),
        _ => None,
    }
}

/// What instances of the class are as descriptors.
#[salsa::tracked(returns(copy))]
pub(in super::super) fn descriptor_kind_of<'db>(
    db: &'db dyn Db,
    definition: Definition<'db>,
) -> Option<DescriptorKind> {
    let evaluator = Evaluator::new(db);
    let class = evaluator.class_of(definition)?;
    evaluator.descriptor_kind_of(&class).map(public)
}

/// What instances of the class carry; none where no source and no table tells.
#[salsa::tracked(returns(copy))]
pub(in super::super) fn layout_of_instances<'db>(db: &'db dyn Db, definition: Definition<'db>) -> Option<Layout> {
    let evaluator = Evaluator::new(db);
    evaluator.layout(&evaluator.class_of(definition)?)
}

/// Whether metaclass and `__init_subclass__` hooks leave the members that the bodies bind; none if that is not known.
#[salsa::tracked(returns(copy))]
pub(in super::super) fn keeps_members<'db>(db: &'db dyn Db, definition: Definition<'db>) -> Option<bool> {
    let evaluator = Evaluator::new(db);
    match evaluator.class_of(definition)? {
        ClassRef::Source(node) => evaluator.keeps_members(node),
        _ => Some(true),
    }
}

/// The names that statements `Class.name = …` of the class's module bind in it.
#[salsa::tracked(returns(ref))]
pub(in super::super) fn assigned_names<'db>(db: &'db dyn Db, definition: Definition<'db>) -> BTreeSet<String> {
    let evaluator = Evaluator::new(db);
    match evaluator.class_of(definition) {
        Some(ClassRef::Source(node)) => evaluator.assigned_names(node),
        _ => BTreeSet::new(),
    }
}

/// What such a statement puts into the class; the last one that runs.
pub(in super::super) fn later_value<'db>(
    db: &'db dyn Db,
    definition: Definition<'db>,
    name: &str,
) -> Option<Later<'db>> {
    if !assigned_names(db, definition).contains(name) {
        return None;
    }
    let evaluator = Evaluator::new(db);
    let ClassRef::Source(node) = evaluator.class_of(definition)? else { return None };
    let assigned = evaluator.assigned_later(node, name)?;
    let held = (assigned.runs == Runs::Always).then(|| evaluator.held(&assigned.value)).flatten();
    let value =
        assigned.node.and_then(|value| evaluator.source(node.file).expression(value).map(|value| value.range()));
    Some(Later { held, at: assigned.at, value })
}

/// What the class statement leaves under a name that its body binds; none if that is not known.
pub(in super::super) fn held<'db>(db: &'db dyn Db, definition: Definition<'db>, name: &str) -> Option<Held<'db>> {
    let evaluator = Evaluator::new(db);
    let ClassRef::Source(node) = evaluator.class_of(definition)? else { return None };
    let value = match assigned_names(db, definition).contains(name) {
        true => evaluator.member_of_statement(node, name),
        false => member_value(db, node.file, node.number, name.to_string()),
    };
    match value {
        Some(value) => evaluator.held(&value),
        None => Some(Held::Nothing),
    }
}

/// The class of the object that a name of a module holds when the module has run.
#[salsa::tracked(returns(copy))]
pub(in super::super) fn instance_of_global<'db>(
    db: &'db dyn Db,
    definition: Definition<'db>,
) -> Option<Definition<'db>> {
    let file = definition.file(db);
    if file.is_stub(db) {
        return None;
    }
    let evaluator = Evaluator::new(db);
    evaluator.source(file); // Names are resolved from here.
    let name = definition.name(db)?;
    let value = module_member(db, file, name)?;
    let is_object = |value: &Value| matches!(value, Value::Instance(_) | Value::Object(_));
    let is_known = value.alternatives().iter().all(is_object);
    evaluator.definition_of(&evaluator.type_of(&value).filter(|_| is_known)?)
}

impl<'db> Evaluator<'db> {
    /// The class that a definition makes.
    fn class_of(&self, definition: Definition<'db>) -> Option<ClassRef> {
        let file = definition.file(self.db);
        let parsed = parsed_module(self.db, definition.python_file(self.db)).load(self.db);
        let DefinitionKind::Class(statement) = definition.kind(self.db) else { return None };
        let node = Node { file, number: number(statement.node(&parsed)) };
        self.source(file); // Names are resolved from here.
        if !file.is_stub(self.db) {
            return Some(ClassRef::Source(node));
        }
        let full = self.qualified_name(node)?;
        match self.named_class(&full) {
            ClassRef::C(name) => self.db.knowledge().c_types.facts(&name).is_some().then_some(ClassRef::C(name)),
            class => Some(class),
        }
    }

    /// The definition that types would name for a class.
    fn definition_of(&self, class: &ClassRef) -> Option<Definition<'db>> {
        let node = match class {
            ClassRef::C(name) => self.stub_class(name)?,
            ClassRef::Source(node) if !self.is_of_library(node.file) || node.file.is_stub(self.db) => *node,
            ClassRef::Source(node) => self.stub_class(&self.qualified_name(*node)?)?,
            ClassRef::Made(_) => return None,
        };
        let source = self.source(node.file);
        let index = semantic_index(self.db, self.program_file_of(node.file));
        index.try_definition(source.class(node.number)?)
    }

    fn program_file_of(&self, file: File) -> ty_python_core::ProgramFile<'db> {
        self.db.program_file(file)
    }

    fn held(&self, value: &Value) -> Option<Held<'db>> {
        let class = match value {
            Value::Function(_) => return Some(Held::Function),
            Value::Class(_) => return Some(Held::Class),
            Value::None | Value::Bool(_) | Value::Int(_) | Value::Str(_) | Value::Tuple(_) | Value::Module(_) => {
                return Some(Held::Value);
            }
            Value::Object(object) if self.is_c(&object.class, "builtins.property") => {
                return property(&object.arguments);
            }
            Value::Object(_) | Value::Instance(_) => self.type_of(value)?,
            _ => return None,
        };
        let name = self.class_name(&class)?;
        Some(match name.as_str() {
            "builtins.property" => return None,
            "builtins.classmethod" => Held::ClassMethod,
            "builtins.staticmethod" => Held::StaticMethod,
            "builtins.member_descriptor" => Held::Slot,
            "functools.cached_property" => Held::CachedProperty,
            "builtins.function" => Held::Function,
            _ => match public(self.descriptor_kind_of(&class)?) {
                DescriptorKind::None => Held::Value,
                DescriptorKind::Data | DescriptorKind::NonData => Held::Descriptor(self.definition_of(&class)?),
            },
        })
    }
}

fn property<'db>(arguments: &Arguments) -> Option<Held<'db>> {
    let has = |position: usize, name: &str| arguments.get(position, name).is_some_and(|value| *value != Value::None);
    (!arguments.is_open).then(|| Held::Property {
        getter: has(0, "fget"),
        setter: has(1, "fset"),
        deleter: has(2, "fdel"),
    })
}
