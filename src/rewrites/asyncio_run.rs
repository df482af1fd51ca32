//! `loop.run_until_complete(main())` → `asyncio.run(main())`, with the lines that made and closed the loop.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use super::awaiting::{call_of, is_coroutine_call};
use super::imports::{Names, drop_unused, imported_member, line_after};
use super::layout::{dedent, generated, lost_comment, own_lines, remove};
use super::{Offer, Rewrite, Target};
use crate::analysis::{Module, Site};
use crate::detectors::nodes::{block_around, own_nodes};
use crate::detectors::suspension::{around, frame, path_to};
use crate::text::{Edit, Ranged as _, TextRange};

pub(super) const REWRITE: Rewrite = Rewrite { name: "asyncio_run", offer };

fn offer(target: &Target) -> Option<Offer> {
    let (call, site) = call_of(&target.site)?;
    let title = "Use `asyncio.run(…)` (cancels tasks that are left over, then closes the loop)";
    if call.arguments.args.first().is_some_and(is_shutdown) {
        return None;
    }
    match bound_early(target, &site).map_or_else(|| edits(&site, call), Err) {
        Ok(edits) => Offer::edit(site.module, title, edits, false),
        Err(reason) => Offer::refused(title, reason),
    }
}

fn edits(site: &Site, call: &ast::ExprCall) -> Result<Vec<Edit>, String> {
    let module = site.module;
    let line = |range: TextRange| module.lines().line(range.start());
    if let Some(reason) = generated(module) {
        return Err(reason);
    }
    if let Some(function) = site.async_function() {
        let at = line(function.name.range());
        return Err(format!("`{}` (line {at}) is a coroutine function: a loop runs already", function.name));
    }
    let [coroutine] = &*call.arguments.args else {
        return Err(format!("the coroutine in line {} is not in sight", line(call.range())));
    };
    if !is_coroutine_call(module, coroutine) {
        let written = module.source(coroutine);
        return Err(format!("`{written}` in line {} is not known to be a coroutine", line(coroutine.range())));
    }
    let repeated = around(site).find(|node| matches!(node, AnyNodeRef::StmtFor(_) | AnyNodeRef::StmtWhile(_)));
    if let Some(repeated) = repeated {
        return Err(format!("the loop in line {} runs it several times", line(repeated.range())));
    }
    let Expr::Attribute(method) = &*call.func else {
        return Err(format!("the event loop in line {} is not in sight", line(call.range())));
    };
    let (made, mut edits) = match &*method.value {
        Expr::Call(asked) => match installed(site, asked)? {
            Some((name, statement)) => own_loop(site, name, Some(statement))?,
            None => (asked, vec![]),
        },
        Expr::Name(name) => own_loop(site, name, None)?,
        other => {
            let written = module.source(other);
            return Err(format!("`{written}` in line {} may be used elsewhere as well", line(other.range())));
        }
    };
    match module.callee(made) {
        Some(symbol) if symbol.is("asyncio.new_event_loop") => {}
        Some(symbol) if symbol.is("asyncio.get_event_loop") => used_once(site, made, call)?,
        _ => {
            return Err(format!(
                "`{}` in line {} may be used elsewhere as well",
                module.source(made),
                line(made.range())
            ));
        }
    }
    let run = imported_member(site, "asyncio", "run")?;
    edits.push(Edit::replace(call.func.range(), run.name));
    edits.extend(run.edit);
    if let Expr::Name(name) = &*made.func {
        edits.extend(drop_unused(module, &name.id, made.func.range()));
    }
    Ok(edits)
}

/// `loop.shutdown_asyncgens()` and the like, which `asyncio.run` does as well.
fn is_shutdown(coroutine: &Expr) -> bool {
    let method = coroutine.as_call_expr().and_then(|call| call.func.as_attribute_expr());
    method.is_some_and(|method| ["shutdown_asyncgens", "shutdown_default_executor"].contains(&method.attr.as_str()))
}

