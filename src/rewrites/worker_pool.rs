//! Threads that take their work from a `queue.Queue` → tasks of a `TaskGroup` on an `asyncio.Queue`.
//!
//! Written from the shape, never from names: one function makes the queues, starts the threads and waits for the work; each
//! thread runs a loop of `get`. What blocks in the loop moves to a worker thread; the function becomes a coroutine function,
//! with its callers.

mod pool;
mod threads;
mod uses;
mod worker;

use ruff_python_ast::helpers::any_over_expr;
use ruff_python_ast::{self as ast, AnyNodeRef};

use super::imports::{drop_members, drop_unused_all, imported, taken};
use super::layout::{free_name, generated, indent, unit};
use super::make_async::{Plan, with_edits};
use super::{FileEdits, Offer, Rewrite, Target};
use crate::analysis::{Module, Site};
use crate::detectors::nodes::{all_nodes, calls, own_nodes};
use crate::detectors::suspension::path_to;
use crate::detectors::threads::created;
use crate::text::{Edit, Ranged as _, TextRange, TextSize};
use pool::{Ending, Pool};

pub(super) const REWRITE: Rewrite = Rewrite { name: "worker_pool", offer };

fn offer(target: &Target) -> Option<Offer> {
    let module = target.site.module;
    let made = creation(module, target.finding.range)?;
    let path = path_to(module, made.range());
    let (node, ancestors) = path.split_last()?;
    let site = Site::at(module, *node, ancestors);
    let function = site.function()?;
    let pool = Pool::of(module, function)?;
    let title = format!("Turn the threads of `{}` into tasks of a `TaskGroup`", function.name);
    match converted(target, &site, &pool) {
        Err(reason) => Offer::refused(title, reason),
        Ok(files) => {
            let title = format!(
                "{title} (it and its callers become coroutine functions; an error that leaves a loop cancels the others and \
                 becomes an ExceptionGroup; task names instead of thread names)"
            );
            Some(Offer::Edit { title, files, preserves_behaviour: false })
        }
    }
}

/// The call that makes the thread: at `range`, or for a class at `range` the first that makes one of it.
fn creation<'m>(module: &'m Module, range: TextRange) -> Option<&'m ast::ExprCall> {
    let nodes = all_nodes(&module.syntax().body);
    let all = calls(&nodes);
    if let Some(call) = all.iter().find(|call| call.func.range() == range) {
        return Some(call);
    }
    let class = path_to(module, range).into_iter().rev().find_map(|node| match node {
        AnyNodeRef::StmtClassDef(class) if class.name.range() == range => module.class(class),
        _ => None,
    })?;
    all.into_iter().find(|call| created(module, call).is_some_and(|made| made.class == class))
}

/// Edits, and the reads of names that are gone with them.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) edits: Vec<Edit>,
    pub(super) gone: Vec<TextRange>,
    /// Comments of what is gone.
    pub(super) comments: Vec<String>,
}

impl Changes {
    fn add(&mut self, other: Changes) {
        self.edits.extend(other.edits);
        self.gone.extend(other.gone);
        self.comments.extend(other.comments);
    }
}

/// Refuses a loop that waits for the threads without a wait: as long as it turns, no task runs.
fn busy(module: &Module, pool: &Pool, span: TextRange, changes: &Changes) -> Result<(), String> {
    let turns = own_nodes(&pool.function.body).into_iter().find(|node| {
        let AnyNodeRef::StmtWhile(turns) = node else { return false };
        let range = turns.range();
        let awaits = changes.edits.iter().any(|edit| edit.text.contains("await ") && range.contains_range(edit.range));
        let nodes = own_nodes(&turns.body);
        let blocks = calls(&nodes).into_iter().any(|call| module.blocking_call(call).is_some());
        let counts = nodes.iter().any(|node| match node {
            AnyNodeRef::ExprName(name) if name.ctx.is_store() => {
                any_over_expr(&turns.test, |read| read.as_name_expr().is_some_and(|read| read.id == name.id))
            }
            _ => false,
        });
        span.contains_range(range) && !(awaits || blocks || counts)
    });
    match turns {
        Some(turns) => {
            let line = module.lines().line(turns.start());
            Err(format!("the loop in line {line} would not let the tasks run"))
        }
        None => Ok(()),
    }
}

