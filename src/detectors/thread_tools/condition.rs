//! `threading.Condition`: who waits on it and for what, who notifies, and which lock it uses.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr};

use super::super::context_var::only_target;
use super::super::locks::is_same_lock;
use super::super::nodes::{around, method};
use super::super::{Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Place, Ranged as _};

const CONDITION: &str = "threading.Condition";
const WAITS: &[&str] = &["wait", "wait_for"];
const NOTIFIES: &[&str] = &["notify", "notify_all"];

/// Pushes what there is to say of a call that makes a condition, waits on it or notifies.
pub(super) fn detect(site: &Site, call: &ast::ExprCall, findings: &mut Findings) -> Option<()> {
    let module = site.module;
    if let Some((receiver, name)) = method(call)
        && (WAITS.contains(&name) || NOTIFIES.contains(&name))
        && module.class_name(receiver).is_some_and(|class| class.is(CONDITION))
    {
        findings.push(if WAITS.contains(&name) { wait(site, call, receiver) } else { notify(site, call, receiver) });
        return Some(());
    }
    site.callee_among(call, &[CONDITION])?;
    let mut finding = Finding::new("threads/condition", call.func.range());
    if let Some(target) = only_target(site) {
        finding = finding
            .fact("target", Fact::from(module.source(target)))
            .fact("waited_at", places(module, &uses(module, target, WAITS)))
            .fact("notified_at", places(module, &uses(module, target, NOTIFIES)));
    }
    let lock = call.arguments.find_argument_value("lock", 0).filter(|lock| !lock.is_none_literal_expr());
    findings.push(finding.fact("lock", lock.map(|lock| Fact::from(module.source(lock)))));
    Some(())
}

/// The calls of `names` on the same condition in this file, in the order of the text.
fn uses<'m>(module: &'m Module, condition: &'m Expr, names: &[&str]) -> Vec<&'m ast::ExprCall> {
    let mut found: Vec<&ast::ExprCall> = names
        .iter()
        .flat_map(|name| module.calls_of(name))
        .filter(|call| method(call).is_some_and(|(receiver, _)| is_same_lock(module, receiver, condition)))
        .collect();
    found.sort_by_key(|call| call.start());
    found
}

fn places(module: &Module, calls: &[&ast::ExprCall]) -> Fact {
    let places: Vec<Place> = calls.iter().filter_map(|call| module.place(call.range())).collect();
    Fact::from(places)
}

/// What a wait waits for: the predicate that it is given, or the test of the loop around it.
fn awaited<'m>(module: &'m Module, wait: &'m ast::ExprCall) -> Option<&'m Expr> {
    if method(wait).is_some_and(|(_, name)| name == "wait_for") {
        return wait.arguments.find_argument_value("predicate", 0);
    }
    around(module, wait.range()).into_iter().take_while(|node| !node.is_stmt_function_def()).find_map(|node| match node
    {
        AnyNodeRef::StmtWhile(turns) if !turns.test.is_literal_expr() => Some(&*turns.test),
        _ => None,
    })
}

fn wait(site: &Site, call: &ast::ExprCall, receiver: &Expr) -> Finding {
    let module = site.module;
    let asks = method(call).is_some_and(|(_, name)| name == "wait_for");
    let timeout = call.arguments.find_argument_value("timeout", if asks { 1 } else { 0 });
    let timeout =
        timeout.filter(|timeout| !timeout.is_none_literal_expr()).map(|timeout| Fact::from(module.source(timeout)));
    let predicate = call.arguments.find_argument_value("predicate", 0).filter(|_| asks);
    let test = awaited(module, call).filter(|_| !asks);
    let (limit, limit_of_test) = if asks { (None, timeout) } else { (timeout, None) };
    Finding::new("threads/condition-wait", call.func.range())
        .fact("receiver", Fact::from(module.source(receiver)))
        .fact("plain", (!asks).then(|| Fact::from(module.source(receiver))))
        .fact("untested", (!asks && test.is_none()).then(|| Fact::from(module.source(call))))
        .fact("predicate", predicate.map(|predicate| Fact::from(module.source(predicate))))
        .fact("test", test.map(|test| Fact::from(module.source(test))))
        .fact("test_at", test.and_then(|test| module.place(test.range())).map(Fact::from))
        .fact("limit", limit)
        .fact("limit_of_test", limit_of_test)
        .fact("notified_at", places(module, &uses(module, receiver, NOTIFIES)))
}

fn notify(site: &Site, call: &ast::ExprCall, receiver: &Expr) -> Finding {
    let module = site.module;
    let is_one = method(call).is_some_and(|(_, name)| name == "notify") && call.arguments.is_empty();
    let waits = uses(module, receiver, WAITS);
    let mut awaited_for: Vec<&str> = vec![];
    for found in waits.iter().filter_map(|wait| awaited(module, wait)) {
        let source = module.source(found);
        if !awaited_for.contains(&source) {
            awaited_for.push(source);
        }
    }
    let differ = is_one && awaited_for.len() > 1;
    Finding::new("threads/condition-notify", call.func.range())
        .fact("receiver", Fact::from(module.source(receiver)))
        .fact("one", differ.then(|| Fact::from(module.source(call))))
        .fact("waited_at", places(module, &waits))
}