/// What asyncio gives to the present loop where it is made, before Python 3.10: another loop cannot use it.
fn bound_early(target: &Target, site: &Site) -> Option<String> {
    const BOUND: &[&str] = &[
        "asyncio.BoundedSemaphore",
        "asyncio.Condition",
        "asyncio.Event",
        "asyncio.Lock",
        "asyncio.Queue",
        "asyncio.Semaphore",
    ];
    let module = site.module;
    if target.oldest_python >= (3, 10) {
        return None;
    }
    let names = BOUND.iter().filter_map(|name| name.rsplit('.').next());
    let made = names.flat_map(|name| module.calls_of(name)).filter(|call| module.calls(call, BOUND));
    let outside = made.into_iter().find(|call| !is_in_coroutine(site, call.range()))?;
    let (written, line) = (module.source(outside), module.lines().line(outside.start()));
    Some(format!("before Python 3.10 `{written}` (line {line}) belongs to the loop that is there when it is made"))
}

fn is_in_coroutine(site: &Site, range: TextRange) -> bool {
    let path = path_to(site.module, range);
    path.split_last()
        .is_some_and(|(node, ancestors)| Site { node: *node, ancestors, ..*site }.async_function().is_some())
}

/// The loop that `asyncio.set_event_loop` puts where `get_event_loop` finds it, by its name, and the statement that does so.
fn installed<'a>(site: &Site<'a, '_>, asked: &ast::ExprCall) -> Result<Option<(&'a ast::ExprName, TextRange)>, String> {
    let module = site.module;
    if !module.calls(asked, &["asyncio.get_event_loop"]) {
        return Ok(None);
    }
    let is_given = |call: &&ast::ExprCall| {
        let argument = call.arguments.args.first();
        module.calls(call, &["asyncio.set_event_loop"]) && !argument.is_some_and(Expr::is_none_literal_expr)
    };
    let mut given = module.calls_of("set_event_loop").into_iter().filter(is_given);
    let Some(first) = given.next() else { return Ok(None) };
    let own = own_nodes(frame(site)).into_iter().find_map(|node| match node {
        AnyNodeRef::StmtExpr(statement) if statement.value.range() == first.range() => {
            let call = statement.value.as_call_expr()?;
            Some((call.arguments.args.first()?.as_name_expr()?, statement.range()))
        }
        _ => None,
    });
    match own.filter(|_| given.next().is_none()) {
        Some(own) => Ok(Some(own)),
        None => Err(format!("line {} sets another event loop", module.lines().line(first.start()))),
    }
}

/// What makes the loop called `name`, and the edits that take away all that is done with it but the run; `also` the statement
/// at this range.
fn own_loop<'a>(
    site: &Site<'a, '_>,
    name: &ast::ExprName,
    also: Option<TextRange>,
) -> Result<(&'a ast::ExprCall, Vec<Edit>), String> {
    let module = site.module;
    let line = |range: TextRange| module.lines().line(range.start());
    let body = frame(site);
    let names = Names::in_body(&name.id, body);
    let [bound] = names.bindings.as_slice() else {
        return Err(match names.bindings.get(1) {
            Some(again) => format!("`{}` is bound again in line {}", name.id, line(*again)),
            None => format!("`{}` in line {} comes from elsewhere", name.id, line(name.range())),
        });
    };
    let made = path_to_statement(body, *bound).and_then(|statement| match statement {
        Stmt::Assign(assign) if assign.targets.len() == 1 && assign.targets[0].range() == *bound => Some(assign),
        _ => None,
    });
    let Some((made, assign)) = made.and_then(|assign| Some((assign.value.as_call_expr()?, assign))) else {
        return Err(format!("`{}` is bound in a way that is not understood, in line {}", name.id, line(*bound)));
    };
    let mut gone = vec![assign.range()];
    gone.extend(also);
    gone.extend(uninstallations(module, body));
    for read in names.reads.iter().filter(|read| **read != name.range()) {
        gone.push(housekeeping(module, *read)?);
    }
    gone.sort_by_key(|range| range.start());
    gone.dedup();
    Ok((made, removals(module, &gone)?))
}

