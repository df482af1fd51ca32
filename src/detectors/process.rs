//! Calls that make a process object, and those that decide how processes start.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::nodes::{is_true, method, own_nodes, with_def};
use super::process_queue::changes;
use super::threads::{as_call, kept_values, passed};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Function, Module, Site};
use crate::text::{Place, Ranged as _, TextRange};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["processes/process", "processes/start-method"], nodes: &[NodeKind::ExprCall], detect };

/// The base of the process classes of all start methods.
const PROCESS: &[&str] = &["multiprocessing.Process", "multiprocessing.process.BaseProcess"];
const METHODS: &[&str] =
    &["multiprocessing.get_context", "multiprocessing.get_start_method", "multiprocessing.set_start_method"];
/// What decides for the whole program.
const SETTER: &[&str] = &["multiprocessing.set_start_method"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    if !site.is_asked(call.func.range()) {
        return None;
    }
    if let Some(symbol) = site.callee_among(call, METHODS) {
        let asked = (symbol.last() == "get_start_method").then(|| Fact::from(module.source(&*call.func)));
        findings.push(start_method(site, call, symbol.last() == "get_context").fact("asked", asked));
        return Some(());
    }
    if !module.is_named_like_a_class(&call.func) {
        return None;
    }
    let class = module.class_reference(&call.func);
    let is_process = |class: &Class| PROCESS.iter().any(|base| class.inherits(base));
    if !class.as_ref().map_or_else(|| context_of(module, call).is_some(), is_process) {
        return None;
    }
    let is_own = |definer: &Class| PROCESS.iter().any(|base| definer.is(base));
    let takes_target = class.is_none_or(|class| class.definer("__init__").as_ref().is_some_and(is_own));
    let target =
        call.arguments.find_argument_value("target", 1).filter(|target| takes_target && !target.is_none_literal_expr());
    let runs = target.map(|target| passed(module, target));
    let function = target.and_then(|target| module.function(target));
    let (method, method_at) = method_of(module, call).unzip();
    let places = |name: &str| Fact::from(calls_on(module, call.range(), name));
    let name = bound_to(site).map(|target| module.source(target));
    let has_default = method.is_none();
    let runs_at = runs.as_ref().and_then(|runs| runs.place.clone());
    findings.push(
        Finding::new("processes/process", call.func.range())
            .fact("process", Fact::from(name.unwrap_or_else(|| module.source(&*call.func))))
            .fact("runs", runs.map(|runs| Fact::from(runs.name)))
            .fact("runs_at", runs_at.map(Fact::from))
            .fact("as_call", target.and_then(|target| as_call(module, call, target)).map(Fact::from))
            .fact("lost", Fact::from(function.map(|function| lost(module, &function)).unwrap_or_default()))
            .fact("daemon_at", daemon_at(module, call).map(Fact::from))
            .fact("started_at", places("start"))
            .fact("joined_at", places("join"))
            .fact("method", method.map(Fact::from))
            .fact("method_at", method_at.flatten().map(Fact::from))
            .fact("unset", has_default.then(|| Fact::from(module.source(&*call.func)))),
    );
    Some(())
}

/// What an assignment binds the object to.
fn bound_to<'a>(site: &Site<'a, '_>) -> Option<&'a Expr> {
    match site.parent()? {
        AnyNodeRef::StmtAssign(assign) => assign.targets.first(),
        AnyNodeRef::StmtAnnAssign(assign) => Some(&assign.target),
        _ => None,
    }
}

fn daemon_at(module: &Module, call: &ast::ExprCall) -> Option<Place> {
    let keyword = call.arguments.find_keyword("daemon").filter(|keyword| is_true(&keyword.value))?;
    module.place(keyword.range())
}

