//! A worker thread that takes `queue.Empty` for the end, and the producer that could tell it the end.

use ruff_python_ast::{self as ast, AnyNodeRef, ExceptHandlerExceptHandler, Expr, Stmt};

use super::Target;
use super::blocks::at;
use crate::analysis::Module;
use crate::detectors::nodes::{all_nodes, around, body_around, calls, function_around, method};
use crate::detectors::queues::{Queue, called_on_queue, queue_class};
use crate::detectors::threads::{Created, created, thread_class};
use crate::text::{Ranged as _, TextRange};

/// What a refusal says.
pub(super) type Reason = String;

/// The loop of the worker, as far as it changes.
pub(super) struct Worker<'a> {
    pub attempt: &'a ast::StmtTry,
    pub handler: &'a ExceptHandlerExceptHandler,
    /// The `get` with a timeout, and the statement that it is in.
    pub get: &'a ast::ExprCall,
    pub statement: &'a Stmt,
    pub receiver: &'a Expr,
}

/// The producer: where it says that it is finished.
pub(super) struct Producer<'a> {
    /// The statement behind which nothing more is put.
    pub end: &'a Stmt,
    /// The queue as it is written there.
    pub queue: &'a str,
    /// How often the end has to be said, where that is known.
    pub workers: Result<Times, Reason>,
}

/// How often something is done: what a `for` goes over, or `None` for once.
pub(super) type Times = Option<String>;

impl<'a> Worker<'a> {
    /// The worker that a finding on its `except queue.Empty` is about.
    pub(super) fn of(target: &Target<'a, '_>) -> Option<Self> {
        let module = target.site.module;
        let around = std::iter::once(target.site.node).chain(target.site.enclosing());
        let attempt = around.into_iter().find_map(|node| match node {
            AnyNodeRef::StmtTry(attempt) => Some(attempt),
            _ => None,
        })?;
        let mut handlers = attempt.handlers.iter().filter_map(ast::ExceptHandler::as_except_handler);
        let handler = handlers.find(|handler| handler.start() == target.finding.range.start())?;
        let statement = attempt.body.first()?;
        let value = match statement {
            Stmt::Assign(assign) => &assign.value,
            Stmt::Expr(statement) => &statement.value,
            _ => return None,
        };
        let get = value.as_call_expr()?;
        let receiver = called_on_queue(module, get, "get")?;
        Some(Self { attempt, handler, get, statement, receiver })
    }

    /// Whether nothing but the end of the queue ends the worker there.
    pub(super) fn is_plain(&self, module: &Module) -> Result<(), Reason> {
        if let Some(name) = &self.handler.name {
            return Err(format!("the handler in {} uses the exception", at(module, name)));
        }
        if let Some(other) = self.attempt.orelse.first() {
            return Err(format!("the `else` in {} runs after each item", at(module, other)));
        }
        let is_end = |statement: &Stmt| match statement {
            Stmt::Break(_) => true,
            Stmt::Return(statement) => statement.value.is_none(),
            _ => false,
        };
        match self.handler.body.last() {
            Some(last) if is_end(last) && !self.handler.body.iter().rev().skip(1).any(is_end) => Ok(()),
            _ => Err(format!("the handler in {} does not end the worker", at(module, self.handler))),
        }
    }
}

