//! What ran on the threads: its loop, as a coroutine function.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use super::Changes;
use super::pool::{Ending, Pool, Turns, Worker};
use crate::analysis::{Module, ReferenceKind, Site};
use crate::detectors::nodes::{all_nodes, calls, holds, method, own_nodes, with_def};
use crate::detectors::suspension::{handles, path_to};
use crate::detectors::threads::is_first_parameter;
use crate::detectors::waiting_function::wait_of;
use crate::rewrites::imports::Imported;
use crate::rewrites::layout::{dedent, lost_comment, remove};
use crate::rewrites::make_async::body::{Body, keyword};
use crate::rewrites::to_thread;
use crate::text::{Edit, Ranged as _, TextRange};

/// The edits of one worker.
///
/// # Errors
/// The reason of a refusal.
pub(super) fn converted(
    module: &Module,
    worker: &Worker,
    pool: &Pool,
    ending: &Ending,
    asyncio: &Imported,
) -> Result<Changes, String> {
    let def = worker.def;
    let line = |range: TextRange| module.lines().line(range.start());
    let mut changes = Changes::default();
    if !def.decorator_list.is_empty() {
        return Err(format!("`{}` is decorated (line {})", def.name, line(def.name.range())));
    }
    changes.edits.push(Edit::insert(keyword(module, def), "async "));
    match &worker.class {
        Some((class, _)) => changes.add(class_of_thread(module, class, def, pool, &asyncio.name)?),
        None => only_target(module, def, pool)?,
    }
    if let Some(Turns::Sentinel { turns, item, queue, sentinel }) = worker.turns.as_ref().map(|found| &found.turns) {
        let head = TextRange::new(turns.start(), turns.iter.end());
        if let Some(reason) = lost_comment(module, head, &[]) {
            return Err(reason);
        }
        let test = if sentinel.is_none_literal_expr() { "is not" } else { "!=" };
        let get = format!("({} := await {}.get())", item.id, module.source(*queue));
        changes.edits.push(Edit::replace(head, format!("while {get} {test} {}", module.source(*sentinel))));
    }
    // What waits moves to a thread; the queues have their own edits.
    let settled: Vec<TextRange> = pool.queue_calls(module).into_iter().map(|(call, _, _)| call.range()).collect();
    let body = Body::new(module, def, &settled);
    if let Some(still) = body.still_waits.first() {
        return Err(format!("`{still}` in `{}` would stop all workers, and cannot move to a thread", def.name));
    }
    let moved: Vec<TextRange> = body.edits.iter().map(|(range, _)| *range).collect();
    changes.edits.extend(body.edits.into_iter().flat_map(|(_, edits)| edits));
    changes.gone.extend(body.gone.into_iter().map(|(_, range)| range));
    for call in calls(&own_nodes(&def.body)) {
        let waits = module
            .called_function(call)
            .is_some_and(|function| !function.is_async && with_def(module, &function, wait_of).is_some());
        if waits && !moved.contains(&call.range()) {
            let path = path_to(module, call.range());
            let Some((node, ancestors)) = path.split_last() else { continue };
            let site = Site::at(module, *node, ancestors);
            let edits =
                to_thread::edits(&site, call, &format!("await {}.to_thread", asyncio.name)).ok_or_else(|| {
                    format!("`{}` cannot move to a thread (line {})", module.source(call), line(call.range()))
                })?;
            changes.edits.extend(edits);
        }
    }
    for node in own_nodes(&def.body) {
        let AnyNodeRef::ExprCall(call) = node else { continue };
        if !module.calls(call, &["threading.current_thread"]) {
            continue;
        }
        let path = path_to(module, call.range());
        match path.iter().rev().nth(1) {
            Some(AnyNodeRef::ExprAttribute(attribute)) if attribute.attr.as_str() == "name" => {
                changes.gone.push(attribute.range());
                changes
                    .edits
                    .push(Edit::replace(attribute.range(), format!("{}.current_task().get_name()", asyncio.name)));
            }
            _ => return Err(format!("the thread itself is asked for (line {})", line(call.range()))),
        }
    }
    if let Some((what, place)) = own_values(module, def, DEPTH) {
        return Err(format!("`{what}` has other values in each thread ({place})"));
    }
    changes.add(empty(module, worker, ending, &asyncio.name)?);
    cancellable(module, worker, ending)?;
    Ok(changes)
}

/// How many functions deep values of the thread are looked for.
const DEPTH: usize = 4;

