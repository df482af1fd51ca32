//! One node of the tree with what encloses it: the execution context.

use ruff_python_ast::{self as ast, AnyNodeRef, ExprRef};
use ruff_text_size::{Ranged as _, TextRange};

use super::module::Module;
use super::names::Symbol;

/// A node, its ancestors, and the file they are in.
#[derive(Clone, Copy)]
pub struct Site<'a, 's> {
    pub module: &'a Module<'s>,
    pub node: AnyNodeRef<'a>,
    /// The ancestors, outermost (the module) first, without the node.
    pub ancestors: &'a [AnyNodeRef<'a>],
    /// Whether the whole file is looked at, for hints and diagnostics: then what is seldom there is ruled out by names before
    /// any type is asked. At a cursor everything is asked.
    pub is_whole_file: bool,
    /// What a reader asked about: findings elsewhere are dropped.
    pub asked: TextRange,
}

/// The kind of code that a node runs in: that of the nearest function, not looking through it.
#[derive(Clone, Copy, Debug)]
pub enum ExecutionContext<'a> {
    /// The module's body, or a class body in it: runs once, at import.
    Module,
    Function(&'a ast::StmtFunctionDef),
    Lambda(&'a ast::ExprLambda),
}

impl<'a, 's> Site<'a, 's> {
    /// The site of a node that is looked at on its own.
    pub fn at(module: &'a Module<'s>, node: AnyNodeRef<'a>, ancestors: &'a [AnyNodeRef<'a>]) -> Self {
        Self { module, node, ancestors, is_whole_file: false, asked: node.range() }
    }

    /// Whether somebody asked about what is at `range`: a finding elsewhere need not be worked out.
    pub fn is_asked(&self, range: TextRange) -> bool {
        self.asked.intersect(range).is_some()
    }

    /// The parent node.
    pub fn parent(&self) -> Option<AnyNodeRef<'a>> {
        self.ancestors.last().copied()
    }

    /// The enclosing nodes, nearest first.
    pub fn enclosing(&self) -> impl Iterator<Item = AnyNodeRef<'a>> + use<'a> {
        self.ancestors.iter().rev().copied()
    }

    /// The site of the parent node.
    pub fn up(&self) -> Option<Site<'a, 's>> {
        let (node, ancestors) = self.ancestors.split_last()?;
        Some(Site { module: self.module, node: *node, ancestors, ..*self })
    }

    /// The statement the node is in, which may be the node itself.
    pub fn statement(&self) -> Option<AnyNodeRef<'a>> {
        std::iter::once(self.node).chain(self.enclosing()).find(|node| node.is_statement())
    }

    /// The canonical name of what `call` calls, if that is one of `names`. A view of the whole file rules out by its last part
    /// what cannot be one of them; at a cursor, the types are asked.
    pub fn callee_among(&self, call: &ast::ExprCall, names: &[&str]) -> Option<Symbol> {
        if self.is_whole_file && !self.module.may_be(&call.func, names) {
            return None;
        }
        self.module.callee(call).filter(|symbol| symbol.is_any(names))
    }

    /// What runs the node. Decorators, defaults and annotations of a function run in what encloses it, and so does the
    /// first iterable of a generator expression.
    pub fn context(&self) -> ExecutionContext<'a> {
        let inner = self.node.range();
        for node in self.enclosing() {
            match node {
                AnyNodeRef::StmtFunctionDef(function) if runs_in_body(&function.body, inner) => {
                    return ExecutionContext::Function(function);
                }
                AnyNodeRef::ExprLambda(lambda) if lambda.body.range().contains_range(inner) => {
                    return ExecutionContext::Lambda(lambda);
                }
                _ => {}
            }
        }
        ExecutionContext::Module
    }

    /// The function that runs the node, if it is a `def`.
    pub fn function(&self) -> Option<&'a ast::StmtFunctionDef> {
        match self.context() {
            ExecutionContext::Function(function) => Some(function),
            _ => None,
        }
    }

    /// The `async def` that runs the node: then the node runs on the event loop's thread.
    pub fn async_function(&self) -> Option<&'a ast::StmtFunctionDef> {
        self.function().filter(|function| function.is_async)
    }

    /// The class statement whose body, or whose method, holds the node.
    pub fn class(&self) -> Option<&'a ast::StmtClassDef> {
        self.enclosing().find_map(|node| match node {
            AnyNodeRef::StmtClassDef(class) => Some(class),
            _ => None,
        })
    }

    /// Whether the node is awaited where it stands.
    pub fn is_awaited(&self) -> bool {
        matches!(self.parent(), Some(AnyNodeRef::ExprAwait(_)))
    }

    /// Whether the node stands in `if TYPE_CHECKING`, or in the file of a stub: it does not run.
    pub fn is_type_checking(&self) -> bool {
        self.module.is_stub()
            || self.enclosing().any(|node| match node {
                AnyNodeRef::StmtIf(statement) => {
                    let name = match &*statement.test {
                        ast::Expr::Name(name) => name.id.as_str(),
                        ast::Expr::Attribute(attribute) => attribute.attr.as_str(),
                        _ => "",
                    };
                    name == "TYPE_CHECKING" && runs_in_body(&statement.body, self.node.range())
                }
                _ => false,
            })
    }

    /// Whether the node is part of an annotation.
    pub fn is_annotation(&self) -> bool {
        let range = self.node.range();
        self.enclosing().any(|node| match node {
            AnyNodeRef::StmtAnnAssign(assign) => assign.annotation.range().contains_range(range),
            AnyNodeRef::Parameter(parameter) => {
                parameter.annotation.as_ref().is_some_and(|annotation| annotation.range().contains_range(range))
            }
            AnyNodeRef::StmtFunctionDef(function) => {
                function.returns.as_ref().is_some_and(|returns| returns.range().contains_range(range))
            }
            _ => false,
        })
    }

    /// The expression the node is, if it is one.
    pub fn expression(&self) -> Option<ExprRef<'a>> {
        self.node.as_expr_ref()
    }
}

fn runs_in_body(body: &[ast::Stmt], range: TextRange) -> bool {
    match (body.first(), body.last()) {
        (Some(first), Some(last)) => TextRange::new(first.start(), last.end()).contains_range(range),
        _ => false,
    }
}
