//! `thread.start()`: what now runs at the same time, and whether anybody waits for it.

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind};

use super::nodes::{around, body_around, calls, method, own_nodes};
use super::threads::{Created, Runs, calls_on, kept_creations, overridden_run, thread_class};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Place, Ranged as _, TextRange};

pub(super) const DETECTOR: Detector = Detector { concepts: &["threads/start"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let (receiver, "start") = method(call)? else { return None };
    let module = site.module;
    let class = thread_class(module, receiver);
    let made = kept_creations(module, receiver);
    if class.is_none() && made.is_empty() {
        return None;
    }
    let runs = class.and_then(|class| overridden_run(&class)).or_else(|| common_target(module, &made));
    let joined_at: Vec<Place> = made.iter().flat_map(|made| calls_on(module, made.call.range(), "join")).collect();
    let unjoined = joined_at.is_empty().then(|| unjoined(site, call)).flatten();
    if runs.is_none() && joined_at.is_empty() && unjoined.is_none() {
        return None;
    }
    let place = runs.as_ref().and_then(|runs| runs.place.clone());
    findings.push(
        Finding::new("threads/start", call.func.range())
            .fact("thread", Fact::from(module.source(receiver)))
            .fact("runs", runs.map(|runs| Fact::from(runs.name)))
            .fact("runs_at", place.clone().map(Fact::from))
            .fact("daemon_at", daemon_at(site, &made).map(Fact::from))
            .fact("joined_at", Fact::from(joined_at))
            .fact("unjoined", unjoined.map(Fact::from))
            .fact("function", site.function().map(|function| Fact::from(function.name.as_str())))
            .hint_at(call.end())
            .hint_leads_to(place),
    );
    Some(())
}

/// The one function that all the threads run.
fn common_target(module: &Module, made: &[Created]) -> Option<Runs> {
    let (first, rest) = made.split_first()?;
    let runs = first.runs(module)?;
    rest.iter().all(|other| other.runs(module).as_ref() == Some(&runs)).then_some(runs)
}

/// Where the thread became a daemon before this call.
fn daemon_at(site: &Site, made: &[Created]) -> Option<Place> {
    let [made] = made else { return None };
    made.daemon_at(site.module).or_else(|| {
        let name = method_receiver(site)?.as_name_expr()?;
        super::threads::earlier_nodes(site.module, site.node.range()).into_iter().find_map(|node| {
            let AnyNodeRef::StmtAssign(assign) = node else { return None };
            let target = assign.targets.first()?.as_attribute_expr()?;
            let is_it = target.attr.as_str() == "daemon" && target.value.as_name_expr()?.id == name.id;
            (is_it && super::nodes::is_true(&assign.value)).then(|| site.module.place(assign.range()))?
        })
    })
}

fn method_receiver<'a>(site: &Site<'a, '_>) -> Option<&'a ast::Expr> {
    match site.node {
        AnyNodeRef::ExprCall(call) => method(call).map(|(receiver, _)| receiver),
        _ => None,
    }
}

/// The local name that holds the thread, or the list that collects it, when the function neither waits for a thread nor
/// lets go of either.
fn unjoined(site: &Site, call: &ast::ExprCall) -> Option<String> {
    let module = site.module;
    let function = site.function()?;
    let name = method(call)?.0.as_name_expr()?.id.as_str();
    let body = own_nodes(&function.body);
    let may_wait = |call: &&ast::ExprCall| {
        let Some((receiver, "join")) = method(call) else { return false };
        module.receiver_class(receiver).is_none_or(|class| super::threads::is_thread(&class))
    };
    if calls(&body).iter().any(may_wait) {
        return None;
    }
    let list = stays(module, call.range(), name)?;
    match list {
        None => Some(name.to_string()),
        Some(list) => matches!(stays(module, call.range(), &list), Some(None)).then_some(list),
    }
}

/// Whether the local `name` is only used in place: `Some(None)`; or also put into one list: `Some(Some(list))`.
fn stays(module: &Module, near: TextRange, name: &str) -> Option<Option<String>> {
    let mut list = None;
    for node in super::nodes::all_nodes(body_around(module, near)) {
        let AnyNodeRef::ExprName(used) = node else { continue };
        if used.id.as_str() != name || !used.ctx.is_load() {
            continue;
        }
        let around = around(module, used.range());
        match around.get(1)? {
            AnyNodeRef::ExprAttribute(_) => {}
            AnyNodeRef::Arguments(_) => {
                let AnyNodeRef::ExprCall(call) = around.get(2)? else { return None };
                let (receiver, "append") = method(call)? else { return None };
                list = Some(receiver.as_name_expr()?.id.to_string());
            }
            _ => return None,
        }
    }
    Some(list)
}
