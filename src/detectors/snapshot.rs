//! `tracemalloc.take_snapshot()`: since when it records, and what it is compared with. `statistics(…)`: by what it groups.
//! `after.compare_to(before)`: which snapshot was taken first.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::from_pages::with_facts;
use super::method_body::{is_name, own_nodes as each_own};
use super::nodes::{body_around, calls, own_nodes};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["memory/tracemalloc-compare", "memory/tracemalloc-snapshot", "memory/tracemalloc-statistics"],
    nodes: &[NodeKind::ExprCall],
    detect,
};

const COMPARE: &str = "tracemalloc.Snapshot.compare_to";
const TAKE: &str = "tracemalloc.take_snapshot";
const STATISTICS: &str = "tracemalloc.Snapshot.statistics";

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let symbol = site.callee_among(call, &[COMPARE, STATISTICS, TAKE])?;
    if symbol.is(COMPARE) {
        return comparison(site, call, findings);
    }
    if symbol.is(STATISTICS) {
        let finding = with_facts(site, Finding::new("memory/tracemalloc-statistics", call.func.range()));
        findings.push(with_key(finding, site.module, call, 0));
        return Some(());
    }
    let finding = with_facts(site, Finding::new("memory/tracemalloc-snapshot", call.func.range()));
    let body = body_around(site.module, call.range());
    let nodes = own_nodes(body);
    let all = calls(&nodes);
    let before = || all.iter().filter(|other| other.end() <= call.start());
    let is = |other: &&&ast::ExprCall, name: &str| site.module.calls(other, &[name]);
    // Under a condition, it may not have run.
    let is_plain = |call: &ast::ExprCall| {
        body.iter().any(|statement| match statement {
            ast::Stmt::Expr(statement) => statement.value.range() == call.range(),
            _ => false,
        })
    };
    let started = before().rfind(|other| is(other, "tracemalloc.start") && is_plain(other));
    let is_stopped = started
        .is_some_and(|started| before().any(|other| other.start() > started.end() && is(&other, "tracemalloc.stop")));
    let started = started.filter(|_| !is_stopped);
    let is_collected = before().next_back().is_some_and(|other| is(&other, "gc.collect"));
    let compared = target(site).and_then(|name| compared(site.module, &all, name));
    let (other, compared_at) = compared.unzip();
    let place = |call: &ast::ExprCall| site.module.place(call.range()).map(Fact::from);
    findings.push(
        finding
            .fact("started_at", started.and_then(|started| place(started)))
            .fact("not_started", started.is_none().then(|| Fact::from("RuntimeError")))
            .fact("uncollected", (!is_collected).then(|| Fact::from("gc.collect()")))
            .fact("other", other.map(Fact::from))
            .fact("compared_at", compared_at.and_then(place)),
    );
    Some(())
}

/// The name that the snapshot is bound to.
fn target<'a>(site: &Site<'a, '_>) -> Option<&'a str> {
    let AnyNodeRef::StmtAssign(assign) = site.parent()? else { return None };
    match assign.targets.as_slice() {
        [Expr::Name(name)] => Some(name.id.as_str()),
        _ => None,
    }
}

/// The first comparison of the snapshot with another one.
fn compared<'a>(module: &Module, all: &[&'a ast::ExprCall], name: &str) -> Option<(String, &'a ast::ExprCall)> {
    all.iter().find_map(|call| {
        let function = call.func.as_attribute_expr().filter(|function| function.attr.as_str() == "compare_to")?;
        let given = call.arguments.args.first()?;
        let other = match (is_name(&function.value, name), is_name(given, name)) {
            (true, false) => given,
            (false, true) => &*function.value,
            _ => return None,
        };
        Some((module.source(other).to_string(), *call))
    })
}

/// By what the statistics are grouped; argument number `index`.
fn with_key(finding: Finding, module: &Module, call: &ast::ExprCall, index: usize) -> Finding {
    let keyword = call.arguments.find_keyword("key_type").map(|keyword| &keyword.value);
    let key = keyword.or_else(|| call.arguments.args.get(index));
    let name = match key.and_then(Expr::as_string_literal_expr).map(|key| key.value.to_str()) {
        Some("lineno") => "by_line",
        Some("filename") => "by_file",
        Some("traceback") => "by_path",
        _ => "any_key",
    };
    finding.fact(name, Fact::from(key.map_or("key_type", |key| module.source(key))))
}

/// `after.compare_to(before)`.
fn comparison(site: &Site, call: &ast::ExprCall, findings: &mut Findings) -> Option<()> {
    let function = call.func.as_attribute_expr()?;
    let other = call.arguments.args.first()?;
    let body = site.function().map_or(&site.module.syntax().body[..], |def| &def.body[..]);
    let (own_at, other_at) = (taken(body, &function.value), taken(body, other));
    let reversed = own_at.zip(other_at).filter(|(own, other)| own.start() < other.start());
    let at = |range: TextRange| site.module.place(range).map(Fact::from);
    let finding = Finding::new("memory/tracemalloc-compare", call.func.range());
    findings.push(
        with_key(finding, site.module, call, 1)
            .fact("receiver", Fact::from(site.module.source(&*function.value)))
            .fact("argument", Fact::from(site.module.source(other)))
            .fact("first_at", reversed.and_then(|(own, _)| at(own)))
            .fact("second_at", reversed.and_then(|(_, other)| at(other))),
    );
    Some(())
}

/// The one statement that binds a snapshot to the name.
fn taken(body: &[ast::Stmt], snapshot: &Expr) -> Option<TextRange> {
    let name = snapshot.as_name_expr()?;
    let mut bindings = 0;
    let mut found = None;
    each_own(body, |node| match node {
        AnyNodeRef::ExprName(other) => bindings += usize::from(other.id == name.id && !other.ctx.is_load()),
        AnyNodeRef::StmtAssign(assign) => {
            let is_it = assign.targets.iter().any(|target| is_name(target, &name.id));
            let takes = assign.value.as_call_expr().is_some_and(|call| match &*call.func {
                Expr::Name(function) => function.id == "take_snapshot",
                Expr::Attribute(function) => function.attr.as_str() == "take_snapshot",
                _ => false,
            });
            found = found.or((is_it && takes).then(|| assign.range()));
        }
        _ => {}
    });
    found.filter(|_| bindings == 1)
}
