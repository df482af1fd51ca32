//! The statements that have run before a place, within its own scope.

use ruff_python_ast::{self as ast, AnyNodeRef, Stmt};

use crate::analysis::Site;
use crate::text::{Ranged as _, TextRange};

/// How far back statements are followed.
const STEPS: usize = 400;

/// One thing that happened on the way to a place.
#[derive(Clone, Copy)]
pub(in crate::detectors) enum Step<'a> {
    /// This statement has run, once, just then.
    Ran(&'a Stmt),
    /// These statements may have run, in part, once or many times.
    Perhaps(&'a [Stmt]),
    /// The head of this statement, whose body the place is in: its test, its iterable, its context managers.
    Head(AnyNodeRef<'a>),
}

/// The scope that a place runs in and what has happened in it, oldest first. Nothing for class bodies.
pub(in crate::detectors) struct Path<'a> {
    /// The statements of the scope.
    pub scope: &'a [Stmt],
    pub is_module: bool,
    pub steps: Vec<Step<'a>>,
}

impl<'a> Path<'a> {
    /// The path to the statement that holds `site`'s node.
    pub fn to(site: &Site<'a, '_>) -> Option<Self> {
        let inner = |node: &AnyNodeRef| match node {
            AnyNodeRef::StmtFunctionDef(def) => within(&def.body, site.node.range()),
            AnyNodeRef::ExprLambda(_) | AnyNodeRef::StmtClassDef(_) => true,
            _ => false,
        };
        let start = site.ancestors.iter().rposition(inner);
        let (scope, is_module, below): (&'a [Stmt], _, _) = match start.map(|at| (at, site.ancestors[at])) {
            None => (&site.module.syntax().body, true, site.ancestors),
            Some((at, AnyNodeRef::StmtFunctionDef(def))) => (&def.body, false, &site.ancestors[at + 1..]),
            Some(_) => return None,
        };
        let mut path = Self { scope, is_module, steps: vec![] };
        let mut block = Some(scope);
        let here = site.node.range();
        for node in below.iter().copied().chain([site.node]).filter(|node| holds_blocks(*node)) {
            path.run_up_to(block.take().unwrap_or_default(), node.range());
            block = path.enter(node, here);
        }
        path.run_up_to(block.unwrap_or_default(), here);
        let excess = path.steps.len().saturating_sub(STEPS);
        path.steps.drain(..excess);
        Some(path)
    }

    fn run_up_to(&mut self, block: &'a [Stmt], range: TextRange) {
        let end = block.partition_point(|statement| statement.end() <= range.start());
        let before = &block[end.saturating_sub(STEPS)..end];
        self.steps.extend(before.iter().map(Step::Ran));
    }

    /// Steps into a compound statement: what its other parts may have done, and the block that holds `here`.
    fn enter(&mut self, node: AnyNodeRef<'a>, here: TextRange) -> Option<&'a [Stmt]> {
        let blocks = blocks(node);
        let at = blocks.iter().position(|block| within(block, here))?;
        let repeats = matches!(node, AnyNodeRef::StmtFor(_) | AnyNodeRef::StmtWhile(_));
        self.steps.push(Step::Head(node));
        let in_order = matches!(node, AnyNodeRef::StmtTry(_)) || repeats;
        if repeats && at == 0 {
            self.steps.push(Step::Perhaps(blocks[0]));
        }
        if in_order {
            self.steps.extend(blocks[..at].iter().map(|block| Step::Perhaps(block)));
        }
        Some(blocks[at])
    }
}

fn within(block: &[Stmt], range: TextRange) -> bool {
    block.iter().any(|statement| statement.range().contains_range(range))
}

fn holds_blocks(node: AnyNodeRef) -> bool {
    matches!(
        node,
        AnyNodeRef::StmtIf(_)
            | AnyNodeRef::StmtFor(_)
            | AnyNodeRef::StmtWhile(_)
            | AnyNodeRef::StmtWith(_)
            | AnyNodeRef::StmtTry(_)
            | AnyNodeRef::StmtMatch(_)
    )
}

/// The blocks of a compound statement, in the order of the source.
fn blocks(node: AnyNodeRef<'_>) -> Vec<&[Stmt]> {
    match node {
        AnyNodeRef::StmtIf(statement) => {
            let others = statement.elif_else_clauses.iter().map(|clause| &clause.body[..]);
            std::iter::once(&statement.body[..]).chain(others).collect()
        }
        AnyNodeRef::StmtFor(statement) => vec![&statement.body[..], &statement.orelse],
        AnyNodeRef::StmtWhile(statement) => vec![&statement.body[..], &statement.orelse],
        AnyNodeRef::StmtWith(statement) => vec![&statement.body[..]],
        AnyNodeRef::StmtTry(statement) => {
            let handlers =
                statement.handlers.iter().map(|ast::ExceptHandler::ExceptHandler(handler)| &handler.body[..]);
            let rest = [&statement.orelse[..], &statement.finalbody[..]];
            std::iter::once(&statement.body[..]).chain(handlers).chain(rest).collect()
        }
        AnyNodeRef::StmtMatch(statement) => statement.cases.iter().map(|case| &case.body[..]).collect(),
        _ => vec![],
    }
}
