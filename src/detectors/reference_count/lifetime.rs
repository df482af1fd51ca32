//! Follows one object from the statement that makes it to a place in the same scope: which names are bound to it there, which
//! known places hold it, and whether anything else may.

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal, walk_node};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use super::fate::{Slot, defers_removal, leaves_alone, new_object_is_kept};
use super::mentions::{Inner, Mention, binds, inner_use, mentions};
use super::path::{Path, Step};
use super::private::stays_put;
use super::uses::{Use, classify};
use crate::analysis::{Class, Module, Origin, Site};
use crate::text::{Place, Ranged as _};

/// How many calls deep an argument is followed.
pub(in crate::detectors) const DEPTH: usize = 3;

/// What is known about one object at a place.
pub(in crate::detectors) struct Object {
    /// The class it is an instance of, as the reader would call it.
    pub kind: String,
    pub made_at: Place,
    /// The names of this scope that are bound to it, oldest first.
    pub names: Vec<String>,
    /// Places that hold it for certain.
    pub slots: Vec<Slot>,
    /// Whether anything else may hold it.
    pub escaped: bool,
    /// `Class.__del__`, if the class has it.
    pub finalizer: Option<String>,
    pub in_module: bool,
}

impl Object {
    /// The object as it is once `name` is no longer bound to it.
    pub fn without(mut self, name: &str) -> Self {
        self.names.retain(|other| other != name);
        self.slots.retain(|slot| slot.root != name);
        self
    }

    /// What certainly holds it, as the reader would write it.
    pub fn keeper(&self) -> Option<&str> {
        let slot = self.slots.first().map(|slot| slot.path.as_str());
        self.names.first().map(String::as_str).or(slot)
    }
}

/// The object that the variable `name` is bound to right before the statement at `site`.
pub(in crate::detectors) fn object_of(site: &Site, name: &str) -> Option<Object> {
    let path = Path::to(site)?;
    let (made, names) = made(site.module, &path.steps, name)?;
    let Step::Ran(statement) = path.steps.get(made)? else { return None };
    let (_, value) = assignment(statement)?;
    let new = creation(site.module, value)?;
    let mut tracker = Tracker {
        module: site.module,
        object: Object {
            kind: new.kind,
            made_at: site.module.place(value.range())?,
            names,
            slots: vec![],
            escaped: new.escaped,
            finalizer: new.finalizer,
            in_module: path.is_module,
        },
        slots: vec![],
        steps: &path.steps,
        now: made,
    };
    for (index, step) in path.steps.iter().enumerate().skip(made + 1) {
        tracker.now = index;
        tracker.step(*step);
    }
    let scope: &[Stmt] = if path.is_module { &site.module.syntax().body } else { path.scope };
    let Tracker { mut object, slots, .. } = tracker;
    let lasts = |(stored, slot): &(usize, Slot)| stays_put(site.module, &path.steps, *stored, slot, scope);
    object.slots = slots.into_iter().filter(lasts).map(|(_, slot)| slot).collect();
    for name in &object.names {
        match inner_use(scope, name) {
            Inner::Unused => {}
            Inner::Read => object.escaped = true,
            Inner::Rebound => return None,
        }
    }
    object.names.iter().any(|bound| bound == name).then_some(object)
}

/// The step that made the object `name` is bound to at the end of `steps`, and the names it was given there.
fn made(module: &Module, steps: &[Step], name: &str) -> Option<(usize, Vec<String>)> {
    let mut name = name.to_string();
    for (index, step) in steps.iter().enumerate().rev() {
        match step {
            Step::Perhaps(block) if binds(block, &name) => return None,
            Step::Head(node) if head_binds(*node, &name) => return None,
            Step::Ran(statement) if binds(std::slice::from_ref(statement), &name) => {
                let (targets, value) = assignment(statement)?;
                let mut names: Vec<_> =
                    targets.iter().filter_map(|target| Some(target.as_name_expr()?.id.to_string())).collect();
                remove_repeated(&mut names);
                if !names.contains(&name) {
                    return None;
                }
                match value {
                    Expr::Name(other) => name = other.id.to_string(),
                    _ if creation(module, value).is_some() => return Some((index, names)),
                    _ => return None,
                }
            }
            _ => {}
        }
    }
    None
}

fn remove_repeated(names: &mut Vec<String>) {
    let all = std::mem::take(names);
    for name in all {
        if !names.contains(&name) {
            names.push(name);
        }
    }
}

