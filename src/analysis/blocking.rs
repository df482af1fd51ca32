//! Calls that block the thread they run on. The rows are data (`explanations/tables/blocking.toml`).

mod places;

use std::collections::{HashMap, HashSet};

use ruff_python_ast::find_node::covering_node;
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, ExprRef};
use ruff_text_size::{Ranged as _, TextRange};
use serde::Deserialize;

use super::calls::{Flag, is_of_project};
use super::module::Module;
use super::names::{Origin, Symbol};

/// What an exception handler names that expects a call not to wait.
const RETRIES: &[&str] =
    &["BlockingIOError", "EAGAIN", "EWOULDBLOCK", "SSLWantReadError", "SSLWantWriteError", "WantReadError"];

/// Calls that make a socket.
const SOCKETS: &[&str] = &["accept", "create_connection", "socket", "wrap_socket"];

/// One table for the whole program, made once at start.
#[derive(Debug, Default)]
pub struct BlockingTable {
    calls: HashMap<String, BlockingCall>,
    last_names: HashSet<String>,
}

/// A library call that blocks.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockingCall {
    /// Its public name.
    pub name: String,
    /// What it waits for, as the end of "it …".
    pub why: String,
    /// The asynchronous counterpart.
    pub instead: Option<String>,
    /// The receiver must stay on its thread.
    #[serde(default)]
    pub thread_bound: bool,
    /// Reads or writes local files: explained, not reported.
    #[serde(default)]
    pub file: bool,
    /// As a rule it waits for moments only: reported where a coroutine calls it, not through helpers.
    #[serde(default)]
    pub brief: bool,
    /// A rule of ruff's default set that reports the same.
    pub ruff: Option<String>,
    /// Blocks only if its receiver was made with a size limit.
    #[serde(default)]
    bounded: bool,
    /// Not the call blocks, but iterating over its result.
    #[serde(default)]
    lazy: bool,
    /// Arguments with which it does not block, by keyword or position: the value, or names of which one occurs in it.
    #[serde(default)]
    nonblocking: HashMap<String, String>,
    /// How its receiver was made decides, so that has to be in sight.
    #[serde(default)]
    made_in_sight: bool,
    /// Whether its receiver has to be made in the same function, or must not be.
    made_here: Option<bool>,
    /// Returns at once if its receiver is ready: behind a test it is not reported through helpers.
    #[serde(default)]
    pub unless_ready: bool,
    /// It waits only if it is given one of these arguments, by keyword or by position.
    #[serde(default)]
    waits_with: Vec<String>,
    /// Words in the call that made its receiver with which it does not block.
    #[serde(default)]
    quiet_made_with: Vec<String>,
    /// Names of calls that make it return at once.
    #[serde(default)]
    quiet_with: Vec<String>,
    #[serde(rename = "source")]
    _source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    #[serde(default)]
    call: Vec<BlockingCall>,
}

impl BlockingCall {
    /// Whether the call returns at once, and iterating over its result is what waits.
    pub fn is_lazy(&self) -> bool {
        self.lazy
    }

    /// Whether neither its receiver nor what is done with its result decides.
    fn is_plain(&self) -> bool {
        let on_receiver = self.bounded || self.made_in_sight || self.made_here.is_some();
        !self.lazy && !on_receiver && self.waits_with.is_empty()
    }
}

impl BlockingTable {
    /// Reads the table from TOML.
    ///
    /// # Errors
    /// The TOML error, with line and column, for a row of the wrong shape.
    pub fn from_toml(text: &str) -> Result<Self, String> {
        let rows: Rows = toml::from_str(text).map_err(|error| error.to_string())?;
        let last_names = rows.call.iter().filter_map(|row| Some(row.name.rsplit('.').next()?.to_string())).collect();
        Ok(Self { calls: rows.call.into_iter().map(|row| (row.name.clone(), row)).collect(), last_names })
    }

    /// The row with this name.
    pub(super) fn row(&self, name: &str) -> Option<&BlockingCall> {
        self.calls.get(name)
    }

    fn get(&self, symbol: &Symbol) -> Option<&BlockingCall> {
        if symbol.origin == Origin::Project {
            return None;
        }
        self.calls.get(&symbol.to_string())
    }
}

