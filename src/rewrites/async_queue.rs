//! `queue.Queue()` → `asyncio.Queue()`, with `await` at `get`, `put` and `join`
//!
//! For a queue that only coroutines of one loop use. Limits of time become `asyncio.timeout`, the exceptions those of asyncio.

mod handlers;

use std::collections::BTreeMap;

use ruff_python_ast::{self as ast, AnyNodeRef, Expr};

use super::async_lock::awaited;
use super::awaiting::obstacle;
use super::imports::imported_member;
use super::layout::{handlers_around, indent, lost_comment, not_simple, own_lines, statement_of, unit};
use super::loop_object::{LoopObject, Use};
use super::timeout_block::{alone, is_limit};
use super::{Offer, Rewrite, Target};
use crate::analysis::Site;
use crate::detectors::nodes::method;
use crate::detectors::suspension::handles;
use crate::text::{Edit, Ranged as _, TextRange};

pub(super) const REWRITE: Rewrite = Rewrite { name: "async_queue", offer };

const CLASSES: &[&str] = &["queue.LifoQueue", "queue.PriorityQueue", "queue.Queue", "queue.SimpleQueue"];

/// What a use of the queue may raise where nothing is there, or no room.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Raises {
    Nothing,
    /// `Empty` or `Full`, at once.
    Now(&'static str),
    /// The same, after a time.
    Late(&'static str),
}

fn offer(target: &Target) -> Option<Offer> {
    let mut queue = LoopObject::find(target, CLASSES, true)?;
    let class = queue.class.clone();
    if class == "SimpleQueue" {
        let title = format!("Use an `asyncio.Queue` for `{}`", queue.name);
        let at = queue.at(0, queue.made);
        return Offer::refused(title, format!("asyncio has no counterpart of `SimpleQueue` ({at})"));
    }
    queue.judge();
    let mut edits: BTreeMap<usize, Vec<Edit>> = BTreeMap::new();
    let mut raising = vec![];
    for used in queue.uses.clone().into_iter().filter(|used| queue.is_in_coroutine(*used)).collect::<Vec<_>>() {
        match edit(&queue, used, target) {
            Ok((edit, raises)) => {
                edits.entry(used.file).or_default().extend(edit);
                raising.push((used, raises));
            }
            Err(reason) => queue.block(reason),
        }
    }
    let mut renamed = queue.renamed_class(&class);
    let mut changes = "a task that waits is suspended, and others run meanwhile".to_string();
    match handlers::handlers(&queue, &raising) {
        Ok(handlers) => {
            renamed.extend(handlers.renamed);
            changes.extend(handlers.changes.iter().map(|change| format!("; {change}")));
        }
        Err(reason) => queue.block(reason),
    }
    let title = format!("Use an `asyncio.{class}` for `{}` ({changes})", queue.name);
    queue.offer(title, edits, &renamed)
}

/// The edits of one use.
fn edit(queue: &LoopObject, used: Use, target: &Target) -> Result<(Vec<Edit>, Raises), String> {
    let module = &queue.modules[used.file];
    let at = queue.at(used.file, used.range);
    if queue.is_followed(used) {
        return Ok((vec![], Raises::Nothing));
    }
    let path = queue.path(used);
    match path.as_slice() {
        [.., AnyNodeRef::ExprCall(call), AnyNodeRef::ExprAttribute(method), _]
            if call.func.range() == method.range() && call.arguments.start() == call.func.end() =>
        {
            let ancestors = &path[..path.len() - 3];
            let site = Site::at(module, path[path.len() - 3], ancestors);
            let done = match method.attr.as_str() {
                "empty" | "full" | "qsize" | "shutdown" | "task_done" => Ok((vec![], Raises::Nothing)),
                "get_nowait" => Ok((vec![], Raises::Now("Empty"))),
                "put_nowait" => Ok((vec![], Raises::Now("Full"))),
                "join" if call.arguments.is_empty() => waits(&site, vec![]).map(|edits| (edits, Raises::Nothing)),
                "get" | "put" => exchange(&site, call, target),
                other => Err(format!("an `asyncio.Queue` has no such `{other}`")),
            };
            done.map_err(|reason| format!("{reason} ({at})"))
        }
        [
            ..,
            AnyNodeRef::ExprAwait(_),
            AnyNodeRef::ExprCall(call),
            AnyNodeRef::Arguments(arguments),
            AnyNodeRef::ExprAttribute(method),
            _,
        ] if module.calls(call, &["asyncio.to_thread"])
            && arguments.args.first().is_some_and(|first| first.range() == method.range())
            && matches!(
                (method.attr.as_str(), &*arguments.args, &*arguments.keywords),
                ("get" | "join", [_], []) | ("put", [_, _], [])
            ) =>
        {
            let rest = arguments.args.get(1).map_or("", |item| module.source(item));
            match lost_comment(module, call.range(), &[]) {
                Some(reason) => Err(reason),
                None => Ok((
                    vec![Edit::replace(call.range(), format!("{}({rest})", module.source(*method)))],
                    Raises::Nothing,
                )),
            }
        }
        [.., AnyNodeRef::ExprAttribute(attribute), _] if attribute.attr.as_str() == "maxsize" => {
            Ok((vec![], Raises::Nothing))
        }
        _ => Err(queue.misuse(used)),
    }
}

/// The edits of a call that waits from now on, with those of its arguments.
fn waits(site: &Site, arguments: Vec<Edit>) -> Result<Vec<Edit>, String> {
    match obstacle(site) {
        Some(reason) => Err(format!("`{}` cannot be awaited: {reason}", site.module.source(site.node.range()))),
        None => Ok([awaited(site), arguments].concat()),
    }
}

/// `get` or `put`, whose arguments say whether and how long it waits.
fn exchange(site: &Site, call: &ast::ExprCall, target: &Target) -> Result<(Vec<Edit>, Raises), String> {
    let module = site.module;
    let arguments = &call.arguments;
    let (receiver, name) = method(call).ok_or("it is no method")?;
    let (first, failure) = if name == "get" { (0, "Empty") } else { (1, "Full") };
    let is_known = |keyword: &ast::Keyword| {
        keyword.arg.as_ref().is_some_and(|name| ["block", "item", "timeout"].contains(&name.as_str()))
    };
    if arguments.args.iter().any(Expr::is_starred_expr) || !arguments.keywords.iter().all(is_known) {
        return Err(format!("the arguments of `{name}` are not all in sight"));
    }
    let block = arguments.find_argument_value("block", first);
    let timeout = arguments.find_argument_value("timeout", first + 1).filter(|timeout| !timeout.is_none_literal_expr());
    let extra = block.is_some() || arguments.find_argument_value("timeout", first + 1).is_some();
    let item = arguments.find_argument_value("item", 0).filter(|_| name == "put");
    if name == "put" && item.is_none() {
        return Err("`put` has no item".to_string());
    }
    if !extra {
        return Ok((waits(site, vec![])?, Raises::Nothing));
    }
    let kept: Vec<TextRange> = item.iter().map(|item| item.range()).collect();
    if let Some(reason) = lost_comment(module, arguments.range(), &kept) {
        return Err(reason);
    }
    let behind = TextRange::new(receiver.end(), call.end());
    let item = item.map_or("", |item| module.source(item));
    let exchanged = |name: &str| vec![Edit::replace(behind, format!(".{name}({item})"))];
    match block.map(|block| block.as_boolean_literal_expr().map(|literal| literal.value)) {
        Some(Some(false)) => return Ok((exchanged(&format!("{name}_nowait")), Raises::Now(failure))),
        Some(None) => return Err(format!("whether `{name}` waits is not known")),
        Some(Some(true)) | None => {}
    }
    let Some(timeout) = timeout else { return Ok((waits(site, exchanged(name))?, Raises::Nothing)) };
    let mut edits = waits(site, exchanged(name))?;
    edits.extend(limited(site, timeout, target)?);
    Ok((edits, Raises::Late(failure)))
}

/// The block with a limit of time around the statement of the site.
fn limited(site: &Site, timeout: &Expr, target: &Target) -> Result<Vec<Edit>, String> {
    let module = site.module;
    let written = module.source(timeout);
    if target.oldest_python < (3, 11) {
        return Err("`asyncio.timeout` needs Python 3.11".to_string());
    }
    if is_limit(timeout) != Some(true) {
        return Err(format!("the limit `{written}` may be zero or less"));
    }
    let statement = statement_of(site).ok_or("it is in no statement")?;
    if let Some(reason) = not_simple(&statement).or_else(|| alone(site, &statement)) {
        return Err(reason);
    }
    let range = statement.node.range();
    let waiting = ["get", "join", "put"].iter().flat_map(|name| module.calls_of(name));
    if waiting.filter(|call| range.contains_range(call.range())).count() > 1 {
        return Err("the statement waits for something else as well".to_string());
    }
    let catches = |handler: &&ast::ExceptHandlerExceptHandler| {
        handles(module, handler, &["asyncio.TimeoutError", "builtins.OSError", "builtins.TimeoutError"])
    };
    if let Some(handler) = handlers_around(site).into_iter().find(catches) {
        let line = module.lines().line(handler.start());
        return Err(format!("the handler in line {line} would catch the `TimeoutError`"));
    }
    let lines = own_lines(module, range)?;
    let function = imported_member(site, "asyncio", "timeout")?;
    let (newline, outer, unit) =
        (module.lines().newline(), module.lines().indentation(range.start()), unit(&statement));
    let head = format!("async with {}({written}):{newline}{outer}{unit}", function.name);
    let mut edits = vec![Edit::insert(range.start(), head)];
    edits.extend(indent(module, lines, &unit).into_iter().filter(|edit| edit.range.start() > range.start()));
    edits.extend(function.edit);
    Ok(edits)
}
