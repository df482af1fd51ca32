//! What a function that runs a pool of threads consists of.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use crate::analysis::{Class, Module, Version};
use crate::detectors::nodes::{around, calls, method, own_nodes};
use crate::detectors::queues::queue_class;
use crate::detectors::suspension::{handles, is_in};
use crate::detectors::threads::{created, creations, thread_class};
use crate::text::{Place, Ranged as _, TextRange};

/// The queues of module `queue` that have the same counterpart.
pub(super) const QUEUES: &[&str] = &["queue.LifoQueue", "queue.PriorityQueue", "queue.Queue"];

pub(super) struct Pool<'m, 's> {
    pub(super) function: &'m ast::StmtFunctionDef,
    /// The calls that make the queues, with their names.
    pub(super) queues: Vec<(&'m ast::ExprCall, String)>,
    /// The calls that make the threads.
    pub(super) made: Vec<&'m ast::ExprCall>,
    pub(super) workers: Vec<Worker<'m, 's>>,
}

/// What runs on the threads.
pub(super) struct Worker<'m, 's> {
    /// The class that is derived from `Thread`, or none for a function.
    pub(super) class: Option<(&'m ast::StmtClassDef, Class<'s>)>,
    pub(super) def: &'m ast::StmtFunctionDef,
    /// Its loop; none for a producer, which takes no items.
    pub(super) turns: Option<Loop<'m>>,
}

/// The loop of a worker, with its statement.
pub(super) struct Loop<'m> {
    pub(super) turns: Turns<'m>,
    whole: &'m Stmt,
}

/// The loop of a worker.
pub(super) enum Turns<'m> {
    While(&'m ast::StmtWhile),
    /// `for item in iter(queue.get, sentinel)`
    Sentinel {
        turns: &'m ast::StmtFor,
        item: &'m ast::ExprName,
        queue: &'m Expr,
        sentinel: &'m Expr,
    },
}

impl<'m> Turns<'m> {
    fn of(module: &Module, statement: &'m Stmt) -> Option<Self> {
        match statement {
            Stmt::While(turns) => Some(Self::While(turns)),
            Stmt::For(turns) => {
                let call = turns.iter.as_call_expr().filter(|call| module.calls(call, &["builtins.iter"]))?;
                let [Expr::Attribute(get), sentinel] = &*call.arguments.args else { return None };
                let is_get = get.attr.as_str() == "get" && queue_class(module, &get.value).is_some();
                let item = turns.target.as_name_expr()?;
                is_get.then_some(Self::Sentinel { turns, item, queue: &get.value, sentinel })
            }
            _ => None,
        }
    }

    fn body(&self) -> &'m [Stmt] {
        match self {
            Self::While(turns) => &turns.body,
            Self::Sentinel { turns, .. } => &turns.body,
        }
    }
}

/// What ends the workers.
pub(super) enum Ending {
    /// They end by themselves: a sentinel, or an empty queue.
    ByItself,
    /// These queues are shut down when they are done.
    ShutDown(Vec<String>),
    /// They are cancelled when the queues are done.
    Cancel,
}

impl<'m, 's> Pool<'m, 's> {
    /// The pool that `function` runs, if its threads take items from queues that it makes.
    pub(super) fn of(module: &'m Module<'s>, function: &'m ast::StmtFunctionDef) -> Option<Self> {
        let nodes = own_nodes(&function.body);
        let own = calls(&nodes);
        let mut queues = vec![];
        for call in own.iter().filter(|call| module.calls(call, QUEUES)) {
            queues.push((*call, name_of(module, call)?));
        }
        let made: Vec<_> = own.iter().copied().filter(|call| created(module, call).is_some()).collect();
        let mut workers: Vec<Worker> = vec![];
        for call in &made {
            let worker = Worker::of(module, call)?;
            if !workers.iter().any(|known| known.def.range() == worker.def.range()) {
                workers.push(worker);
            }
        }
        let takes = workers.iter().any(|worker| worker.turns.is_some());
        (!queues.is_empty() && takes).then_some(Self { function, queues, made, workers })
    }

    /// The queue that `expr` refers to, by its number.
    pub(super) fn queue(&self, module: &'m Module, expr: &'m Expr) -> Option<usize> {
        let origins = module.origins(expr);
        let [origin] = origins.as_slice() else { return None };
        self.queues.iter().position(|(made, _)| made.range() == origin.range())
    }

