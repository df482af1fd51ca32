//! A file with its tree and its scopes.

use ruff_db::files::File;
use ruff_db::parsed::ParsedModuleRef;
use ruff_python_ast::{self as ast, AnyRootNodeRef, Expr, NodeIndex, Stmt};

use super::Node;
use super::index::{Index, NodeNumber};

/// A file with its tree.
pub(super) struct Source<'db> {
    pub file: File,
    pub parsed: ParsedModuleRef,
    pub index: &'db Index,
    pub is_stub: bool,
}

impl Source<'_> {
    pub fn node(&self, number: NodeNumber) -> AnyRootNodeRef<'_> {
        self.parsed.get_by_index(NodeIndex::from(number))
    }

    pub fn expression(&self, number: NodeNumber) -> Option<&Expr> {
        match self.node(number) {
            AnyRootNodeRef::Expr(expr) => Some(expr),
            _ => None,
        }
    }

    pub fn statement(&self, number: NodeNumber) -> Option<&Stmt> {
        match self.node(number) {
            AnyRootNodeRef::Stmt(statement) => Some(statement),
            _ => None,
        }
    }

    pub fn function(&self, number: NodeNumber) -> Option<&ast::StmtFunctionDef> {
        self.statement(number)?.as_function_def_stmt()
    }

    pub fn class(&self, number: NodeNumber) -> Option<&ast::StmtClassDef> {
        self.statement(number)?.as_class_def_stmt()
    }

    /// The innermost scope whose body holds a range.
    pub fn scope_around(&self, range: ruff_text_size::TextRange) -> usize {
        use ruff_text_size::Ranged as _;
        let holds = |(_, scope): &(usize, &super::index::Scope)| {
            scope.node.and_then(|node| self.statement(node)).is_none_or(|node| node.range().contains_range(range))
        };
        self.index.scopes().filter(holds).last().map_or(0, |(number, _)| number)
    }

    /// The scope in which the `class` or `def` at a node stands.
    pub fn scope_before(&self, number: NodeNumber) -> usize {
        self.index.scope_of(number).and_then(|scope| self.index.scope(scope).parent).unwrap_or_default()
    }

    pub fn at(&self, number: NodeNumber) -> Node {
        Node { file: self.file, number }
    }
}
