//! Classes at run time: method resolution order, metaclass and where it is written, `__slots__`, who defines what.

use std::hash::{Hash, Hasher};

use ruff_db::parsed::{ParsedModuleRef, parsed_module};
use ruff_python_ast as ast;
use ruff_python_ast::name::Name;
use ty_python_core::definition::{Definition, DefinitionKind};
use ty_python_core::scope::{NodeWithScopeRef, ScopeId};
use ty_python_core::semantic_index;
use ty_python_semantic::types::{KnownClass, Type, TypeDefinition};
use ty_python_semantic::{Db as SemanticDb, HasType as _, ProgramEnvironment, SemanticModel};

use super::module::{Module, place_of};
use super::values::{self, Layout, Order, metaclass_of, order_of, slots_of};
use super::{Snapshot, database};
use crate::text::Place;

/// A class, written as a `class` statement in some file or stub.
#[derive(Clone, Copy)]
pub struct Class<'s> {
    snapshot: &'s Snapshot,
    definition: Definition<'s>,
}

impl PartialEq for Class<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.definition == other.definition
    }
}

impl Eq for Class<'_> {}

impl Hash for Class<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.definition.hash(state);
    }
}

/// Which metaclass builds a class, and where that is said.
pub struct Metaclass<'s> {
    pub class: Class<'s>,
    /// The class whose statement has the `metaclass=` keyword.
    pub written_on: Class<'s>,
}

/// When a class is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// As its `class` statement leaves it.
    Statement,
    /// When its module has run.
    End,
}

impl<'s> Class<'s> {
    pub(super) fn new(snapshot: &'s Snapshot, definition: Definition<'s>) -> Self {
        Self { snapshot, definition }
    }

    /// The class of an instance type, or the class a class type stands for.
    pub(super) fn from_type(snapshot: &'s Snapshot, ty: Type<'s>) -> Option<Self> {
        let db: &'s dyn SemanticDb = snapshot;
        let env = ProgramEnvironment::from_program(snapshot.first_program());
        match ty.definition(db, &env)? {
            TypeDefinition::StaticClass(definition) => {
                matches!(definition.kind(db), DefinitionKind::Class(_)).then_some(Self { snapshot, definition })
            }
            _ => None,
        }
    }

