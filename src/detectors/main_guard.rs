//! Processes started while a module is imported: a child that imports the module again starts them again.
//!
//! Also by a call of a function of the file that starts some whatever happens. Silent where the file chooses `fork`, or where
//! its choice is not known.

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind};

use super::nodes::{calls, function_around, method, own_nodes};
use super::process::literal;
use super::suspension::path_to;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{ExecutionContext, Module, Site};
use crate::pages::Severity;
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["processes/no-main-guard"], nodes: &[NodeKind::ExprCall], detect };

/// What starts processes when it is called.
const STARTERS: &[&str] = &["multiprocessing.Manager", "multiprocessing.Pool"];
/// The methods of an executor that start its processes.
const SUBMITS: &[&str] = &["map", "submit"];
/// What names a start method.
const CHOOSERS: &[&str] = &["multiprocessing.get_context", "multiprocessing.set_start_method"];
/// The version from which on no system copies the process by default.
const NEVER_FORKS: (u8, u8) = (3, 14);

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    if !matches!(site.context(), ExecutionContext::Module) || site.enclosing().any(runs_at_times) {
        return None;
    }
    let inner = match starts(module, call) {
        true => None,
        false => Some(started_in(module, call)?),
    };
    if site.is_type_checking() {
        return None;
    }
    let finding = Finding::new("processes/no-main-guard", call.func.range())
        .fact("callee", Fact::from(module.source(&*call.func)))
        .fact("inner", inner.as_ref().map(|inner| Fact::from(module.source(&*inner.func))))
        .fact("inner_at", inner.and_then(|inner| module.place(inner.range())).map(Fact::from));
    findings.push(match chosen(module)? {
        Some((by, at)) => finding
            .fact("methods", Fact::from(vec![by.clone()]))
            .fact("chosen", Fact::from(by))
            .fact("chosen_at", at.map(Fact::from)),
        None if module.version() < NEVER_FORKS => finding.severity(Severity::Information),
        None => finding,
    });
    Some(())
}

/// Whether a call starts a process.
fn starts(module: &Module, call: &ast::ExprCall) -> bool {
    let is_of = |receiver, base: &str| module.receiver_class(receiver).is_some_and(|class| class.inherits(base));
    match method(call) {
        Some((receiver, "start")) => {
            module.may_use_package("multiprocessing") && is_of(receiver, "multiprocessing.Process")
        }
        Some((receiver, name)) if SUBMITS.contains(&name) => {
            module.may_use_package("concurrent") && is_of(receiver, "concurrent.futures.ProcessPoolExecutor")
        }
        _ => module.calls(call, STARTERS),
    }
}

/// The first call by which the function that is called here starts a process, if nothing decides about that.
fn started_in<'m>(module: &'m Module, call: &ast::ExprCall) -> Option<&'m ast::ExprCall> {
    let name = call.func.as_name_expr()?;
    if !["multiprocessing", "concurrent"].iter().any(|package| module.may_use_package(package)) {
        return None;
    }
    let place = module.called_function(call)?.place?;
    if module.path() != Some(place.path.as_path()) {
        return None;
    }
    let def = path_to(module, place.range()).into_iter().rev().find_map(|node| match node {
        AnyNodeRef::StmtFunctionDef(def) if def.name.id == name.id => Some(def),
        _ => None,
    })?;
    if def.is_async || !def.decorator_list.is_empty() {
        return None;
    }
    let nodes = own_nodes(&def.body);
    let started = calls(&nodes).into_iter().find(|inner| starts(module, inner))?;
    let leaves = |node: &AnyNodeRef| {
        matches!(
            node,
            AnyNodeRef::StmtRaise(_) | AnyNodeRef::StmtReturn(_) | AnyNodeRef::ExprYield(_) | AnyNodeRef::StmtAssert(_)
        )
    };
    if nodes.iter().any(|node| leaves(node) && node.start() < started.start()) {
        return None;
    }
    let path = path_to(module, started.range());
    let inside = path.into_iter().rev().take_while(|node| !node.is_stmt_function_def());
    let is_certain = !inside.into_iter().any(|node| runs_at_times(node) || decides(node));
    (is_certain && function_around(module, started.range()).is_some()).then_some(started)
}

/// The start method that the file chooses, if any, and where; `None` where processes may be copies.
fn chosen(module: &Module) -> Option<Option<(String, Option<Place>)>> {
    let mut found = None;
    for name in ["set_start_method", "get_context"] {
        for call in module.calls_of(name).into_iter().filter(|call| module.calls(call, CHOOSERS)) {
            let by = literal(call).filter(|by| matches!(&**by, "forkserver" | "spawn"))?;
            found = found.or_else(|| Some((by, module.place(call.range()))));
        }
    }
    // By another name, it may be anything.
    let is_named = ["set_start_method", "get_context"].iter().any(|name| module.text().contains(name));
    (found.is_some() || !is_named).then_some(found)
}

/// A test such as `__name__ == "__main__"`, or code that is no statement of the module.
fn runs_at_times(node: AnyNodeRef) -> bool {
    matches!(node, AnyNodeRef::StmtIf(_) | AnyNodeRef::StmtMatch(_) | AnyNodeRef::StmtClassDef(_))
}

/// What may leave out the code in it.
fn decides(node: AnyNodeRef) -> bool {
    matches!(
        node,
        AnyNodeRef::ExceptHandlerExceptHandler(_)
            | AnyNodeRef::ExprBoolOp(_)
            | AnyNodeRef::ExprIf(_)
            | AnyNodeRef::ExprLambda(_)
            | AnyNodeRef::StmtWhile(_)
    )
}
