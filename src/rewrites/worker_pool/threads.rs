//! The threads themselves: made, started, waited for; as tasks of the group.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use super::Changes;
use super::pool::{Ending, Pool};
use crate::analysis::{Module, Site};
use crate::detectors::nodes::{method, own_nodes};
use crate::detectors::suspension::path_to;
use crate::detectors::threads::{created, creations, thread_class};
use crate::rewrites::layout::{free_name, remove};
use crate::text::{Edit, Ranged as _, TextRange};

/// The list that holds the tasks.
pub(super) struct List {
    pub(super) name: String,
    pub(super) is_new: bool,
}

/// The list that the threads are kept in, or a new one.
///
/// # Errors
/// The reason of a refusal.
pub(super) fn list_name(site: &Site, pool: &Pool) -> Result<List, String> {
    let module = site.module;
    let mut names = pool.made.iter().map(|made| kept_in(module, made)).collect::<Option<Vec<_>>>().unwrap_or_default();
    names.dedup();
    match names.as_slice() {
        [name] => Ok(List { name: name.clone(), is_new: false }),
        _ => Ok(List { name: free_name(site, &["workers", "tasks", "worker_tasks"])?, is_new: true }),
    }
}

/// The list that a thread is put into.
fn kept_in(module: &Module, made: &ast::ExprCall) -> Option<String> {
    let path = path_to(module, made.range());
    let parents: Vec<_> = path.iter().rev().skip(1).collect();
    match parents.as_slice() {
        [AnyNodeRef::ExprListComp(_), AnyNodeRef::StmtAssign(assign), ..] => {
            Some(assign.targets.first()?.as_name_expr()?.id.to_string())
        }
        [AnyNodeRef::Arguments(_), AnyNodeRef::ExprCall(append), ..] => appended_to(append),
        [AnyNodeRef::StmtAssign(assign), ..] => {
            let name = assign.targets.first()?.as_name_expr()?.id.to_string();
            let function = path.iter().rev().find_map(|node| match node {
                AnyNodeRef::StmtFunctionDef(def) => Some(def),
                _ => None,
            })?;
            own_nodes(&function.body).into_iter().find_map(|node| {
                let AnyNodeRef::ExprCall(append) = node else { return None };
                let argument = append.arguments.args.first()?.as_name_expr()?;
                (argument.id.as_str() == name).then(|| appended_to(append))?
            })
        }
        _ => None,
    }
}

fn appended_to(append: &ast::ExprCall) -> Option<String> {
    let (receiver, "append") = method(append)? else { return None };
    Some(receiver.as_name_expr()?.id.to_string())
}

/// The edits of the threads.
///
/// # Errors
/// The reason of a refusal.
pub(super) fn converted(
    module: &Module,
    pool: &Pool,
    group: &str,
    list: Option<&List>,
    ending: &Ending,
    span: TextRange,
) -> Result<Changes, String> {
    let mut changes = Changes::default();
    let new_list = list.filter(|list| list.is_new);
    let mut kept: Vec<TextRange> = vec![];
    for made in &pool.made {
        let (open, close) = match new_list {
            Some(list) if is_started_at_once(module, made).is_some() => (format!("{}.append(", list.name), ")"),
            _ => (String::new(), ""),
        };
        changes.edits.extend(task(module, made, group, &open, close)?);
        if let Some(start) = is_started_at_once(module, made) {
            changes.edits.push(Edit::delete(TextRange::new(made.end(), start.end())));
            kept.push(start);
        }
        if created(module, made).is_some_and(|made| made.target().is_some()) {
            changes.gone.push(made.func.range());
        }
    }
    for name in ["start", "join"] {
        for call in pool.thread_calls(module, name).into_iter().filter(|call| !kept.contains(&call.range())) {
            let line = module.lines().line(call.start());
            if !call.arguments.is_empty() {
                return Err(format!("`{}` does not wait for the end (line {line})", module.source(call)));
            }
            if !span.contains_range(call.range()) {
                return Err(format!("a thread is started or awaited elsewhere (line {line})"));
            }
            let Some((receiver, _)) = method(call) else { continue };
            let receiver = module.source(receiver);
            match (name, new_list, ending) {
                ("start", Some(list), _) => {
                    changes.edits.push(Edit::replace(call.range(), format!("{}.append({receiver})", list.name)));
                }
                // What follows may rely on the end of these threads.
                ("join", _, Ending::ByItself | Ending::ShutDown(_)) => {
                    changes.edits.push(Edit::replace(call.range(), format!("await {receiver}")));
                }
                ("join", ..) if pool.last_queue_join(module).is_some_and(|joined| call.start() < joined.start()) => {
                    return Err(format!("the threads are waited for before the queues are (line {line})"));
                }
                _ => changes.edits.push(removed(module, call.range())?),
            }
        }
    }
    for node in own_nodes(&pool.function.body) {
        match node {
            AnyNodeRef::StmtAssign(assign) => {
                let [Expr::Attribute(target)] = assign.targets.as_slice() else { continue };
                if is_thread(module, pool, &target.value) {
                    match target.attr.as_str() {
                        "daemon" => changes.edits.push(removed(module, assign.range())?),
                        _ => return Err(other_use(module, target.range())),
                    }
                }
            }
            AnyNodeRef::ExprAttribute(attribute) if attribute.ctx.is_load() => {
                let is_known = matches!(attribute.attr.as_str(), "start" | "join" | "setDaemon");
                let may_be = thread_class(module, &attribute.value).is_some();
                if !is_known && (may_be || is_thread(module, pool, &attribute.value)) {
                    return Err(other_use(module, attribute.range()));
                }
            }
            AnyNodeRef::ExprCall(call) => {
                let Some((receiver, name @ ("join" | "setDaemon" | "start"))) = method(call) else { continue };
                if name == "setDaemon" && is_thread(module, pool, receiver) {
                    changes.edits.push(removed(module, call.range())?);
                    continue;
                }
                let is_known = kept.contains(&call.range())
                    || pool.thread_calls(module, name).iter().any(|known| known.range() == call.range());
                let may_be = match module.class_name(receiver) {
                    Some(_) => thread_class(module, receiver).is_some(),
                    None => module.symbol(receiver).is_none(),
                };
                if !is_known && may_be {
                    let (written, line) = (module.source(receiver), module.lines().line(call.start()));
                    return Err(format!("which thread `{written}` is cannot be told (line {line})"));
                }
            }
            _ => {}
        }
    }
    Ok(changes)
}

