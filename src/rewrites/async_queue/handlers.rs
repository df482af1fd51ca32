//! `except queue.Empty` → `except asyncio.QueueEmpty`, or `except TimeoutError` behind a limit of time.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr};

use super::Raises;
use crate::analysis::Module;
use crate::detectors::nodes::{all_nodes, own_nodes};
use crate::detectors::queues::queue_class;
use crate::detectors::suspension::path_to;
use crate::rewrites::loop_object::{LoopObject, Renamed, Use};
use crate::text::{Ranged as _, TextRange};

const EXCEPTIONS: &[&str] = &["queue.Empty", "queue.Full", "queue.ShutDown"];

/// The handlers that change with the queue.
pub(super) struct Handlers<'n> {
    pub renamed: Vec<Renamed<'n>>,
    /// What changes, for the title.
    pub changes: Vec<String>,
}

/// Finds the handlers of what the uses raise.
///
/// # Errors
/// The reason of a refusal: what a handler catches is not known.
pub(super) fn handlers(queue: &LoopObject, raising: &[(Use, Raises)]) -> Result<Handlers<'static>, String> {
    let mut found = Handlers { renamed: vec![], changes: vec![] };
    let mut caught: Vec<Use> = vec![];
    let mut other: Option<(String, String)> = None;
    for (file, module) in queue.modules.iter().enumerate() {
        for (range, name) in mentions(module) {
            let at = queue.at(file, range);
            let written = module.source(range);
            let path = path_to(module, range);
            let Some(statement) = try_of(&path) else {
                return Err(format!("`{written}` is used in another way than by `except` ({at})"));
            };
            // A function that is defined in the body raises elsewhere.
            let own: Vec<TextRange> = own_nodes(&statement.body).iter().map(|node| node.range()).collect();
            let is_inside = |(used, _): &&(Use, Raises)| used.file == file && own.contains(&used.range);
            let inside: Vec<(Use, Raises)> = raising.iter().filter(is_inside).copied().collect();
            let kinds = kinds(&inside, name);
            if kinds.is_empty() {
                other.get_or_insert((written.to_string(), at));
                continue;
            }
            alone(queue, file, statement, &kinds).map_err(|reason| format!("{reason} ({at})"))?;
            caught.extend(inside.iter().map(|(used, _)| *used));
            let counterpart = match (kinds.as_slice(), name) {
                ([Raises::Now(_), ..], "Empty") => "QueueEmpty",
                ([Raises::Now(_), ..], "Full") => "QueueFull",
                ([Raises::Late(_), ..], _) => "TimeoutError",
                _ => "QueueShutDown",
            };
            if kinds.iter().any(|kind| std::mem::discriminant(kind) != std::mem::discriminant(&kinds[0])) {
                return Err(format!("`{written}` would be two exceptions, one of them `TimeoutError` ({at})"));
            }
            let change = format!("`{name}` becomes `{counterpart}`");
            if !found.changes.contains(&change) {
                found.changes.push(change);
            }
            found.renamed.push((file, range, counterpart));
        }
    }
    let escaping = raising.iter().find(|(used, raises)| *raises != Raises::Nothing && !caught.contains(used));
    let Some((used, raises @ (Raises::Now(name) | Raises::Late(name)))) = escaping else { return Ok(found) };
    let at = queue.at(used.file, used.range);
    let module = &queue.modules[used.file];
    let elsewhere = module.path().and_then(|path| module.snapshot().other_use(path, name));
    let elsewhere =
        elsewhere.map(|(path, line)| format!("{}:{line}", path.file_name().unwrap_or_default().to_string_lossy()));
    match (other, elsewhere) {
        (Some((written, place)), _) => Err(format!("what is raised in {at} may be caught by `{written}` ({place})")),
        (None, Some(place)) => Err(format!("what is raised in {at} may be caught as `{name}` ({place})")),
        (None, None) => {
            let counterpart = match raises {
                Raises::Late(_) => "TimeoutError".to_string(),
                _ => format!("Queue{name}"),
            };
            let change = format!("`{name}` becomes `{counterpart}`");
            found.changes.extend((!found.changes.contains(&change)).then_some(change));
            Ok(found)
        }
    }
}