fn converted(target: &Target, site: &Site, pool: &Pool) -> Result<Vec<FileEdits>, String> {
    let module = site.module;
    let path = module.path().ok_or("this is no file")?;
    if target.oldest_python < (3, 11) {
        return Err("`asyncio.TaskGroup` needs Python 3.11".to_string());
    }
    if let Some(reason) = generated(module) {
        return Err(reason);
    }
    let asyncio = imported(site, "asyncio").ok_or_else(|| taken(module, "asyncio"))?;
    let group = free_name(site, &["group", "task_group", "pool_group"])?;
    pool.check(module)?;
    let ending = pool.ending(module, target.oldest_python)?;
    let span = pool.span(module)?;

    let mut changes = uses::converted(module, pool, &asyncio.name)?;
    for worker in &pool.workers {
        changes.add(worker::converted(module, worker, pool, &ending, &asyncio)?);
    }
    let list = match ending {
        Ending::Cancel => Some(threads::list_name(site, pool)?),
        _ => None,
    };
    changes.add(threads::converted(module, pool, &group, list.as_ref(), &ending, span)?);

    busy(module, pool, span, &changes)?;

    let lines = module.lines();
    let newline = lines.newline();
    let step = unit(site);
    let indentation = lines.indentation(span.start()).to_string();
    let first = lines.line_range(lines.line(span.start())).start();
    let mut head = vec![];
    if let Some(list) = list.as_ref().filter(|list| list.is_new) {
        head.push(Edit::insert(first, format!("{indentation}{} = []{newline}", list.name)));
    }
    head.push(Edit::insert(
        first,
        format!("{indentation}async with {}.TaskGroup() as {group}:{newline}", asyncio.name),
    ));
    let deleted: Vec<TextRange> =
        changes.edits.iter().filter(|edit| edit.text.is_empty()).map(|edit| edit.range).collect();
    let is_left = |edit: &Edit| !deleted.iter().any(|range| range.contains(edit.range.start()));
    head.extend(indent(module, span, &step).into_iter().filter(is_left));
    // What ends the workers comes when the queues are done.
    if let Some(joined) = pool.last_queue_join(module) {
        let at = TextSize::max(lines.line_range(lines.line(joined.end())).end(), joined.end());
        let inner = format!("{newline}{indentation}{step}");
        let text = match &ending {
            Ending::ByItself => String::new(),
            Ending::ShutDown(queues) => queues.iter().map(|queue| format!("{inner}{queue}.shutdown()")).collect(),
            Ending::Cancel => {
                let list = list.as_ref().map_or("workers", |list| list.name.as_str());
                let item = free_name(site, &["worker", "task"]).unwrap_or_else(|_| "each_worker".to_string());
                let comments: String = changes.comments.iter().map(|comment| format!("{inner}{comment}")).collect();
                format!("{comments}{inner}for {item} in {list}:{inner}{step}{item}.cancel()")
            }
        };
        if !text.is_empty() {
            head.push(Edit::insert(at, text));
        }
    }
    head.append(&mut changes.edits);

    let mut plan = Plan::new(module.snapshot(), target.oldest_python);
    let mut files = vec![];
    if !pool.function.is_async {
        plan.settle(pool.settled(module));
        plan.make(module.place(pool.function.name.range()).ok_or("this is no file")?, pool.function.name.to_string());
        plan.complete();
        if !plan.blockers.is_empty() {
            return Err(plan.blockers.join("; "));
        }
        files = plan.files()?;
    }
    head.extend(asyncio.edit);
    for name in ["Empty", "Queue", "Thread", "queue", "sleep", "threading", "time"] {
        head.extend(drop_unused_all(module, name, &changes.gone));
    }
    head.extend(drop_members(module, &changes.gone));
    Ok(with_edits(files, path, head))
}
