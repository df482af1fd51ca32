//! The names that a file's scopes bind: where, and under which conditions. Syntax only.

mod builder;

use std::collections::{HashMap, HashSet};

use ruff_python_ast::{self as ast, HasNodeIndex};
use ruff_text_size::{TextRange, TextSize};

/// The number of a node in its file's tree.
pub(super) type NodeNumber = u32;

/// The scopes of one file; the first is the module's.
#[derive(Debug, Default)]
pub(super) struct Index {
    scopes: Vec<Scope>,
    scope_of: HashMap<NodeNumber, usize>,
    branches: Vec<Branch>,
    attributes: Vec<AttributeBinding>,
    /// The module calls `_convert_` of an enumeration, which replaces numbers in its namespace by members.
    pub converts_constants: bool,
    /// What the module puts in its place in `sys.modules`.
    pub replaced_by: Option<NodeNumber>,
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

/// `name.attribute = …` or `del name.attribute` while the module runs.
#[derive(Debug)]
pub(super) struct AttributeBinding {
    object: String,
    attribute: String,
    /// None where it is not written out.
    pub value: Option<NodeNumber>,
    pub at: TextSize,
    pub branch: Option<usize>,
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
        builder::build(&module.body)
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

    /// The assignments to an attribute of what a name stands for, in the order of the text.
    pub fn attribute_bindings(
        &self,
        object: &str,
        attribute: &str,
    ) -> impl DoubleEndedIterator<Item = &AttributeBinding> {
        let is_meant = move |binding: &&AttributeBinding| binding.object == object && binding.attribute == attribute;
        self.attributes.iter().filter(is_meant)
    }

    /// The attributes of `object` that the module's own statements bind.
    pub fn attributes_of<'i>(&'i self, object: &'i str) -> impl Iterator<Item = &'i str> {
        self.attributes.iter().filter(move |binding| binding.object == object).map(|binding| binding.attribute.as_str())
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

pub(super) fn number(node: &impl HasNodeIndex) -> NodeNumber {
    node.node_index().load().as_u32().unwrap_or_default()
}
