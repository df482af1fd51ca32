//! Calls of coroutine functions whose coroutine objects are collected or named instead of awaited.
//!
//! Silent for coroutines that are passed straight to another call, returned or yielded: whoever gets them decides.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::coroutine_function::STARTERS;
use super::suspension::{call_head, called_coroutine, frame, path_to, reads};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Ranged as _, TextRange, TextSize};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["asyncio/not-started"],
    nodes: &[
        NodeKind::ExprCall,
        NodeKind::ExprDictComp,
        NodeKind::ExprList,
        NodeKind::ExprListComp,
        NodeKind::ExprSetComp,
        NodeKind::ExprTuple,
    ],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let module = site.module;
    let (name, list) = match target(site) {
        Some(name) => (name, None),
        None => {
            let list = appended_to(site)?;
            (list.id.as_str(), Some(list))
        }
    };
    let finding = match site.node {
        AnyNodeRef::ExprCall(call) => {
            let function = called_coroutine(site, call)?;
            finding(site, "coroutine")
                .fact("one", Fact::from(call_head(module, call)))
                .fact("callee", Fact::from(function.name))
        }
        AnyNodeRef::ExprListComp(ast::ExprListComp { elt, .. })
        | AnyNodeRef::ExprSetComp(ast::ExprSetComp { elt, .. })
        | AnyNodeRef::ExprDictComp(ast::ExprDictComp { value: elt, .. }) => {
            let call = elt.as_call_expr()?;
            let function = called_coroutine(site, call)?;
            finding(site, "coroutines")
                .fact("each", Fact::from(call_head(module, call)))
                .fact("callee", Fact::from(function.name))
        }
        AnyNodeRef::ExprList(ast::ExprList { elts, .. }) | AnyNodeRef::ExprTuple(ast::ExprTuple { elts, .. }) => {
            let calls = elts.iter().map(|item| item.as_call_expr()).collect::<Option<Vec<_>>>()?;
            if calls.is_empty() || !calls.iter().all(|call| called_coroutine(site, call).is_some()) {
                return None;
            }
            let heads = calls.iter().map(|call| call_head(module, call)).collect::<Vec<_>>();
            finding(site, "coroutines").fact("several", Fact::from(heads))
        }
        _ => return None,
    };
    if list.is_some_and(|list| !module.class_of(list).is_some_and(|class| class.is("builtins.list"))) {
        return None;
    }
    let body = frame(site);
    let finding = match starter(module, body, name, site.node.end()) {
        Start::At(starter, range) => {
            finding.fact("starter", Fact::from(starter)).fact("started_at", module.place(range).map(Fact::from))
        }
        Start::Never if site.function().is_some() && is_local(body, name) => finding.fact("unused", Fact::from(name)),
        Start::Never | Start::Unknown => finding,
    };
    findings.push(finding);
    Some(())
}

fn finding(site: &Site, what: &str) -> Finding {
    let end = site.statement().map_or(site.node.end(), |statement| statement.end());
    Finding::new("asyncio/not-started", site.node.range()).fact("what", Fact::from(what)).hint_at(end)
}

/// The name that the node is assigned to.
fn target<'a>(site: &Site<'a, '_>) -> Option<&'a str> {
    let target = match site.parent()? {
        AnyNodeRef::StmtAssign(assign) => match assign.targets.as_slice() {
            [target] => target,
            _ => return None,
        },
        AnyNodeRef::StmtAnnAssign(assign) => &*assign.target,
        _ => return None,
    };
    let name = target.as_name_expr()?.id.as_str();
    // `_ = work()` says that the coroutine is not wanted.
    (name != "_").then_some(name)
}

/// `tasks` in `tasks.append(work())`; whether it is a list is left to be asked.
fn appended_to<'a>(site: &Site<'a, '_>) -> Option<&'a ast::ExprName> {
    let call = site.enclosing().find(|node| !matches!(node, AnyNodeRef::Arguments(_)))?;
    let AnyNodeRef::ExprCall(call) = call else { return None };
    let method = call.func.as_attribute_expr()?;
    method.value.as_name_expr().filter(|_| method.attr.as_str() == "append")
}