impl<'a> Producer<'a> {
    /// The producer of the queue that `worker` reads.
    pub(super) fn of(module: &'a Module, worker: &Worker<'a>) -> Result<Self, Reason> {
        let queue = Queue::of(module, worker.receiver);
        let written = module.source(worker.receiver);
        let kind = queue_class(module, worker.receiver);
        if !kind.is_some_and(|kind| kind.is("queue.Queue")) {
            return Err(format!("`{written}` is not a plain `queue.Queue`"));
        }
        let Some(made) = queue.made else { return Err(format!("it is not seen where `{written}` is made")) };
        if !is_unlimited(made) {
            return Err(format!("`{}` has a limit ({})", module.source(made), at(module, made)));
        }
        let gets = [queue.calls(module, "get"), queue.calls(module, "get_nowait")].concat();
        if let Some(other) = gets.iter().find(|call| call.range() != worker.get.range()) {
            return Err(format!("{} takes items from the same queue", at(module, *other)));
        }
        passed_on(module, &queue)?;
        let puts = [queue.calls(module, "put"), queue.calls(module, "put_nowait")].concat();
        let function = |range: TextRange| function_around(module, range).map(|function| function.range());
        let Some(last) = puts.iter().max_by_key(|call| call.start()) else {
            return Err(format!("nothing in this file puts items into `{written}`"));
        };
        let home = function(last.range());
        if home == function(worker.attempt.range()) {
            return Err(format!("the worker itself puts items ({})", at(module, *last)));
        }
        if let Some(other) = puts.iter().find(|call| function(call.range()) != home) {
            return Err(format!("{} puts items, too", at(module, *other)));
        }
        let is_in_lambda = |call: &&&ast::ExprCall| {
            around(module, call.range()).iter().any(|node| matches!(node, AnyNodeRef::ExprLambda(_)))
        };
        if let Some(later) = puts.iter().find(is_in_lambda) {
            return Err(format!("the lambda in {} puts items when it is called", at(module, *later)));
        }
        let body = body_around(module, last.range());
        let top = |range: TextRange| body.iter().position(|statement| statement.range().contains_range(range));
        let unclear = || format!("it is not clear when the last item is put ({})", at(module, *last));
        let mut end = puts.iter().filter_map(|call| top(call.range())).max().ok_or_else(unclear)?;
        let joins = queue.calls(module, "join");
        match joins.as_slice() {
            [] => {}
            [only] if function(only.range()) == home && top(only.range()).is_some_and(|at| at > end) => {
                end = top(only.range()).ok_or_else(unclear)?;
            }
            [other, ..] => return Err(format!("{} waits for the queue, not for the workers", at(module, *other))),
        }
        let workers = threads(module, worker)?;
        for made in &workers {
            if function(made.call.range()) != home {
                return Err(format!("the workers are made elsewhere ({})", at(module, made.call)));
            }
        }
        for call in module.calls_of("join") {
            let waits = method(call).is_some_and(|(receiver, _)| thread_class(module, receiver).is_some());
            if waits && (function(call.range()) != home || top(call.range()).is_none_or(|at| at <= end)) {
                return Err(format!("{} waits for the workers before the end is told", at(module, call)));
            }
        }
        let behind = &body[end];
        let queue = puts.iter().find_map(|call| Some(module.source(method(call)?.0))).unwrap_or(written);
        let workers = match workers.as_slice() {
            [only] => how_many(module, only.call, body, end),
            _ => Err("the workers are made in several places".to_string()),
        };
        Ok(Self { end: behind, queue, workers })
    }
}

/// Whether the queue is given to nobody but the threads.
fn passed_on<'a>(module: &'a Module, queue: &Queue<'a>) -> Result<(), Reason> {
    for call in calls(&all_nodes(&module.syntax().body)) {
        for argument in call.arguments.iter_source_order() {
            let items: &[Expr] = match argument.value() {
                Expr::Tuple(tuple) => &tuple.elts,
                Expr::List(list) => &list.elts,
                value => std::slice::from_ref(value),
            };
            let is_it = |item: &&Expr| {
                matches!(item, Expr::Name(_) | Expr::Attribute(_))
                    && queue_class(module, item).is_some()
                    && queue.is(module, item)
            };
            if items.iter().any(|item| is_it(&item)) && created(module, call).is_none() {
                return Err(format!("{} passes the queue on", at(module, call)));
            }
        }
    }
    Ok(())
}

