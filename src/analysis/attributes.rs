//! Attribute lookup: which step of it serves `obj.attr`, and why.
//!
//! The order is that of `object.__getattribute__`: data descriptor on the type's MRO, instance dictionary, other
//! class attribute, `__getattr__` (docs.python.org/3/howto/descriptor.html#invocation-from-an-instance).

use ruff_db::parsed::parsed_module;
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, ExprContext};
use ruff_text_size::{Ranged as _, TextRange, TextSize};
use ty_python_core::definition::{Definition, DefinitionKind};
use ty_python_core::scope::FileScopeId;
use ty_python_core::{SemanticIndex, attribute_scopes, place_table, semantic_index, use_def_map};
use ty_python_semantic::HasType as _;
use ty_python_semantic::types::Type;

use super::classes::{Class, Moment};
use super::module::{Module, place_of};
use super::runtime::DescriptorKind;
use super::values::{self, Held};
use crate::text::Place;

/// What an attribute expression does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
    Delete,
}

/// What a name in a class is at run time.
#[derive(Clone, PartialEq, Eq)]
pub enum MemberKind<'s> {
    /// A plain function: a non-data descriptor that binds.
    Function,
    ClassMethod,
    StaticMethod,
    /// `property`, always a data descriptor; which accessors it has.
    Property {
        getter: bool,
        setter: bool,
        deleter: bool,
    },
    /// `functools.cached_property`: a non-data descriptor that stores its result in the instance dictionary.
    CachedProperty,
    /// A member of `__slots__`: a data descriptor.
    Slot,
    /// An instance of a class that defines `__get__`, `__set__` or `__delete__`.
    Descriptor(Class<'s>),
    /// A class written in the class body.
    Class,
    /// Anything else in the class body.
    Value,
    /// Bound by `self.name = …` in a method.
    Instance,
    /// Bound in the class body, but by something that was not understood (a decorator, an unknown call).
    Unknown,
}

/// A name found along a class's MRO.
#[derive(Clone)]
pub struct Member<'s> {
    /// The class whose body, or whose methods, bind it.
    pub owner: Class<'s>,
    pub name: String,
    pub kind: MemberKind<'s>,
    /// Where it is bound.
    pub place: Option<Place>,
    /// The source of what is bound, for assignments: `TypedProperty("age", int)`.
    pub source: Option<String>,
    /// Where the statement `Class.name = …` ends that binds it, if the class body does not.
    given_at: Option<TextSize>,
}

impl Member<'_> {
    /// Whether it takes part in lookup as a data descriptor; `None` when that is not known.
    pub fn is_data_descriptor(&self) -> Option<bool> {
        match &self.kind {
            MemberKind::Property { .. } | MemberKind::Slot => Some(true),
            MemberKind::Descriptor(class) => Some(class.descriptor_kind() == DescriptorKind::Data),
            MemberKind::Unknown => None,
            _ => Some(false),
        }
    }
}

/// The step of the lookup that serves an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A data descriptor on the class; the instance's `__dict__` is not asked.
    DataDescriptor,
    /// The instance's `__dict__` (or, for a write without a data descriptor, it is where the value goes).
    InstanceDict,
    /// A class attribute: a function or other non-data descriptor, or a plain value.
    ClassAttribute,
    /// `__getattr__`, after everything else failed.
    GetattrHook,
}

/// How an attribute expression is served.
#[derive(Clone)]
pub struct Lookup<'s> {
    /// The class of the receiver; or the receiver itself when `through_class`.
    pub receiver: Class<'s>,
    /// Whether the receiver is a class object (`Person.name`).
    pub through_class: bool,
    pub access: Access,
    pub step: Step,
    /// What was found; for [`Step::GetattrHook`] it is the hook.
    pub member: Member<'s>,
}