    /// The method calls on queues, in the function and in what runs on the threads.
    pub(super) fn queue_calls(&self, module: &'m Module<'s>) -> Vec<(&'m ast::ExprCall, &'m Expr, &'m str)> {
        let mut found = vec![];
        let bodies = std::iter::once(&self.function.body).chain(self.workers.iter().map(|worker| &worker.def.body));
        for body in bodies {
            for call in calls(&own_nodes(body)) {
                let Some((receiver, name)) = method(call) else { continue };
                if queue_class(module, receiver).is_some() {
                    found.push((call, receiver, name));
                }
            }
        }
        found
    }

    /// The queues that workers go through with `iter(queue.get, sentinel)`.
    pub(super) fn iterated(&self) -> impl Iterator<Item = &'m Expr> {
        self.workers.iter().filter_map(|worker| match worker.turns.as_ref()?.turns {
            Turns::Sentinel { queue, .. } => Some(queue),
            Turns::While(_) => None,
        })
    }

    /// What must hold beside the shape of each use.
    ///
    /// # Errors
    /// The reason of a refusal.
    pub(super) fn check(&self, module: &'m Module<'s>) -> Result<(), String> {
        let line = |range: TextRange| module.lines().line(range.start());
        if module.syntax_errors().iter().any(|error| error.intersect(self.function.range()).is_some()) {
            return Err(format!("`{}` has a syntax error", self.function.name));
        }
        for receiver in self.queue_calls(module).into_iter().map(|(_, receiver, _)| receiver).chain(self.iterated()) {
            if self.queue(module, receiver).is_none() {
                let written = module.source(receiver);
                return Err(format!("which queue `{written}` is cannot be told (line {})", line(receiver.range())));
            }
        }
        Ok(())
    }

    /// The statements from the first thread that is made to the last that is waited for.
    ///
    /// # Errors
    /// The reason of a refusal.
    pub(super) fn span(&self, module: &'m Module<'s>) -> Result<TextRange, String> {
        let statements = &self.function.body;
        let index_of =
            |range: TextRange| statements.iter().position(|statement| statement.range().contains_range(range));
        let first = self.made.iter().filter_map(|call| index_of(call.range())).min();
        let waits = self.thread_calls(module, "join").into_iter().map(|call| call.range());
        let last = waits.chain(self.queue_joins(module)).filter_map(index_of).max();
        let (Some(first), Some(last)) = (first, last) else {
            return Err(format!("`{}` waits neither for its queues nor for its threads", self.function.name));
        };
        if last < first {
            return Err("the threads are waited for before they are made".to_string());
        }
        let block = &statements[first..=last];
        let leaves = own_nodes(block).into_iter().find(|node| {
            matches!(node, AnyNodeRef::StmtReturn(_) | AnyNodeRef::ExprYield(_) | AnyNodeRef::ExprYieldFrom(_))
        });
        if let Some(leaves) = leaves {
            let line = module.lines().line(leaves.start());
            return Err(format!("`{}` is left while the threads run (line {line})", self.function.name));
        }
        let compound = |statement: &Stmt| {
            matches!(statement, Stmt::Try(_) | Stmt::With(_) | Stmt::If(_) | Stmt::While(_) | Stmt::Match(_))
        };
        if let Some(start) = [&statements[first], &statements[last]].into_iter().find(|statement| compound(statement)) {
            let line = module.lines().line(start.start());
            return Err(format!("the threads are started or awaited inside the block of line {line}"));
        }
        Ok(TextRange::new(statements[first].start(), statements[last].end()))
    }

    /// The calls of `name` (`start`, `join`) on threads of this pool.
    pub(super) fn thread_calls(&self, module: &'m Module<'s>, name: &str) -> Vec<&'m ast::ExprCall> {
        let is_it = |call: &&'m ast::ExprCall| {
            let Some((receiver, called)) = method(call) else { return false };
            called == name
                && creations(module, receiver)
                    .iter()
                    .any(|made| self.made.iter().any(|own| own.range() == made.call.range()))
        };
        let nodes = own_nodes(&self.function.body);
        calls(&nodes).into_iter().filter(is_it).collect()
    }

    fn queue_joins(&self, module: &'m Module<'s>) -> Vec<TextRange> {
        let joins = self.queue_calls(module).into_iter().filter(|(_, _, name)| *name == "join");
        joins.map(|(call, _, _)| call.range()).filter(|range| is_in(&self.function.body, *range)).collect()
    }

    /// The statement of the last `join()` on a queue.
    pub(super) fn last_queue_join(&self, module: &'m Module<'s>) -> Option<TextRange> {
        let last = self.queue_joins(module).into_iter().max_by_key(|range| range.start())?;
        self.function.body.iter().map(|statement| statement.range()).find(|range| range.contains_range(last))
    }

    /// What is to end the workers.
    ///
    /// # Errors
    /// The reason of a refusal.
    pub(super) fn ending(&self, module: &'m Module<'s>, oldest_python: Version) -> Result<Ending, String> {
        let mut timed: Vec<String> = vec![];
        let mut is_endless = false;
        for worker in &self.workers {
            match worker.timed_get(module) {
                Some(receiver) => {
                    let number = self.queue(module, receiver).ok_or("which queue is empty cannot be told")?;
                    timed.push(self.queues[number].1.clone());
                }
                None => is_endless |= !worker.can_end(),
            }
        }
        let joins = !self.queue_joins(module).is_empty();
        let waits = !self.thread_calls(module, "join").is_empty();
        if (is_endless || !timed.is_empty()) && !joins {
            return Err("no `join()` on a queue says when the work is done".to_string());
        }
        if let Some(producer) = self.workers.iter().find(|worker| worker.turns.is_none())
            && (is_endless || !timed.is_empty())
        {
            return Err(format!("`{}` may still put items when the workers are told to end", producer.def.name));
        }
        Ok(match (timed.is_empty(), is_endless) {
            (true, false) if waits => Ending::ByItself,
            (true, false) if !joins => return Err(self.not_waited_for(module)),
            (false, false) if oldest_python >= (3, 13) => Ending::ShutDown(timed),
            _ => Ending::Cancel,
        })
    }

    /// Nothing is known to wait for the threads.
    fn not_waited_for(&self, module: &'m Module<'s>) -> String {
        let nodes = own_nodes(&self.function.body);
        let unknown = calls(&nodes).into_iter().find_map(|call| {
            let (receiver, "join") = method(call)? else { return None };
            let may_be = module.class_name(receiver).is_none() || thread_class(module, receiver).is_some();
            (call.arguments.is_empty() && may_be).then_some(receiver)
        });
        match unknown {
            Some(receiver) => {
                let (written, line) = (module.source(receiver), module.lines().line(receiver.start()));
                format!("which thread `{written}` is cannot be told (line {line})")
            }
            None => "the threads are not waited for".to_string(),
        }
    }

    /// The calls in the function that this rewrite changes itself.
    pub(super) fn settled(&self, module: &'m Module<'s>) -> Vec<Place> {
        let queue_calls = self.queue_calls(module).into_iter().map(|(call, _, _)| call.range());
        let threads = ["start", "join"].into_iter().flat_map(|name| self.thread_calls(module, name));
        let ranges = queue_calls.chain(threads.map(|call| call.range()));
        ranges.filter_map(|range| module.place(range)).collect()
    }
}

