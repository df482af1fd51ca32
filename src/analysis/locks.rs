//! Which locks a function takes: itself, and through the functions of the project that it calls.
//!
//! A lock is told apart from others by what it is bound to: a name of a module, or an attribute of a class's objects. Two
//! objects of one class have two locks, so only a module's lock is certain to be the same one everywhere.

use std::collections::{HashSet, VecDeque};

use ruff_python_ast::name::Name;
use ruff_python_ast::{self as ast, Expr, Stmt};
use ruff_text_size::{Ranged as _, TextRange, TextSize};
use ty_python_core::definition::{Definition, DefinitionKind};

use super::calls::{Edge, Target, frame, lock_sites, shown_name, with_function};
use super::database::Db;
use super::definitions::{Referent, referent};
use super::effects::PathStep;
use super::module::Module;
use super::runners::{reached, way_from};
use crate::text::Place;

/// The classes of locks that are told of.
const LOCKS: &[&str] = &["threading.Condition", "threading.Lock", "threading.RLock"];
/// The one that does not let its holder in again.
const PLAIN: &str = "threading.Lock";
/// The most functions that are looked at for a lock that is held.
const FUNCTIONS: usize = 100;

/// A lock that a function takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockTaken {
    /// As a reader knows it: `Store.lock`, or the name alone.
    pub lock: String,
    /// The public name of its class.
    pub kind: String,
    /// Where it is taken.
    pub place: Place,
    /// The calls that lead there; empty if the function itself takes it.
    pub steps: Vec<PathStep>,
}

/// Which lock an expression refers to: equal for two expressions if both mean the same name of a module, or the same attribute
/// of the objects of one class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockId<'s>(Lock<'s>);

impl LockId<'_> {
    /// Whether each object has a lock of its own.
    pub fn is_of_object(&self) -> bool {
        matches!(self.0, Lock::Attribute(..))
    }
}

/// What a lock is bound to.
#[derive(Clone, Debug, PartialEq, Eq, salsa::SalsaValue)]
enum Lock<'db> {
    Global(Definition<'db>),
    /// An attribute of the objects of a class, by the class whose methods bind it.
    Attribute(Definition<'db>, Name),
}

/// A place where a body takes a lock.
#[derive(Clone, Debug, PartialEq, Eq, salsa::SalsaValue)]
struct Taking<'db> {
    lock: Lock<'db>,
    kind: String,
    /// Where, from the start of the function.
    start: u32,
    end: u32,
    /// Whether nothing decides about it.
    is_certain: bool,
}

/// The locks that the body of a function takes itself.
#[salsa::tracked(returns(deref))]
fn takings<'db>(db: &'db dyn Db, function: Definition<'db>) -> Vec<Taking<'db>> {
    let module = Module::of_file(db.snapshot(), function.program_file(db));
    let parsed = module.parsed().clone();
    let DefinitionKind::Function(node) = function.kind(db) else { return vec![] };
    let def = node.node(&parsed);
    let mut found: Vec<Taking> = vec![];
    for (expr, is_certain) in lock_sites(&module, def) {
        let Some((lock, kind)) = module.lock(expr) else { continue };
        let range = expr.range() - def.start();
        let (start, end) = (range.start().to_u32(), range.end().to_u32());
        found.push(Taking { lock, kind, start, end, is_certain });
    }
    found
}

impl<'s> Module<'s> {
    /// The locks that `function` takes, itself first, each once.
    pub fn locks_taken(&self, function: &ast::StmtFunctionDef) -> Vec<LockTaken> {
        let Some(definition) = self.definition_of(function) else { return vec![] };
        let found = locks_from(self.snapshot(), definition);
        found.into_iter().filter_map(|(by, taking)| self.taken(taking, by, self.way(definition, by)?)).collect()
    }

