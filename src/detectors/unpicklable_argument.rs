//! What a pool of processes is given to work on and cannot send: locks, open files, generators, and objects that hold one.
//!
//! Silent wherever a class says itself how it is pickled, and where it is not seen how the object is made.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::nodes::{around, method};
use super::threads::is_first_parameter;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Module, Origin, Runner, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["processes/unpicklable-argument"], nodes: &[NodeKind::ExprCall], detect };

/// Calls that make an object of this process alone, and what it is called.
const MAKERS: &[(&str, &str)] = &[
    ("_thread.allocate_lock", "a lock"),
    ("builtins.open", "an open file"),
    ("concurrent.futures.ProcessPoolExecutor", "a ProcessPoolExecutor"),
    ("concurrent.futures.ThreadPoolExecutor", "a ThreadPoolExecutor"),
    ("contextvars.ContextVar", "a ContextVar"),
    ("contextvars.copy_context", "a Context"),
    ("io.open", "an open file"),
    ("queue.LifoQueue", "a queue.LifoQueue"),
    ("queue.PriorityQueue", "a queue.PriorityQueue"),
    ("queue.Queue", "a queue.Queue"),
    ("queue.SimpleQueue", "a queue.SimpleQueue"),
    ("socket.create_connection", "a socket"),
    ("socket.socket", "a socket"),
    ("sqlite3.connect", "a sqlite3.Connection"),
    ("subprocess.Popen", "a subprocess.Popen"),
    ("tempfile.NamedTemporaryFile", "an open file"),
    ("tempfile.TemporaryFile", "an open file"),
    ("threading.Barrier", "a threading.Barrier"),
    ("threading.BoundedSemaphore", "a threading.BoundedSemaphore"),
    ("threading.Condition", "a threading.Condition"),
    ("threading.Event", "a threading.Event"),
    ("threading.Lock", "a threading.Lock"),
    ("threading.RLock", "a threading.RLock"),
    ("threading.Semaphore", "a threading.Semaphore"),
    ("threading.Thread", "a threading.Thread"),
    ("threading.Timer", "a threading.Timer"),
    ("threading.local", "a threading.local"),
    ("weakref.WeakKeyDictionary", "a WeakKeyDictionary"),
    ("weakref.WeakValueDictionary", "a WeakValueDictionary"),
    ("weakref.ref", "a weak reference"),
];

/// Calls that make what processes share; it reaches a process only when that is made.
const INHERITED: &[&str] = &[
    "multiprocessing.Array",
    "multiprocessing.Barrier",
    "multiprocessing.Condition",
    "multiprocessing.Event",
    "multiprocessing.JoinableQueue",
    "multiprocessing.Lock",
    "multiprocessing.Queue",
    "multiprocessing.RLock",
    "multiprocessing.Semaphore",
    "multiprocessing.SimpleQueue",
    "multiprocessing.Value",
];

/// Methods by which a class says how its objects are pickled.
const OWN_WAYS: &[&str] = &["__getstate__", "__reduce__", "__reduce_ex__", "__getnewargs__", "__getnewargs_ex__"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    // A process object is copied with its arguments by `fork`; a pool pickles whatever the start method is.
    let (_, name) = method(call).filter(|(_, name)| *name != "Process")?;
    if site.is_whole_file && !["multiprocessing", "concurrent"].iter().any(|package| module.may_use_package(package)) {
        return None;
    }
    let given = module.given(call).filter(|given| given.runner == Runner::Process)?;
    if site.is_type_checking() || expects_error(site) {
        return None;
    }
    for sent in std::iter::once(given.function).chain(arguments(call, name)) {
        let receiver = sent.as_attribute_expr().filter(|_| sent.range() == given.function.range());
        let found = match receiver {
            Some(bound) => holder(module, bound, &bound.value, call),
            None if sent.range() == given.function.range() => None,
            None => unpicklable(module, sent, call),
        };
        findings.extend(found.map(|finding| finding.fact("callee", Fact::from(module.source(&*call.func)))));
    }
    Some(())
}

/// Whether the call stands where its error is asked for.
fn expects_error(site: &Site) -> bool {
    site.enclosing().any(|node| match node {
        AnyNodeRef::StmtWith(with) => with.items.iter().any(|item| site.module.source(item).contains("aises(")),
        AnyNodeRef::StmtTry(_) => true,
        _ => false,
    })
}

/// The arguments that are sent one by one.
fn arguments<'a>(call: &'a ast::ExprCall, name: &str) -> Vec<&'a Expr> {
    let first = match name {
        "submit" => 1,
        "run_in_executor" => 2,
        "apply" | "apply_async" => {
            let tuple = call.arguments.find_argument_value("args", 1).and_then(Expr::as_tuple_expr);
            return tuple.map(|tuple| tuple.elts.iter().collect()).unwrap_or_default();
        }
        _ => return vec![],
    };
    let keywords = call.arguments.keywords.iter().filter(|_| name == "submit").map(|keyword| &keyword.value);
    call.arguments.args.iter().skip(first).chain(keywords).collect()
}

