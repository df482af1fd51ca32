//! `asyncio.gather`: what it waits for, and what the siblings of a failure lose.

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::suspension::{around, frame, is_in, path_to};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["asyncio/gather", "asyncio/gather-errors-dropped", "asyncio/gather-leaves-siblings"],
    nodes: &[NodeKind::ExprCall],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    site.callee_among(call, &["asyncio.gather"])?;
    let finding = Finding::new("asyncio/gather", call.func.range());
    let source = |expr: &Expr| module.source(expr).to_string();
    let arguments = &call.arguments.args;
    let all = match arguments.as_ref() {
        [Expr::Starred(starred)] => source(&starred.value),
        several => several.iter().map(source).collect::<Vec<_>>().join(", "),
    };
    let finding = match call.arguments.find_keyword("return_exceptions").map(|keyword| &keyword.value) {
        Some(Expr::BooleanLiteral(flag)) if flag.value => {
            let is_dropped = is_statement(site) && !follows_a_cancel(site);
            let function = site.function().filter(|_| is_dropped);
            if let Some(function) = function {
                let dropped = Finding::new("asyncio/gather-errors-dropped", call.range());
                findings.push(dropped.fact("function", Fact::from(function.name.as_str())));
            }
            finding
                .fact("collected", Fact::from(all))
                .fact("dropped_in", function.map(|function| Fact::from(function.name.as_str())))
        }
        None | Some(Expr::BooleanLiteral(_)) => {
            let finding = match arguments.as_ref() {
                [Expr::Starred(_)] => finding.fact("starred", Fact::from(all)),
                several if several.iter().any(Expr::is_starred_expr) => finding,
                [] | [_] => finding,
                several => finding.fact("count", Fact::from(several.len())),
            };
            let finding = finding.fact("fails_fast", Fact::from(module.source(&*call.func)));
            match resource(site, call) {
                Some((resource, closed_at)) => {
                    let with_resource = |finding: Finding| {
                        finding.fact("resource", resource.clone()).fact("closed_at", closed_at.clone())
                    };
                    let has_siblings = !matches!(arguments.as_ref(), [only] if !only.is_starred_expr());
                    if site.is_awaited() && has_siblings {
                        let leaves = Finding::new("asyncio/gather-leaves-siblings", call.range());
                        findings.push(with_resource(leaves));
                    }
                    with_resource(finding)
                }
                None => finding,
            }
        }
        Some(_) => finding,
    };
    findings.push(finding);
    Some(())
}

/// The nearest `async with … as name` around the call whose name the awaitables use, and where it is.
fn resource(site: &Site, call: &ast::ExprCall) -> Option<(Fact, Option<Fact>)> {
    let used = names_in_awaitables(site, call);
    let closed = around(site).find_map(|node| match node {
        AnyNodeRef::StmtWith(with) if with.is_async && is_in(&with.body, call.range()) => {
            let mut bound = with.items.iter().filter_map(|item| item.optional_vars.as_ref()?.as_name_expr());
            bound.find(|name| used.iter().any(|used| *used == name.id.as_str())).map(|name| (name, with))
        }
        _ => None,
    });
    let (name, with) = closed?;
    Some((Fact::from(name.id.as_str()), site.module.place(with.range()).map(Fact::from)))
}

/// The names that the awaitables are made with: in the call itself, in what a starred name was bound to, and in what was
/// appended to it.
fn names_in_awaitables<'a>(site: &Site<'a, '_>, call: &'a ast::ExprCall) -> Vec<&'a str> {
    let mut names = NamesRead::default();
    for argument in &call.arguments.args {
        names.visit_expr(argument);
        let value = ast::helpers::map_starred(argument);
        let Expr::Name(list) = value else { continue };
        for origin in site.module.origins(value) {
            names.visit_expr(origin);
        }
        for append in site.module.calls_of("append").into_iter().filter(|call| is_in(frame(site), call.range())) {
            let Expr::Attribute(method) = &*append.func else { continue };
            if method.value.as_name_expr().is_some_and(|receiver| receiver.id == list.id) {
                append.arguments.args.iter().for_each(|argument| names.visit_expr(argument));
            }
        }
    }
    names.0
}

#[derive(Default)]
struct NamesRead<'a>(Vec<&'a str>);

impl<'a> SourceOrderVisitor<'a> for NamesRead<'a> {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        match node {
            AnyNodeRef::ExprName(name) if name.ctx.is_load() => self.0.push(name.id.as_str()),
            _ => {}
        }
        TraversalSignal::Traverse
    }
}

/// Whether the awaited call is a statement of its own: its value is dropped.
fn is_statement(site: &Site) -> bool {
    site.is_awaited() && matches!(site.enclosing().nth(1), Some(AnyNodeRef::StmtExpr(_)))
}

/// Whether the function cancels something before: then the errors are the expected cancellations.
fn follows_a_cancel(site: &Site) -> bool {
    let body = frame(site);
    let is_before = |range: TextRange| is_in(body, range) && range.end() < site.node.start();
    site.module.calls_of("cancel").into_iter().any(|call| is_before(call.range()))
        || path_to(site.module, site.node.range()).iter().any(|node| {
            matches!(node, AnyNodeRef::StmtTry(statement)
            if is_in(&statement.finalbody, site.node.range()))
        })
}
