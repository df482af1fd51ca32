//! One function's body as it runs: its calls, and the flags on which they depend.

use std::collections::HashSet;

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal, walk_body, walk_expr, walk_stmt};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};
use ruff_text_size::{Ranged as _, TextRange};

use super::super::syntax_index::{ImportAliases, last_name};
use super::Flag;
use super::unnamed::{handed_over, iterated_by, object_asked};

/// Calls that ask on which loop the code runs.
const ASKS_FOR_LOOP: &[&str] = &[
    "_get_running_loop",
    "current_async_library",
    "current_task",
    "get_running_loop",
    "in_trio_run",
    "in_trio_task",
    "isInIOThread",
];

/// Calls that ask for more, of which some code makes its ways depend.
const ASKS_FOR_THREAD: &[&str] =
    &["current_thread", "get_event_loop", "get_ident", "get_native_id", "is_running", "main_thread"];

/// One test of data.
const ONE: Doubts = Doubts { data: 1, settings: 0 };

/// How the value of an expression is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, salsa::SalsaValue)]
pub(in super::super) enum How {
    Called,
    /// Iterated over: the body of a generator runs.
    Iterated,
    /// Entered by `with`.
    Entered,
    /// Read as an attribute: the body of a property runs.
    Read,
    /// Given to a function that calls it before it returns: `sorted(items, key=f)`.
    HandedOver,
    /// Used so that a special method runs: `stock[key]`.
    Special(&'static str),
}

/// An expression that runs something.
pub(super) struct CallSite<'a> {
    /// What is named as the cause: the called expression.
    pub(super) range: TextRange,
    pub(super) call: Option<&'a ast::ExprCall>,
    /// What is entered.
    pub(super) expr: Option<&'a Expr>,
    pub(super) how: How,
    pub(super) needs: Vec<(String, bool)>,
    pub(super) doubts: Doubts,
    pub(super) is_test: bool,
}

/// What has to hold beside flags for something to happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, salsa::SalsaValue)]
pub(in super::super) struct Doubts {
    /// Tests of what the data is.
    pub(in super::super) data: u32,
    /// Tests of a setting: of an attribute, or of a name that speaks of async code.
    pub(in super::super) settings: u32,
}

impl Doubts {
    fn and(self, other: Doubts) -> Doubts {
        Doubts { data: self.data + other.data, settings: self.settings + other.settings }
    }
}

/// What a body asks about where it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, salsa::SalsaValue)]
pub(in super::super) struct Asks {
    pub(in super::super) for_loop: bool,
    pub(in super::super) for_thread: bool,
}

impl Asks {
    fn add(&mut self, name: &str) {
        self.for_loop |= ASKS_FOR_LOOP.contains(&name);
        self.for_thread |= ASKS_FOR_THREAD.contains(&name);
    }
}

/// The calls of a function's own body, and what it asks about where it runs.
pub(super) fn calls_in<'a>(
    aliases: &ImportAliases,
    def: &'a ast::StmtFunctionDef,
    flags: &'a [Flag],
) -> (Vec<CallSite<'a>>, Asks) {
    let mut walk = Walk {
        flags,
        sites: vec![],
        used: vec![],
        called: None,
        chosen: vec![],
        needs: vec![],
        doubts: Doubts::default(),
        is_test: false,
        asks: Asks::default(),
    };
    walk.block(&def.body);
    // `from asyncio import get_running_loop as running` asks too.
    let mut asks = walk.asks;
    for name in walk.sites.iter().filter_map(|site| site.call?.func.as_name_expr()) {
        asks.add(aliases.original(&name.id));
    }
    (walk.sites, asks)
}

/// The names that a body binds in its own frame.
pub(super) fn bound_names(body: &[Stmt]) -> HashSet<String> {
    struct Bound(HashSet<String>);
    impl<'a> SourceOrderVisitor<'a> for Bound {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            match node {
                AnyNodeRef::ExprName(name) if !name.ctx.is_load() => {
                    self.0.insert(name.id.to_string());
                }
                AnyNodeRef::StmtFunctionDef(_) | AnyNodeRef::StmtClassDef(_) | AnyNodeRef::ExprLambda(_) => {
                    return TraversalSignal::Skip;
                }
                _ => {}
            }
            TraversalSignal::Traverse
        }
    }
    let mut bound = Bound(HashSet::new());
    walk_body(&mut bound, body);
    bound.0
}