/// What of the uses raises the exception.
fn kinds(inside: &[(Use, Raises)], name: &str) -> Vec<Raises> {
    let is_it = |raises: &Raises| match raises {
        Raises::Now(raised) | Raises::Late(raised) => *raised == name,
        Raises::Nothing => name == "ShutDown",
    };
    let raised = inside.iter().map(|(_, raises)| *raises).filter(is_it);
    match name {
        "ShutDown" => inside.iter().map(|_| Raises::Nothing).take(1).collect(),
        _ => raised.collect(),
    }
}

/// Where a file names the exceptions of `queue`, outside of imports.
fn mentions(module: &Module) -> Vec<(TextRange, &'static str)> {
    let named = |expr: ast::ExprRef, last: &str| {
        let name = ["Empty", "Full", "ShutDown"].into_iter().find(|name| *name == last)?;
        module.symbol(expr).filter(|symbol| symbol.is_any(EXCEPTIONS)).map(|_| name)
    };
    let found = all_nodes(&module.syntax().body).into_iter().filter_map(|node| match node {
        AnyNodeRef::ExprName(read) => {
            named(read.into(), module.imported_name(&read.id)).map(|name| (read.range(), name))
        }
        AnyNodeRef::ExprAttribute(read) => named(read.into(), &read.attr).map(|name| (read.range(), name)),
        _ => None,
    });
    found.collect()
}

/// The `try` whose handler names the exception at the end of `path`.
fn try_of<'a>(path: &[AnyNodeRef<'a>]) -> Option<&'a ast::StmtTry> {
    match path {
        [.., AnyNodeRef::StmtTry(statement), AnyNodeRef::ExceptHandlerExceptHandler(_), _] => Some(statement),
        [
            ..,
            AnyNodeRef::StmtTry(statement),
            AnyNodeRef::ExceptHandlerExceptHandler(_),
            AnyNodeRef::ExprTuple(_),
            _,
        ] => Some(statement),
        _ => None,
    }
}

/// Whether only uses of this queue raise what the `try` catches.
fn alone(queue: &LoopObject, file: usize, statement: &ast::StmtTry, kinds: &[Raises]) -> Result<(), String> {
    let module = &queue.modules[file];
    let is_late = kinds.iter().any(|kind| matches!(kind, Raises::Late(_)));
    let made = ["LifoQueue", "PriorityQueue", "Queue", "SimpleQueue"].iter().flat_map(|name| module.calls_of(name));
    let has_others = made.filter(|call| file > 0 || call.range() != queue.made).any(|call| {
        module
            .class_reference(&call.func)
            .is_some_and(|class| class.inherits("queue.Queue") || class.inherits("queue.SimpleQueue"))
    });
    for node in own_nodes(&statement.body) {
        let AnyNodeRef::ExprCall(call) = node else { continue };
        let receiver = call.func.as_attribute_expr().map(|attribute| &*attribute.value);
        let is_own = |receiver: &Expr| queue.uses.contains(&Use { file, range: receiver.range() });
        if receiver.is_some_and(is_own) || receiver.is_some_and(|receiver| is_quiet(module, receiver)) {
            continue;
        }
        let symbol = module.callee(call);
        if symbol.is_some_and(|symbol| symbol.is_any(&["builtins.len", "builtins.print"])) {
            continue;
        }
        let written = module.source(&*call.func);
        if receiver.is_some_and(|receiver| queue_class(module, receiver).is_some()) || has_others {
            return Err(format!("`{written}` may raise it for another queue"));
        }
        if is_late {
            return Err(format!("`{written}` may raise a `TimeoutError` of its own"));
        }
    }
    Ok(())
}

/// Whether the methods of `receiver` raise neither: it is a list, a dictionary or a set.
fn is_quiet(module: &Module, receiver: &Expr) -> bool {
    module.class_name(receiver).is_some_and(|class| class.is_any(&["builtins.dict", "builtins.list", "builtins.set"]))
}