    /// Which lock `expr` refers to.
    pub fn lock_id(&self, expr: &Expr) -> Option<LockId<'s>> {
        self.lock(expr).map(|(lock, _)| LockId(lock))
    }

    /// The locks other than its own that the calls in the body of `with` take, each with the called expression.
    pub fn locks_taken_inside(
        &self,
        function: &ast::StmtFunctionDef,
        with: &ast::StmtWith,
    ) -> Vec<(TextRange, LockTaken)> {
        let db = self.snapshot();
        let held: Vec<Lock> = with.items.iter().filter_map(|item| Some(self.lock(&item.context_expr)?.0)).collect();
        let mut found = vec![];
        for (edge, target) in self.calls_inside(function, &with.body) {
            for (by, taking) in locks_from(db, target) {
                if held.contains(&taking.lock) {
                    continue;
                }
                let steps = self.way(target, by);
                found.extend(steps.and_then(|steps| Some((edge.range(function), self.taken(taking, by, steps)?))));
            }
        }
        found
    }

    /// Where the calls in the body of `with` take the module's lock `held` again, whatever happens: each with the called
    /// expression. Of a lock that does not let its holder in again.
    pub fn retaken(
        &self,
        function: &ast::StmtFunctionDef,
        with: &ast::StmtWith,
        held: &Expr,
    ) -> Vec<(TextRange, LockTaken)> {
        let db = self.snapshot();
        let Some((lock, _)) = self.global_lock(held).filter(|(_, kind)| kind == PLAIN) else { return vec![] };
        let calls = self.calls_inside(function, &with.body).into_iter().filter(|(edge, _)| is_certain(edge));
        let found = calls.filter_map(|(edge, target)| {
            let (by, taking) = certainly_takes(db, target, &lock)?;
            Some((edge.range(function), self.taken(taking, by, vec![])?))
        });
        found.collect()
    }

    /// The locks of modules that the calls in the body of `with` take whatever happens: each with the called expression.
    pub fn certainly_taken_inside(
        &self,
        function: &ast::StmtFunctionDef,
        with: &ast::StmtWith,
    ) -> Vec<(TextRange, LockId<'s>, LockTaken)> {
        let db = self.snapshot();
        let calls = self.calls_inside(function, &with.body).into_iter().filter(|(edge, _)| is_certain(edge));
        let mut found = vec![];
        for (edge, target) in calls {
            let mut taken: Vec<(Definition, &Taking)> = vec![];
            certain_takings(db, target, &mut |by, taking| {
                let is_global = matches!(taking.lock, Lock::Global(_));
                if is_global && !taken.iter().any(|(_, other)| other.lock == taking.lock) {
                    taken.push((by, taking));
                }
                false
            });
            for (by, taking) in taken {
                let id = LockId(taking.lock.clone());
                found.extend(self.taken(taking, by, vec![]).map(|lock| (edge.range(function), id, lock)));
            }
        }
        found
    }

    /// The calls of the project's functions that stand in a part of the function's body.
    fn calls_inside(&self, function: &ast::StmtFunctionDef, body: &[Stmt]) -> Vec<(&'s Edge<'s>, Definition<'s>)> {
        let (Some(first), Some(last)) = (body.first(), body.last()) else { return vec![] };
        let Some(definition) = self.definition_of(function) else { return vec![] };
        let range = TextRange::new(first.start(), last.end());
        let calls = frame(self.snapshot(), definition).calls.iter();
        let inside = calls.filter(|edge| range.contains_range(edge.range(function)));
        let called = inside.filter_map(|edge| match edge.target {
            Target::Function(target) => Some((edge, target)),
            Target::Blocking(_) => None,
        });
        called.collect()
    }

    fn way(&self, from: Definition<'s>, to: Definition<'s>) -> Option<Vec<PathStep>> {
        self.steps(&way_from(self.snapshot(), from, to)?)
    }

    fn taken(&self, taking: &Taking<'s>, by: Definition<'s>, steps: Vec<PathStep>) -> Option<LockTaken> {
        let db = self.snapshot();
        let home = Module::of_file(db, by.program_file(db));
        let range = TextRange::new(TextSize::new(taking.start), TextSize::new(taking.end));
        let place = home.place(with_function(db, by, |def| range + def.start())?)?;
        Some(LockTaken { lock: shown(db, &taking.lock), kind: taking.kind.clone(), place, steps })
    }

    /// The lock that `expr` refers to, with the public name of its class.
    fn lock(&self, expr: &Expr) -> Option<(Lock<'s>, String)> {
        if let Some(found) = self.global_lock(expr) {
            return Some(found);
        }
        let attribute = expr.as_attribute_expr()?;
        let kind = self.class_name(expr).filter(|symbol| symbol.is_any(LOCKS))?;
        let class = self.receiver_class(&attribute.value)?;
        let bindings = self.instance_attribute_definitions(class, &attribute.attr);
        let owner = bindings.first()?.scope(self.db()).class_definition_of_method(self.db())?;
        Some((Lock::Attribute(owner, attribute.attr.id.clone()), kind.to_string()))
    }

    /// The same for a lock that a module makes at its top level, once. No type is asked.
    fn global_lock(&self, expr: &Expr) -> Option<(Lock<'s>, String)> {
        let Some(Referent::Global(definition)) = referent(self.model(), expr.into()) else { return None };
        let home = Module::of_file(self.snapshot(), definition.program_file(self.db()));
        let parsed = home.parsed().clone();
        let DefinitionKind::Assignment(assignment) = definition.kind(self.db()) else { return None };
        let made = assignment.value(&parsed).as_call_expr()?;
        let kind = LOCKS.iter().find(|kind| home.calls(made, &[kind]))?;
        Some((Lock::Global(definition), (*kind).to_string()))
    }
}

