//! What a helper must not do if it is to run in another thread than the event loop's.
//!
//! Looked at is all that the helper runs, through functions of the project. Each thing that depends on the thread, or that
//! cannot be seen, is the reason of a refusal.

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, walk_expr};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr};

use crate::analysis::{Function, Module, Origin, Site, Symbol};
use crate::detectors::nodes::{all_nodes, around, method, own_nodes, with_def};
use crate::detectors::suspension::{handles, qualified_name};
use crate::rewrites::imports::Names;
use crate::text::{Ranged as _, TextRange};

/// The most functions that are looked at.
const FUNCTIONS: usize = 64;

/// How many functions a value is followed through.
const DEPTH: usize = 6;

/// Objects that refuse to work in another thread than the one that made them.
const BOUND: &[&str] = &["sqlite3.Blob", "sqlite3.Connection", "sqlite3.Cursor"];

/// Locks that know which thread holds them.
const OWNED: &[&str] = &["threading.Condition", "threading.RLock"];

/// Calls that only the main thread may make, or that answer something else in each thread.
const ASKS: &[&str] = &[
    "contextvars.copy_context",
    "signal.set_wakeup_fd",
    "signal.signal",
    "sys.settrace",
    "sys.setprofile",
    "threading.current_thread",
    "threading.get_ident",
    "threading.get_native_id",
];

/// What of asyncio is made to be called from other threads, or asks nothing of the loop.
const ANYWHERE: &[&str] = &[
    "asyncio.AbstractEventLoop.call_soon_threadsafe",
    "asyncio.iscoroutine",
    "asyncio.iscoroutinefunction",
    "asyncio.isfuture",
    "asyncio.run_coroutine_threadsafe",
];

/// Methods of texts and containers; they are taken for those where the receiver is not known.
const PLAIN: &[&str] = &[
    "append",
    "copy",
    "count",
    "decode",
    "encode",
    "endswith",
    "extend",
    "format",
    "get",
    "index",
    "isdigit",
    "items",
    "join",
    "keys",
    "lower",
    "lstrip",
    "partition",
    "replace",
    "rpartition",
    "rsplit",
    "rstrip",
    "sort",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "title",
    "upper",
    "values",
];

/// Why the function that `call` runs has to stay in the thread of the loop.
///
/// # Errors
/// The reason of a refusal.
pub(super) fn check(site: &Site, call: &ast::ExprCall) -> Result<(), String> {
    let module = site.module;
    let line = module.lines().line(call.start());
    let written = module.source(&*call.func);
    let called = module.called_function(call);
    if called.is_none() && module.class_reference(&call.func).is_none() {
        return Err(format!("what `{written}` runs depends on an object that is not known for certain (line {line})"));
    }
    let function = called.filter(|function| function.symbol.origin == Origin::Project);
    let Some(function) = function.filter(|function| !function.is_async && !function.is_generator) else {
        return Err(format!("what `{written}` runs is no plain function (line {line})"));
    };
    for part in call.arguments.iter_source_order().flat_map(|argument| reads(argument.value())) {
        if let Some(reason) = module.class_name(part).and_then(|class| bound(&class)) {
            return Err(format!("`{}` (line {line}) {reason}", module.source(part)));
        }
    }
    if let Some(reason) = with_def(module, &function, |home, def| gives(home, def, DEPTH)) {
        return Err(format!("what `{written}` gives (line {line}) {reason}"));
    }
    if let Some(method) = call.func.as_attribute_expr()
        && let Some(class) = module.receiver_class(&method.value)
    {
        let overriding = module.snapshot().classes_defining(&method.attr).unwrap_or_default().into_iter();
        let mut below = overriding.filter(|other| *other != class && other.is_subclass_of(&class));
        if let Some(other) = below.next() {
            return Err(format!("`{}.{}` may run in its place", other.name(), method.attr));
        }
    }
    let mut search = Search { seen: vec![] };
    search.follow(module, &function)
}

/// The names and attributes that an expression reads.
fn reads(expr: &Expr) -> Vec<&Expr> {
    let mut reads = Reads(vec![]);
    reads.visit_expr(expr);
    reads.0
}

struct Reads<'a>(Vec<&'a Expr>);