struct Walk<'a> {
    flags: &'a [Flag],
    sites: Vec<CallSite<'a>>,
    /// The expressions whose values are iterated over or entered.
    used: Vec<(TextRange, How)>,
    /// The callee of the call that was entered last.
    called: Option<TextRange>,
    /// The parts of expressions that are not always evaluated.
    chosen: Vec<TextRange>,
    needs: Vec<(String, bool)>,
    doubts: Doubts,
    is_test: bool,
    asks: Asks,
}

impl<'a> Walk<'a> {
    fn block(&mut self, body: &'a [Stmt]) {
        let (depth, doubts) = (self.needs.len(), self.doubts);
        for statement in body {
            self.statement(statement);
            if matches!(statement, Stmt::Return(_) | Stmt::Raise(_) | Stmt::Continue(_) | Stmt::Break(_)) {
                break;
            }
            // `if not wait: return` holds for the rest of the block. One that raises is a check of what was passed.
            let Stmt::If(test) = statement else { continue };
            let ends = |body: &[Stmt]| matches!(body.last(), Some(Stmt::Return(_) | Stmt::Continue(_)));
            let raises = matches!(test.body.last(), Some(Stmt::Raise(_)));
            match self.tested(&test.test).as_slice() {
                [(name, truth)] if (ends(&test.body) || raises) && test.elif_else_clauses.is_empty() => {
                    self.needs.push((name.clone(), !truth));
                }
                _ if ends(&test.body) || test.elif_else_clauses.iter().any(|clause| ends(&clause.body)) => {
                    self.doubts = self.doubts.and(self.doubts_of(&test.test));
                }
                _ => {}
            }
        }
        self.needs.truncate(depth);
        self.doubts = doubts;
    }

    /// A block that runs only if flags have these truth values, and in spite of these doubts.
    fn block_if(&mut self, needs: Vec<(String, bool)>, doubts: Doubts, body: &'a [Stmt]) {
        let (depth, outer) = (self.needs.len(), self.doubts);
        self.needs.extend(needs);
        self.doubts = self.doubts.and(doubts);
        self.block(body);
        self.needs.truncate(depth);
        self.doubts = outer;
    }

    /// What `test` tests beside flags.
    fn doubts_of(&self, test: &Expr) -> Doubts {
        match test {
            Expr::UnaryOp(not) if not.op == ast::UnaryOp::Not => self.doubts_of(&not.operand),
            Expr::BoolOp(chain) => {
                let doubts =
                    chain.values.iter().map(|value| self.doubts_of(value)).fold(Doubts::default(), Doubts::and);
                Doubts { data: doubts.data.min(1), settings: doubts.settings.min(1) }
            }
            _ if !self.tested(test).is_empty() => Doubts::default(),
            Expr::BooleanLiteral(_) | Expr::NumberLiteral(_) => Doubts::default(),
            Expr::Attribute(_) => Doubts { data: 0, settings: 1 },
            _ if last_name(test).is_some_and(|name| name.contains("sync")) => Doubts { data: 0, settings: 1 },
            _ => Doubts { data: 1, settings: 0 },
        }
    }

