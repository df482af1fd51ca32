//! What a function must be, or must not be, to become a coroutine function; and the methods that change together.

use ruff_python_ast::{self as ast, AnyNodeRef};

use super::plan::{Plan, def_named_at};
use crate::analysis::{Class, Module, Origin};
use crate::detectors::nodes::{is_generator, is_test_file, with_def};
use crate::detectors::suspension::{call_head, handles, path_to, visit_frame};
use crate::text::{Place, Ranged as _};

/// Decorators that care for nothing but the name.
const TRANSPARENT: &[&str] = &[
    "abc.abstractmethod",
    "builtins.classmethod",
    "builtins.staticmethod",
    "typing.final",
    "typing.override",
    "typing_extensions.override",
];

/// What runs an event loop to its end, and refuses to do so inside another.
const RUNNERS: &[&str] = &[
    "asyncio.AbstractEventLoop.run_forever",
    "asyncio.AbstractEventLoop.run_until_complete",
    "asyncio.Runner.run",
    "asyncio.run",
];

/// What makes a second process of this one, with a copy of the running loop.
const FORKS: &[&str] = &["os.fork", "os.forkpty", "pty.fork"];

/// Adds to the plan what stands in the way of the function whose name stands at `place`.
pub(in crate::rewrites) fn function(plan: &mut Plan, place: &Place) {
    let at = plan.at(place);
    let Ok(module) = plan.snapshot.module(&place.path) else {
        return plan.block(format!("{at} cannot be read"));
    };
    let Some(def) = def_named_at(&module, place.range()) else {
        return plan.block(format!("{at} is no function"));
    };
    let name = def.name.as_str();
    let range = def.range();
    if module.syntax_errors().iter().any(|error| error.intersect(range).is_some()) {
        plan.block(format!("`{name}` has a syntax error ({at})"));
    }
    if name.starts_with("__") && name.ends_with("__") {
        plan.block(format!("`{name}` is a special method, which Python calls ({at})"));
    }
    if is_generator(def) {
        plan.block(format!("`{name}` is a generator function, whose `for` loops would have to change ({at})"));
    }
    let is_in_the_way = |decorator: &&ast::Decorator| {
        !module.symbol(&decorator.expression).is_some_and(|symbol| symbol.is_any(TRANSPARENT))
    };
    let decorators: Vec<String> =
        def.decorator_list.iter().filter(is_in_the_way).map(|it| shown(&module, it)).collect();
    if !decorators.is_empty() {
        plan.block(format!("`{name}` is decorated with {} ({at})", decorators.join(", ")));
    }
    if let Some(other) = other_binding(&module, def) {
        let at = plan.at_line(&place.path, other);
        plan.block(format!("`{name}` is bound to something else, too ({at})"));
    }
    if module.is_stub() || plan.snapshot.has_stub(&place.path) {
        plan.block(format!("a stub describes `{name}` ({at})"));
    }
    if is_test(&module, def) {
        plan.block(format!("`{name}` is a test, which no event loop runs ({at})"));
    }
    frame(plan, &module, def, place);
}

/// Adds to the plan what cannot be in a coroutine.
fn frame(plan: &mut Plan, module: &Module, def: &ast::StmtFunctionDef, place: &Place) {
    let name = def.name.as_str();
    let (mut runs, mut forks, mut interrupt) = (None, None, None);
    visit_frame(&def.body, &mut |node| match node {
        AnyNodeRef::ExprCall(call) if runs.is_none() && module.calls(call, RUNNERS) => runs = Some(call),
        AnyNodeRef::ExprCall(call) if forks.is_none() && module.calls(call, FORKS) => forks = Some(call),
        AnyNodeRef::ExceptHandlerExceptHandler(handler)
            if interrupt.is_none() && handles(module, handler, &["builtins.KeyboardInterrupt"]) =>
        {
            interrupt = Some(handler);
        }
        _ => {}
    });
    let at = |plan: &Plan, node: AnyNodeRef| plan.at_line(&place.path, module.lines().line(node.start()));
    if let Some(call) = runs {
        let (runner, at) = (module.source(&*call.func), at(plan, call.into()));
        plan.block(format!("`{name}` calls `{runner}`, which refuses to run inside a coroutine ({at})"));
    }
    if let Some(call) = runs_loop_below(module, def, DEPTH).filter(|_| runs.is_none()) {
        let (callee, at) = (call_head(module, call), at(plan, call.into()));
        plan.block(format!("`{name}` calls `{callee}`, which runs an event loop of its own ({at})"));
    }
    if let Some(call) = forks {
        let (fork, at) = (module.source(&*call.func), at(plan, call.into()));
        plan.block(format!("`{name}` calls `{fork}`, and the child would get a copy of the running loop ({at})"));
    }
    if let Some(handler) = interrupt {
        let at = at(plan, handler.into());
        plan.block(format!(
            "`{name}` catches `KeyboardInterrupt`, which `asyncio.run` turns into a cancellation ({at})"
        ));
    }
}