impl<'m, 's> Worker<'m, 's> {
    /// What the thread made by `call` runs, if that is a loop of `get`.
    fn of(module: &'m Module<'s>, call: &'m ast::ExprCall) -> Option<Self> {
        let made = created(module, call)?;
        let (class, def) = match made.target() {
            Some(target) => {
                let place = module.function(target)?.place?;
                (None, def_at(module, &place)?)
            }
            None => {
                let place = made.class.place()?;
                let statement = around_place(module, &place)?.into_iter().find_map(|node| match node {
                    AnyNodeRef::StmtClassDef(class) if class.name.range() == place.range() => Some(class),
                    _ => None,
                })?;
                let run = statement.body.iter().filter_map(Stmt::as_function_def_stmt);
                (Some((statement, made.class)), run.into_iter().find(|method| method.name.as_str() == "run")?)
            }
        };
        let does = |body: &[Stmt], names: &[&str]| {
            calls(&own_nodes(body)).into_iter().any(|call| {
                method(call)
                    .is_some_and(|(receiver, name)| names.contains(&name) && queue_class(module, receiver).is_some())
            })
        };
        let gets = |found: &Loop| {
            matches!(found.turns, Turns::Sentinel { .. })
                || does(std::slice::from_ref(found.whole), &["get", "get_nowait"])
        };
        let mut loops = def.body.iter().filter_map(|whole| Some(Loop { turns: Turns::of(module, whole)?, whole }));
        let turns = loops.find(gets);
        let is_producer = || does(&def.body, &["put", "put_nowait"]) && !does(&def.body, &["get", "get_nowait"]);
        (!def.is_async && (turns.is_some() || is_producer())).then_some(Self { class, def, turns })
    }

