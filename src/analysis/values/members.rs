//! What a class holds under the names its body binds, when it is finished: metaclasses and decorators have had their way.

use std::collections::{BTreeSet, HashMap};

use ruff_db::files::File;
use ruff_python_ast::{self as ast, Expr, Stmt};
use ruff_text_size::{Ranged as _, TextSize};

use super::super::database::Db;
use super::c_types::Descriptor;
use super::changes::changes_of;
use super::classes::{Classification, classify};
use super::decorators::ClassDecorator;
use super::generic::ClassForm;
use super::index::{BindingKind, NodeNumber};
use super::modules::{Context, Evaluator, ROUNDS};
use super::reaching::Runs;
use super::{Arguments, ClassRef, Node, Value};

/// A name in a class body, and what the class holds under it.
pub(in super::super) struct OwnMember {
    pub name: String,
    /// The statement that binds it last.
    pub node: NodeNumber,
    pub value: Value,
}

/// What the class at a node holds under a name that its body binds; none if the body does not, or the name is gone again.
#[salsa::tracked(returns(clone), cycle_initial = unknown_member, cycle_fn = settled_member)]
pub(super) fn member_value(db: &dyn Db, file: File, node: NodeNumber, name: String) -> Option<Value> {
    let evaluator = Evaluator::new(db);
    let node = Node { file, number: node };
    evaluator.finished_member(node, &name)
}

fn unknown_member(_db: &dyn Db, _id: salsa::Id, _file: File, _node: NodeNumber, _name: String) -> Option<Value> {
    Some(Value::Unknown)
}

fn settled_member(
    _db: &dyn Db,
    cycle: &salsa::Cycle,
    _previous: &Option<Value>,
    value: Option<Value>,
    _file: File,
    _node: NodeNumber,
    _name: String,
) -> Option<Value> {
    if cycle.iteration() > ROUNDS { Some(Value::Unknown) } else { value }
}

/// The names that the class's body binds by `def`, `class` and assignment, with what the finished class holds.
pub(in super::super) fn own_members(db: &dyn Db, file: File, node: NodeNumber) -> Vec<OwnMember> {
    let evaluator = Evaluator::new(db);
    let source = evaluator.source(file);
    let Some(scope) = source.index.scope_of(node) else { return vec![] };
    let scope = source.index.scope(scope);
    let mut last: HashMap<&str, NodeNumber> = HashMap::new();
    for binding in &scope.bindings {
        let is_fact = matches!(binding.kind, BindingKind::Function | BindingKind::Class | BindingKind::Assign { .. });
        let is_statement = source.statement(binding.node).is_some_and(|statement| {
            matches!(statement, Stmt::FunctionDef(_) | Stmt::ClassDef(_) | Stmt::Assign(_) | Stmt::AnnAssign(_))
        });
        if is_fact && is_statement {
            last.insert(&binding.name, binding.node);
        }
    }
    let names = scope.names().into_iter().filter(|name| last.contains_key(name));
    names
        .filter_map(|name| {
            let value = member_value(db, file, node, name.to_string())?;
            Some(OwnMember { name: name.to_string(), node: last[name], value })
        })
        .collect()
}

/// A statement `Class.name = …`.
pub(super) struct Assigned {
    pub value: Value,
    pub runs: Runs,
    /// The value's node; none where it is not written out.
    pub node: Option<NodeNumber>,
    /// The end of the statement.
    pub at: TextSize,
}

impl<'db> Evaluator<'db> {
    /// Whether metaclass and hooks leave the members of a class alone; none if one of them is not known.
    pub fn keeps_members(&self, node: Node) -> Option<bool> {
        let facts = classify(self.db, node.file, node.number);
        let metaclass = facts.metaclass.as_ref()?;
        facts.mro.as_ref()?;
        Some(!self.changes_by(metaclass).is_selective && !self.changes_by_hooks(&facts).is_selective)
    }