/// How many calls deep a loop is looked for.
const DEPTH: usize = 3;

/// The call in the function's frame to a function of the project that runs an event loop, itself or through others.
fn runs_loop_below<'a>(module: &Module, def: &'a ast::StmtFunctionDef, depth: usize) -> Option<&'a ast::ExprCall> {
    let mut calls = vec![];
    visit_frame(&def.body, &mut |node| {
        if let AnyNodeRef::ExprCall(call) = node {
            calls.push(call);
        }
    });
    calls.into_iter().find(|call| {
        let Some(function) = module.function(&call.func).filter(|function| !function.is_async) else { return false };
        let is_own =
            function.place.as_ref().is_some_and(|place| module.place(def.name.range()).as_ref() == Some(place));
        let runs = |module: &Module, def: &ast::StmtFunctionDef| {
            let mut runs = false;
            visit_frame(&def.body, &mut |node| {
                runs |= matches!(node, AnyNodeRef::ExprCall(call) if module.calls(call, RUNNERS));
            });
            Some(runs || (depth > 1 && runs_loop_below(module, def, depth - 1).is_some()))
        };
        !is_own && with_def(module, &function, runs) == Some(true)
    })
}

/// A decorator without its arguments.
fn shown(module: &Module, decorator: &ast::Decorator) -> String {
    match &decorator.expression {
        ast::Expr::Call(call) => format!("`@{}`", call_head(module, call)),
        other => format!("`@{}`", module.source(other)),
    }
}

/// The line of another binding of the function's name where it is defined, as in the other branch of an `if`.
fn other_binding(module: &Module, def: &ast::StmtFunctionDef) -> Option<usize> {
    let path = path_to(module, def.range());
    let scope = path.iter().rev().skip_while(|node| !is_def(node, def)).skip(1).find_map(|node| match node {
        AnyNodeRef::StmtClassDef(class) => Some(&class.body),
        AnyNodeRef::StmtFunctionDef(around) => Some(&around.body),
        AnyNodeRef::ModModule(module) => Some(&module.body),
        _ => None,
    })?;
    let mut other = None;
    visit_frame(scope, &mut |node| {
        let is_other = match node {
            AnyNodeRef::StmtFunctionDef(found) => found.name == def.name && found.range() != def.range(),
            AnyNodeRef::ExprName(target) => target.ctx.is_store() && target.id == def.name.id,
            _ => false,
        };
        if is_other && other.is_none() {
            other = Some(module.lines().line(node.start()));
        }
    });
    other
}

/// Whether a test runner calls the function, and awaits nothing.
fn is_test(module: &Module, def: &ast::StmtFunctionDef) -> bool {
    let class = class_of(module, def);
    let runs_a_loop = ["unittest.IsolatedAsyncioTestCase", "unittest.async_case.IsolatedAsyncioTestCase"];
    if class.is_some_and(|class| runs_a_loop.iter().any(|name| class.inherits(name))) {
        return false;
    }
    if is_test_file(module) && def.name.starts_with("test") {
        return true;
    }
    class.is_some_and(|class| class.inherits("unittest.TestCase") && def.name.starts_with("test"))
}