    fn db(&self) -> &'s dyn SemanticDb {
        self.snapshot
    }

    pub(super) fn snapshot(&self) -> &'s Snapshot {
        self.snapshot
    }

    pub(super) fn definition(&self) -> Definition<'s> {
        self.definition
    }

    /// The file that defines the class.
    pub fn module(&self) -> Module<'s> {
        Module::of_file(self.snapshot, self.definition.program_file(self.db()))
    }

    /// The name in its `class` statement.
    pub fn name(&self) -> String {
        head(self.snapshot, self.definition).name.to_string()
    }

    /// Where its name stands; for a library class, in the library's source if that is at hand.
    pub fn place(&self) -> Option<Place> {
        place_of(self.db(), self.definition)
    }

    /// Calls `read` with the class's statement and its module.
    pub fn with_statement<R>(&self, read: impl FnOnce(&Module<'s>, &ast::StmtClassDef) -> R) -> R {
        let module = self.module();
        let DefinitionKind::Class(node) = self.definition.kind(self.db()) else {
            unreachable!("a class is made from class definitions only");
        };
        let parsed = module.parsed().clone();
        read(&module, node.node(&parsed))
    }

    /// The method resolution order, this class first and `object` last, as far as the bases are known.
    pub fn mro(&self) -> Vec<Class<'s>> {
        match order_of(self.snapshot, self.definition) {
            Order::Known(order) => order.iter().map(|definition| Self::new(self.snapshot, *definition)).collect(),
            _ => self.described_order(),
        }
    }

    /// The order in which members are looked up: as [`Class::mro`], and behind each class that only a stub describes those
    /// from which the stub has some of its members.
    pub(super) fn described_order(&self) -> Vec<Class<'s>> {
        let linear = linearization(self.snapshot, self.definition);
        linear.order.iter().map(|definition| Self::new(self.snapshot, *definition)).collect()
    }

    /// Whether every base along the order was resolved. Otherwise, absence of a member proves nothing.
    pub fn mro_is_complete(&self) -> bool {
        linearization(self.snapshot, self.definition).complete
    }

    /// Whether the class is, or inherits from, the library class with the public name `full`.
    pub fn inherits(&self, full: &str) -> bool {
        self.described_order().iter().any(|class| class.is(full))
    }

    /// Whether `other` is in the method resolution order.
    pub fn is_subclass_of(&self, other: &Class<'s>) -> bool {
        self.described_order().contains(other)
    }

    /// The metaclass named by a `metaclass=` keyword on this class or the first base that has one; `None` for `type`.
    pub fn metaclass(&self) -> Option<Metaclass<'s>> {
        if let Some(found) = metaclass_of(self.snapshot, self.definition) {
            let (class, written_on) = found?;
            return Some(Metaclass {
                class: Self::new(self.snapshot, class),
                written_on: Self::new(self.snapshot, written_on),
            });
        }
        self.described_order().into_iter().find_map(|written_on| {
            let class = written_on.with_statement(|module, statement| {
                let keyword = statement.arguments.as_ref()?.find_keyword("metaclass")?;
                module.class_reference(&keyword.value)
            })?;
            Some(Metaclass { class, written_on })
        })
    }

    /// Whether the class is a metaclass itself.
    pub fn is_metaclass(&self) -> bool {
        self.inherits("builtins.type")
    }

    /// The first class of the order, this one included, that binds `name` in its body or is given it behind; `object` and
    /// `type` do not count.
    pub fn definer(&self, name: &str) -> Option<Class<'s>> {
        let binds = |class: &Class<'s>| class.binds(name) || class.is_given(name);
        let defines = |class: &Class<'s>| binds(class) && !class.is("builtins.object") && !class.is("builtins.type");
        self.described_order().into_iter().find(defines)
    }

    /// Whether the class's own body binds `name`.
    pub fn binds(&self, name: &str) -> bool {
        let table = ty_python_core::place_table(self.db(), self.scope());
        // A name that the body only reads is in the table too.
        table.symbol_by_name(name).is_some_and(|symbol| symbol.is_local())
    }

    /// The names its own body binds, in the order of their first mention.
    pub fn own_names(&self) -> Vec<String> {
        let table = ty_python_core::place_table(self.db(), self.scope());
        table.symbols().filter(|symbol| symbol.is_local()).map(|symbol| symbol.name().to_string()).collect()
    }

    /// The names in its own `__slots__`, where they are known; `None` without `__slots__`.
    pub fn own_slots(&self) -> Option<Vec<String>> {
        slots_of(self.snapshot, self.definition).flatten()
    }

    /// What its instances carry: a `__dict__`, room for weak references.
    pub fn layout(&self) -> Layout {
        values::layout_of_instances(self.snapshot, self.definition).unwrap_or_default()
    }

    /// Whether its metaclass and the `__init_subclass__` of its bases leave the members that class bodies bind; unknown
    /// counts as no.
    pub fn keeps_members(&self) -> bool {
        values::keeps_members(self.snapshot, self.definition) == Some(true)
    }

    /// Whether a statement `Class.name = …` of its module gives it that name.
    pub fn is_given(&self, name: &str) -> bool {
        values::assigned_names(self.snapshot, self.definition).contains(name)
    }

    pub(super) fn scope(&self) -> ScopeId<'s> {
        head(self.snapshot, self.definition).scope
    }
}

/// What is asked about a class again and again, so that the tree of its file need not be at hand.
#[derive(Clone, Debug, PartialEq, Eq, salsa::SalsaValue)]
struct Head<'db> {
    name: Name,
    scope: ScopeId<'db>,
}

#[salsa::tracked(returns(ref))]
fn head<'db>(db: &'db dyn database::Db, definition: Definition<'db>) -> Head<'db> {
    let class = Class::new(db.snapshot(), definition);
    class.with_statement(|_, statement| {
        let file = definition.program_file(db);
        let scope = semantic_index(db, file).node_scope(NodeWithScopeRef::Class(statement));
        Head { name: statement.name.id.clone(), scope: scope.to_scope_id(db, file) }
    })
}

/// A method resolution order.
#[derive(Clone, Debug, PartialEq, Eq, salsa::SalsaValue)]
pub(super) struct Linearization<'db> {
    order: Vec<Definition<'db>>,
    complete: bool,
}

fn with_class_node<'db, R>(
    db: &'db dyn database::Db,
    definition: Definition<'db>,
    read: impl FnOnce(&ast::StmtClassDef, &SemanticModel<'db>) -> R,
) -> Option<R> {
    let parsed: ParsedModuleRef = parsed_module(db, definition.python_file(db)).load(db);
    let DefinitionKind::Class(node) = definition.kind(db) else { return None };
    Some(read(node.node(&parsed), &SemanticModel::new(db, definition.program_file(db))))
}