/// What a function reads, itself or through functions of the project, that is another thing in each thread; and where.
fn own_values(module: &Module, def: &ast::StmtFunctionDef, depth: usize) -> Option<(String, String)> {
    let depth = depth.checked_sub(1)?;
    let file = module.path().and_then(|path| path.file_name()).unwrap_or_default().to_string_lossy();
    let at = |range: TextRange| format!("{file}:{}", module.lines().line(range.start()));
    own_nodes(&def.body).into_iter().find_map(|node| match node {
        AnyNodeRef::ExprAttribute(attribute) => {
            let is_local = module.class_name(&attribute.value).is_some_and(|class| class.is("threading.local"));
            is_local.then(|| (module.source(&*attribute.value).to_string(), at(attribute.range())))
        }
        AnyNodeRef::ExprCall(call) => {
            if module.calls(call, &["threading.get_ident", "threading.get_native_id"]) {
                return Some((module.source(call).to_string(), at(call.range())));
            }
            let looks = module.calls(call, &["builtins.getattr", "builtins.hasattr", "builtins.setattr"]);
            if let Some(object) = call.arguments.args.first().filter(|_| looks)
                && module.class_name(object).is_some_and(|class| class.is("threading.local"))
            {
                return Some((module.source(object).to_string(), at(call.range())));
            }
            let function = module.called_function(call)?;
            with_def(module, &function, |home, def| own_values(home, def, depth))
        }
        _ => None,
    })
}

/// `class Worker(Thread)` as a class of its own.
fn class_of_thread(
    module: &Module,
    class: &ast::StmtClassDef,
    run: &ast::StmtFunctionDef,
    pool: &Pool,
    asyncio: &str,
) -> Result<Changes, String> {
    let line = |range: TextRange| module.lines().line(range.start());
    let mut changes = Changes::default();
    let bases = class.arguments.as_deref().filter(|bases| bases.len() == 1 && bases.keywords.is_empty());
    let bases = bases
        .ok_or_else(|| format!("`{}` has other bases than `Thread` (line {})", class.name, line(class.name.range())))?;
    if !bases.args.first().is_some_and(|base| module.symbol(base).is_some_and(|symbol| symbol.is("threading.Thread"))) {
        return Err(format!("`{}` has another base than `Thread` (line {})", class.name, line(class.name.range())));
    }
    changes.edits.push(Edit::delete(bases.range()));
    changes.gone.push(bases.range());
    let own: Vec<&str> =
        class.body.iter().filter_map(Stmt::as_function_def_stmt).map(|method| method.name.as_str()).collect();
    let mut assigned: Vec<&str> = vec![];
    for node in all_nodes(&class.body) {
        match node {
            AnyNodeRef::ExprAttribute(attribute) if attribute.ctx.is_store() && attribute.attr.as_str() != "daemon" => {
                assigned.push(attribute.attr.as_str());
            }
            AnyNodeRef::StmtAssign(assign) => {
                if let [Expr::Attribute(target)] = assign.targets.as_slice()
                    && target.attr.as_str() == "daemon"
                {
                    changes.edits.push(remove(module, assign.range())?);
                }
            }
            _ => {}
        }
    }
    for method_def in class.body.iter().filter_map(Stmt::as_function_def_stmt) {
        for node in own_nodes(&method_def.body) {
            match node {
                AnyNodeRef::ExprCall(call) if method(call).is_some_and(|(_, name)| name == "__init__") => {
                    let is_daemon =
                        |keyword: &ast::Keyword| keyword.arg.as_ref().is_some_and(|arg| arg.as_str() == "daemon");
                    let (args, keywords) = (&call.arguments.args, &call.arguments.keywords);
                    let is_explicit = call.func.as_attribute_expr().is_some_and(|init| !init.value.is_call_expr());
                    if args.len() > usize::from(is_explicit) || !keywords.iter().all(is_daemon) {
                        return Err(format!(
                            "`{}` names the thread (line {})",
                            module.source(call),
                            line(call.range())
                        ));
                    }
                    changes.edits.push(remove(module, call.range())?);
                    changes.gone.push(call.range());
                }
                AnyNodeRef::ExprAttribute(attribute) if attribute.ctx.is_load() => {
                    let is_self =
                        attribute.value.as_name_expr().is_some_and(|name| is_first_parameter(method_def, name));
                    let name = attribute.attr.as_str();
                    if !is_self || own.contains(&name) || assigned.contains(&name) {
                        continue;
                    }
                    if name != "name" || method_def.range() != run.range() {
                        return Err(format!(
                            "`{}` is the thread's own (line {})",
                            module.source(attribute),
                            line(attribute.range())
                        ));
                    }
                    changes
                        .edits
                        .push(Edit::replace(attribute.range(), format!("{asyncio}.current_task().get_name()")));
                }
                _ => {}
            }
        }
    }
    // The class must be used for nothing but the threads of this pool.
    for node in all_nodes(&module.syntax().body) {
        let AnyNodeRef::ExprName(name) = node else { continue };
        if name.id != class.name.id || !name.ctx.is_load() {
            continue;
        }
        if !pool.made.iter().any(|made| made.func.range() == name.range()) {
            return Err(format!("`{}` is used elsewhere, too (line {})", class.name, line(name.range())));
        }
    }
    if let Some((path, at)) = module.path().and_then(|path| module.snapshot().other_use(path, &class.name)) {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        return Err(format!("`{}` may be used in another file ({file}:{at})", class.name));
    }
    Ok(changes)
}