impl<'s> Module<'s> {
    /// Which step serves `attribute`; `None` where the receiver's class or anything on the way is not known.
    pub fn lookup(&self, attribute: &ast::ExprAttribute) -> Option<Lookup<'s>> {
        let access = match attribute.ctx {
            ExprContext::Store => Access::Write,
            ExprContext::Del => Access::Delete,
            _ => Access::Read,
        };
        let name = attribute.attr.as_str();
        let reference = self.class_reference(&attribute.value);
        let through_class = reference.is_some();
        let receiver = match reference {
            Some(class) => class,
            None => self.receiver_class(&attribute.value)?,
        };
        if access == Access::Read && receiver.definer("__getattribute__").is_some() {
            return None; // The class decides itself; see the hook's own page.
        }
        let mut member = receiver.member(name);
        let runs_before =
            |member: &Member<'s>| member.given_at.is_some_and(|at| self.runs_before(attribute, &member.owner, at));
        if member.as_ref().is_some_and(runs_before) {
            member = receiver.member_as(name, Moment::Statement);
        }
        if through_class {
            let member = member.filter(|member| member.kind != MemberKind::Instance)?;
            let step = Step::ClassAttribute;
            return Some(Lookup { receiver, through_class, access, step, member });
        }
        let step = match &member {
            Some(member) if member.is_data_descriptor()? => Step::DataDescriptor,
            Some(member) if member.kind == MemberKind::Instance => Step::InstanceDict,
            Some(_) if access != Access::Read => Step::InstanceDict,
            Some(_) if receiver.sets_instance_attribute(name) => Step::InstanceDict,
            Some(_) => Step::ClassAttribute,
            None if access == Access::Read && receiver.mro_is_complete() => {
                let hook = receiver.definer("__getattr__")?.member("__getattr__")?;
                return Some(Lookup { receiver, through_class, access, step: Step::GetattrHook, member: hook });
            }
            None => return None,
        };
        Some(Lookup { receiver, through_class, access, step, member: member? })
    }

    /// The class of a receiver, looking through un-annotated parameters to the calls in this file.
    pub fn receiver_class(&self, expr: &Expr) -> Option<Class<'s>> {
        self.class_of(expr).or_else(|| self.traced_class(expr))
    }

    /// The class that `cls` or `self.__class__`-like names stand for is not followed; a plain name of a class is.
    pub fn enclosing_class(&self, node: AnyNodeRef<'_>) -> Option<Class<'s>> {
        let program_file = self.model().program_file();
        self.model().ancestor_scopes(node).find_map(|(scope, _)| {
            let scope = scope.to_scope_id(self.db(), program_file);
            scope.class_definition_of_method(self.db()).map(|class| Class::new(self.snapshot(), class))
        })
    }
}

impl<'s> Class<'s> {
    /// What instances of this class are as descriptors.
    pub fn descriptor_kind(&self) -> DescriptorKind {
        if let Some(kind) = values::descriptor_kind_of(self.snapshot(), self.definition()) {
            return kind;
        }
        for class in self.described_order() {
            let symbol = class.symbol();
            if symbol.origin != super::Origin::Project
                && let Some(kind) = class.module().runtime().descriptor(&symbol.to_string())
            {
                return kind;
            }
        }
        if self.definer("__set__").is_some() || self.definer("__delete__").is_some() {
            DescriptorKind::Data
        } else if self.definer("__get__").is_some() {
            DescriptorKind::NonData
        } else {
            DescriptorKind::None
        }
    }