    /// The statements of the loop.
    pub(super) fn body(&self) -> &'m [Stmt] {
        self.turns.as_ref().map_or(&[], |found| found.turns.body())
    }

    /// The queue of a `get` that ends the loop when nothing comes for a while.
    pub(super) fn timed_get(&self, module: &'m Module<'s>) -> Option<&'m Expr> {
        let whole = std::slice::from_ref(self.turns.as_ref()?.whole);
        calls(&own_nodes(whole)).into_iter().find_map(|call| {
            let (receiver, "get") = method(call)? else { return None };
            let has_time = call.arguments.find_argument_value("timeout", 1).is_some();
            (has_time && queue_class(module, receiver).is_some()).then_some(receiver)
        })
    }

    /// The handler of `queue.Empty` around the timed `get`, with its `try`.
    pub(super) fn empty_handler(
        &self,
        module: &'m Module<'s>,
    ) -> Option<(&'m ast::StmtTry, &'m ast::ExceptHandlerExceptHandler)> {
        own_nodes(self.body()).into_iter().find_map(|node| {
            let AnyNodeRef::StmtTry(statement) = node else { return None };
            let handlers = statement.handlers.iter().filter_map(|handler| handler.as_except_handler());
            let handler = handlers.into_iter().find(|handler| handles(module, handler, &["queue.Empty"]))?;
            Some((statement, handler))
        })
    }

    /// Whether its loops can end by themselves.
    fn can_end(&self) -> bool {
        let all = match &self.turns {
            Some(Loop { turns: Turns::While(turns), .. }) => vec![*turns],
            Some(_) => vec![],
            None => own_nodes(&self.def.body).into_iter().filter_map(while_of).collect(),
        };
        all.into_iter().all(|turns| {
            let is_true = turns.test.as_boolean_literal_expr().is_some_and(|test| test.value);
            let mut nodes = own_nodes(&turns.body).into_iter();
            !is_true || nodes.any(|node| matches!(node, AnyNodeRef::StmtBreak(_) | AnyNodeRef::StmtReturn(_)))
        })
    }
}

fn while_of(node: AnyNodeRef<'_>) -> Option<&ast::StmtWhile> {
    match node {
        AnyNodeRef::StmtWhile(turns) => Some(turns),
        _ => None,
    }
}

fn around_place<'m>(module: &'m Module, place: &Place) -> Option<Vec<AnyNodeRef<'m>>> {
    (module.path() == Some(place.path.as_path())).then(|| around(module, place.range()))
}

fn def_at<'m>(module: &'m Module, place: &Place) -> Option<&'m ast::StmtFunctionDef> {
    around_place(module, place)?.into_iter().find_map(|node| match node {
        AnyNodeRef::StmtFunctionDef(def) if def.name.range() == place.range() => Some(def),
        _ => None,
    })
}

/// The local name that a queue is bound to.
fn name_of(module: &Module, made: &ast::ExprCall) -> Option<String> {
    around(module, made.range()).into_iter().find_map(|node| {
        let AnyNodeRef::StmtAssign(assign) = node else { return None };
        let [target] = assign.targets.as_slice() else { return None };
        let name = match (target, &*assign.value) {
            (Expr::Tuple(targets), Expr::Tuple(values)) => {
                let number = values.elts.iter().position(|value| value.range() == made.range())?;
                targets.elts.get(number)?
            }
            (target, value) if value.range() == made.range() => target,
            _ => return None,
        };
        Some(name.as_name_expr()?.id.to_string())
    })
}
