//! Every place in some statements that names one of a few variables, with what encloses it.

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{self as ast, AnyNodeRef, Stmt};

/// One occurrence of a name.
pub(in crate::detectors) struct Mention<'a> {
    pub name: &'a ast::ExprName,
    /// From the statement that was searched to the name's parent.
    pub ancestors: Vec<AnyNodeRef<'a>>,
}

impl<'a> Mention<'a> {
    /// The `n`th node around the name, 0 for its parent.
    pub fn around(&self, n: usize) -> Option<AnyNodeRef<'a>> {
        self.ancestors.iter().rev().nth(n).copied()
    }

    /// Whether the name stands in a function or class inside the statement searched, so that it is not evaluated there.
    pub fn is_deferred(&self) -> bool {
        self.ancestors.iter().any(|node| is_scope(*node))
    }
}

/// The occurrences of any of `names` in `statements`.
pub(in crate::detectors) fn mentions<'a>(statements: &'a [Stmt], names: &[&str]) -> Vec<Mention<'a>> {
    let mut finder = Finder { names, ancestors: vec![], found: vec![] };
    finder.visit_body(statements);
    finder.found
}

/// Whether a node opens a scope of its own that runs later, or as a class body.
pub(in crate::detectors) fn is_scope(node: AnyNodeRef) -> bool {
    matches!(node, AnyNodeRef::StmtFunctionDef(_) | AnyNodeRef::ExprLambda(_) | AnyNodeRef::StmtClassDef(_))
}

struct Finder<'n, 'a> {
    names: &'n [&'n str],
    ancestors: Vec<AnyNodeRef<'a>>,
    found: Vec<Mention<'a>>,
}

impl<'a> SourceOrderVisitor<'a> for Finder<'_, 'a> {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        if let AnyNodeRef::ExprName(name) = node
            && self.names.contains(&name.id.as_str())
        {
            self.found.push(Mention { name, ancestors: self.ancestors.clone() });
        }
        self.ancestors.push(node);
        TraversalSignal::Traverse
    }

    fn leave_node(&mut self, _node: AnyNodeRef<'a>) {
        self.ancestors.pop();
    }
}

/// Whether one of `statements` binds or unbinds `name` in their own scope, in any way.
pub(in crate::detectors) fn binds(statements: &[Stmt], name: &str) -> bool {
    let mut finder = Binder { name, found: false };
    finder.visit_body(statements);
    finder.found
}

struct Binder<'n> {
    name: &'n str,
    found: bool,
}

impl<'a> SourceOrderVisitor<'a> for Binder<'_> {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        let is_name = |identifier: &ast::Identifier| identifier.as_str() == self.name;
        self.found |= match node {
            AnyNodeRef::ExprName(name) => !name.ctx.is_load() && name.id == self.name,
            AnyNodeRef::StmtFunctionDef(function) => is_name(&function.name),
            AnyNodeRef::StmtClassDef(class) => is_name(&class.name),
            AnyNodeRef::ExceptHandlerExceptHandler(handler) => handler.name.as_ref().is_some_and(is_name),
            AnyNodeRef::PatternMatchAs(pattern) => pattern.name.as_ref().is_some_and(is_name),
            AnyNodeRef::PatternMatchStar(pattern) => pattern.name.as_ref().is_some_and(is_name),
            AnyNodeRef::PatternMatchMapping(pattern) => pattern.rest.as_ref().is_some_and(is_name),
            AnyNodeRef::StmtGlobal(statement) => statement.names.iter().any(is_name),
            AnyNodeRef::StmtNonlocal(statement) => statement.names.iter().any(is_name),
            AnyNodeRef::Alias(alias) => match &alias.asname {
                Some(asname) => is_name(asname),
                None => alias.name.split('.').next() == Some(self.name) || alias.name.as_str() == "*",
            },
            _ => false,
        };
        match self.found || is_scope(node) {
            true => TraversalSignal::Skip,
            false => TraversalSignal::Traverse,
        }
    }
}

/// What functions inside a scope do with one of its variables.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::detectors) enum Inner {
    Unused,
    Read,
    Rebound,
}

/// How the functions, lambdas and class bodies in `statements` use the variable `name` of the enclosing scope.
pub(in crate::detectors) fn inner_use(statements: &[Stmt], name: &str) -> Inner {
    let mut finder = InnerUse { name, depth: 0, found: Inner::Unused };
    finder.visit_body(statements);
    finder.found
}

struct InnerUse<'n> {
    name: &'n str,
    depth: usize,
    found: Inner,
}

impl<'a> SourceOrderVisitor<'a> for InnerUse<'_> {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        let names = |names: &[ast::Identifier]| names.iter().any(|name| name.as_str() == self.name);
        let found = match node {
            AnyNodeRef::StmtGlobal(statement) if names(&statement.names) => Inner::Rebound,
            AnyNodeRef::StmtNonlocal(statement) if names(&statement.names) => Inner::Rebound,
            AnyNodeRef::ExprName(name) if self.depth > 0 && name.id == self.name => Inner::Read,
            _ => Inner::Unused,
        };
        self.found = self.found.max(found);
        self.depth += usize::from(is_scope(node));
        TraversalSignal::Traverse
    }

    fn leave_node(&mut self, node: AnyNodeRef<'a>) {
        self.depth -= usize::from(is_scope(node));
    }
}

/// Whether a function body has a `yield` of its own.
pub(super) fn yields(body: &[Stmt]) -> bool {
    struct Yields(bool);
    impl<'a> SourceOrderVisitor<'a> for Yields {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            self.0 |= matches!(node, AnyNodeRef::ExprYield(_) | AnyNodeRef::ExprYieldFrom(_));
            match self.0 || is_scope(node) {
                true => TraversalSignal::Skip,
                false => TraversalSignal::Traverse,
            }
        }
    }
    let mut finder = Yields(false);
    finder.visit_body(body);
    finder.0
}
