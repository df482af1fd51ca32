//! Which bindings of a name can hold at a place: the last one before it, or several where a condition decides.

use ruff_python_ast::{self as ast, AnyRootNodeRef, Expr, Stmt};
use ruff_text_size::{Ranged as _, TextSize};

use super::index::{Arm, Binding, BindingKind, Branch, Outer, ScopeKind};
use super::modules::{Context, Evaluator, binding_value, module_member};
use super::{ClassRef, Value};

/// Whether a part of a compound statement runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Runs {
    Always,
    Perhaps,
    Never,
}

/// How a `try` statement ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    /// Its body runs to the end.
    Succeeds,
    /// Its body raises at this place, as an import does not find its module.
    FailsAt(TextSize),
    Unclear,
}

impl<'db> Evaluator<'db> {
    /// What `name` is for code in `context`; none if nothing binds it.
    pub fn name(&self, context: &Context<'db>, name: &str) -> Option<Value> {
        let index = context.source.index;
        let mut found = vec![];
        let mut scope = context.scope;
        let mut at = context.at;
        let mut frame = context.frame.clone();
        loop {
            let current = index.scope(scope);
            if current.kind == ScopeKind::Module {
                break;
            }
            let is_visible = current.kind == ScopeKind::Function || scope == context.scope;
            let outer = current.outer(name);
            if is_visible && outer.is_none() {
                let here = Context { scope, at, frame: frame.clone(), source: context.source.clone() };
                let reached = self.reach(&here, scope, name, at);
                let is_certain = reached.is_certain;
                found.extend(reached.bindings.iter().map(|binding| self.bound(&here, scope, *binding, name)));
                let of_call = frame.as_ref().filter(|frame| Some(frame.node.number) == current.node);
                let parameter =
                    of_call.and_then(|frame| frame.parameters.iter().find(|(parameter, _)| parameter == name));
                match parameter {
                    // A class that `__new__` may exchange for another is that class for most callers.
                    Some((_, value)) if !is_certain && self.is_class_of_new(&here, name) => return Some(value.clone()),
                    Some((_, value)) if !is_certain => {
                        found.push(value.clone());
                        return Some(Value::join(found));
                    }
                    _ if is_certain => return Some(Value::join(found)),
                    _ if current.kind == ScopeKind::Function && current.binds(name) => {
                        return Some(Value::join(found));
                    }
                    _ => {}
                }
            }
            if current.kind == ScopeKind::Function {
                // A function runs after what encloses it.
                at = None;
                frame = frame.and_then(|frame| frame.closure.clone());
            }
            if outer == Some(Outer::Global) {
                break;
            }
            scope = current.parent?;
        }
        let global = match at {
            Some(at) => self.scope_value(&Context { scope: 0, frame: None, ..context.clone() }, 0, name, Some(at)),
            None => module_member(self.db, context.source.file, name.to_string()),
        };
        // A name that only a later statement binds is found when the function that uses it is called late.
        let global = global.or_else(|| match name {
            "__name__" => super::modules::module_name(self.db, context.source.file).map(Value::Str),
            "__file__" => Some(Value::c_instance("builtins.str")),
            _ => None,
        });
        match global.or_else(|| self.builtin(name)) {
            Some(value) => {
                found.push(value);
                Some(Value::join(found))
            }
            None if found.is_empty() => None,
            None => Some(Value::join(found)),
        }
    }

    /// Whether `name` is the first parameter of a `__new__`.
    fn is_class_of_new(&self, context: &Context<'db>, name: &str) -> bool {
        let Some(frame) = &context.frame else { return false };
        let function = context.source.function(frame.node.number);
        function.is_some_and(|def| def.name.as_str() == "__new__")
            && frame.parameters.first().is_some_and(|(first, _)| first == name)
    }

