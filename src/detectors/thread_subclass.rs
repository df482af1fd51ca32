//! Classes derived from `threading.Thread`: which of their code runs on the new thread.

use std::collections::HashSet;

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind, Stmt};

use super::nodes::{calls, method, own_nodes};
use super::queues::queue_class;
use super::threads::{daemon_in_init, is_first_parameter, is_thread, thread_class};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Module, Site, Version};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["threads/init-not-called", "threads/run-method", "threads/thread-subclass"],
    nodes: &[NodeKind::StmtClassDef, NodeKind::StmtFunctionDef],
    detect,
};

/// Names that `threading.Thread` keeps its own state under, and the first Python that no longer does.
const OWN_NAMES: &[(&str, Option<Version>)] = &[
    ("_args", None),
    ("_ident", None),
    ("_is_stopped", Some((3, 13))),
    ("_kwargs", None),
    ("_started", None),
    ("_stop", Some((3, 13))),
    ("_target", None),
    ("_tstate_lock", Some((3, 13))),
];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    match site.node {
        AnyNodeRef::StmtClassDef(statement) if findings.wants("threads/thread-subclass") => {
            subclass(site.module, statement, findings)
        }
        AnyNodeRef::StmtFunctionDef(function) => {
            let Some(AnyNodeRef::StmtClassDef(statement)) = site.parent() else { return None };
            match function.name.as_str() {
                "run" if findings.wants("threads/run-method") => run_method(site.module, statement, function, findings),
                "__init__" => init(site.module, statement, function, findings),
                _ => None,
            }
        }
        _ => None,
    }
}

fn thread_subclass<'s>(module: &Module<'s>, statement: &ast::StmtClassDef) -> Option<Class<'s>> {
    statement.arguments.as_ref()?;
    module.class(statement).filter(is_thread)
}

fn subclass(module: &Module, statement: &ast::StmtClassDef, findings: &mut Findings) -> Option<()> {
    let class = thread_subclass(module, statement)?;
    let run = methods(statement).find(|method| method.name.as_str() == "run");
    let run_at = super::threads::overridden_run(&class).and_then(|run| run.place);
    findings.push(
        Finding::new("threads/thread-subclass", statement.name.range())
            .fact("class", Fact::from(statement.name.as_str()))
            .fact("run_at", run_at.map(Fact::from))
            .fact("outside", run.map(|run| Fact::from(outside(statement, run))))
            .fact("started_at", Fact::from(starts(module, &class)))
            .fact("loop_queue", run.and_then(|run| loop_queue(module, run)).map(Fact::from))
            .fact("clash", clash(module, statement).map(Fact::from)),
    );
    Some(())
}

fn run_method(
    module: &Module,
    statement: &ast::StmtClassDef,
    run: &ast::StmtFunctionDef,
    findings: &mut Findings,
) -> Option<()> {
    let class = thread_subclass(module, statement)?;
    let returned = own_nodes(&run.body).into_iter().find_map(|node| match node {
        AnyNodeRef::StmtReturn(node) if node.value.as_ref().is_some_and(|value| !value.is_none_literal_expr()) => {
            Some(node.range())
        }
        _ => None,
    });
    findings.push(
        Finding::new("threads/run-method", run.name.range())
            .fact("class", Fact::from(statement.name.as_str()))
            .fact("started_at", Fact::from(starts(module, &class)))
            .fact("returns_at", returned.and_then(|range| module.place(range)).map(Fact::from))
            .fact("daemon_at", daemon_in_init(&class).map(Fact::from)),
    );
    Some(())
}