    fn finished_member(&self, node: Node, name: &str) -> Option<Value> {
        // A class that binds the name of a slot is refused, unless its metaclass takes the name out of the body first.
        let slots = self.slots_of(node).unwrap_or_default();
        if slots.is_some_and(|slots| slots.iter().any(|slot| slot == name)) {
            return Some(Value::c_instance("builtins.member_descriptor"));
        }
        match self.assigned_later(node, name) {
            Some(assigned) if assigned.runs == Runs::Always => Some(assigned.value),
            Some(assigned) => Some(
                self.member_of_statement(node, name).map_or(Value::Unknown, |made| Value::join([made, assigned.value])),
            ),
            None => self.member_of_statement(node, name),
        }
    }

    /// What the class statement leaves under a name.
    pub fn member_of_statement(&self, node: Node, name: &str) -> Option<Value> {
        let source = self.source(node.file);
        let scope = source.index.scope_of(node.number)?;
        let context = Context { source: source.clone(), scope, frame: None, at: None };
        let facts = classify(self.db, node.file, node.number);
        let value = self.scope_value(&context, scope, name, None)?;
        self.made_member(&context, node, &facts, name, value)
    }

    /// What the class statement leaves under a name that its body binds.
    fn made_member(
        &self,
        context: &Context<'db>,
        node: Node,
        facts: &Classification,
        name: &str,
        value: Value,
    ) -> Option<Value> {
        if facts.is_no_class || name == "__qualname__" {
            return None;
        }
        let value = value.map(|value| self.implicit_method(name, value));
        self.transformed(context, node, facts, name, value)
    }

    /// The names that `Class.name = …` binds in the module of the class.
    pub fn assigned_names(&self, node: Node) -> BTreeSet<String> {
        let source = self.source(node.file);
        let Some(class) = self.name_in_module(node) else { return BTreeSet::new() };
        source.index.attributes_of(class.as_str()).map(str::to_string).collect()
    }

    /// The name under which its module, and nothing else there, has a class.
    fn name_in_module(&self, node: Node) -> Option<String> {
        let source = self.source(node.file);
        let class = source.class(node.number)?.name.as_str();
        let is_only = source.scope_before(node.number) == 0 && source.index.scope(0).bindings_of(class).count() == 1;
        is_only.then(|| class.to_string())
    }

    /// `Class.name = …` in the module of the class.
    pub fn assigned_later(&self, node: Node, name: &str) -> Option<Assigned> {
        let source = self.source(node.file);
        let class = self.name_in_module(node)?;
        let context = self.module_context(node.file);
        let mut found = source.index.attribute_bindings(&class, name).rev();
        found.find_map(|binding| match self.runs(&context, binding.branch, binding.at, None).runs {
            Runs::Never => None,
            runs => {
                let value = binding.value.and_then(|value| source.expression(value));
                let here = Context { at: Some(binding.at), ..context.clone() };
                let value = value.map_or(Value::Unknown, |value| self.evaluate(&here, value));
                Some(Assigned { value, runs, node: binding.value, at: binding.at })
            }
        })
    }

    /// Some methods are class or static methods without being declared so (reference/datamodel).
    fn implicit_method(&self, name: &str, value: &Value) -> Value {
        let wrapper = match name {
            "__new__" => "builtins.staticmethod",
            "__init_subclass__" | "__class_getitem__" => "builtins.classmethod",
            _ => return value.clone(),
        };
        match value {
            Value::Function(_) => Value::object(ClassRef::C(wrapper.into()), Arguments::of(vec![value.clone()])),
            other => other.clone(),
        }
    }