fn other_use(module: &Module, range: TextRange) -> String {
    format!("a task has no `{}` (line {})", module.source(range), module.lines().line(range.start()))
}

fn is_thread(module: &Module, pool: &Pool, expr: &Expr) -> bool {
    expr.is_name_expr()
        && creations(module, expr).iter().any(|made| pool.made.iter().any(|own| own.range() == made.call.range()))
}

/// `Worker(…).start()`: the call of `start`.
fn is_started_at_once(module: &Module, made: &ast::ExprCall) -> Option<TextRange> {
    let path = path_to(module, made.range());
    let mut parents = path.iter().rev().skip(1);
    match (parents.next()?, parents.next()?, parents.next()?) {
        (AnyNodeRef::ExprAttribute(attribute), AnyNodeRef::ExprCall(call), AnyNodeRef::StmtExpr(_)) => {
            (attribute.attr.as_str() == "start").then(|| call.range())
        }
        _ => None,
    }
}

/// `Worker(…)` as `group.create_task(Worker(…).run())`, and `Thread(target=f, args=(…))` as `group.create_task(f(…))`.
fn task(module: &Module, made: &ast::ExprCall, group: &str, open: &str, close: &str) -> Result<Vec<Edit>, String> {
    let line = module.lines().line(made.start());
    let thread = created(module, made).ok_or("the thread cannot be told")?;
    let Some(target) = thread.target() else {
        return Ok(vec![
            Edit::insert(made.start(), format!("{open}{group}.create_task(")),
            Edit::insert(made.end(), format!(".run()){close}")),
        ]);
    };
    if !thread.class.is("threading.Thread") {
        return Err(format!("`{}` is no plain `Thread` (line {line})", module.source(&*made.func)));
    }
    let mut name = String::new();
    for keyword in &made.arguments.keywords {
        match keyword.arg.as_ref().map(|arg| arg.as_str()) {
            Some("target" | "args" | "daemon" | "kwargs") => {}
            Some("name") => name = format!(", name={}", module.source(&keyword.value)),
            _ => return Err(format!("`{}` is not looked through (line {line})", module.source(keyword))),
        }
    }
    if !made.arguments.args.is_empty() {
        return Err(format!("the arguments of the thread are positional (line {line})"));
    }
    let unknown = |other: &Expr| format!("what `{}` holds cannot be told (line {line})", module.source(other));
    let mut arguments: Vec<String> = match made.arguments.find_keyword("args").map(|keyword| &keyword.value) {
        None => vec![],
        Some(Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. })) => {
            elts.iter().map(|item| module.source(item).to_string()).collect()
        }
        Some(other) => return Err(unknown(other)),
    };
    match made.arguments.find_keyword("kwargs").map(|keyword| &keyword.value) {
        None => {}
        Some(named @ Expr::Dict(dict)) => {
            for item in &dict.items {
                let key = item.key.as_ref().and_then(Expr::as_string_literal_expr).ok_or_else(|| unknown(named))?;
                arguments.push(format!("{}={}", key.value.to_str(), module.source(&item.value)));
            }
        }
        Some(other) => return Err(unknown(other)),
    }
    let call = format!("{}({})", module.source(target), arguments.join(", "));
    Ok(vec![Edit::replace(made.range(), format!("{open}{group}.create_task({call}{name}){close}"))])
}

/// Removes the statement of a call; with it the loop of which it is all.
fn removed(module: &Module, range: TextRange) -> Result<Edit, String> {
    let path = path_to(module, range);
    let statement = path.iter().rev().find(|node| node.is_statement()).ok_or("the statement cannot be told")?;
    let is_alone = matches!(statement, AnyNodeRef::StmtExpr(alone) if alone.value.range() == range)
        || matches!(statement, AnyNodeRef::StmtAssign(_));
    if !is_alone {
        let line = module.lines().line(range.start());
        return Err(format!("line {line} does more than start or await a thread"));
    }
    let outer = path.iter().rev().skip_while(|node| !node.is_statement()).nth(1);
    if let Some(AnyNodeRef::StmtFor(whole)) = outer
        && let [Stmt::Expr(_)] = whole.body.as_slice()
        && whole.orelse.is_empty()
    {
        return remove(module, whole.range());
    }
    remove(module, statement.range())
}