/// What starts the coroutines that a name holds.
enum Start {
    At(String, TextRange),
    /// The name is not read again.
    Never,
    /// It is read, in a way that was not understood.
    Unknown,
}

fn starter(module: &Module, body: &[Stmt], name: &str, after: TextSize) -> Start {
    let mut start = Start::Never;
    for read in reads(body, name).into_iter().filter(|read| read.start() >= after) {
        match start_of_read(module, read) {
            Start::Never => start = Start::Unknown,
            other => return other,
        }
    }
    start
}

/// What a single read of the name does; `Never` for one that leaves the coroutines alone.
fn start_of_read(module: &Module, read: &ast::ExprName) -> Start {
    let path = path_to(module, read.range());
    let mut parents = path.iter().rev().skip(1);
    while let Some(parent) = parents.next() {
        match parent {
            AnyNodeRef::ExprAwait(awaited) => return Start::At("await".to_string(), awaited.range()),
            AnyNodeRef::Arguments(_)
            | AnyNodeRef::ExprStarred(_)
            | AnyNodeRef::ExprList(_)
            | AnyNodeRef::ExprTuple(_) => {}
            AnyNodeRef::ExprCall(call) => return start_of_call(module, call),
            AnyNodeRef::ExprAttribute(_) | AnyNodeRef::ExprSubscript(_) => return Start::Never,
            AnyNodeRef::StmtFor(statement) if statement.iter.range().contains_range(read.range()) => {
                let Expr::Name(item) = &*statement.target else { return Start::Unknown };
                return match starter(module, &statement.body, &item.id, statement.iter.end()) {
                    Start::Never => Start::Unknown,
                    other => other,
                };
            }
            AnyNodeRef::Comprehension(comprehension) => {
                let Expr::Name(item) = &comprehension.target else { return Start::Unknown };
                return start_in_comprehension(module, parents.next().copied(), &item.id);
            }
            _ => return Start::Unknown,
        }
    }
    Start::Unknown
}

fn start_of_call(module: &Module, call: &ast::ExprCall) -> Start {
    match module.callee(call) {
        Some(symbol) if symbol.is_any(STARTERS) => Start::At(module.source(&*call.func).to_string(), call.range()),
        Some(symbol) if symbol.is_any(&["builtins.len", "builtins.print", "builtins.type"]) => Start::Never,
        _ => Start::Unknown,
    }
}

fn start_in_comprehension(module: &Module, comprehension: Option<AnyNodeRef>, item: &str) -> Start {
    let elt = match comprehension {
        Some(AnyNodeRef::ExprListComp(comprehension)) => &*comprehension.elt,
        Some(AnyNodeRef::ExprSetComp(comprehension)) => &*comprehension.elt,
        Some(AnyNodeRef::ExprGenerator(comprehension)) => &*comprehension.elt,
        _ => return Start::Unknown,
    };
    let is_item = |expr: &Expr| expr.as_name_expr().is_some_and(|name| name.id == item);
    match elt {
        Expr::Await(awaited) if is_item(&awaited.value) => Start::At("await".to_string(), awaited.range()),
        Expr::Call(call) if call.arguments.args.first().is_some_and(is_item) => match start_of_call(module, call) {
            Start::Never => Start::Unknown,
            other => other,
        },
        _ => Start::Unknown,
    }
}

/// Whether the name belongs to this function alone.
fn is_local(body: &[Stmt], name: &str) -> bool {
    !body.iter().any(|statement| match statement {
        Stmt::Global(global) => global.names.iter().any(|declared| declared == name),
        Stmt::Nonlocal(nonlocal) => nonlocal.names.iter().any(|declared| declared == name),
        _ => false,
    })
}