/// The class whose body holds the function.
pub(in crate::rewrites) fn class_of<'s>(module: &Module<'s>, def: &ast::StmtFunctionDef) -> Option<Class<'s>> {
    let path = path_to(module, def.range());
    let parent = path.iter().rev().skip_while(|node| !is_def(node, def)).nth(1)?;
    match parent {
        AnyNodeRef::StmtClassDef(class) => module.class(class),
        _ => None,
    }
}

fn is_def(node: &AnyNodeRef, def: &ast::StmtFunctionDef) -> bool {
    matches!(node, AnyNodeRef::StmtFunctionDef(found) if found.range() == def.range())
}

/// The function itself; for a method, with those that override it and those it overrides.
pub(in crate::rewrites) fn family<'s>(plan: &mut Plan<'s>, place: &Place, name: &str) -> Vec<Place> {
    let mut places = vec![place.clone()];
    let Ok(module) = plan.snapshot.module(&place.path) else { return places };
    let Some(class) = def_named_at(&module, place.range()).and_then(|def| class_of(&module, def)) else {
        return places;
    };
    let Ok(definers) = plan.snapshot.classes_defining(name) else { return places };
    let mut classes = vec![class];
    loop {
        let is_new = |class: &&Class| !classes.contains(class);
        let is_related =
            |class: &&Class| classes.iter().any(|known| known.is_subclass_of(class) || class.is_subclass_of(known));
        let mut related: Vec<Class> = definers.iter().filter(is_new).filter(is_related).copied().collect();
        if related.is_empty() && definers.iter().any(|definer| is_new(&definer)) {
            let below = below(plan, &classes);
            let meets = |other: &&Class<'s>| below.iter().any(|subclass| subclass.is_subclass_of(other));
            related = definers.iter().filter(is_new).filter(meets).copied().collect();
        }
        if related.is_empty() {
            break;
        }
        classes.extend(related);
    }
    for class in &classes {
        foreign_bases(plan, class, name);
        let found = class.method_place(name);
        places.extend(found.filter(|found| !places.contains(found)));
    }
    for protocol in definers.iter().filter(|definer| !classes.contains(definer) && is_protocol(definer)) {
        let at = protocol.place().map(|place| plan.at(&place)).unwrap_or_default();
        plan.block(format!("`{name}` may be called through the protocol `{}` ({at})", protocol.name()));
    }
    places
}

/// The classes that inherit from one of `classes`. What else they inherit from may define the method, too: then the method of
/// one stands before the other's.
fn below<'s>(plan: &Plan<'s>, classes: &[Class<'s>]) -> Vec<Class<'s>> {
    let is_top = |class: &&Class<'s>| !classes.iter().any(|other| other != *class && class.is_subclass_of(other));
    // Too large a workspace is said elsewhere.
    classes.iter().filter(is_top).flat_map(|class| plan.snapshot.subclasses(class).unwrap_or_default()).collect()
}

/// Whether any class with the same methods is an instance of it.
pub(in crate::rewrites) fn is_protocol(class: &Class) -> bool {
    class.with_statement(|module, statement| {
        let bases = statement.arguments.iter().flat_map(|arguments| &arguments.args);
        let mut named = bases.map(ast::helpers::map_subscript);
        let is_it = |base: &ast::Expr| {
            module.symbol(base).is_some_and(|symbol| symbol.is_any(&["typing.Protocol", "typing_extensions.Protocol"]))
        };
        named.any(is_it)
    })
}

/// Adds to the plan a class outside the project that defines the method too, or that is not known.
fn foreign_bases(plan: &mut Plan, class: &Class, name: &str) {
    let Some(place) = class.place() else { return };
    let at = plan.at(&place);
    let written = class.name();
    if !class.mro_is_complete() {
        plan.block(format!("not all bases of `{written}` are known ({at})"));
    }
    let foreign = class.mro().into_iter().find(|base| {
        let symbol = base.symbol();
        symbol.origin != Origin::Project && !symbol.is("builtins.object") && base.binds(name)
    });
    if let Some(base) = foreign {
        plan.block(format!("`{written}.{name}` overrides `{}.{name}` ({at})", base.symbol()));
    }
}
