//! `asyncio.gather`: what it waits for, and what the siblings of a failure lose.

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::nodes::{block_around, own_nodes};
use super::suspension::{around, coroutine_function, frame, is_in, with_def};
use super::task_cancel::is_cleanup_before_raise;
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
            let is_dropped = is_statement(site)
                && !follows_a_cancel(site)
                && !precedes_a_raise(site)
                && makes_its_own(site, call)
                && !all_catch_their_own(site, call);
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
                    // What is lost is said by the hazard, which speaks at the same place.
                    finding
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

/// Whether the function raises next: then the others are only waited for, so that none is left behind.
fn precedes_a_raise(site: &Site) -> bool {
    let block = site.statement().and_then(|statement| block_around(site.module, statement.range()));
    block.is_some_and(|(block, index)| block[index..].iter().any(|next| matches!(next, Stmt::Raise(_))))
}

/// Whether all that is gathered is made in this function, and no callback looks at how it ends.
fn makes_its_own(site: &Site, call: &ast::ExprCall) -> bool {
    let module = site.module;
    let body = frame(site);
    let of_function = |name: &str| {
        let calls = module.calls_of(name).into_iter();
        calls.filter(|call| is_in(body, call.range())).collect::<Vec<_>>()
    };
    let is_made = |expr: &Expr| match expr {
        Expr::Call(_) => true,
        Expr::Name(_) => {
            let origins = module.origins(expr);
            !origins.is_empty() && origins.iter().all(|origin| origin.is_call_expr())
        }
        _ => false,
    };
    let is_made_list = |expr: &Expr| match expr {
        Expr::List(list) => list.elts.iter().all(is_made),
        Expr::ListComp(list) => is_made(&list.elt),
        Expr::SetComp(set) => is_made(&set.elt),
        Expr::Generator(generator) => is_made(&generator.elt),
        Expr::Call(mapped) => module.calls(mapped, &["builtins.map"]),
        _ => false,
    };
    let is_filled = |list: &ast::ExprName| {
        let is_its = |call: &&&ast::ExprCall| {
            let method = call.func.as_attribute_expr();
            method.and_then(|method| method.value.as_name_expr()).is_some_and(|receiver| receiver.id == list.id)
        };
        let appended = of_function("append");
        let others = ["add", "extend", "insert", "update"].into_iter().flat_map(of_function).collect::<Vec<_>>();
        appended.iter().filter(is_its).all(|call| call.arguments.args.iter().all(is_made))
            && others.iter().filter(is_its).count() == 0
    };
    let is_own = |argument: &Expr| match argument {
        Expr::Starred(starred) => match &*starred.value {
            Expr::Name(list) => {
                let origins = module.origins(&starred.value);
                !origins.is_empty() && origins.iter().all(|origin| is_made_list(origin)) && is_filled(list)
            }
            other => is_made_list(other),
        },
        single => is_made(single),
    };
    of_function("add_done_callback").is_empty() && call.arguments.args.iter().all(is_own)
}

/// Whether all that is gathered are coroutine functions of the project that let no exception out.
fn all_catch_their_own(site: &Site, call: &ast::ExprCall) -> bool {
    let module = site.module;
    let catches = |made: &Expr| {
        let function = made.as_call_expr().and_then(|made| coroutine_function(module, &made.func));
        function.is_some_and(|function| with_def(module, &function, |_, def| lets_nothing_out(&def.body)) == Some(true))
    };
    call.arguments.args.iter().all(|argument| match ast::helpers::map_starred(argument) {
        Expr::ListComp(list) => catches(&list.elt),
        Expr::Generator(generator) => catches(&generator.elt),
        Expr::List(list) => list.elts.iter().all(catches),
        other => catches(other),
    })
}

/// Whether a body is one `try` behind assignments, with a handler for every exception that raises none.
fn lets_nothing_out(body: &[Stmt]) -> bool {
    let Some((Stmt::Try(guarded), before)) = body.split_last() else { return false };
    let is_quiet = |statement: &Stmt| match statement {
        Stmt::Assign(_) | Stmt::AnnAssign(_) | Stmt::Nonlocal(_) | Stmt::Global(_) => true,
        Stmt::Expr(text) => text.value.is_string_literal_expr(),
        _ => false,
    };
    let is_broad = |handler: &ast::ExceptHandler| {
        let handler = handler.as_except_handler();
        handler.is_some_and(|handler| {
            let raises = own_nodes(&handler.body).iter().any(|node| matches!(node, AnyNodeRef::StmtRaise(_)));
            let caught = handler.type_.as_deref();
            let is_all = caught.is_none_or(|caught| {
                caught.as_name_expr().is_some_and(|name| matches!(name.id.as_str(), "Exception" | "BaseException"))
            });
            is_all && !raises
        })
    };
    before.iter().all(is_quiet) && guarded.orelse.is_empty() && guarded.handlers.iter().any(is_broad)
}

/// Whether the function cancels something before, or makes it fail: then the errors are the expected ones.
fn follows_a_cancel(site: &Site) -> bool {
    let body = frame(site);
    let is_before = |range: TextRange| is_in(body, range) && range.end() < site.node.start();
    ["cancel", "set_exception", "throw"]
        .into_iter()
        .any(|ends| site.module.calls_of(ends).into_iter().any(|call| is_before(call.range())))
        || is_cleanup_before_raise(site.module, site.node.range())
}