    /// What `name` holds in one scope at a place, or at its end; none if nothing binds it there.
    pub fn scope_value(&self, context: &Context<'db>, scope: usize, name: &str, at: Option<TextSize>) -> Option<Value> {
        if scope == 0 && context.source.index.is_rebound(name) {
            return Some(Value::Unknown);
        }
        let reached = self.reach(context, scope, name, at);
        if reached.bindings.is_empty() {
            return None;
        }
        Some(Value::join(reached.bindings.iter().map(|binding| self.bound(context, scope, *binding, name))))
    }

    /// The value that one binding gives.
    fn bound(&self, context: &Context<'db>, scope: usize, number: usize, name: &str) -> Value {
        let binding = &context.source.index.scope(scope).bindings[number];
        if matches!(binding.kind, BindingKind::Star) {
            let value = self.star_value(&context.source, binding.node, name).unwrap_or(Value::Unknown);
            let is_number = matches!(self.type_of(&value), Some(ClassRef::C(name)) if &*name == "builtins.int");
            let is_replaced = is_number && context.source.index.converts_constants;
            return if is_replaced { Value::Unknown } else { value };
        }
        let is_of_module = context.frame.is_none() && context.source.index.scope(scope).kind != ScopeKind::Function;
        match is_of_module {
            true => binding_value(self.db, context.source.file, scope, number),
            false => self.evaluate_binding(&Context { scope, ..context.clone() }, scope, number),
        }
    }

    /// The bindings of `name` that may hold at a place.
    pub fn reach(&self, context: &Context<'db>, scope: usize, name: &str, at: Option<TextSize>) -> Reached {
        let source = &context.source;
        let table = source.index.scope(scope);
        let stars = table.stars.iter().map(|number| (*number, &table.bindings[*number]));
        let mut candidates: Vec<(usize, &Binding)> = table.bindings_of(name).chain(stars).collect();
        candidates.sort_by_key(|(number, _)| *number);
        let mut reached = Reached::default();
        let mut covered: Vec<(u32, Arm)> = vec![];
        for (number, binding) in candidates.into_iter().rev() {
            let is_declaration = matches!(binding.kind, BindingKind::Declared) && !source.is_stub;
            if is_declaration || at.is_some_and(|at| binding.at > at) {
                continue;
            }
            let condition = self.runs(context, binding.branch, binding.at, at);
            if condition.runs == Runs::Never {
                continue;
            }
            if matches!(binding.kind, BindingKind::Star) && self.star_value(source, binding.node, name).is_none() {
                continue;
            }
            if !matches!(binding.kind, BindingKind::Deleted) {
                reached.bindings.push(number);
            }
            if condition.runs == Runs::Always {
                reached.is_certain = !matches!(binding.kind, BindingKind::Deleted);
                return reached;
            }
            if let Some((node, arm)) = condition.decided_by {
                covered.push((node, arm));
                if self.covers_all(source, node, &covered) {
                    reached.is_certain = true;
                    return reached;
                }
            }
        }
        reached
    }

    /// Whether what stands at `place` in `branch` has run when the code at `at` runs.
    pub fn runs(
        &self,
        context: &Context<'db>,
        branch: Option<usize>,
        place: TextSize,
        at: Option<TextSize>,
    ) -> Condition {
        let index = context.source.index;
        let mut condition = Condition { runs: Runs::Always, decided_by: None };
        let mut next = branch;
        while let Some(number) = next {
            let branch = index.branch(number);
            next = branch.parent;
            if let Some(at) = at {
                if branch.range.contains_inclusive(at) {
                    break; // Both are in it.
                }
                let is_other_arm = branch.whole.contains_inclusive(at) && at < branch.whole.end();
                if is_other_arm && matches!(branch.arm, Arm::If(_) | Arm::Else(_) | Arm::Case) {
                    return Condition { runs: Runs::Never, decided_by: None };
                }
            }
            match self.arm_runs(context, branch, place) {
                Runs::Always => {}
                Runs::Never => return Condition { runs: Runs::Never, decided_by: None },
                Runs::Perhaps => {
                    let is_first = condition.runs == Runs::Always;
                    condition.runs = Runs::Perhaps;
                    condition.decided_by = is_first.then_some((branch.node, branch.arm));
                }
            }
        }
        condition
    }

