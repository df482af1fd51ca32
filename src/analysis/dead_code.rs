//! Code that is never run: behind a jump, or in a branch that a constant of the file rules out.

use ruff_python_ast::find_node::covering_node;
use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};
use ruff_text_size::{Ranged as _, TextRange};

use super::module::Module;

impl Module<'_> {
    /// Whether the code at `range` is seen never to run.
    pub fn never_runs(&self, range: TextRange) -> bool {
        covering_node(self.syntax().into(), range).ancestors().any(|node| self.leaves_out(node, range))
    }

    /// Whether `node` never comes to what it has at `range`.
    fn leaves_out(&self, node: AnyNodeRef, range: TextRange) -> bool {
        if let AnyNodeRef::StmtIf(branches) = node
            && self.is_ruled_out(branches, range)
        {
            return true;
        }
        blocks(node).into_iter().any(|block| {
            let at = block.iter().position(|statement| statement.range().contains_range(range));
            at.is_some_and(|at| block[..at].iter().any(|before| self.ends_block(before)))
        })
    }

    /// Whether `range` is in a branch that the constants before it rule out.
    fn is_ruled_out(&self, branches: &ast::StmtIf, range: TextRange) -> bool {
        let holds = |body: &[Stmt]| body.iter().any(|statement| statement.range().contains_range(range));
        let first = self.constant_truth(&branches.test);
        if holds(&branches.body) {
            return first == Some(false);
        }
        let mut is_taken = first == Some(true);
        for clause in &branches.elif_else_clauses {
            let truth = clause.test.as_ref().and_then(|test| self.constant_truth(test));
            if holds(&clause.body) {
                return is_taken || truth == Some(false);
            }
            is_taken |= truth == Some(true);
        }
        false
    }

    /// Whether nothing behind `statement` in its block is run.
    fn ends_block(&self, statement: &Stmt) -> bool {
        match statement {
            Stmt::Return(_) | Stmt::Raise(_) | Stmt::Continue(_) | Stmt::Break(_) => true,
            Stmt::If(branches) => {
                self.constant_truth(&branches.test) == Some(true)
                    && branches.body.iter().any(|inner| self.ends_block(inner))
            }
            _ => false,
        }
    }

    /// The truth of a test that a literal decides, or a name that the file binds once, at its top, to a literal.
    fn constant_truth(&self, test: &Expr) -> Option<bool> {
        match test {
            Expr::BooleanLiteral(literal) => Some(literal.value),
            Expr::UnaryOp(not) if not.op == ast::UnaryOp::Not => Some(!self.constant_truth(&not.operand)?),
            Expr::BoolOp(chain) => {
                let decisive = chain.op == ast::BoolOp::Or;
                let truths: Vec<_> = chain.values.iter().map(|value| self.constant_truth(value)).collect();
                match truths.contains(&Some(decisive)) {
                    true => Some(decisive),
                    false => truths.iter().all(Option::is_some).then_some(!decisive),
                }
            }
            Expr::Name(name) => self.constant(&name.id),
            _ => None,
        }
    }

    fn constant(&self, name: &str) -> Option<bool> {
        let bound = self.syntax().body.iter().find_map(|statement| match statement {
            Stmt::Assign(assign) => match assign.targets.as_slice() {
                [Expr::Name(target)] if target.id == name => Some(&*assign.value),
                _ => None,
            },
            Stmt::AnnAssign(assign) if assign.target.as_name_expr().is_some_and(|target| target.id == name) => {
                assign.value.as_deref()
            }
            _ => None,
        });
        let value = bound?.as_boolean_literal_expr()?.value;
        let mut bindings = Bindings { name, count: 0 };
        bindings.visit_body(&self.syntax().body);
        (bindings.count == 1).then_some(value)
    }
}

/// How often a file binds a name, in whatever scope.
struct Bindings<'n> {
    name: &'n str,
    count: usize,
}

impl<'a> SourceOrderVisitor<'a> for Bindings<'_> {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        let is_bound = match node {
            AnyNodeRef::ExprName(name) => name.id == self.name && !name.ctx.is_load(),
            AnyNodeRef::Parameter(parameter) => parameter.name.as_str() == self.name,
            AnyNodeRef::Alias(alias) => alias.asname.as_ref().unwrap_or(&alias.name).as_str() == self.name,
            AnyNodeRef::StmtGlobal(global) => global.names.iter().any(|name| name.as_str() == self.name),
            AnyNodeRef::StmtFunctionDef(def) => def.name.as_str() == self.name,
            AnyNodeRef::StmtClassDef(class) => class.name.as_str() == self.name,
            _ => false,
        };
        self.count += usize::from(is_bound);
        TraversalSignal::Traverse
    }
}

/// The blocks of statements directly in a node.
pub fn blocks(node: AnyNodeRef<'_>) -> Vec<&[Stmt]> {
    match node {
        AnyNodeRef::ModModule(module) => vec![&module.body],
        AnyNodeRef::StmtFunctionDef(function) => vec![&function.body],
        AnyNodeRef::StmtClassDef(class) => vec![&class.body],
        AnyNodeRef::StmtFor(node) => vec![&node.body, &node.orelse],
        AnyNodeRef::StmtWhile(node) => vec![&node.body, &node.orelse],
        AnyNodeRef::StmtIf(node) => vec![&node.body],
        AnyNodeRef::ElifElseClause(clause) => vec![&clause.body],
        AnyNodeRef::StmtWith(node) => vec![&node.body],
        AnyNodeRef::StmtTry(node) => vec![&node.body, &node.orelse, &node.finalbody],
        AnyNodeRef::ExceptHandlerExceptHandler(handler) => vec![&handler.body],
        AnyNodeRef::MatchCase(case) => vec![&case.body],
        _ => vec![],
    }
}