/// Reports an `__init__` that certainly leaves `Thread.__init__` out: it does not hand `self` to anybody.
fn init(
    module: &Module,
    statement: &ast::StmtClassDef,
    init: &ast::StmtFunctionDef,
    findings: &mut Findings,
) -> Option<()> {
    if !init.decorator_list.is_empty() {
        return None;
    }
    let class = thread_subclass(module, statement)?;
    if !class.mro_is_complete() {
        return None;
    }
    let nodes = own_nodes(&init.body);
    let may_call_it = nodes.iter().any(|node| match node {
        AnyNodeRef::ExprCall(call) => {
            let is_super = call.func.as_name_expr().is_some_and(|name| name.id.as_str() == "super");
            let on_self = method(call).is_some_and(|(receiver, _)| {
                receiver.as_name_expr().is_some_and(|name| is_first_parameter(init, name))
            });
            let gets_self = call
                .arguments
                .iter_source_order()
                .any(|argument| argument.value().as_name_expr().is_some_and(|name| is_first_parameter(init, name)));
            is_super || on_self || gets_self
        }
        AnyNodeRef::StmtRaise(_) => true,
        _ => false,
    });
    (!may_call_it).then(|| {
        let finding = Finding::new("threads/init-not-called", init.name.range());
        findings.push(finding.fact("class", Fact::from(statement.name.as_str())));
    })
}

fn methods(statement: &ast::StmtClassDef) -> impl Iterator<Item = &ast::StmtFunctionDef> {
    statement.body.iter().filter_map(Stmt::as_function_def_stmt)
}

/// The methods that `run` does not call, directly or through other methods of the class.
fn outside(statement: &ast::StmtClassDef, run: &ast::StmtFunctionDef) -> Vec<String> {
    let mut inside: HashSet<&str> = HashSet::new();
    let mut pending = vec![run];
    while let Some(function) = pending.pop() {
        if !inside.insert(function.name.as_str()) {
            continue;
        }
        for node in own_nodes(&function.body) {
            let AnyNodeRef::ExprAttribute(attribute) = node else { continue };
            let on_self = attribute.value.as_name_expr().is_some_and(|name| is_first_parameter(function, name));
            let used = methods(statement).find(|method| method.name.as_str() == attribute.attr.as_str());
            pending.extend(used.filter(|_| on_self));
        }
    }
    let names = methods(statement).map(|method| method.name.as_str());
    names.filter(|name| !inside.contains(name)).map(str::to_string).collect()
}

/// Where this file starts threads of the class.
fn starts(module: &Module, class: &Class) -> Vec<Place> {
    let is_it = |call: &&ast::ExprCall| {
        let Some((receiver, _)) = method(call) else { return false };
        thread_class(module, receiver).is_some_and(|thread| thread.is_subclass_of(class))
    };
    module.calls_of("start").into_iter().filter(is_it).filter_map(|call| module.place(call.range())).collect()
}

/// The queue that a loop in `run` takes its items from.
fn loop_queue(module: &Module, run: &ast::StmtFunctionDef) -> Option<String> {
    let in_a_loop = run.body.iter().find_map(Stmt::as_while_stmt)?;
    let condition = std::iter::once(AnyNodeRef::from(&*in_a_loop.test));
    let nodes: Vec<_> = condition.chain(own_nodes(&in_a_loop.body)).collect();
    calls(&nodes).into_iter().find_map(|call| {
        let (receiver, "get") = method(call)? else { return None };
        queue_class(module, receiver)?;
        Some(module.source(receiver).to_string())
    })
}

/// An attribute of `self` that hides one of `threading.Thread`'s own.
fn clash(module: &Module, statement: &ast::StmtClassDef) -> Option<String> {
    let is_taken = |name: &str| {
        let row = OWN_NAMES.iter().find(|(own, _)| *own == name);
        row.is_some_and(|(_, gone)| gone.is_none_or(|gone| module.version() < gone))
    };
    methods(statement).find_map(|method| {
        own_nodes(&method.body).into_iter().find_map(|node| {
            let AnyNodeRef::StmtAssign(assign) = node else { return None };
            let target = assign.targets.first()?.as_attribute_expr()?;
            let on_self = target.value.as_name_expr().is_some_and(|name| is_first_parameter(method, name));
            (on_self && is_taken(&target.attr)).then(|| module.source(target).to_string())
        })
    })
}