    fn arm_runs(&self, context: &Context<'db>, branch: &Branch, place: TextSize) -> Runs {
        let here = Context { at: Some(branch.whole.start()), ..context.clone() };
        match (branch.arm, context.source.statement(branch.node)) {
            (Arm::If(clause), Some(Stmt::If(statement))) => self.clause_runs(&here, statement, clause, true),
            (Arm::Else(clause), Some(Stmt::If(statement))) => self.clause_runs(&here, statement, clause, false),
            (Arm::TryBody, Some(Stmt::Try(statement))) => match self.attempt(&here, statement) {
                Attempt::FailsAt(end) if place > end => Runs::Never,
                Attempt::Unclear => Runs::Perhaps,
                _ => Runs::Always,
            },
            (Arm::Handler(handler), Some(Stmt::Try(statement))) => match self.attempt(&here, statement) {
                Attempt::Succeeds => Runs::Never,
                Attempt::FailsAt(_) if handler == catching(statement) => Runs::Always,
                Attempt::FailsAt(_) => Runs::Never,
                Attempt::Unclear => Runs::Perhaps,
            },
            (Arm::TryElse, Some(Stmt::Try(statement))) => match self.attempt(&here, statement) {
                Attempt::Succeeds => Runs::Always,
                Attempt::FailsAt(_) => Runs::Never,
                Attempt::Unclear => Runs::Perhaps,
            },
            (Arm::Loop, Some(Stmt::While(statement))) => match self.truth(&here, &statement.test) {
                Some(true) => Runs::Always,
                Some(false) => Runs::Never,
                None => Runs::Perhaps,
            },
            _ => Runs::Perhaps,
        }
    }

    fn clause_runs(&self, context: &Context<'db>, statement: &ast::StmtIf, clause: usize, has_test: bool) -> Runs {
        let tests = std::iter::once(&*statement.test)
            .chain(statement.elif_else_clauses.iter().filter_map(|clause| clause.test.as_ref()));
        let mut runs = Runs::Always;
        for (index, test) in tests.enumerate() {
            let is_own = has_test && index == clause;
            if !is_own && index >= clause {
                break;
            }
            match (self.truth(context, test), is_own) {
                (Some(true), true) | (Some(false), false) => {}
                (Some(_), _) => return Runs::Never,
                (None, _) => runs = Runs::Perhaps,
            }
        }
        runs
    }

    /// Whether the bindings seen cover every way through a compound statement.
    fn covers_all(&self, source: &super::source::Source, node: u32, covered: &[(u32, Arm)]) -> bool {
        let has = |arm: Arm| covered.contains(&(node, arm));
        match source.node(node) {
            AnyRootNodeRef::Stmt(Stmt::If(statement)) => {
                let clauses = statement.elif_else_clauses.iter().enumerate();
                let has_else = statement.elif_else_clauses.last().is_some_and(|clause| clause.test.is_none());
                let covers = |(index, clause): (usize, &ast::ElifElseClause)| match clause.test {
                    Some(_) => has(Arm::If(index + 1)) || leaves(&clause.body),
                    None => has(Arm::Else(index + 1)) || leaves(&clause.body),
                };
                has_else && (has(Arm::If(0)) || leaves(&statement.body)) && clauses.into_iter().all(covers)
            }
            AnyRootNodeRef::Stmt(Stmt::Try(statement)) => {
                let handlers = statement.handlers.iter().enumerate();
                let covers = |(index, handler): (usize, &ast::ExceptHandler)| {
                    let ast::ExceptHandler::ExceptHandler(handler) = handler;
                    has(Arm::Handler(index)) || leaves(&handler.body)
                };
                (has(Arm::TryBody) || has(Arm::TryElse)) && handlers.into_iter().all(covers)
            }
            _ => false,
        }
    }