/// The statements `asyncio.set_event_loop(None)`; `asyncio.run` ends with that, too.
fn uninstallations(module: &Module, body: &[Stmt]) -> Vec<TextRange> {
    let nodes = own_nodes(body).into_iter();
    let statements = nodes.filter_map(|node| match node {
        AnyNodeRef::StmtExpr(statement) => Some((statement, statement.value.as_call_expr()?)),
        _ => None,
    });
    let uninstalls = |call: &ast::ExprCall| {
        let argument = call.arguments.args.first();
        argument.is_some_and(Expr::is_none_literal_expr) && module.calls(call, &["asyncio.set_event_loop"])
    };
    statements.filter(|(_, call)| uninstalls(call)).map(|(statement, _)| statement.range()).collect()
}

/// The statement of `body`, at any depth, that binds a name at `range`.
fn path_to_statement(body: &[Stmt], range: TextRange) -> Option<&Stmt> {
    let statement = body.iter().find(|statement| statement.range().contains_range(range))?;
    let inner: Vec<&[Stmt]> = match statement {
        Stmt::If(node) => std::iter::once(node.body.as_slice())
            .chain(node.elif_else_clauses.iter().map(|clause| clause.body.as_slice()))
            .collect(),
        Stmt::Try(node) => vec![&node.body, &node.orelse, &node.finalbody],
        Stmt::With(node) => vec![&node.body],
        _ => return Some(statement),
    };
    inner.into_iter().find_map(|body| path_to_statement(body, range)).or(Some(statement))
}

/// The statement that does nothing but install or close the loop read at `read`.
fn housekeeping(module: &Module, read: TextRange) -> Result<TextRange, String> {
    let path = path_to(module, read);
    let line = module.lines().line(read.start());
    let written = module.source(read);
    let (call, method) = match path.as_slice() {
        [.., AnyNodeRef::StmtExpr(statement), AnyNodeRef::ExprCall(call), AnyNodeRef::ExprAttribute(method), _]
            if method.attr.as_str() == "run_until_complete" && call.arguments.args.first().is_some_and(is_shutdown) =>
        {
            return Ok(statement.range());
        }
        [
            ..,
            AnyNodeRef::StmtExpr(statement),
            AnyNodeRef::ExprCall(_),
            AnyNodeRef::Arguments(_),
            AnyNodeRef::ExprCall(shutdown),
            AnyNodeRef::ExprAttribute(method),
            _,
        ] if shutdown.func.range() == method.range()
            && ["shutdown_asyncgens", "shutdown_default_executor"].contains(&method.attr.as_str()) =>
        {
            return Ok(statement.range());
        }
        [.., AnyNodeRef::StmtExpr(statement), AnyNodeRef::ExprCall(_), AnyNodeRef::ExprAttribute(method), _] => {
            (statement, method.attr.as_str())
        }
        [.., AnyNodeRef::StmtExpr(statement), AnyNodeRef::ExprCall(call), AnyNodeRef::Arguments(_), _]
            if module.calls(call, &["asyncio.set_event_loop"]) =>
        {
            return Ok(statement.range());
        }
        [.., AnyNodeRef::ExprAttribute(method), _] if method.attr.as_str() == "run_until_complete" => {
            return Err(second_run(line));
        }
        _ => return Err(format!("`{written}` is used in line {line} as well")),
    };
    match method {
        "close" => Ok(call.range()),
        "run_until_complete" => Err(second_run(line)),
        _ => Err(format!("`{written}` is used in line {line} as well")),
    }
}

fn second_run(line: usize) -> String {
    format!("line {line} is a second run on the same loop, as `asyncio.Runner` (3.11) allows")
}