/// Targets and value of a plain assignment.
pub(super) fn assignment(statement: &Stmt) -> Option<(&[Expr], &Expr)> {
    match statement {
        Stmt::Assign(assign) => Some((&assign.targets, &assign.value)),
        Stmt::AnnAssign(assign) => Some((std::slice::from_ref(&*assign.target), assign.value.as_deref()?)),
        _ => None,
    }
}

struct New {
    kind: String,
    escaped: bool,
    finalizer: Option<String>,
}

/// What an expression that makes a new object makes. Numbers, strings and tuples are not followed: they may be shared.
fn creation(module: &Module, value: &Expr) -> Option<New> {
    let plain = |kind: &str| Some(New { kind: kind.to_string(), escaped: false, finalizer: None });
    match value {
        Expr::List(_) | Expr::ListComp(_) => plain("list"),
        Expr::Dict(_) | Expr::DictComp(_) => plain("dict"),
        Expr::Set(_) | Expr::SetComp(_) => plain("set"),
        Expr::Call(call) => {
            let class = module.class_reference(&call.func)?;
            let symbol = class.symbol();
            if symbol.is_any(&[
                "builtins.bytearray",
                "builtins.dict",
                "builtins.list",
                "builtins.set",
                "collections.deque",
            ]) {
                return plain(symbol.last());
            }
            if symbol.origin != Origin::Project || class.definer("__new__").is_some() || class.is_metaclass() {
                return None;
            }
            Some(New { kind: class.name(), escaped: new_object_is_kept(&class), finalizer: finalizer(&class) })
        }
        _ => None,
    }
}

/// `Class.__del__`, where the class that defines it is known.
pub(in crate::detectors) fn finalizer(class: &Class) -> Option<String> {
    Some(format!("{}.__del__", class.definer("__del__")?.name()))
}

fn head_binds(node: AnyNodeRef, name: &str) -> bool {
    head_parts(node).iter().any(|part| {
        let mut found = false;
        let mut look = |expr: &ast::ExprName| found |= !expr.ctx.is_load() && expr.id == name;
        names_in(*part, &mut look);
        found
    }) || matches!(node, AnyNodeRef::StmtMatch(_))
}

/// The expressions in the head of a compound statement.
pub(super) fn head_parts(node: AnyNodeRef<'_>) -> Vec<AnyNodeRef<'_>> {
    match node {
        AnyNodeRef::StmtFor(statement) => {
            vec![AnyNodeRef::from(&*statement.target), AnyNodeRef::from(&*statement.iter)]
        }
        AnyNodeRef::StmtWith(statement) => statement.items.iter().map(AnyNodeRef::from).collect(),
        AnyNodeRef::StmtWhile(statement) => vec![AnyNodeRef::from(&*statement.test)],
        AnyNodeRef::StmtIf(statement) => {
            let clauses = statement.elif_else_clauses.iter().filter_map(|clause| clause.test.as_ref());
            std::iter::once(&*statement.test).chain(clauses).map(AnyNodeRef::from).collect()
        }
        AnyNodeRef::StmtTry(statement) => statement.handlers.iter().map(AnyNodeRef::from).collect(),
        _ => vec![],
    }
}

fn names_in<'a>(node: AnyNodeRef<'a>, look: &mut dyn FnMut(&'a ast::ExprName)) {
    struct Names<'f, 'a>(&'f mut dyn FnMut(&'a ast::ExprName));
    impl<'a> SourceOrderVisitor<'a> for Names<'_, 'a> {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            if let AnyNodeRef::ExprName(name) = node {
                (self.0)(name);
            }
            TraversalSignal::Traverse
        }
    }
    walk_node(&mut Names(look), node);
}

struct Tracker<'m, 's> {
    module: &'m Module<'s>,
    object: Object,
    /// The places that hold it, each with the step that stored it.
    slots: Vec<(usize, Slot)>,
    steps: &'m [Step<'m>],
    /// The step being looked at.
    now: usize,
}

impl Tracker<'_, '_> {
    fn step(&mut self, step: Step) {
        match step {
            Step::Ran(statement) if is_simple(statement) => self.simple(statement),
            Step::Ran(statement) => self.uncertain(std::slice::from_ref(statement)),
            Step::Perhaps(block) => self.uncertain(block),
            Step::Head(node) => {
                for part in head_parts(node) {
                    let mut touched = vec![];
                    names_in(part, &mut |name| touched.push(name.id.to_string()));
                    let is_test = matches!(node, AnyNodeRef::StmtIf(_) | AnyNodeRef::StmtWhile(_));
                    if !is_test {
                        self.lose(&touched);
                    }
                }
            }
        }
    }

