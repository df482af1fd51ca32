//! What is known about a thread object: where it is made, what it runs, whether it is a daemon, who waits for it.

mod elements;

use ruff_python_ast::{self as ast, AnyNodeRef, Expr};

pub(super) use elements::kept_values;
use elements::values;

use super::nodes::{all_nodes, around, body_around, calls, is_false, is_true, method, own_nodes};
use crate::analysis::{Class, Function, Module, Origin, Runner};
use crate::text::{Place, Ranged as _, TextRange};

/// A call that makes a thread object.
pub(crate) struct Created<'m, 's> {
    pub call: &'m ast::ExprCall,
    pub class: Class<'s>,
}

/// The function a thread runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Runs {
    /// As the reader knows it: `Worker.run`, `work`, `stop.wait`.
    pub name: String,
    /// Its `def`, when that is the project's.
    pub place: Option<Place>,
}

/// Whether instances of `class` are threads.
pub(crate) fn is_thread(class: &Class) -> bool {
    class.inherits("threading.Thread")
}

/// The class of `expr`, if it is a thread.
pub(crate) fn thread_class<'s>(module: &Module<'s>, expr: &Expr) -> Option<Class<'s>> {
    module.receiver_class(expr).filter(is_thread)
}

/// The thread that `call` makes.
pub(crate) fn created<'m, 's>(module: &Module<'s>, call: &'m ast::ExprCall) -> Option<Created<'m, 's>> {
    if !module.is_named_like_a_class(&call.func) {
        return None;
    }
    let class = module.class_reference(&call.func).filter(is_thread)?;
    Some(Created { call, class })
}

impl<'m, 's> Created<'m, 's> {
    /// What is passed as `target`, when `Thread.__init__` gets the arguments.
    pub fn target(&self) -> Option<&'m Expr> {
        let takes_it = self.class.definer("__init__")?.is("threading.Thread");
        let target = self.call.arguments.find_argument_value("target", 1)?;
        (takes_it && !target.is_none_literal_expr()).then_some(target)
    }

    /// What `start()` runs.
    pub fn runs(&self, module: &Module) -> Option<Runs> {
        overridden_run(&self.class).or_else(|| Some(passed(module, self.target()?)))
    }

    /// Where it is made a daemon: in the call, or in the `__init__` of its class.
    pub fn daemon_at(&self, module: &Module) -> Option<Place> {
        let takes_back = |node: &AnyNodeRef| match node {
            AnyNodeRef::StmtAssign(assign) => {
                let mut targets = assign.targets.iter().filter_map(|target| target.as_attribute_expr());
                is_false(&assign.value) && targets.any(|target| target.attr.as_str() == "daemon")
            }
            _ => false,
        };
        if own_nodes(body_around(module, self.call.range())).iter().any(takes_back) {
            return None;
        }
        match self.call.arguments.find_keyword("daemon") {
            Some(keyword) => is_true(&keyword.value).then(|| module.place(keyword.range()))?,
            None => daemon_in_init(&self.class),
        }
    }
}

/// The call that the new thread or process will make: `work(1, key=2)` for `target=work, args=(1,), kwargs={"key": 2}`.
pub(super) fn as_call(module: &Module, made: &ast::ExprCall, target: &Expr) -> Option<String> {
    let mut parts = vec![];
    match made.arguments.find_argument_value("args", 3) {
        Some(Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. })) => {
            parts.extend(elts.iter().map(|item| module.source(item).to_string()));
        }
        Some(_) => return None,
        None => {}
    }
    match made.arguments.find_argument_value("kwargs", 4) {
        Some(Expr::Dict(dict)) => {
            for item in &dict.items {
                let key = item.key.as_ref()?.as_string_literal_expr()?;
                parts.push(format!("{}={}", key.value.to_str(), module.source(&item.value)));
            }
        }
        Some(_) => return None,
        None => {}
    }
    (!parts.is_empty()).then(|| format!("{}({})", module.source(target), parts.join(", ")))
}

/// The `run` that `class` or a base of the project defines.
pub(crate) fn overridden_run(class: &Class) -> Option<Runs> {
    let definer = class.definer("run").filter(|definer| !definer.is("threading.Thread"))?;
    let place = definer.own_member("run").and_then(|run| run.place);
    Some(Runs { name: format!("{}.run", definer.name()), place })
}

/// A function passed to be run elsewhere.
pub(crate) fn passed(module: &Module, target: &Expr) -> Runs {
    let written = module.source(target).to_string();
    let of_project = |function: &Function| function.symbol.origin == Origin::Project;
    match module.function(target).filter(of_project) {
        Some(function) => {
            let name = if target.is_attribute_expr() { qualified_name(&function) } else { written };
            Runs { name, place: function.place }
        }
        None => Runs { name: written, place: None },
    }
}

/// `Class.method` for a method, the name alone for a function.
fn qualified_name(function: &Function) -> String {
    let parts: Vec<_> = function.symbol.name.rsplit('.').collect();
    match parts.as_slice() {
        [method, class, ..] => format!("{class}.{method}"),
        _ => function.name.clone(),
    }
}

/// Where the `__init__` of a project class makes its threads daemons.
pub(crate) fn daemon_in_init(class: &Class) -> Option<Place> {
    let definer = class.definer("__init__").filter(|definer| !definer.is("threading.Thread"))?;
    definer.with_statement(|module, statement| {
        let init = statement.body.iter().find_map(|statement| {
            statement.as_function_def_stmt().filter(|function| function.name.as_str() == "__init__")
        })?;
        own_nodes(&init.body).into_iter().find_map(|node| match node {
            AnyNodeRef::StmtAssign(assign) if is_true(&assign.value) => {
                let target = assign.targets.first()?.as_attribute_expr()?;
                let is_own = target.value.as_name_expr().is_some_and(|name| is_first_parameter(init, name));
                (is_own && target.attr.as_str() == "daemon").then(|| module.place(assign.range()))?
            }
            AnyNodeRef::ExprCall(call) if is_super_init(call) => {
                let keyword = call.arguments.find_keyword("daemon")?;
                is_true(&keyword.value).then(|| module.place(keyword.range()))?
            }
            _ => None,
        })
    })
}

