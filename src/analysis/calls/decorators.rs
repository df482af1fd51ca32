//! What decorators make of a function: the same function, a context manager, a project's wrapper, or something unknown.

use ruff_python_ast::{self as ast, Expr, Stmt};
use ruff_text_size::{Ranged as _, TextRange};
use ty_python_core::definition::{Definition, DefinitionKind};

use super::super::functions::contains_yield;
use super::super::module::Module;
use super::body::calls_in;
use super::is_of_project;

/// Decorators of the standard library that leave a function as it is.
const TRANSPARENT: &[&str] = &[
    "abc.abstractmethod",
    "builtins.classmethod",
    "builtins.staticmethod",
    "functools.wraps",
    "typing.final",
    "typing.no_type_check",
    "typing.override",
    "typing_extensions.deprecated",
    "typing_extensions.final",
    "typing_extensions.override",
    "warnings.deprecated",
];

/// What is called in the place of a decorated function.
pub(super) enum Decoration<'s> {
    /// The function itself.
    None,
    /// The function itself, for arguments that it has not seen.
    Cached,
    /// What reading an attribute calls the first time.
    CachedProperty,
    /// What reading an attribute calls.
    Property,
    /// A generator function, as a context manager.
    ContextManager,
    /// Functions of the project that call it, each with the decorator that puts it there.
    Wrapped(Vec<(TextRange, Definition<'s>)>),
    Unknown,
}

/// What the decorators of `def` make of it.
pub(super) fn decoration<'s>(module: &Module<'s>, def: &ast::StmtFunctionDef) -> Decoration<'s> {
    let mut wrappers = vec![];
    let (mut is_manager, mut is_cached) = (false, false);
    for decorator in &def.decorator_list {
        let callee = match &decorator.expression {
            Expr::Call(call) => &*call.func,
            other => other,
        };
        let Some(symbol) = module.symbol(callee) else { return Decoration::Unknown };
        if symbol.is("builtins.property") && def.decorator_list.len() == 1 {
            return Decoration::Property;
        } else if symbol.is("functools.cached_property") && def.decorator_list.len() == 1 {
            return Decoration::CachedProperty;
        } else if symbol.is_any(&["functools.cache", "functools.lru_cache"]) {
            is_cached = true;
        } else if symbol.is("contextlib.contextmanager") {
            is_manager = true;
        } else if symbol.is_any(TRANSPARENT) {
        } else if let Some(wrapper) = wrapper(module, &decorator.expression) {
            wrappers.push((decorator.expression.range(), wrapper));
        } else {
            return Decoration::Unknown;
        }
    }
    match (is_manager, wrappers.is_empty()) {
        (true, true) if !is_cached => Decoration::ContextManager,
        (true, _) => Decoration::Unknown,
        (false, true) if is_cached => Decoration::Cached,
        (false, true) => Decoration::None,
        (false, false) => Decoration::Wrapped(wrappers),
    }
}

/// The function that a decorator of the project returns, if it calls the decorated one.
fn wrapper<'s>(module: &Module<'s>, decorator: &Expr) -> Option<Definition<'s>> {
    let (callee, is_factory) = match decorator {
        Expr::Call(call) => (&*call.func, true),
        other => (other, false),
    };
    let function = module.function_definition(callee)?;
    if !is_of_project(module.db(), function) {
        return None;
    }
    let home = Module::of_file(module.snapshot(), function.program_file(module.db()));
    let parsed = home.parsed().clone();
    let DefinitionKind::Function(node) = function.kind(home.db()) else { return None };
    let outer = node.node(&parsed);
    let outer = if is_factory { returned(outer)? } else { outer };
    let inner = returned(outer)?;
    let wrapped = outer.parameters.iter_non_variadic_params().next()?.name();
    let (sites, _) = calls_in(home.import_aliases(), inner, &[]);
    let is_wrapped = |call: &ast::ExprCall| call.func.as_name_expr().is_some_and(|name| name.id == wrapped.id);
    sites.iter().filter_map(|site| site.call).any(is_wrapped).then(|| home.definition_of(inner))?
}

/// The plain function that a function defines and returns, when it returns nothing else.
fn returned(outer: &ast::StmtFunctionDef) -> Option<&ast::StmtFunctionDef> {
    let Some(Stmt::Return(last)) = outer.body.last() else { return None };
    let name = last.value.as_deref()?.as_name_expr()?;
    let inner = outer
        .body
        .iter()
        .find_map(|statement| statement.as_function_def_stmt().filter(|inner| inner.name.id == name.id))?;
    let returns = outer.body.iter().filter(|statement| !matches!(statement, Stmt::FunctionDef(_))).count();
    let is_plain = !inner.is_async && !contains_yield(&inner.body) && !outer.is_async;
    // A docstring may stand beside the inner function; more than that is not read.
    (is_plain && returns <= 2).then_some(inner)
}