    /// What decorators and metaclass make of a member.
    fn transformed(
        &self,
        context: &Context<'db>,
        node: Node,
        facts: &Classification,
        name: &str,
        value: Value,
    ) -> Option<Value> {
        let is_field = self.is_annotated(context, name);
        if facts.form == ClassForm::NamedTuple && is_field {
            return Some(Value::c_instance("_collections._tuplegetter"));
        }
        for decorator in self.class_decorators(context, node) {
            match self.decorated_member(context, node, decorator, &value, is_field) {
                Some(Some(changed)) => return Some(changed),
                Some(None) => return None,
                None => {}
            }
        }
        let Some(metaclass) = &facts.metaclass else {
            // The class has a base that is not known, and with it perhaps a metaclass, to which an annotated name is a field.
            let is_kept = self.is_inert(&value) && !is_field && !self.is_rewritten_by_decorator(context, node);
            return Some(if is_kept { value } else { Value::Unknown });
        };
        if self.is_enum_type(metaclass) {
            return Some(self.enum_member(node, facts, name, value));
        }
        if !is_callable(&value) && self.is_rewritten_by_decorator(context, node) {
            return Some(Value::Unknown);
        }
        let (of_metaclass, of_hook) = (self.changes_by(metaclass), self.changes_by_hooks(facts));
        let is_changed = [of_metaclass, of_hook].iter().any(|changes| {
            (changes.rewrites && !is_callable(&value))
                || changes.names.contains(name)
                || changes.is_selective && (is_field || !self.is_inert(&value))
        });
        Some(if is_changed { Value::Unknown } else { value })
    }

    /// Whether a decorator of the class goes through its namespace and sets members anew.
    fn is_rewritten_by_decorator(&self, context: &Context<'db>, node: Node) -> bool {
        let source = self.source(node.file);
        let Some(statement) = source.class(node.number) else { return false };
        let scope = source.scope_before(node.number);
        let here = Context { scope, at: Some(statement.start()), frame: context.frame.clone(), source: source.clone() };
        let is_made_anew = classify(self.db, node.file, node.number).is_made_anew;
        statement.decorator_list.iter().any(|decorator| match self.evaluate(&here, &decorator.expression) {
            Value::Function(function) => {
                let changes = changes_of(self.db, function.node.file, function.node.number);
                changes.rewrites || changes.copies && is_made_anew
            }
            _ => false,
        })
    }

    /// Whether a value is of a kind that metaclasses leave in place: functions and constants, not descriptors and markers of
    /// a library's own.
    fn is_inert(&self, value: &Value) -> bool {
        match value {
            Value::OneOf(values) => values.iter().all(|value| self.is_inert(value)),
            Value::Function(_) | Value::None | Value::Bool(_) | Value::Int(_) | Value::Str(_) | Value::Tuple(_) => true,
            Value::Instance(ClassRef::C(_)) => true,
            Value::Object(object) => matches!(&object.class, ClassRef::C(_)),
            _ => false,
        }
    }

    /// Whether the body annotates the name.
    fn is_annotated(&self, context: &Context<'db>, name: &str) -> bool {
        let scope = context.source.index.scope(context.scope);
        scope.bindings_of(name).any(|(_, binding)| {
            matches!(context.source.statement(binding.node), Some(Stmt::AnnAssign(assign)) if !is_class_variable(assign))
        })
    }

    fn decorated_member(
        &self,
        context: &Context<'db>,
        node: Node,
        decorator: ClassDecorator,
        value: &Value,
        is_field: bool,
    ) -> Option<Option<Value>> {
        let slot = || Some(Some(Value::c_instance("builtins.member_descriptor")));
        match decorator {
            ClassDecorator::Dataclass { slots, .. } if is_field => {
                if slots {
                    return slot();
                }
                let Value::Object(field) = value else { return None };
                if self.class_name(&field.class)? != "dataclasses.Field" {
                    return None;
                }
                // The field gives way to its default, or to nothing.
                match field.arguments.positional.first() {
                    Some(Value::Unknown) => Some(Some(Value::Unknown)),
                    Some(Value::Object(default)) if self.class_name(&default.class)? == "dataclasses._MISSING_TYPE" => {
                        Some(None)
                    }
                    default => Some(default.cloned()),
                }
            }
            ClassDecorator::Attrs { slots, annotated } => {
                let is_attribute = self.is_attrib(value);
                let collects_annotated = annotated.unwrap_or_else(|| !self.has_bare_attrib(context, node));
                if !(is_attribute || (collects_annotated && is_field)) {
                    let is_cached = self.type_name(value).as_deref() == Some("functools.cached_property");
                    return if slots && is_cached { slot() } else { None };
                }
                if slots { slot() } else { Some(None) }
            }
            ClassDecorator::OpenDataclass => is_field.then_some(Some(Value::Unknown)),
            ClassDecorator::Dataclass { .. } => None,
        }
    }