/// Whether `name` is the function's `self`.
pub(crate) fn is_first_parameter(function: &ast::StmtFunctionDef, name: &ast::ExprName) -> bool {
    let first = function.parameters.iter_non_variadic_params().next();
    first.is_some_and(|first| first.name().as_str() == name.id.as_str())
}

/// `super().__init__(…)` or `Base.__init__(…)`.
pub(crate) fn is_super_init(call: &ast::ExprCall) -> bool {
    method(call).is_some_and(|(_, name)| name == "__init__")
}

/// The calls in this file that make the thread `expr` refers to; empty when they are not all known.
pub(crate) fn creations<'m, 's>(module: &'m Module<'s>, expr: &'m Expr) -> Vec<Created<'m, 's>> {
    made_by(module, values(module, expr))
}

/// As [`creations`], also for threads that are kept in a dictionary.
pub(super) fn kept_creations<'m, 's>(module: &'m Module<'s>, expr: &'m Expr) -> Vec<Created<'m, 's>> {
    made_by(module, kept_values(module, expr))
}

fn made_by<'m, 's>(module: &'m Module<'s>, values: Vec<&'m Expr>) -> Vec<Created<'m, 's>> {
    let mut found: Vec<Created> = vec![];
    for origin in values {
        match origin.as_call_expr().and_then(|call| created(module, call)) {
            Some(made) if found.iter().any(|other| other.call.range() == made.call.range()) => {}
            Some(made) => found.push(made),
            None => return vec![],
        }
    }
    found
}

/// The places of the calls of `name` (`start`, `join`) on the thread made by the call at `range`.
pub(crate) fn calls_on(module: &Module, range: TextRange, name: &str) -> Vec<Place> {
    let is_it = |call: &&ast::ExprCall| {
        let Some((receiver, _)) = method(call) else { return false };
        kept_creations(module, receiver).iter().any(|made| made.call.range() == range)
    };
    module.calls_of(name).into_iter().filter(is_it).filter_map(|call| module.place(call.range())).collect()
}

/// The function around `range`, when it runs on threads of its own: as a thread's `run`, or passed as a thread's target or
/// to an executor somewhere in this file.
pub(crate) fn thread_body(module: &Module, range: TextRange) -> Option<String> {
    let function = super::nodes::function_around(module, range)?;
    let class = class_of_method(module, function);
    if let Some(class) = class.filter(is_thread).filter(|_| function.name.as_str() == "run") {
        return Some(format!("{}.run", class.name()));
    }
    hand_over(module, function)?;
    Some(match class {
        Some(class) => format!("{}.{}", class.name(), function.name),
        None => function.name.to_string(),
    })
}

/// The first call in this file that gives `function` to another thread to run.
pub(super) fn hand_over<'m>(module: &'m Module, function: &ast::StmtFunctionDef) -> Option<&'m ast::ExprCall> {
    let def = module.place(function.name.range())?;
    calls(&all_nodes(&module.syntax().body)).into_iter().find(|call| {
        let target = given_to_thread(module, call).filter(|target| ends_in(target, &function.name));
        target.and_then(|target| module.function(target)?.place).as_ref() == Some(&def)
    })
}

/// Whether an expression is a name, or a dotted one, that ends like this.
fn ends_in(expr: &Expr, name: &str) -> bool {
    match expr {
        Expr::Name(expr) => expr.id.as_str() == name,
        Expr::Attribute(expr) => expr.attr.as_str() == name,
        _ => false,
    }
}

/// The class in whose body `function` stands.
fn class_of_method<'s>(module: &Module<'s>, function: &ast::StmtFunctionDef) -> Option<Class<'s>> {
    match around(module, function.range()).into_iter().find(|node| node.range() != function.range())? {
        AnyNodeRef::StmtClassDef(statement) => module.class(statement),
        _ => None,
    }
}

/// The function that a call gives to another thread to run, also by way of an event loop.
pub(super) fn given_to_thread<'m>(module: &Module, call: &'m ast::ExprCall) -> Option<&'m Expr> {
    let given = module.given(call).filter(|given| given.runner == Runner::Thread)?;
    Some(given.function)
}

/// Whether a function makes or runs an event loop itself.
pub(super) fn has_own_loop(module: &Module, function: &ast::StmtFunctionDef) -> bool {
    const MAKERS: &[&str] =
        &["asyncio.run(", "Runner(", "new_event_loop(", "run_forever(", "run_until_complete(", "set_event_loop("];
    MAKERS.iter().any(|maker| module.source(function).contains(maker))
}

/// The function that a call gives to another thread to run.
pub(crate) fn handed_over<'m>(module: &Module, call: &'m ast::ExprCall) -> Option<&'m Expr> {
    let given = module.given(call).filter(|given| given.runner == Runner::Thread && !given.by_loop)?;
    Some(given.function)
}

/// The statements that run together with `range` and stand before it.
pub(crate) fn earlier_nodes<'m>(module: &'m Module, range: TextRange) -> Vec<AnyNodeRef<'m>> {
    let nodes = own_nodes(body_around(module, range));
    nodes.into_iter().filter(|node| node.range().end() <= range.start()).collect()
}