    /// `name` as found along the MRO: bound in a class body, or else by `self.name = …` in a method.
    pub fn member(&self, name: &str) -> Option<Member<'s>> {
        self.member_as(name, Moment::End)
    }

    fn member_as(&self, name: &str, moment: Moment) -> Option<Member<'s>> {
        let order = self.described_order();
        let bound = order.iter().find_map(|class| class.own_member_as(name, moment));
        bound.or_else(|| order.iter().find_map(|class| class.own_instance_attribute(name)))
    }

    /// `name` as the class's own body binds it last, or a statement `Class.name = …` behind it.
    pub fn own_member(&self, name: &str) -> Option<Member<'s>> {
        self.own_member_as(name, Moment::End)
    }

    fn own_member_as(&self, name: &str, moment: Moment) -> Option<Member<'s>> {
        let module = self.module();
        let db = module.db();
        if moment == Moment::End
            && let Some(later) = values::later_value(self.snapshot(), self.definition(), name)
        {
            let kind = later.held.map_or(MemberKind::Unknown, |held| self.kind_held(held));
            let source = None; // What pages say about it is that it stands in the class body.
            let place = module.place(later.value.unwrap_or(TextRange::empty(later.at)));
            return Some(Member {
                owner: *self,
                name: name.to_string(),
                kind,
                place,
                source,
                given_at: Some(later.at),
            });
        }
        if self.own_slots().is_some_and(|slots| slots.iter().any(|slot| slot == name)) {
            let place = self.place();
            let kind = MemberKind::Slot;
            return Some(Member { owner: *self, name: name.to_string(), kind, place, source: None, given_at: None });
        }
        let definition = self.own_definition(name)?;
        let (kind, source) = match values::held(self.snapshot(), self.definition(), name) {
            Some(Held::Nothing) => return None,
            Some(held) => (self.kind_held(held), module.member_source(definition)),
            None => module.member_kind(definition),
        };
        let place = place_of(db, definition);
        Some(Member { owner: *self, name: name.to_string(), kind, place, source, given_at: None })
    }

    fn kind_held(&self, held: Held<'s>) -> MemberKind<'s> {
        match held {
            Held::Function => MemberKind::Function,
            Held::ClassMethod => MemberKind::ClassMethod,
            Held::StaticMethod => MemberKind::StaticMethod,
            Held::Property { getter, setter, deleter } => MemberKind::Property { getter, setter, deleter },
            Held::CachedProperty => MemberKind::CachedProperty,
            Held::Slot => MemberKind::Slot,
            Held::Descriptor(class) => MemberKind::Descriptor(Class::new(self.snapshot(), class)),
            Held::Class => MemberKind::Class,
            Held::Value | Held::Nothing => MemberKind::Value,
        }
    }

    /// The definition that the class's own body leaves for `name`.
    pub(super) fn own_definition(&self, name: &str) -> Option<Definition<'s>> {
        let module = self.module();
        let db = module.db();
        let scope = self.scope();
        let symbol = place_table(db, scope).symbol_id(name)?;
        let map = use_def_map(db, scope);
        let bound = map.end_of_scope_symbol_bindings(symbol).filter_map(|binding| binding.binding.definition()).last();
        bound.or_else(|| {
            let declared = map.end_of_scope_symbol_declarations(symbol);
            declared.filter_map(|declared| declared.declaration.definition()).last().filter(|_| module.is_stub())
        })
    }

    /// `self.name = …` in a method of this very class.
    pub fn own_instance_attribute(&self, name: &str) -> Option<Member<'s>> {
        let module = self.module();
        let db = module.db();
        let class_scope = self.scope();
        let index = semantic_index(db, class_scope.program_file(db));
        let definition = attribute_scopes(db, class_scope)
            .find_map(|scope| instance_bindings(index, scope, name).first().copied())?;
        let parsed = parsed_module(db, definition.python_file(db)).load(db);
        let source = definition.kind(db).value(&parsed).map(|value| module.source(value.range()).to_string());
        let place = place_of(db, definition);
        let kind = MemberKind::Instance;
        Some(Member { owner: *self, name: name.to_string(), kind, place, source, given_at: None })
    }

    /// Whether a method of a class along the MRO binds `self.name`.
    pub fn sets_instance_attribute(&self, name: &str) -> bool {
        self.described_order().iter().any(|class| class.own_instance_attribute(name).is_some())
    }
}

/// The definitions `self.name = …` in one method; a mere read of `self.name` is in the table too, but is none.
pub(super) fn instance_bindings<'db>(
    index: &SemanticIndex<'db>,
    scope: FileScopeId,
    name: &str,
) -> Vec<Definition<'db>> {
    let Some(member) = index.place_table(scope).member_id_by_instance_attribute_name(name) else { return vec![] };
    let map = index.use_def_map(scope);
    let bindings = map.reachable_member_bindings(member).filter_map(|binding| binding.binding.definition());
    let declarations = map.reachable_member_declarations(member).filter_map(|item| item.declaration.definition());
    bindings.chain(declarations).collect()
}