impl<'a> SourceOrderVisitor<'a> for Reads<'a> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) if name.ctx.is_load() => self.0.push(expr),
            Expr::Attribute(attribute) if attribute.ctx.is_load() => self.0.push(expr),
            _ => {}
        }
        walk_expr(self, expr);
    }
}

/// What ties an instance of a class to a thread, as the end of a sentence.
fn bound(class: &Symbol) -> Option<String> {
    let is_of = |package: &str| class.module.split('.').next() == Some(package);
    if class.is_any(BOUND) || is_of("tkinter") {
        return Some(format!("is a `{class}` and belongs to the thread that made it"));
    }
    if class.is("threading.local") {
        return Some("has other values in each thread".to_string());
    }
    if class.is_any(OWNED) {
        return Some(format!("is a `{class}` and knows the thread that holds it"));
    }
    is_of("asyncio").then(|| format!("is an `{class}` and belongs in the loop's thread"))
}

/// What a function gives back that is tied to its thread.
fn gives(home: &Module, def: &ast::StmtFunctionDef, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    let returned = own_nodes(&def.body).into_iter().filter_map(|node| match node {
        AnyNodeRef::StmtReturn(given) => given.value.as_deref(),
        _ => None,
    });
    let parts = returned.flat_map(|value| match value {
        Expr::Tuple(tuple) => tuple.elts.iter().collect(),
        Expr::List(list) => list.elts.iter().collect(),
        other => vec![other],
    });
    parts.into_iter().find_map(|value| {
        let class = home.class_name(value).and_then(|class| bound(&class));
        class.or_else(|| {
            let function = home.called_function(value.as_call_expr()?)?;
            with_def(home, &function, |home, def| gives(home, def, depth))
        })
    })
}

struct Search {
    seen: Vec<Function>,
}

impl Search {
    fn follow(&mut self, module: &Module, function: &Function) -> Result<(), String> {
        if self.seen.contains(function) {
            return Ok(());
        }
        if self.seen.len() >= FUNCTIONS {
            return Err(format!("it runs more than {FUNCTIONS} functions"));
        }
        self.seen.push(function.clone());
        let unseen = || format!("the body of `{}` is not seen", function.name);
        with_def(module, function, |home, def| Some(self.read(home, def))).ok_or_else(unseen)?
    }

    fn read(&mut self, home: &Module, def: &ast::StmtFunctionDef) -> Result<(), String> {
        let name = qualified_name(home, def);
        let file = home.path().and_then(|path| path.file_name()).unwrap_or_default().to_string_lossy();
        let at = |range: TextRange| format!("{file}:{}", home.lines().line(range.start()));
        if home.syntax_errors().iter().any(|error| error.intersect(def.range()).is_some()) {
            return Err(format!("`{name}` has a syntax error"));
        }
        for node in all_nodes(&def.body) {
            match node {
                AnyNodeRef::StmtGlobal(global) => {
                    let names = home.source(global);
                    return Err(format!(
                        "`{name}` changes a variable that other tasks see: `{names}` ({})",
                        at(global.range())
                    ));
                }
                AnyNodeRef::StmtNonlocal(nonlocal) => {
                    let names = home.source(nonlocal);
                    return Err(format!(
                        "`{name}` changes a variable that other tasks see: `{names}` ({})",
                        at(nonlocal.range())
                    ));
                }
                AnyNodeRef::ExprAttribute(attribute)
                    if !attribute.ctx.is_load() && !is_made_here(home, def, &attribute.value) =>
                {
                    let written = home.source(attribute);
                    return Err(format!(
                        "`{name}` sets `{written}`, which other tasks may see ({})",
                        at(attribute.range())
                    ));
                }
                AnyNodeRef::ExprSubscript(item) if !item.ctx.is_load() && !is_made_here(home, def, &item.value) => {
                    let written = home.source(item);
                    return Err(format!("`{name}` sets `{written}`, which other tasks may see ({})", at(item.range())));
                }
                AnyNodeRef::ExprCall(call) => self.call(home, def, call, &name, &at(call.range()))?,
                _ => {}
            }
        }
        let mut reads = Reads(vec![]);
        reads.visit_body(&def.body);
        for read in reads.0 {
            let reason = home.class_name(read).and_then(|class| bound(&class));
            if let Some(reason) = reason.filter(|_| !is_made_here(home, def, read)) {
                return Err(format!("`{name}` uses `{}`, which {reason} ({})", home.source(read), at(read.range())));
            }
        }
        Ok(())
    }