fn unpicklable(module: &Module, sent: &Expr, call: &ast::ExprCall) -> Option<Finding> {
    let finding = Finding::new("processes/unpicklable-argument", sent.range());
    let source = || Fact::from(module.source(sent));
    if sent.is_lambda_expr() {
        return Some(finding.fact("lambda", source()));
    }
    let origins = module.origins(sent);
    let [made] = origins.as_slice() else { return None };
    let made_at = Some(made.range()).filter(|range| *range != sent.range()).and_then(|range| module.place(range));
    let finding = finding.fact("made_at", made_at.map(Fact::from));
    match made {
        Expr::Generator(_) => Some(finding.fact("generator", source())),
        Expr::Lambda(_) => Some(finding.fact("named_lambda", source())),
        Expr::Call(maker) => {
            if let Some(kind) = kind(module, maker) {
                return Some(finding.fact("value", source()).fact("kind", Fact::from(kind)));
            }
            if let Some(shared) = INHERITED.iter().find(|name| module.calls(maker, &[name])) {
                return Some(finding.fact("shared", source()).fact("shared_kind", Fact::from(*shared)));
            }
            if module.called_function(maker).is_some_and(|function| function.is_generator && !function.is_async) {
                return Some(finding.fact("generator", source()));
            }
            if let Some((class, outer)) = local_class(module, maker) {
                return Some(
                    finding.fact("value", source()).fact("class", Fact::from(class)).fact("outer", Fact::from(outer)),
                );
            }
            holder(module, sent, sent, call)
        }
        _ => None,
    }
}

/// What kind of object a call makes that cannot be sent.
fn kind(module: &Module, call: &ast::ExprCall) -> Option<&'static str> {
    MAKERS.iter().find(|(name, _)| module.calls(call, &[name])).map(|(_, kind)| *kind)
}

/// The class that `call` makes an object of and the function in which it is defined.
fn local_class(module: &Module, call: &ast::ExprCall) -> Option<(String, String)> {
    let class = module.class_reference(&call.func).filter(|class| class.symbol().origin == Origin::Project)?;
    if pickles_itself(&class) {
        return None;
    }
    let outer = class.with_statement(|home, statement| {
        if home.text().contains("__qualname__") {
            return None;
        }
        around(home, statement.range()).into_iter().find_map(|node| match node {
            AnyNodeRef::StmtFunctionDef(outer) => Some(outer.name.to_string()),
            _ => None,
        })
    })?;
    Some((class.name(), outer))
}

fn pickles_itself(class: &Class) -> bool {
    !class.mro_is_complete() || OWN_WAYS.iter().any(|name| class.definer(name).is_some())
}

/// An object that is sent with an attribute which cannot be: the receiver of a bound method, or an argument.
fn holder(module: &Module, sent: impl crate::text::Ranged, object: &Expr, call: &ast::ExprCall) -> Option<Finding> {
    let class = module.receiver_class(object).filter(|class| class.symbol().origin == Origin::Project)?;
    let is_method = sent.range() != object.range();
    if module.class_reference(object).is_some() || pickles_itself(&class) || class.own_slots().is_some() {
        return None;
    }
    // What is sent by name alone takes no object along.
    if is_method {
        let bound = call.arguments.args.iter().find(|argument| argument.range() == sent.range())?;
        module.function(bound).filter(|function| !function.is_decorated)?;
    }
    let (attribute, kind, place) = unsendable_attribute(&class)?;
    Some(
        Finding::new("processes/unpicklable-argument", sent.range())
            .fact("holder", Fact::from(module.source(object)))
            .fact("bound", is_method.then(|| Fact::from(module.source(sent.range()))))
            .fact("attribute", Fact::from(attribute))
            .fact("kind", Fact::from(kind))
            .fact("attribute_at", place.map(Fact::from)),
    )
}

/// An attribute that each object of the class gets in `__init__`, and nothing takes away.
fn unsendable_attribute(class: &Class) -> Option<(String, &'static str, Option<Place>)> {
    class.mro().iter().filter(|class| class.symbol().origin == Origin::Project).find_map(|class| {
        class.with_statement(|home, statement| {
            let init = statement.body.iter().filter_map(Stmt::as_function_def_stmt);
            let init = init.into_iter().find(|function| function.name.as_str() == "__init__")?;
            init.body.iter().find_map(|statement| {
                let assign = statement.as_assign_stmt()?;
                let [Expr::Attribute(target)] = assign.targets.as_slice() else { return None };
                let made = assign.value.as_call_expr()?;
                let name = target.attr.as_str();
                let is_own = is_first_parameter(init, target.value.as_name_expr()?);
                let kind = kind(home, made).filter(|_| is_own && is_set_once(home, name))?;
                Some((name.to_string(), kind, home.place(assign.range())))
            })
        })
    })
}

/// Whether the file assigns an attribute of that name only once and deletes none.
fn is_set_once(module: &Module, name: &str) -> bool {
    let nodes = super::nodes::all_nodes(&module.syntax().body);
    let stores = nodes.into_iter().filter(|node| {
        matches!(node, AnyNodeRef::ExprAttribute(attribute) if attribute.attr.as_str() == name && !attribute.ctx.is_load())
    });
    stores.count() == 1
}