/// The locks that are taken from `function` on, each once, the nearest first; with the function that takes it.
fn locks_from<'db>(db: &'db dyn Db, function: Definition<'db>) -> Vec<(Definition<'db>, &'db Taking<'db>)> {
    let mut found: Vec<(Definition, &Taking)> = vec![];
    for by in std::iter::once(function).chain(reached(db, function).order.iter().copied()) {
        for taking in takings(db, by) {
            if !found.iter().any(|(_, other)| other.lock == taking.lock) {
                found.push((by, taking));
            }
        }
    }
    found
}

/// Where `function` takes `lock`, itself or through calls, with nothing to decide about it and no release on the way.
fn certainly_takes<'db>(
    db: &'db dyn Db,
    function: Definition<'db>,
    lock: &Lock<'db>,
) -> Option<(Definition<'db>, &'db Taking<'db>)> {
    let mut found = None;
    certain_takings(db, function, &mut |by, taking| {
        let is_it = taking.lock == *lock;
        if is_it {
            found = Some((by, taking));
        }
        is_it
    });
    found
}

/// Shows the locks that `function` takes, itself or through calls, with nothing to decide about it and no release on the way,
/// until `is_enough` says so.
fn certain_takings<'db>(
    db: &'db dyn Db,
    function: Definition<'db>,
    is_enough: &mut dyn FnMut(Definition<'db>, &'db Taking<'db>) -> bool,
) {
    let mut seen = HashSet::from([function]);
    let mut queue = VecDeque::from([function]);
    while let Some(at) = queue.pop_front() {
        if with_function(db, at, releases).unwrap_or(true) {
            continue;
        }
        if takings(db, at).iter().filter(|taking| taking.is_certain).any(|taking| is_enough(at, taking)) {
            return;
        }
        for edge in frame(db, at).calls.iter().filter(|edge| is_certain(edge)) {
            let Target::Function(target) = edge.target else { continue };
            if seen.len() < FUNCTIONS && seen.insert(target) {
                queue.push_back(target);
            }
        }
    }
}

fn is_certain(edge: &Edge) -> bool {
    edge.is_certain() && !edge.decides
}

/// Whether a body calls anything named `release`.
fn releases(def: &ast::StmtFunctionDef) -> bool {
    use ruff_python_ast::AnyNodeRef;
    use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
    struct Finder(bool);
    impl<'a> SourceOrderVisitor<'a> for Finder {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            self.0 |= matches!(node, AnyNodeRef::ExprAttribute(attribute) if attribute.attr.as_str() == "release");
            TraversalSignal::Traverse
        }
    }
    let mut finder = Finder(false);
    finder.visit_body(&def.body);
    finder.0
}

fn shown(db: &dyn Db, lock: &Lock) -> String {
    match lock {
        Lock::Global(definition) => definition.name(db).unwrap_or_default(),
        Lock::Attribute(class, name) => format!("{}.{name}", shown_name(db, *class)),
    }
}