    fn call(
        &mut self,
        home: &Module,
        def: &ast::StmtFunctionDef,
        call: &ast::ExprCall,
        name: &str,
        at: &str,
    ) -> Result<(), String> {
        let written = home.source(&*call.func);
        let symbol = home.callee(call);
        if let Some(symbol) = &symbol {
            let is_asyncio = symbol.module.split('.').next() == Some("asyncio");
            if is_asyncio && !symbol.is_any(ANYWHERE) {
                return Err(format!("`{name}` calls `{written}`, which belongs in the loop's thread ({at})"));
            }
            if symbol.is_any(ASKS) {
                return Err(format!("`{name}` calls `{written}`, which depends on the thread ({at})"));
            }
            if symbol.is_any(&["contextvars.ContextVar.set", "contextvars.ContextVar.reset"]) {
                return Err(format!("`{name}` calls `{written}`: a thread sets a copy ({at})"));
            }
            if symbol.is("builtins.next") && call.arguments.len() == 1 && !is_caught(home, call) {
                return Err(format!("the `StopIteration` of `{written}` cannot cross threads ({at})"));
            }
        }
        // A function of a module makes the object; the object's methods use it.
        let is_method = symbol.as_ref().is_some_and(|symbol| symbol.name.contains('.'));
        if is_method && home.blocking_call(call).is_some_and(|row| row.thread_bound) {
            let receiver = method(call).map(|(receiver, _)| receiver);
            if !receiver.is_some_and(|receiver| is_made_here(home, def, receiver)) {
                return Err(format!("`{name}` calls `{written}`, whose object belongs to its thread ({at})"));
            }
        }
        if let Some(function) = home.called_function(call) {
            if function.symbol.origin == Origin::Project && !function.is_async {
                return self.follow(home, &function);
            }
            return Ok(());
        }
        let unknown = || Err(format!("what `{name}` calls as `{written}` is not known ({at})"));
        match &*call.func {
            Expr::Name(called) => {
                let is_parameter =
                    def.parameters.iter().any(|parameter| parameter.name().as_str() == called.id.as_str());
                if symbol.is_none() && is_parameter { unknown() } else { Ok(()) }
            }
            Expr::Attribute(method) if symbol.is_none() && home.class_name(&method.value).is_none() => {
                let is_plain = PLAIN.contains(&method.attr.as_str());
                if is_plain || is_local(def, &method.value) { Ok(()) } else { unknown() }
            }
            _ => Ok(()),
        }
    }
}

/// Whether an object is made in the function that uses it.
fn is_made_here(home: &Module, def: &ast::StmtFunctionDef, expr: &Expr) -> bool {
    let origins = home.origins(expr);
    let is_made = |origin: &&Expr| {
        let is_new = matches!(
            origin,
            Expr::Call(_) | Expr::Dict(_) | Expr::DictComp(_) | Expr::List(_) | Expr::ListComp(_) | Expr::Set(_)
        );
        is_new && def.range().contains_range(origin.range())
    };
    !origins.is_empty() && origins.iter().all(is_made)
}

/// Whether an expression starts with a name that the function binds itself, and not as a parameter.
fn is_local(def: &ast::StmtFunctionDef, expr: &Expr) -> bool {
    match expr {
        Expr::Name(name) => !Names::in_body(&name.id, &def.body).bindings.is_empty(),
        Expr::Attribute(attribute) => is_local(def, &attribute.value),
        Expr::Subscript(item) => is_local(def, &item.value),
        Expr::Call(call) => is_local(def, &call.func),
        other => other.is_literal_expr() || other.is_f_string_expr(),
    }
}

/// Whether a handler around the call takes a `StopIteration`.
fn is_caught(home: &Module, call: &ast::ExprCall) -> bool {
    around(home, call.range()).into_iter().any(|node| {
        let AnyNodeRef::StmtTry(statement) = node else { return false };
        let in_body = statement.body.iter().any(|inner| inner.range().contains_range(call.range()));
        let mut handlers = statement.handlers.iter().filter_map(|handler| handler.as_except_handler());
        in_body
            && handlers.any(|handler| {
                handler.type_.is_none() || handles(home, handler, &["builtins.Exception", "builtins.StopIteration"])
            })
    })
}