    fn attempt(&self, context: &Context<'db>, statement: &ast::StmtTry) -> Attempt {
        if statement.handlers.is_empty() {
            return Attempt::Succeeds;
        }
        let mut is_clear = true;
        for inner in &statement.body {
            match inner {
                Stmt::Import(_) | Stmt::ImportFrom(_) => {
                    if self.import_fails(&context.source, inner) {
                        return Attempt::FailsAt(inner.start());
                    }
                }
                Stmt::Raise(_) => return Attempt::FailsAt(inner.start()),
                Stmt::FunctionDef(_) | Stmt::ClassDef(_) | Stmt::Pass(_) => {}
                Stmt::Expr(expr) => match self.exists(context, &expr.value) {
                    Some(false) => return Attempt::FailsAt(inner.start()),
                    Some(true) => {}
                    None => is_clear = false,
                },
                Stmt::Assign(assign) => match self.exists(context, &assign.value) {
                    Some(false) => return Attempt::FailsAt(inner.start()),
                    Some(true) => {}
                    None => is_clear = false,
                },
                _ => is_clear = false,
            }
        }
        if is_clear { Attempt::Succeeds } else { Attempt::Unclear }
    }

    /// Whether evaluating a name or an attribute of a module succeeds.
    fn exists(&self, context: &Context<'db>, expr: &Expr) -> Option<bool> {
        match expr {
            Expr::Name(name) => Some(self.name(context, &name.id).is_some()),
            Expr::Attribute(attribute) => match self.evaluate(context, &attribute.value) {
                Value::Module(module) => Some(self.module_attribute(&module, &attribute.attr).is_some()),
                _ => None,
            },
            Expr::StringLiteral(_) | Expr::NumberLiteral(_) | Expr::BooleanLiteral(_) | Expr::NoneLiteral(_) => {
                Some(true)
            }
            _ => None,
        }
    }
}

/// The bindings that may hold at a place.
#[derive(Debug, Default)]
pub(super) struct Reached {
    /// Their numbers in the scope.
    pub bindings: Vec<usize>,
    /// One of them holds for certain.
    pub is_certain: bool,
}

/// Under what condition something has run.
pub(super) struct Condition {
    pub runs: Runs,
    /// The part of the innermost compound statement that decides it.
    decided_by: Option<(u32, Arm)>,
}

/// The handler that takes an `ImportError`; the first one, if none says so.
fn catching(statement: &ast::StmtTry) -> usize {
    let names = |handler: &ast::ExceptHandler| {
        let ast::ExceptHandler::ExceptHandler(handler) = handler;
        let Some(type_) = handler.type_.as_deref() else { return true };
        let items = match type_ {
            Expr::Tuple(tuple) => tuple.elts.as_slice(),
            other => std::slice::from_ref(other),
        };
        items.iter().any(|item| {
            let name = item.as_name_expr().map(|name| name.id.as_str());
            matches!(name, Some("ImportError" | "ModuleNotFoundError" | "Exception" | "NameError" | "AttributeError"))
        })
    };
    statement.handlers.iter().position(names).unwrap_or(0)
}

/// Whether control never reaches the end of a body.
pub(super) fn leaves(body: &[Stmt]) -> bool {
    match body.last() {
        Some(Stmt::Return(_) | Stmt::Raise(_) | Stmt::Continue(_) | Stmt::Break(_)) => true,
        Some(Stmt::If(statement)) => {
            let has_else = statement.elif_else_clauses.last().is_some_and(|clause| clause.test.is_none());
            has_else && leaves(&statement.body) && statement.elif_else_clauses.iter().all(|clause| leaves(&clause.body))
        }
        Some(Stmt::With(statement)) => leaves(&statement.body),
        Some(Stmt::Try(statement)) => {
            let handlers =
                statement.handlers.iter().all(|ast::ExceptHandler::ExceptHandler(handler)| leaves(&handler.body));
            leaves(&statement.finalbody) || ((leaves(&statement.body) || leaves(&statement.orelse)) && handlers)
        }
        Some(Stmt::While(statement)) => statement.test.as_boolean_literal_expr().is_some_and(|test| test.value),
        _ => false,
    }
}