/// Where this file makes threads that run the worker.
fn threads<'a, 's>(module: &'a Module<'s>, worker: &Worker) -> Result<Vec<Created<'a, 's>>, Reason> {
    let function = function_around(module, worker.attempt.range());
    let place = function.and_then(|function| module.place(function.name.range()));
    let made: Vec<_> = calls(&all_nodes(&module.syntax().body))
        .into_iter()
        .filter_map(|call| created(module, call))
        .filter(|made| place.is_some() && made.runs(module).and_then(|runs| runs.place) == place)
        .collect();
    match made.is_empty() {
        true => Err("it is not seen where the workers are made".to_string()),
        false => Ok(made),
    }
}

/// What a loop goes over to count the threads that `call` makes; `None` for one.
fn how_many(module: &Module, call: &ast::ExprCall, body: &[Stmt], end: usize) -> Result<Times, Reason> {
    let unknown = || format!("it is not known how many workers are made ({})", at(module, call));
    let index = body.iter().position(|statement| statement.range().contains_range(call.range())).ok_or_else(unknown)?;
    let count = |iter: &Expr| {
        let call = iter.as_call_expr()?;
        let [count] = &*call.arguments.args else { return None };
        (module.calls(call, &["builtins.range"]) && count.is_number_literal_expr())
            .then(|| module.source(iter).to_string())
    };
    let is_list = |name: &str| {
        let stores = body
            .iter()
            .filter_map(Stmt::as_assign_stmt)
            .filter(|assign| matches!(assign.targets.as_slice(), [Expr::Name(target)] if target.id == name));
        let mut stores: Vec<_> = stores.collect();
        stores
            .pop()
            .is_some_and(|only| stores.is_empty() && matches!(&*only.value, Expr::List(list) if list.is_empty()))
    };
    match &body[index] {
        Stmt::Assign(assign) if assign.value.range() == call.range() => Ok(None),
        Stmt::Assign(assign) => match (assign.targets.as_slice(), &*assign.value) {
            ([Expr::Name(list)], Expr::ListComp(made)) if made.elt.range() == call.range() && index < end => {
                Ok(Some(list.id.to_string()))
            }
            (_, Expr::ListComp(made)) if made.elt.range() == call.range() => match made.generators.as_slice() {
                [only] if only.ifs.is_empty() => count(&only.iter).map(Some).ok_or_else(unknown),
                _ => Err(unknown()),
            },
            _ => Err(unknown()),
        },
        Stmt::For(made) if index < end && made.orelse.is_empty() => {
            let list = calls(&all_nodes(&made.body)).into_iter().find_map(|call| {
                let (list, "append") = method(call)? else { return None };
                let item = call.arguments.args.first()?;
                let list = list.as_name_expr()?.id.as_str();
                (thread_class(module, item).is_some() && is_list(list)).then(|| list.to_string())
            });
            list.or_else(|| count(&made.iter)).map(Some).ok_or_else(unknown)
        }
        Stmt::For(made) => count(&made.iter).map(Some).ok_or_else(unknown),
        Stmt::Expr(statement) if matches!(&*statement.value, Expr::Call(outer) if method(outer).is_some_and(|(made, name)| name == "start" && made.range() == call.range())) => {
            Ok(None)
        }
        _ => Err(unknown()),
    }
}

/// Whether a queue is made without a limit: `Queue()`, `Queue(0)`, `Queue(maxsize=-1)`.
fn is_unlimited(made: &ast::ExprCall) -> bool {
    match (&*made.arguments.args, &*made.arguments.keywords) {
        ([], []) => true,
        ([limit], []) => is_no_limit(limit),
        ([], [keyword]) => keyword.arg.as_deref() == Some("maxsize") && is_no_limit(&keyword.value),
        _ => false,
    }
}

/// `0` or a negative number.
fn is_no_limit(limit: &Expr) -> bool {
    match limit {
        Expr::NumberLiteral(number) => matches!(&number.value, ast::Number::Int(value) if value.as_u8() == Some(0)),
        Expr::UnaryOp(operation) => operation.op == ast::UnaryOp::USub && operation.operand.is_number_literal_expr(),
        _ => false,
    }
}