    /// Whether a field is made by `attr.ib()` without an annotation: then the annotated names are no fields by themselves.
    fn has_bare_attrib(&self, context: &Context<'db>, node: Node) -> bool {
        let scope = context.source.index.scope(context.scope);
        scope.names().into_iter().any(|name| {
            !self.is_annotated(context, name)
                && self
                    .scope_value(context, context.scope, name, None)
                    .is_some_and(|value| self.is_attrib(&value) && node.file == context.source.file)
        })
    }

    fn is_attrib(&self, value: &Value) -> bool {
        self.type_name(value).as_deref() == Some("attr._make._CountingAttr")
    }

    /// What a value is as a descriptor; none if that is not known.
    pub fn descriptor_kind(&self, value: &Value) -> Option<Descriptor> {
        match value {
            Value::Unknown | Value::Form(_) => None,
            Value::OneOf(values) => {
                let mut kinds = values.iter().map(|value| self.descriptor_kind(value));
                let first = kinds.next()??;
                kinds.all(|kind| kind == Some(first)).then_some(first)
            }
            // Of whatever class exactly a function of a compiled module is, it binds.
            Value::Function(_) => Some(Descriptor::NonData),
            other => self.descriptor_kind_of(&self.type_of(other)?),
        }
    }

    /// What instances of a class are as descriptors.
    pub fn descriptor_kind_of(&self, class: &ClassRef) -> Option<Descriptor> {
        if let ClassRef::C(name) = class {
            return self.descriptor_of_c(name);
        }
        let mut kind = Descriptor::None;
        for owner in self.mro(class)? {
            if matches!(&owner, ClassRef::Made(made) if made.slots.is_none()) {
                return None; // What the call put into it is not followed.
            }
            if let ClassRef::C(name) = &owner {
                match self.descriptor_of_c(name)? {
                    Descriptor::Data => return Some(Descriptor::Data),
                    Descriptor::NonData => kind = Descriptor::NonData,
                    Descriptor::None => {}
                }
                continue;
            }
            if self.own_entry(&owner, "__set__").is_some() || self.own_entry(&owner, "__delete__").is_some() {
                return Some(Descriptor::Data);
            }
            if self.own_entry(&owner, "__get__").is_some() {
                kind = Descriptor::NonData;
            }
        }
        Some(kind)
    }

    fn descriptor_of_c(&self, name: &str) -> Option<Descriptor> {
        Some(self.db.knowledge().c_types.facts(name)?.descriptor(self.version()))
    }

    /// The full name of the class of a value.
    pub fn type_name(&self, value: &Value) -> Option<String> {
        self.class_name(&self.type_of(value)?)
    }
}

/// Functions and what wraps them: code that sets members anew does so to markers and constants, and leaves these.
fn is_callable(value: &Value) -> bool {
    match value {
        Value::OneOf(values) => values.iter().all(is_callable),
        Value::Object(object) => matches!(&object.class, ClassRef::C(_)),
        other => matches!(other, Value::Function(_)),
    }
}

/// `ClassVar` and `InitVar` annotate no field.
fn is_class_variable(assign: &ast::StmtAnnAssign) -> bool {
    let annotation = match &*assign.annotation {
        Expr::Subscript(subscript) => &*subscript.value,
        Expr::StringLiteral(text) => return text.value.to_str().contains("ClassVar"),
        other => other,
    };
    match annotation {
        Expr::Name(name) => matches!(name.id.as_str(), "ClassVar" | "InitVar"),
        Expr::Attribute(name) => matches!(name.attr.as_str(), "ClassVar" | "InitVar"),
        _ => false,
    }
}
