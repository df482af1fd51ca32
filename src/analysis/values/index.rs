//! The names that a file's scopes bind: where, and under which conditions. Syntax only.

use std::collections::{HashMap, HashSet};

use ruff_python_ast::{self as ast, Expr, HasNodeIndex, Stmt};
use ruff_text_size::{Ranged as _, TextRange, TextSize};

/// The number of a node in its file's tree.
pub(super) type NodeNumber = u32;

/// The scopes of one file; the first is the module's.
#[derive(Debug, Default)]
pub(super) struct Index {
    scopes: Vec<Scope>,
    scope_of: HashMap<NodeNumber, usize>,
    branches: Vec<Branch>,
}

/// A module, a class body or a function body.
#[derive(Debug)]
pub(super) struct Scope {
    pub kind: ScopeKind,
    /// The `class` or `def`; none for the module.
    pub node: Option<NodeNumber>,
    pub parent: Option<usize>,
    pub bindings: Vec<Binding>,
    /// Bindings by name, in the order of the text.
    names: HashMap<String, Vec<usize>>,
    /// `from … import *`, by binding.
    pub stars: Vec<usize>,
    /// Names declared `global` or `nonlocal`.
    outer: HashMap<String, Outer>,
    pub returns: Vec<Return>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScopeKind {
    Module,
    Class,
    Function,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outer {
    Global,
    Nonlocal,
}

/// One place where a name is bound.
#[derive(Debug)]
pub(super) struct Binding {
    pub name: String,
    pub kind: BindingKind,
    /// The statement, or the alias of an import.
    pub node: NodeNumber,
    /// From here on the name is bound.
    pub at: TextSize,
    pub branch: Option<usize>,
}

#[derive(Debug)]
pub(super) enum BindingKind {
    Function,
    Class,
    /// The value of the expression, or an item of it.
    Assign {
        value: NodeNumber,
        path: Vec<usize>,
    },
    /// `name: annotation` without a value: binds nothing at run time, but describes what is there in a stub.
    Declared,
    Augmented,
    Import,
    ImportFrom,
    Star,
    /// An item of what is iterated over.
    Item {
        iterable: NodeNumber,
    },
    Deleted,
    /// Bound to something that is not followed.
    Opaque,
}

/// A `return` of a function.
#[derive(Debug)]
pub(super) struct Return {
    pub value: Option<NodeNumber>,
    pub at: TextSize,
    pub branch: Option<usize>,
}

/// A part of a compound statement that runs under a condition.
#[derive(Debug)]
pub(super) struct Branch {
    pub parent: Option<usize>,
    /// The compound statement.
    pub node: NodeNumber,
    pub arm: Arm,
    pub range: TextRange,
    /// The range of the compound statement.
    pub whole: TextRange,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arm {
    /// Clause number n of an `if` statement.
    If(usize),
    /// The `else` of an `if` statement with so many clauses.
    Else(usize),
    TryBody,
    Handler(usize),
    TryElse,
    Loop,
    LoopElse,
    Case,
}

impl Index {
    pub fn new(module: &ast::ModModule) -> Self {
        let mut builder = Builder { index: Self::default(), scope: 0, branch: None };
        builder.index.scopes.push(Scope::new(ScopeKind::Module, None, None));
        builder.body(&module.body);
        builder.index
    }

    pub fn scope(&self, number: usize) -> &Scope {
        &self.scopes[number]
    }

    /// The scope of a `class` or `def` statement.
    pub fn scope_of(&self, node: NodeNumber) -> Option<usize> {
        self.scope_of.get(&node).copied()
    }

    pub fn branch(&self, number: usize) -> &Branch {
        &self.branches[number]
    }

    pub fn scopes(&self) -> impl Iterator<Item = (usize, &Scope)> {
        self.scopes.iter().enumerate()
    }

    /// The names of the module that functions assign through `global`.
    pub fn is_rebound(&self, name: &str) -> bool {
        let assigns = |scope: &Scope| scope.outer.get(name) == Some(&Outer::Global) && scope.binds(name);
        self.scopes.iter().any(assigns)
    }
}

impl Scope {
    fn new(kind: ScopeKind, node: Option<NodeNumber>, parent: Option<usize>) -> Self {
        Self {
            kind,
            node,
            parent,
            bindings: vec![],
            names: HashMap::new(),
            stars: vec![],
            outer: HashMap::new(),
            returns: vec![],
        }
    }

    /// The bindings of `name`, in the order of the text.
    pub fn bindings_of(&self, name: &str) -> impl DoubleEndedIterator<Item = (usize, &Binding)> {
        let numbers = self.names.get(name).map(Vec::as_slice).unwrap_or_default();
        numbers.iter().map(|number| (*number, &self.bindings[*number]))
    }

    pub fn binds(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// What `global` and `nonlocal` say about `name`.
    pub fn outer(&self, name: &str) -> Option<Outer> {
        self.outer.get(name).copied()
    }

    /// The names it binds, each once, in the order of the text.
    pub fn names(&self) -> Vec<&str> {
        let mut seen = HashSet::new();
        let names = self.bindings.iter().map(|binding| binding.name.as_str());
        names.filter(|name| seen.insert(*name)).collect()
    }
}

struct Builder {
    index: Index,
    scope: usize,
    branch: Option<usize>,
}

pub(super) fn number(node: &impl HasNodeIndex) -> NodeNumber {
    node.node_index().load().as_u32().unwrap_or_default()
}

impl Builder {
    fn scope(&mut self) -> &mut Scope {
        &mut self.index.scopes[self.scope]
    }

    fn bind(&mut self, name: &str, kind: BindingKind, node: NodeNumber, at: TextSize) {
        let branch = self.branch;
        let scope = self.scope();
        let number = scope.bindings.len();
        if matches!(kind, BindingKind::Star) {
            scope.stars.push(number);
        }
        scope.names.entry(name.to_string()).or_default().push(number);
        scope.bindings.push(Binding { name: name.to_string(), kind, node, at, branch });
    }

    fn body(&mut self, body: &[Stmt]) {
        for statement in body {
            self.statement(statement);
        }
    }

    fn arm(&mut self, node: NodeNumber, whole: TextRange, arm: Arm, body: &[Stmt]) {
        let (Some(first), Some(last)) = (body.first(), body.last()) else { return };
        let parent = self.branch;
        let range = TextRange::new(first.start(), last.end());
        self.branch = Some(self.index.branches.len());
        self.index.branches.push(Branch { parent, node, arm, range, whole });
        self.body(body);
        self.branch = parent;
    }

    fn enter(&mut self, kind: ScopeKind, node: NodeNumber, body: &[Stmt]) {
        let (outer, branch) = (self.scope, self.branch.take());
        let number = self.index.scopes.len();
        self.index.scopes.push(Scope::new(kind, Some(node), Some(outer)));
        self.index.scope_of.insert(node, number);
        self.scope = number;
        self.body(body);
        self.scope = outer;
        self.branch = branch;
    }

    fn statement(&mut self, statement: &Stmt) {
        let (node, range) = (number(statement), statement.range());
        match statement {
            Stmt::FunctionDef(def) => {
                self.bind(&def.name, BindingKind::Function, node, range.end());
                self.enter(ScopeKind::Function, node, &def.body);
            }
            Stmt::ClassDef(class) => {
                self.bind(&class.name, BindingKind::Class, node, range.end());
                self.enter(ScopeKind::Class, node, &class.body);
            }
            Stmt::Assign(assign) => {
                let value = number(&*assign.value);
                for target in &assign.targets {
                    self.target(target, node, range.end(), Some(value), &mut vec![]);
                }
            }
            Stmt::AnnAssign(assign) => match (&*assign.target, &assign.value) {
                (target, Some(value)) => self.target(target, node, range.end(), Some(number(&**value)), &mut vec![]),
                (Expr::Name(name), None) => self.bind(&name.id, BindingKind::Declared, node, range.end()),
                _ => {}
            },
            Stmt::AugAssign(assign) => {
                if let Expr::Name(name) = &*assign.target {
                    self.bind(&name.id, BindingKind::Augmented, node, range.end());
                }
            }
            Stmt::TypeAlias(alias) => self.target(&alias.name, node, range.end(), None, &mut vec![]),
            Stmt::Delete(delete) => {
                for name in delete.targets.iter().filter_map(Expr::as_name_expr) {
                    self.bind(&name.id, BindingKind::Deleted, node, range.end());
                }
            }
            Stmt::Import(import) => {
                for alias in &import.names {
                    let full = alias.name.as_str();
                    let name = alias.asname.as_deref().unwrap_or_else(|| full.split('.').next().unwrap_or(full));
                    self.bind(name, BindingKind::Import, number(alias), range.end());
                }
            }
            Stmt::ImportFrom(import) => {
                for alias in &import.names {
                    match alias.name.as_str() {
                        "*" => self.bind("*", BindingKind::Star, node, range.end()),
                        name => {
                            let name = alias.asname.as_deref().unwrap_or(name);
                            self.bind(name, BindingKind::ImportFrom, number(alias), range.end());
                        }
                    }
                }
            }
            Stmt::Global(global) => self.declare(&global.names, Outer::Global),
            Stmt::Nonlocal(nonlocal) => self.declare(&nonlocal.names, Outer::Nonlocal),
            Stmt::Return(returned) => {
                let branch = self.branch;
                let value = returned.value.as_deref().map(number);
                self.scope().returns.push(Return { value, at: range.start(), branch });
            }
            _ => self.compound(statement, node, range),
        }
    }

    fn compound(&mut self, statement: &Stmt, node: NodeNumber, whole: TextRange) {
        match statement {
            Stmt::If(branches) => {
                self.arm(node, whole, Arm::If(0), &branches.body);
                for (index, clause) in branches.elif_else_clauses.iter().enumerate() {
                    let arm = if clause.test.is_some() { Arm::If(index + 1) } else { Arm::Else(index + 1) };
                    self.arm(node, whole, arm, &clause.body);
                }
            }
            Stmt::For(loops) => {
                let kind = |_: Vec<usize>| BindingKind::Item { iterable: number(&*loops.iter) };
                match &*loops.target {
                    Expr::Name(name) => self.bind(&name.id, kind(vec![]), node, loops.iter.end()),
                    target => self.target(target, node, loops.iter.end(), None, &mut vec![]),
                }
                self.arm(node, whole, Arm::Loop, &loops.body);
                self.arm(node, whole, Arm::LoopElse, &loops.orelse);
            }
            Stmt::While(loops) => {
                self.arm(node, whole, Arm::Loop, &loops.body);
                self.arm(node, whole, Arm::LoopElse, &loops.orelse);
            }
            Stmt::With(with) => {
                for item in &with.items {
                    match item.optional_vars.as_deref() {
                        Some(Expr::Name(name)) => {
                            self.bind(&name.id, BindingKind::Opaque, node, item.end());
                        }
                        Some(target) => self.target(target, node, item.end(), None, &mut vec![]),
                        None => {}
                    }
                }
                self.body(&with.body);
            }
            Stmt::Try(attempt) => {
                self.arm(node, whole, Arm::TryBody, &attempt.body);
                for (index, ast::ExceptHandler::ExceptHandler(handler)) in attempt.handlers.iter().enumerate() {
                    self.arm(node, whole, Arm::Handler(index), &handler.body);
                }
                self.arm(node, whole, Arm::TryElse, &attempt.orelse);
                self.body(&attempt.finalbody);
            }
            Stmt::Match(matching) => {
                for case in &matching.cases {
                    self.arm(node, whole, Arm::Case, &case.body);
                }
            }
            _ => {}
        }
    }

    fn declare(&mut self, names: &[ast::Identifier], outer: Outer) {
        for name in names {
            self.scope().outer.insert(name.to_string(), outer);
        }
    }

    fn target(
        &mut self,
        target: &Expr,
        node: NodeNumber,
        at: TextSize,
        value: Option<NodeNumber>,
        path: &mut Vec<usize>,
    ) {
        match target {
            Expr::Name(name) => {
                let kind = match value {
                    Some(value) => BindingKind::Assign { value, path: path.clone() },
                    None => BindingKind::Opaque,
                };
                self.bind(&name.id, kind, node, at);
            }
            Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
                let mut value = value;
                for (index, item) in elts.iter().enumerate() {
                    if item.is_starred_expr() {
                        value = None; // What follows is counted from the end.
                    }
                    path.push(index);
                    self.target(item, node, at, value, path);
                    path.pop();
                }
            }
            Expr::Starred(starred) => self.target(&starred.value, node, at, None, path),
            _ => {}
        }
    }
}
