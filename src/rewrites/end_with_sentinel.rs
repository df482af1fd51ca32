//! `try: x = q.get(timeout=3)` … `except queue.Empty: break` → `x = q.get()`, `if x is STOP: break`, and one `q.put(STOP)` for
//! each worker behind the last `put`.

use ruff_python_ast::{Expr, Stmt};

use super::blocks::{Moved, comment_in, dedented, line_end, line_start, own_lines};
use super::imports::{bindings, end_of_head, line_after, without_unread};
use super::worker_end::{Producer, Reason, Worker};
use super::{Offer, Rewrite, Target};
use crate::analysis::Module;
use crate::text::{Edit, Ranged as _, TextRange};

pub(super) const REWRITE: Rewrite = Rewrite { name: "end_with_sentinel", offer };

const TITLE: &str = "End the workers by a sentinel behind the last item (they no longer idle, nor stop in a pause)";

fn offer(target: &Target) -> Option<Offer> {
    let module = target.site.module;
    let worker = Worker::of(target)?;
    let plan = worker.is_plain(module).and_then(|()| Producer::of(module, &worker));
    match plan.and_then(|producer| edits(module, &worker, &producer)) {
        Ok(edits) => Offer::edit(module, TITLE, edits, false),
        Err(reason) => Offer::refused(TITLE, reason),
    }
}

fn edits(module: &Module, worker: &Worker, producer: &Producer) -> Result<Vec<Edit>, Reason> {
    let (lines, newline) = (module.lines(), module.lines().newline());
    let free = |names: [&'static str; 3], what: &str| {
        let name = names.into_iter().find(|name| bindings(module, name).is_empty());
        name.ok_or_else(|| format!("the names for {what} are taken in this file"))
    };
    let stop = free(["STOP", "END_OF_WORK", "NO_MORE_ITEMS"], "a sentinel")?;
    let attempt = worker.attempt;
    let shares = || "statements of the worker share a line".to_string();
    if module.source(attempt).contains(';') || own_lines(module, attempt.range()).is_none() {
        return Err(shares());
    }
    let statement = own_lines(module, worker.statement.range()).ok_or_else(shares)?;
    let inner = lines.indentation(worker.statement.start());
    let outer = lines.indentation(attempt.start());
    let unit = inner.strip_prefix(outer).filter(|unit| !unit.is_empty()).ok_or_else(shares)?;
    let goes = attempt.handlers.len() == 1 && attempt.finalbody.is_empty();
    let level = if goes { outer } else { inner };

    // The item, and the end.
    let get = format!("{}.get()", module.source(worker.receiver));
    let (mut taken, name) = match worker.statement {
        Stmt::Assign(assign) => match assign.targets.as_slice() {
            [Expr::Name(name)] => (format!("{} = {get}", name.id), name.id.to_string()),
            [target] => {
                let item = free(["item", "entry", "queued"], "an item")?;
                (format!("{item} = {get}"), format!("{item}\n{}", module.source(target)))
            }
            _ => return Err("the item is bound to several names at once".to_string()),
        },
        _ => return Err("the item itself is not kept".to_string()),
    };
    let (name, rest) = name.split_once('\n').map_or((name.as_str(), None), |(name, rest)| (name, Some(rest)));
    taken.push_str(&format!("{newline}{level}if {name} is {stop}:"));
    taken.push_str(&handler(module, worker, &format!("{level}{unit}"), newline)?);
    if let Some(rest) = rest {
        taken.push_str(&format!("{newline}{level}{rest} = {name}"));
    }

    let mut edits = vec![];
    let handler_start = line_start(module, worker.handler.start());
    if goes {
        let header = TextRange::new(attempt.start(), worker.statement.start());
        if let Some(line) = comment_in(module, header) {
            return Err(format!("the comment in line {line} would be lost"));
        }
        edits.push(Edit::replace(TextRange::new(attempt.start(), worker.statement.end()), taken));
        let end = line_end(module, worker.handler.end());
        let before = line_end(module, attempt.body.last().map_or(attempt.start(), |last| last.end()));
        if attempt.body.len() > 1 {
            let others = TextRange::new(line_after(module, worker.statement.end()).min(before), before);
            Moved::of(module, others, inner)?;
            edits.extend(dedented(module, others, unit).ok_or_else(shares)?);
        }
        if let Some(line) = comment_in(module, TextRange::new(before, handler_start)) {
            return Err(format!("the comment in line {line} would be lost"));
        }
        edits.push(Edit::delete(TextRange::new(before, end)));
    } else {
        edits.push(Edit::replace(worker.statement.range(), taken));
        let end = line_after(module, worker.handler.end());
        edits.push(Edit::delete(TextRange::new(handler_start, end)));
    }
    if comment_in(module, statement).is_some() && rest.is_some() {
        return Err("a comment would be lost".to_string());
    }

    // The producer.
    let end = own_lines(module, producer.end.range()).ok_or_else(|| "the last `put` shares its line".to_string())?;
    let indentation = lines.indentation(producer.end.start());
    let put = format!("{}.put({stop})", producer.queue);
    let said = match producer.workers.as_ref().map_err(Clone::clone)? {
        None => format!("{newline}{indentation}{put}"),
        Some(workers) => format!("{newline}{indentation}for _ in {workers}:{newline}{indentation}{unit}{put}"),
    };
    edits.push(Edit::insert(end.end(), said));
    edits.push(Edit::insert(end_of_head(module), format!("{newline}{stop} = object(){newline}")));
    Ok(match worker.handler.type_.as_deref() {
        Some(Expr::Name(caught)) => without_unread(module, &caught.id, edits),
        _ => edits,
    })
}

/// The lines of the handler's body, indented otherwise.
fn handler(module: &Module, worker: &Worker, indentation: &str, newline: &str) -> Result<String, Reason> {
    let handler = worker.handler;
    let (Some(first), Some(last)) = (handler.body.first(), handler.body.last()) else { return Ok(String::new()) };
    let header_end = line_end(module, handler.type_.as_deref().map_or(handler.start(), |caught| caught.end()));
    if let Some(line) = comment_in(module, TextRange::new(handler.start(), header_end)) {
        return Err(format!("the comment in line {line} would be lost"));
    }
    if header_end >= last.end() {
        let text = module.source(TextRange::new(first.start(), last.end()));
        return Ok(format!("{newline}{indentation}{text}"));
    }
    let body = TextRange::new(line_after(module, header_end), line_end(module, last.end()));
    Ok(Moved::of(module, body, module.lines().indentation(first.start()))?.indented(indentation, newline))
}