    fn statement(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::If(node) => self.branches(node),
            Stmt::While(node) => {
                self.test(&node.test);
                self.block_if(self.tested(&node.test), Doubts::default(), &node.body);
                self.block(&node.orelse);
            }
            Stmt::For(node) => {
                if !node.is_async {
                    self.iterate(&node.iter);
                }
                self.expression(&node.iter);
                self.block(&node.body);
                self.block(&node.orelse);
            }
            Stmt::With(node) => {
                for item in &node.items {
                    if !node.is_async {
                        self.enter(&item.context_expr);
                    }
                    self.expression(&item.context_expr);
                }
                self.block(&node.body);
            }
            Stmt::Try(node) => {
                self.block(&node.body);
                for ast::ExceptHandler::ExceptHandler(handler) in &node.handlers {
                    self.block_if(vec![], ONE, &handler.body);
                }
                self.block(&node.orelse);
                self.block(&node.finalbody);
            }
            Stmt::Match(node) => {
                self.expression(&node.subject);
                for case in &node.cases {
                    case.guard.iter().for_each(|guard| self.expression(guard));
                    self.block_if(vec![], ONE, &case.body);
                }
            }
            // A nested `def` runs when it is called; its decorators and defaults are of no interest here.
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => {}
            other => walk_stmt(self, other),
        }
    }

    fn branches(&mut self, node: &'a ast::StmtIf) {
        self.test(&node.test);
        let (tested, doubts) = (self.tested(&node.test), self.doubts_of(&node.test));
        if last_name(&node.test) != Some("TYPE_CHECKING") {
            self.block_if(tested.clone(), doubts, &node.body);
        }
        for clause in &node.elif_else_clauses {
            let mut needs = vec![];
            if let [(name, truth)] = tested.as_slice() {
                needs.push((name.clone(), !truth));
            }
            if let Some(test) = &clause.test {
                self.test(test);
                needs.extend(self.tested(test));
            }
            self.block_if(needs, doubts, &clause.body);
        }
    }

    fn enter(&mut self, manager: &'a Expr) {
        self.used.push((manager.range(), How::Entered));
        let cause = manager.as_call_expr().map_or(manager.range(), |call| call.func.range());
        self.add(cause, None, Some(manager), How::Entered);
    }

    fn iterate(&mut self, iterated: &'a Expr) {
        self.used.push((iterated.range(), How::Iterated));
        let cause = iterated.as_call_expr().map_or(iterated.range(), |call| call.func.range());
        self.add(cause, None, Some(iterated), How::Iterated);
    }

    fn test(&mut self, test: &'a Expr) {
        let outer = std::mem::replace(&mut self.is_test, true);
        self.expression(test);
        self.is_test = outer;
    }

    fn expression(&mut self, expr: &'a Expr) {
        self.visit_expr(expr);
    }

    /// The flags that must have these truth values where `test` holds.
    fn tested(&self, test: &Expr) -> Vec<(String, bool)> {
        let flag = |expr: &Expr| {
            let name = expr.as_name_expr()?.id.as_str();
            self.flags.iter().any(|flag| flag.name == name).then(|| name.to_string())
        };
        match test {
            Expr::Name(_) => flag(test).map(|name| (name, true)).into_iter().collect(),
            Expr::UnaryOp(not) if not.op == ast::UnaryOp::Not => {
                flag(&not.operand).map(|name| (name, false)).into_iter().collect()
            }
            Expr::Compare(compare) => match (&*compare.ops, &*compare.comparators) {
                ([ast::CmpOp::Is], [Expr::NoneLiteral(_)]) => flag(&compare.left).map(|name| (name, false)),
                ([ast::CmpOp::IsNot], [Expr::NoneLiteral(_)]) => flag(&compare.left).map(|name| (name, true)),
                _ => None,
            }
            .into_iter()
            .collect(),
            Expr::BoolOp(chain) if chain.op == ast::BoolOp::And => {
                chain.values.iter().flat_map(|value| self.tested(value)).collect()
            }
            _ => vec![],
        }
    }

    fn add(&mut self, range: TextRange, call: Option<&'a ast::ExprCall>, expr: Option<&'a Expr>, how: How) {
        let (needs, is_test) = (self.needs.clone(), self.is_test);
        let chosen = self.chosen.iter().filter(|chosen| chosen.contains_range(range)).count();
        let doubts = self.doubts.and(Doubts { data: u32::try_from(chosen).unwrap_or(u32::MAX), settings: 0 });
        self.sites.push(CallSite { range, call, expr, how, needs, doubts, is_test });
    }

    fn how(&self, range: TextRange) -> How {
        self.used.iter().rev().find(|(used, _)| *used == range).map_or(How::Called, |(_, how)| *how)
    }
}

impl<'a> SourceOrderVisitor<'a> for Walk<'a> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Attribute(read) = expr
            && read.ctx.is_load()
            && self.called != Some(read.range())
        {
            self.add(read.range(), None, Some(expr), How::Read);
        }
        walk_expr(self, expr);
    }

    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        if let Some(iterated) = iterated_by(node) {
            self.iterate(iterated);
        }
        if let Some((object, method)) = object_asked(node) {
            self.add(node.range(), None, Some(object), How::Special(method));
        }
        match node {
            AnyNodeRef::ExprBoolOp(chain) => self.chosen.extend(chain.values.iter().skip(1).map(|value| value.range())),
            AnyNodeRef::ExprIf(choice) => self.chosen.extend([choice.body.range(), choice.orelse.range()]),
            AnyNodeRef::ExprCall(call) => {
                last_name(&call.func).iter().for_each(|name| self.asks.add(name));
                let how = self.how(call.range());
                self.add(call.func.range(), Some(call), None, how);
                if let Some(handed) = handed_over(call, how) {
                    self.add(handed.range(), None, Some(handed), How::HandedOver);
                }
                self.called = Some(call.func.range());
            }
            AnyNodeRef::StmtFunctionDef(_)
            | AnyNodeRef::StmtClassDef(_)
            | AnyNodeRef::ExprLambda(_)
            | AnyNodeRef::ExprGenerator(_) => return TraversalSignal::Skip,
            _ => {}
        }
        TraversalSignal::Traverse
    }
}