/// Removes statements; a `finally` of which nothing is left goes, too.
fn removals(module: &Module, gone: &[TextRange]) -> Result<Vec<Edit>, String> {
    let mut edits = vec![];
    for range in gone {
        let path = path_to(module, *range);
        let cleanup = path.iter().rev().find_map(|node| match node {
            AnyNodeRef::StmtTry(node) if node.finalbody.iter().any(|statement| statement.range() == *range) => {
                Some(node)
            }
            _ => None,
        });
        let is_gone = |statement: &Stmt| gone.contains(&statement.range());
        match cleanup.filter(|node| node.finalbody.iter().all(is_gone)) {
            Some(node) if node.finalbody.first().is_some_and(|first| first.range() == *range) => {
                edits.extend(without_finally(module, node)?);
            }
            Some(_) => {}
            None => {
                let block = block_around(module, *range).map(|(block, _)| block).unwrap_or_default();
                if block.iter().all(is_gone) {
                    let line = module.lines().line(range.start());
                    return Err(format!("nothing would be left of the block in line {line}"));
                }
                edits.push(remove(module, *range)?);
            }
        }
    }
    Ok(edits)
}

/// A `try` without its `finally`: if that was all it had, only its body stays.
fn without_finally(module: &Module, node: &ast::StmtTry) -> Result<Vec<Edit>, String> {
    let lines = module.lines();
    let line = lines.line(node.start());
    let unclear = || format!("the `finally` of the `try` in line {line} is laid out in a way that is not understood");
    let handlers = node.handlers.last().map(|handler| handler.end());
    let kept = node.orelse.last().map(|last| last.end()).or(handlers).or(node.body.last().map(|last| last.end()));
    let (Some(kept), Some(first)) = (kept, node.body.first()) else { return Err(unclear()) };
    let cleanup = TextRange::new(line_after(module, kept), line_after(module, node.end()));
    own_lines(module, node.range())?;
    if let Some(reason) = lost_comment(module, cleanup, &[]) {
        return Err(reason);
    }
    if !module.source(cleanup).trim_start().starts_with("finally") {
        return Err(unclear());
    }
    let mut edits = vec![Edit::delete(cleanup)];
    if node.handlers.is_empty() {
        let head = TextRange::new(lines.line_range(line).start(), line_after(module, node.start()));
        if let Some(reason) = lost_comment(module, head, &[]) {
            return Err(reason);
        }
        let (outer, inner) = (lines.indentation(node.start()), lines.indentation(first.start()));
        let unit = inner.strip_prefix(outer).filter(|unit| !unit.is_empty()).ok_or_else(unclear)?;
        let moved = dedent(module, TextRange::new(head.end(), kept), unit).ok_or_else(unclear)?;
        edits.push(Edit::delete(head));
        edits.extend(moved);
    }
    Ok(edits)
}

/// Nothing else in sight uses the loop that `get_event_loop` gives, and this code runs once.
fn used_once(site: &Site, made: &ast::ExprCall, run: &ast::ExprCall) -> Result<(), String> {
    let module = site.module;
    let line = |range: TextRange| module.lines().line(range.start());
    let uses = ["get_event_loop", "run_forever", "run_until_complete"];
    let other = uses.iter().flat_map(|name| module.calls_of(name)).find(|other| {
        other.range() != made.range() && other.range() != run.range() && !is_in_coroutine(site, other.range())
    });
    if let Some(other) = other {
        return Err(format!("line {} uses the same loop", line(other.range())));
    }
    let Some(function) = site.function() else { return Ok(()) };
    let calls = module.calls_of(&function.name);
    let is_once = match calls.as_slice() {
        [only] => {
            let path = path_to(module, only.range());
            let is_repeated = |node: &AnyNodeRef| {
                matches!(node, AnyNodeRef::StmtFor(_) | AnyNodeRef::StmtWhile(_) | AnyNodeRef::StmtFunctionDef(_))
            };
            let names = Names::in_body(&function.name, &module.syntax().body);
            !path.iter().any(is_repeated) && names.reads.len() == 1 && function.decorator_list.is_empty()
        }
        _ => false,
    };
    match is_once {
        true => Ok(()),
        false => {
            let at = line(function.name.range());
            Err(format!("`{}` (line {at}) may be called several times, each time with the same loop", function.name))
        }
    }
}