impl<'s> Module<'s> {
    /// The table's row for a call that blocks here; `None` when its arguments, its receiver or another call in this file
    /// keep it from waiting, or may do so.
    pub fn blocking_call(&self, call: &ast::ExprCall) -> Option<&'s BlockingCall> {
        let (row, _) = self.blocking_unless(call, &[])?;
        Some(row)
    }

    /// As [`Module::blocking_call`], for code with `flags`: the call blocks if those that are named are true.
    pub(super) fn blocking_unless(
        &self,
        call: &ast::ExprCall,
        flags: &[Flag],
    ) -> Option<(&'s BlockingCall, Vec<String>)> {
        // A plain name may be an alias; an attribute keeps its last part. Names are cheaper than types.
        let may_block = match &*call.func {
            Expr::Attribute(method) => self.knowledge().blocking.last_names.contains(method.attr.as_str()),
            callee => callee.is_name_expr(),
        };
        if !may_block {
            return None;
        }
        let table = &self.knowledge().blocking;
        let Some(row) = self.callee(call).and_then(|callee| table.get(&callee)) else {
            let row = self.partial_of(call).or_else(|| self.lambda_of(call)).or_else(|| self.mapped_by(call));
            return row.map(|row| (row, vec![]));
        };
        let returns_at_once = (row.lazy && !self.is_iterated(call))
            || (row.bounded && !self.is_made_bounded(call))
            || (row.made_in_sight && self.may_be_nonblocking(call, row))
            || row.made_here.is_some_and(|made_here| self.is_made_here(call) != made_here);
        let waits =
            row.waits_with.is_empty() || row.waits_with.iter().any(|argument| argument_value(call, argument).is_some());
        if returns_at_once || !waits || self.is_made_with(call, &row.quiet_made_with) || self.is_quiet(call, row) {
            return None;
        }
        let mut needed = vec![];
        for (argument, values) in &row.nonblocking {
            let Some(value) = argument_value(call, argument) else { continue };
            if values.split('|').any(|wanted| self.is_value(value, wanted)) {
                return None;
            }
            // A number says how long and an address where; anything else says whether at all.
            let says_whether = !places::is_place(values) && values.parse::<f64>().is_err();
            match value {
                Expr::Name(name) if says_whether && flags.iter().any(|flag| flag.name == name.id.as_str()) => {
                    needed.push(name.id.to_string());
                }
                _ if says_whether && !self.is_certain(value) => return None,
                _ => {}
            }
        }
        Some((row, needed))
    }

    /// The row for what a `functools.partial` calls, if it waits whatever its arguments are.
    fn partial_of(&self, call: &ast::ExprCall) -> Option<&'s BlockingCall> {
        if !call.func.is_name_expr() || self.calls_of("partial").is_empty() {
            return None;
        }
        let [Expr::Call(made)] = self.origins(&call.func)[..] else { return None };
        if !self.calls(made, &["functools.partial"]) {
            return None;
        }
        let row = self.blocking_function(made.arguments.args.first()?)?;
        // What keeps it from waiting may be among the arguments of the partial or those of the call.
        let given = |argument: &str| match argument.parse::<usize>() {
            Ok(position) => made.arguments.find_positional(position + 1),
            Err(_) => argument_value(made, argument).or_else(|| argument_value(call, argument)),
        };
        let waits = |(argument, values): (&String, &String)| match given(argument) {
            Some(Expr::NumberLiteral(number)) => !values.split('|').any(|wanted| self.source(number) == wanted),
            Some(_) => false,
            // By position, the call may give it.
            None => argument.parse::<usize>().is_err() || call.arguments.args.is_empty(),
        };
        (row.is_plain() && row.nonblocking.iter().all(waits)).then_some(row)
    }

    /// The row for what a lambda calls that the name was bound to.
    fn lambda_of(&self, call: &ast::ExprCall) -> Option<&'s BlockingCall> {
        if !call.func.is_name_expr() || !self.text().contains("= lambda") {
            return None;
        }
        let [Expr::Lambda(lambda)] = self.origins(&call.func)[..] else { return None };
        match self.blocking_unless(lambda.body.as_call_expr()?, &[])? {
            (row, needed) if needed.is_empty() => Some(row),
            _ => None,
        }
    }

    /// The row for what `map` calls for each item, where somebody iterates over it.
    fn mapped_by(&self, call: &ast::ExprCall) -> Option<&'s BlockingCall> {
        if !call.func.is_name_expr() || !self.calls(call, &["builtins.map"]) || !self.is_iterated(call) {
            return None;
        }
        self.blocking_function(call.arguments.args.first()?).filter(|row| row.is_plain())
    }

    /// Whether the value of a flag is there to be read: a literal, or constants of a library.
    fn is_certain(&self, value: &Expr) -> bool {
        match value {
            Expr::BooleanLiteral(_) | Expr::NumberLiteral(_) | Expr::NoneLiteral(_) => true,
            Expr::BinOp(operation) => self.is_certain(&operation.left) && self.is_certain(&operation.right),
            Expr::Name(_) | Expr::Attribute(_) => {
                self.symbol(value).is_some_and(|symbol| symbol.origin != Origin::Project)
            }
            _ => false,
        }
    }

    /// The table's row for a function that is passed on instead of called.
    pub fn blocking_function<'e>(&self, function: impl Into<ExprRef<'e>>) -> Option<&'s BlockingCall> {
        self.knowledge().blocking.get(&self.symbol(function)?)
    }

    /// Whether `call` is what a `for` or a comprehension iterates over.
    fn is_iterated(&self, call: &ast::ExprCall) -> bool {
        match self.parent_of(call.into()) {
            Some(AnyNodeRef::StmtFor(statement)) => !statement.is_async && statement.iter.range() == call.range(),
            Some(AnyNodeRef::Comprehension(comprehension)) => comprehension.iter.range() == call.range(),
            // `list(pool.map(…))`
            Some(AnyNodeRef::Arguments(arguments)) => {
                const CONSUMERS: &[&str] = &["dict", "list", "max", "min", "set", "sorted", "sum", "tuple"];
                let consumer = self.parent_of(AnyNodeRef::from(arguments));
                let name = consumer.and_then(|node| node.as_expr_ref()?.as_call_expr()?.func.as_name_expr());
                let is_first = arguments.args.first().is_some_and(|first| first.range() == call.range());
                is_first && name.is_some_and(|name| CONSUMERS.contains(&name.id.as_str()))
            }
            _ => false,
        }
    }

    fn is_value(&self, value: &Expr, wanted: &str) -> bool {
        if let Ok(wanted) = wanted.parse::<f64>() {
            return self.source(value).parse::<f64>().is_ok_and(|value| value == wanted);
        }
        if places::is_place(wanted) {
            return self.is_at_place(value, wanted);
        }
        // `WNOHANG` in `os.WNOHANG | os.WUNTRACED`.
        let is_word_end = |char: char| !(char.is_alphanumeric() || char == '_');
        self.source(value).split(is_word_end).any(|word| word == wanted)
    }

    /// Whether the receiver is seen to be made with a size limit in every place it comes from.
    fn is_made_bounded(&self, call: &ast::ExprCall) -> bool {
        let Expr::Attribute(method) = &*call.func else { return false };
        let origins = self.origins(&method.value);
        let is_bounded = |origin: &&Expr| {
            let size = origin.as_call_expr().and_then(|made| made.arguments.find_argument_value("maxsize", 0));
            size.and_then(|size| self.source(size).parse::<u32>().ok()).is_some_and(|size| size > 0)
        };
        !origins.is_empty() && origins.iter().all(is_bounded)
    }

    /// Whether the receiver may have been made non-blocking out of sight, or the call is seen to expect it.
    fn may_be_nonblocking(&self, call: &ast::ExprCall, row: &BlockingCall) -> bool {
        let Expr::Attribute(method) = &*call.func else { return false };
        self.is_out_of_sight(&method.value) || self.is_made_quiet(&method.value, row) || self.is_ready_to_retry(call)
    }

    /// Whether a function of the project makes the receiver, in a file where calls keep such an object from waiting, or that
    /// gets it from somewhere else.
    fn is_made_quiet(&self, receiver: &Expr, row: &BlockingCall) -> bool {
        self.makers(receiver).into_iter().filter_map(Expr::as_call_expr).any(|made| {
            let Some(maker) = self.function_definition(&made.func) else { return false };
            if !is_of_project(self.db(), maker) {
                return false;
            }
            let home = Module::of_file(self.snapshot(), maker.program_file(self.db()));
            let has_call = |name: &&str| !home.calls_of(name).is_empty();
            row.quiet_with.iter().map(String::as_str).any(|name| has_call(&name)) || !SOCKETS.iter().any(has_call)
        })
    }

    /// Whether an exception handler around the call serves a receiver that does not wait.
    fn is_ready_to_retry(&self, call: &ast::ExprCall) -> bool {
        covering_node(self.syntax().into(), call.range()).ancestors().any(|node| {
            let AnyNodeRef::StmtTry(statement) = node else { return false };
            let is_in_body = statement.body.iter().any(|inner| inner.range().contains_range(call.range()));
            is_in_body
                && statement.handlers.iter().any(|handler| {
                    let is_word_end = |char: char| !(char.is_alphanumeric() || char == '_');
                    self.source(handler).split(is_word_end).any(|word| RETRIES.contains(&word))
                })
        })
    }

    /// Whether the receiver is made in the function that makes the call.
    fn is_made_here(&self, call: &ast::ExprCall) -> bool {
        let Expr::Attribute(method) = &*call.func else { return false };
        let origins = self.origins(&method.value);
        let here = self.function_at(call.range());
        !origins.is_empty() && origins.iter().all(|made| self.function_at(made.range()) == here)
    }

    /// Whether one of `words` occurs in the call that made the receiver.
    fn is_made_with(&self, call: &ast::ExprCall, words: &[String]) -> bool {
        let Expr::Attribute(method) = &*call.func else { return false };
        let made_with = |word: &String| self.makers(&method.value).into_iter().any(|made| self.is_value(made, word));
        words.iter().any(made_with)
    }

    /// Whether a call of this file sees to it that the receiver does not wait.
    fn is_quiet(&self, call: &ast::ExprCall, row: &BlockingCall) -> bool {
        let Expr::Attribute(method) = &*call.func else { return false };
        let receiver = self.source(&*method.value);
        let home = self.home_of_local(&method.value);
        let in_reach = |other: &&ast::ExprCall| home.is_none_or(|home| home.contains_range(other.range()));
        row.quiet_with.iter().flat_map(|name| self.calls_of(name)).filter(in_reach).any(|other| {
            let is_receiver =
                matches!(&*other.func, Expr::Attribute(method) if self.source(&*method.value) == receiver);
            is_receiver || self.has_argument(other, receiver) || self.gives(other, receiver)
        })
    }

    /// The function in which a plain name is made: in others the same name is another object.
    fn home_of_local(&self, receiver: &Expr) -> Option<TextRange> {
        receiver.as_name_expr()?;
        let origins = self.origins(receiver);
        let home = self.function_at(origins.first()?.range())?;
        origins.iter().all(|made| self.function_at(made.range()) == Some(home)).then_some(home)
    }

    /// The function around `range`.
    fn function_at(&self, range: TextRange) -> Option<TextRange> {
        let covering = covering_node(self.syntax().into(), range);
        covering.ancestors().find(|node| matches!(node, AnyNodeRef::StmtFunctionDef(_))).map(|def| def.range())
    }

    /// Whether `receiver` or its descriptor is an argument of `call`, or an item of a list that is one.
    fn has_argument(&self, call: &ast::ExprCall, receiver: &str) -> bool {
        call.arguments.args.iter().any(|argument| {
            let items = match argument {
                Expr::List(list) => list.elts.as_slice(),
                Expr::Tuple(tuple) => tuple.elts.as_slice(),
                other => std::slice::from_ref(other),
            };
            let descriptor = |item: &str| item.strip_suffix(".fileno()") == Some(receiver);
            items.iter().any(|item| self.source(item) == receiver || descriptor(self.source(item)))
        })
    }

    /// Whether `receiver` is the loop variable of an iteration over `call`.
    fn gives(&self, call: &ast::ExprCall, receiver: &str) -> bool {
        match self.parent_of(call.into()) {
            Some(AnyNodeRef::StmtFor(statement)) => self.source(&*statement.target) == receiver,
            Some(AnyNodeRef::Comprehension(comprehension)) => self.source(&comprehension.target) == receiver,
            _ => false,
        }
    }

    fn parent_of<'m>(&'m self, node: AnyNodeRef<'m>) -> Option<AnyNodeRef<'m>> {
        let covering = covering_node(self.syntax().into(), node.range());
        let mut nodes = covering.ancestors().skip_while(|candidate| *candidate != node);
        nodes.nth(1)
    }
}

/// The argument with this keyword, or at this position.
fn argument_value<'a>(call: &'a ast::ExprCall, argument: &str) -> Option<&'a Expr> {
    match argument.parse::<usize>() {
        Ok(position) => call.arguments.find_positional(position),
        Err(_) => call.arguments.find_keyword(argument).map(|keyword| &keyword.value),
    }
}