/// Refuses a function that something else runs, too.
fn only_target(module: &Module, def: &ast::StmtFunctionDef, pool: &Pool) -> Result<(), String> {
    let place = module.place(def.name.range()).ok_or("this is no file")?;
    let references = module.snapshot().references(&def.name, std::slice::from_ref(&place));
    let references = references.map_err(|reason| reason.reason(&def.name))?;
    for reference in references {
        let here = Some(reference.place.path.as_path()) == module.path();
        let in_pool = pool.made.iter().any(|made| made.range().contains_range(reference.place.range()));
        if reference.kind != ReferenceKind::Value || !here || !in_pool {
            let file = reference.place.path.file_name().unwrap_or_default().to_string_lossy();
            return Err(format!("`{}` is used elsewhere, too ({file}:{})", def.name, reference.place.line));
        }
    }
    Ok(())
}

/// `except queue.Empty`, and what becomes of it.
fn empty(module: &Module, worker: &Worker, ending: &Ending, asyncio: &str) -> Result<Changes, String> {
    let mut changes = Changes::default();
    let Some((statement, handler)) = worker.empty_handler(module) else { return Ok(changes) };
    let line = module.lines().line(handler.start());
    let Some(caught) = handler.type_.as_deref().filter(|_| worker.timed_get(module).is_some()) else {
        return Ok(changes);
    };
    if caught.is_tuple_expr() || handler.name.is_some() {
        return Err(format!("`queue.Empty` is caught with others, or named (line {line})"));
    }
    changes.gone.push(caught.range());
    if !matches!(handler.body.as_slice(), [Stmt::Break(_) | Stmt::Return(_)]) {
        return Err(format!("an empty queue does more than end the loop (line {line})"));
    }
    if matches!(ending, Ending::ShutDown(_)) {
        changes.edits.push(Edit::replace(caught.range(), format!("{asyncio}.QueueShutDown")));
        return Ok(changes);
    }
    let lines = module.lines();
    let whole = TextRange::new(lines.line_range(line).start(), lines.line_range(lines.line(handler.end())).end());
    let next = crate::rewrites::imports::line_after(module, handler.end());
    let comments = module.comment_ranges().into_iter().filter(|comment| whole.contains_range(*comment));
    changes.comments.extend(comments.map(|comment| module.source(comment).to_string()));
    changes.edits.push(Edit::delete(TextRange::new(whole.start(), next)));
    let is_only = statement.handlers.len() == 1 && statement.orelse.is_empty() && statement.finalbody.is_empty();
    if is_only {
        let head = lines.line_range(lines.line(statement.start()));
        let (Some(first), Some(last)) = (statement.body.first(), statement.body.last()) else { return Ok(changes) };
        let at = lines.line(statement.start());
        if lines.line(first.start()) == at {
            return Err(format!("the `try` in line {at} cannot be taken away"));
        }
        let outer = lines.indentation(statement.start());
        let step = lines.indentation(first.start()).strip_prefix(outer).unwrap_or("    ");
        let inner = TextRange::new(first.start(), last.end());
        changes
            .edits
            .push(Edit::delete(TextRange::new(head.start(), lines.line_range(lines.line(head.start()) + 1).start())));
        changes
            .edits
            .extend(dedent(module, inner, step).ok_or_else(|| format!("the `try` in line {at} cannot be taken away"))?);
    }
    Ok(changes)
}

/// Refuses where a cancelled `get` would do harm.
fn cancellable(module: &Module, worker: &Worker, ending: &Ending) -> Result<(), String> {
    if !matches!(ending, Ending::Cancel) {
        return Ok(());
    }
    let gets: Vec<TextRange> = calls(&own_nodes(worker.body()))
        .into_iter()
        .filter(|call| method(call).is_some_and(|(_, name)| name == "get"))
        .map(|call| call.range())
        .collect();
    for node in own_nodes(worker.body()) {
        let AnyNodeRef::StmtTry(statement) = node else { continue };
        if !gets.iter().any(|get| holds(&statement.body, *get)) {
            continue;
        }
        let line = module.lines().line(statement.start());
        let finally = calls(&own_nodes(&statement.finalbody))
            .into_iter()
            .any(|call| method(call).is_some_and(|(_, name)| name == "task_done"));
        if finally {
            return Err(format!("the `finally` of the `try` in line {line} would call `task_done()` once too often"));
        }
        let swallows = statement.handlers.iter().filter_map(|handler| handler.as_except_handler()).any(|handler| {
            handler.type_.is_none() || handles(module, handler, &["builtins.BaseException", "asyncio.CancelledError"])
        });
        if swallows {
            return Err(format!("the `try` in line {line} would catch the cancellation"));
        }
    }
    Ok(())
}