    /// Code that may have run in part: whatever it touches is no longer certain.
    fn uncertain(&mut self, block: &[Stmt]) {
        let names = self.object.names.clone();
        self.object.names.retain(|name| !binds(block, name));
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.object.escaped |= !mentions(block, &names).is_empty();
        self.slots.retain(|(_, slot)| mentions(block, &[&slot.root]).is_empty());
    }

    /// Names that a statement's head uses or binds in a way that is not looked at.
    fn lose(&mut self, touched: &[String]) {
        self.object.escaped |= self.object.names.iter().any(|name| touched.contains(name));
        self.slots.retain(|(_, slot)| !touched.contains(&slot.root));
    }

    fn simple(&mut self, statement: &Stmt) {
        let statements = std::slice::from_ref(statement);
        self.slots.retain(|(_, slot)| !may_empty(self.module, statements, slot));
        let names: Vec<&str> = self.object.names.iter().map(String::as_str).collect();
        let found = mentions(statements, &names);
        let mut bound = vec![];
        for mention in found.iter().filter(|mention| mention.name.ctx.is_load()) {
            match classify(self.module, mention, DEPTH) {
                Use::Looks => {}
                Use::Names(names) => bound.extend(names),
                Use::Stores(slots) => {
                    self.object.escaped = true;
                    self.store(slots);
                }
                Use::Escapes => self.object.escaped = true,
            }
        }
        self.object.names.retain(|name| !binds(statements, name) || bound.contains(name));
        self.object
            .slots
            .retain(|slot| !binds(statements, &slot.root) || slot.place.range().intersect(statement.range()).is_some());
        for name in bound {
            if !self.object.names.contains(&name) {
                self.object.names.push(name);
            }
        }
    }

    fn store(&mut self, slots: Vec<Slot>) {
        for slot in slots {
            if !self.may_vanish(&slot) {
                self.slots.push((self.now, slot));
            }
        }
    }

    /// Whether a callback left over from an earlier store may take the object out again.
    fn may_vanish(&self, slot: &Slot) -> bool {
        let Some(attribute) = &slot.attribute else { return false };
        let earlier = self.steps[..self.now].iter().enumerate().rev();
        let mut bound = earlier.filter_map(|(index, step)| match step {
            Step::Ran(statement) if binds(std::slice::from_ref(statement), &slot.root) => Some((index, *statement)),
            _ => None,
        });
        let made = bound.next().and_then(|(index, statement)| match assignment(statement) {
            Some((_, Expr::Call(call))) => Some((index, self.module.class_reference(&call.func)?)),
            _ => None,
        });
        let Some((made, class)) = made else { return slot.fragile };
        if !slot.fragile && !defers_removal(&class, attribute) {
            return false;
        }
        self.steps[made + 1..self.now].iter().any(|step| match step {
            Step::Ran(statement) => may_empty(self.module, std::slice::from_ref(statement), slot),
            Step::Perhaps(block) => !mentions(block, &[&slot.root]).is_empty(),
            Step::Head(_) => false,
        })
    }
}

fn is_simple(statement: &Stmt) -> bool {
    matches!(
        statement,
        Stmt::Assign(_)
            | Stmt::AnnAssign(_)
            | Stmt::AugAssign(_)
            | Stmt::Expr(_)
            | Stmt::Delete(_)
            | Stmt::Assert(_)
            | Stmt::Import(_)
            | Stmt::ImportFrom(_)
            | Stmt::Pass(_)
    )
}

/// Whether running these statements may take the object out of `slot`.
fn may_empty(module: &Module, statements: &[Stmt], slot: &Slot) -> bool {
    mentions(statements, &[&slot.root]).iter().any(|mention| !is_safe(module, mention, slot))
}

fn is_safe(module: &Module, mention: &Mention, slot: &Slot) -> bool {
    if mention.is_deferred() || !mention.name.ctx.is_load() {
        return false;
    }
    match &slot.attribute {
        Some(attribute) if leaves_alone(mention, attribute) => true,
        Some(attribute) => super::fate::method_leaves_alone(module, mention, attribute),
        None => super::fate::container_is_kept(mention),
    }
}