impl<'s> Module<'s> {
    /// The source of the value of a binding.
    fn member_source(&self, definition: Definition<'s>) -> Option<String> {
        let value = definition.kind(self.db()).value(self.parsed())?;
        Some(self.source(value.range()).to_string())
    }

    /// What a binding in a class body of this file is at run time, and the source of its value.
    fn member_kind(&self, definition: Definition<'s>) -> (MemberKind<'s>, Option<String>) {
        let parsed = self.parsed();
        match definition.kind(self.db()) {
            DefinitionKind::Function(node) => (self.function_kind(node.node(parsed)), None),
            DefinitionKind::Class(_) => (MemberKind::Class, None),
            kind => {
                let Some(value) = kind.value(parsed) else { return (self.declared_kind(definition), None) };
                (self.value_kind(value), Some(self.source(value.range()).to_string()))
            }
        }
    }

    fn function_kind(&self, def: &ast::StmtFunctionDef) -> MemberKind<'s> {
        let [decorators @ .., innermost] = def.decorator_list.as_slice() else {
            // Implicit class and static methods (reference/datamodel).
            return match def.name.as_str() {
                "__init_subclass__" | "__class_getitem__" => MemberKind::ClassMethod,
                "__new__" => MemberKind::StaticMethod,
                _ => MemberKind::Function,
            };
        };
        let ty = def.inferred_type(self.model());
        if let Some(property) = ty.and_then(|ty| self.property_kind(ty)) {
            return property;
        }
        let outermost = decorators.first().unwrap_or(innermost);
        match self.symbol(&outermost.expression) {
            Some(symbol) if symbol.is("builtins.classmethod") => MemberKind::ClassMethod,
            Some(symbol) if symbol.is("builtins.staticmethod") => MemberKind::StaticMethod,
            Some(symbol) if symbol.is("functools.cached_property") => MemberKind::CachedProperty,
            Some(symbol)
                if symbol.is_any(&["abc.abstractmethod", "typing.override", "typing.final", "typing.overload"]) =>
            {
                MemberKind::Function
            }
            _ => match self.class_reference(&outermost.expression) {
                Some(class) => self.instance_kind(class),
                None => MemberKind::Unknown,
            },
        }
    }

    fn property_kind(&self, ty: Type<'s>) -> Option<MemberKind<'s>> {
        let (property, db) = (ty.as_property_instance()?, self.db());
        let (getter, setter) = (property.getter(db).is_some(), property.setter(db).is_some());
        Some(MemberKind::Property { getter, setter, deleter: property.deleter(db).is_some() })
    }

    fn value_kind(&self, value: &Expr) -> MemberKind<'s> {
        let ty = value.inferred_type(self.model());
        if let Some(property) = ty.and_then(|ty| self.property_kind(ty)) {
            return property;
        }
        match ty {
            Some(Type::FunctionLiteral(_)) => MemberKind::Function,
            Some(Type::ClassLiteral(_) | Type::GenericAlias(_)) => MemberKind::Class,
            Some(ty) => match self.class_of_type(ty, value.into()) {
                Some(class) => self.instance_kind(class),
                None => MemberKind::Unknown,
            },
            None => MemberKind::Unknown,
        }
    }

    /// A declaration without a value: in a stub it describes what is there at run time.
    fn declared_kind(&self, definition: Definition<'s>) -> MemberKind<'s> {
        let DefinitionKind::AnnotatedAssignment(assignment) = definition.kind(self.db()) else {
            return MemberKind::Unknown;
        };
        let annotation = assignment.annotation(self.parsed());
        match self.class_reference(annotation) {
            Some(class) => self.instance_kind(class),
            None => MemberKind::Unknown,
        }
    }

    fn instance_kind(&self, class: Class<'s>) -> MemberKind<'s> {
        if class.is("functools.cached_property") {
            return MemberKind::CachedProperty;
        }
        match class.descriptor_kind() {
            DescriptorKind::None if class.mro_is_complete() => MemberKind::Value,
            DescriptorKind::None => MemberKind::Unknown,
            _ => MemberKind::Descriptor(class),
        }
    }
}