/// The direct bases that are classes, and whether all bases are known.
fn bases<'db>(db: &'db dyn database::Db, definition: Definition<'db>) -> (Vec<Definition<'db>>, bool) {
    let env = ProgramEnvironment::from_definition(definition);
    let class_of = |ty: Type<'db>| match ty.definition(db, &env)? {
        TypeDefinition::StaticClass(class) => Some(class),
        _ => None,
    };
    let mut complete = true;
    let mut found = with_class_node(db, definition, |node, model| {
        let mut found = vec![];
        for base in node.bases() {
            let ty = base.inferred_type(model);
            match ty {
                Some(Type::ClassLiteral(_) | Type::GenericAlias(_)) => match ty.and_then(class_of) {
                    Some(class) => found.push(class),
                    None => complete = false,
                },
                // `Generic[T]` and `Protocol` add no members that code asks for.
                Some(Type::SpecialForm(_) | Type::KnownInstance(_)) => {}
                _ => complete = false,
            }
        }
        found
    })
    .unwrap_or_default();
    let object = class_of(KnownClass::Object.to_instance(db, &env));
    if found.is_empty() && Some(definition) != object {
        found.extend(object);
    }
    (found, complete)
}

/// An order as it is at run time, and behind each class of a stub those from which it has members there: what is written in C
/// has its methods itself, but its stub inherits some of them.
fn with_described<'db>(db: &'db dyn database::Db, order: &[Definition<'db>]) -> Vec<Definition<'db>> {
    let mut all: Vec<Definition> = vec![];
    for (position, class) in order.iter().enumerate() {
        all.push(*class);
        if !class.file(db).is_stub(db) || position + 1 == order.len() {
            continue;
        }
        for described in &described(db, *class).order {
            if !order.contains(described) && !all.contains(described) {
                all.push(*described);
            }
        }
    }
    all
}

/// The order as the types have it.
#[salsa::tracked(returns(ref), cycle_result = linearization_in_cycle)]
fn described<'db>(db: &'db dyn database::Db, definition: Definition<'db>) -> Linearization<'db> {
    let (bases, complete) = bases(db, definition);
    linearized(definition, bases, complete, |base| described(db, base))
}

/// The order that is known at run time, or else C3 over the bases that are known; an inconsistent hierarchy keeps the order seen.
#[salsa::tracked(returns(ref), cycle_result = linearization_in_cycle)]
pub(super) fn linearization<'db>(db: &'db dyn database::Db, definition: Definition<'db>) -> Linearization<'db> {
    let known = order_of(db, definition);
    if let Order::Known(order) = known {
        return Linearization { order: with_described(db, order), complete: true };
    }
    let (bases, mut complete) = bases(db, definition);
    complete &= *known != Order::Unknown;
    linearized(definition, bases, complete, |base| linearization(db, base))
}

fn linearized<'db>(
    definition: Definition<'db>,
    bases: Vec<Definition<'db>>,
    mut complete: bool,
    of: impl Fn(Definition<'db>) -> &'db Linearization<'db>,
) -> Linearization<'db> {
    if let [base] = bases.as_slice() {
        let base = of(*base);
        let order = std::iter::once(definition).chain(base.order.iter().copied()).collect();
        return Linearization { order, complete: complete && base.complete };
    }
    let mut sequences: Vec<Vec<Definition>> = vec![];
    for base in &bases {
        let base = of(*base);
        complete &= base.complete;
        sequences.push(base.order.clone());
    }
    sequences.push(bases);
    let mut order = vec![definition];
    loop {
        sequences.retain(|sequence| !sequence.is_empty());
        let Some(first) = sequences.first() else { return Linearization { order, complete } };
        let heads = sequences.iter().map(|sequence| sequence[0]);
        let in_no_tail = |head: &Definition| !sequences.iter().any(|sequence| sequence[1..].contains(head));
        let next = heads.clone().find(in_no_tail).unwrap_or_else(|| {
            complete = false;
            first[0]
        });
        order.push(next);
        for sequence in &mut sequences {
            sequence.retain(|class| *class != next);
        }
    }
}

fn linearization_in_cycle<'db>(
    _db: &'db dyn database::Db,
    _id: salsa::Id,
    definition: Definition<'db>,
) -> Linearization<'db> {
    Linearization { order: vec![definition], complete: false }
}