/// The places of the calls of `name` on the process made by the call at `range`.
fn calls_on(module: &Module, range: TextRange, name: &str) -> Vec<Place> {
    let is_it = |call: &&ast::ExprCall| {
        let Some((receiver, _)) = method(call) else { return false };
        let made = kept_values(module, receiver);
        !made.is_empty()
            && made.iter().all(|value| value.is_call_expr())
            && made.iter().any(|value| value.range() == range)
    };
    module.calls_of(name).into_iter().filter(is_it).filter_map(|call| module.place(call.range())).collect()
}

/// The start method that this file chooses for the process, and where: by a context, or for the whole program.
fn method_of(module: &Module, made: &ast::ExprCall) -> Option<(String, Option<Place>)> {
    if let Some(given) = context_of(module, made) {
        return Some((literal(given)?, module.place(given.range())));
    }
    let mut set = module.calls_of("set_start_method").into_iter().filter(|call| module.calls(call, SETTER));
    let (only, None) = (set.next()?, set.next()) else { return None };
    Some((literal(only)?, module.place(only.range())))
}

/// The call of `get_context` that gives what the `Process` of a call is an attribute of.
fn context_of<'m>(module: &'m Module, made: &'m ast::ExprCall) -> Option<&'m ast::ExprCall> {
    let (context, "Process") = method(made)? else { return None };
    let [Expr::Call(given)] = *module.origins(context) else { return None };
    module.calls(given, &["multiprocessing.get_context"]).then_some(given)
}

/// The method that a call names.
pub(super) fn literal(call: &ast::ExprCall) -> Option<String> {
    let method = call.arguments.find_argument_value("method", 0)?.as_string_literal_expr()?;
    Some(method.value.to_str().to_string())
}

/// The module's variables that the function assigns or changes in place.
fn lost(module: &Module, function: &Function) -> Vec<String> {
    let read = with_def(module, function, |home, def| {
        let mut names: Vec<String> = vec![];
        let nodes = own_nodes(&def.body);
        for node in &nodes {
            if let AnyNodeRef::StmtGlobal(statement) = node {
                names.extend(statement.names.iter().map(ToString::to_string));
            }
        }
        names.retain(|name| nodes.iter().any(|node| is_stored(*node, name)));
        for name in containers(home) {
            let is_own = nodes.iter().any(|node| is_stored(*node, name))
                || def.parameters.iter().any(|parameter| parameter.name().as_str() == name);
            if !is_own && !names.iter().any(|known| known == name) && nodes.iter().any(|node| changes(*node, name)) {
                names.push(name.to_string());
            }
        }
        Some(names)
    });
    read.unwrap_or_default()
}

fn is_stored(node: AnyNodeRef, name: &str) -> bool {
    matches!(node, AnyNodeRef::ExprName(found) if found.id == name && found.ctx.is_store())
}

/// The names that the module binds to a container it writes down.
fn containers<'m>(module: &'m Module) -> Vec<&'m str> {
    let bound = |statement: &'m Stmt| {
        let assign = statement.as_assign_stmt()?;
        let [Expr::Name(name)] = assign.targets.as_slice() else { return None };
        let is_container = matches!(&*assign.value, Expr::Dict(_) | Expr::List(_) | Expr::Set(_));
        is_container.then_some(name.id.as_str())
    };
    module.syntax().body.iter().filter_map(bound).collect()
}

/// `set_start_method("spawn")`, `get_context("spawn")`, `get_start_method()`.
fn start_method(site: &Site, call: &ast::ExprCall, is_context: bool) -> Finding {
    let finding = Finding::new("processes/start-method", call.func.range());
    let module = site.module;
    let Some(method) = literal(call) else { return finding };
    let fact = match (&*method, is_context) {
        ("fork", false) => "forks",
        ("fork", true) => "fork_context",
        ("spawn" | "forkserver", false) => "imports",
        ("spawn" | "forkserver", true) => "import_context",
        _ => return finding,
    };
    let imports = fact.starts_with("import").then(|| Fact::from(method));
    finding.fact(fact, Fact::from(module.source(call))).fact("method", imports)
}
