//! Where the body of a function can be suspended, and how a value travels through it.
//!
//! Everything here looks at one function only: a nested `def`, `lambda` or class is another frame.

use ruff_python_ast::find_node::covering_node;
use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use super::nodes;
use crate::analysis::{Function, Module, Origin, Site};
use crate::text::{Ranged as _, TextRange, TextSize};

/// The keywords at which the frame of `body` can be suspended by an awaitable, in source order.
pub(crate) fn suspensions(body: &[Stmt]) -> Vec<TextRange> {
    let mut found = vec![];
    visit_frame(body, &mut |node| {
        let length = match node {
            AnyNodeRef::ExprAwait(_) => 5,
            AnyNodeRef::StmtFor(statement) if statement.is_async => 9,
            AnyNodeRef::StmtWith(statement) if statement.is_async => 10,
            AnyNodeRef::Comprehension(comprehension) if comprehension.is_async => 9,
            _ => return,
        };
        found.push(TextRange::at(node.start(), TextSize::new(length)));
    });
    found
}

/// Those of the [`suspensions`] at which the frame may indeed be suspended: not an `await` of a coroutine without any.
pub(crate) fn real_suspensions(module: &Module, body: &[Stmt]) -> Vec<TextRange> {
    let mut idle = vec![];
    visit_frame(body, &mut |node| {
        if let AnyNodeRef::ExprAwait(awaited) = node
            && awaits_without_pause(module, &awaited.value)
        {
            idle.push(awaited.start());
        }
    });
    suspensions(body).into_iter().filter(|at| !idle.contains(&at.start())).collect()
}

/// Whether awaiting `value` runs a coroutine function of the project that has no suspension of its own.
pub(super) fn awaits_without_pause(module: &Module, value: &Expr) -> bool {
    let Expr::Call(call) = value else { return false };
    // A method may be overridden by one that waits.
    if call.func.is_attribute_expr() {
        return false;
    }
    let function = coroutine_function(module, &call.func);
    let Some(function) = function.filter(|function| function.symbol.origin == Origin::Project) else { return false };
    let is_idle = with_def(module, &function, |_, def| !is_interface(&def.body) && suspensions(&def.body).is_empty());
    is_idle == Some(true)
}

/// Calls `see` with each node that the frame of `body` runs itself, in source order.
pub(crate) fn visit_frame<'a>(body: &'a [Stmt], see: &mut dyn FnMut(AnyNodeRef<'a>)) {
    struct Frame<'f, 'a>(&'f mut dyn FnMut(AnyNodeRef<'a>));
    impl<'a> SourceOrderVisitor<'a> for Frame<'_, 'a> {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            if is_other_frame(node) {
                return TraversalSignal::Skip;
            }
            (self.0)(node);
            TraversalSignal::Traverse
        }
    }
    Frame(see).visit_body(body);
}

/// Whether what is inside `node` runs later, or in a frame of its own.
fn is_other_frame(node: AnyNodeRef) -> bool {
    matches!(
        node,
        AnyNodeRef::StmtFunctionDef(_)
            | AnyNodeRef::StmtClassDef(_)
            | AnyNodeRef::ExprLambda(_)
            | AnyNodeRef::ExprGenerator(_)
    )
}

/// What encloses the site within its own function, nearest first.
pub(crate) fn around<'a>(site: &Site<'a, '_>) -> impl Iterator<Item = AnyNodeRef<'a>> {
    site.enclosing().take_while(|node| !is_other_frame(*node))
}

/// Whether the site is in `body`.
pub(crate) fn is_in(body: &[Stmt], range: TextRange) -> bool {
    match (body.first(), body.last()) {
        (Some(first), Some(last)) => TextRange::new(first.start(), last.end()).contains_range(range),
        _ => false,
    }
}

/// The reads of the name `name` in `body`, nested functions included, in source order.
pub(super) fn reads<'a>(body: &'a [Stmt], name: &str) -> Vec<&'a ast::ExprName> {
    struct Reads<'a, 'n> {
        name: &'n str,
        found: Vec<&'a ast::ExprName>,
    }
    impl<'a> SourceOrderVisitor<'a> for Reads<'a, '_> {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            match node {
                AnyNodeRef::ExprName(read) if !read.ctx.is_store() && read.id == self.name => self.found.push(read),
                _ => {}
            }
            TraversalSignal::Traverse
        }
    }
    let mut reads = Reads { name, found: vec![] };
    reads.visit_body(body);
    reads.found
}

/// The statements of the function, or of the module, that runs the site.
pub(crate) fn frame<'a>(site: &Site<'a, '_>) -> &'a [Stmt] {
    match site.function() {
        Some(function) => &function.body,
        None => site.ancestors.first().map_or(&[], |root| match root {
            AnyNodeRef::ModModule(module) => &module.body,
            _ => &[],
        }),
    }
}

/// The nodes from the root of the file down to the one at `range`.
pub(crate) fn path_to<'m>(module: &'m Module, range: TextRange) -> Vec<AnyNodeRef<'m>> {
    let root = AnyNodeRef::from(module.syntax());
    if !root.range().contains_range(range) {
        return vec![];
    }
    let mut nodes: Vec<_> = covering_node(root, range).ancestors().collect();
    nodes.reverse();
    nodes
}

/// The name of the function that runs what is at `range`, with that of its class.
pub(super) fn function_name_at(module: &Module, range: TextRange) -> Option<String> {
    let path = path_to(module, range);
    let (node, ancestors) = path.split_last()?;
    let site = Site::at(module, *node, ancestors);
    let function = site.function()?;
    Some(qualified_name(module, function))
}

/// `Class.method` or `function`, as written in the file.
pub(crate) fn qualified_name(module: &Module, function: &ast::StmtFunctionDef) -> String {
    let path = path_to(module, function.range());
    match path.iter().rev().nth(1) {
        Some(AnyNodeRef::StmtClassDef(class)) => format!("{}.{}", class.name, function.name),
        _ => function.name.to_string(),
    }
}

/// Reads the `def` of a function of the project, wherever it is.
pub(crate) fn with_def<R>(
    module: &Module,
    function: &Function,
    read: impl FnOnce(&Module, &ast::StmtFunctionDef) -> R,
) -> Option<R> {
    nodes::with_def(module, function, |module, def| Some(read(module, def)))
}

/// Whether a body says nothing but what a docstring, `...`, `pass` and `raise` say: an interface.
pub(super) fn is_interface(body: &[Stmt]) -> bool {
    body.iter().all(|statement| match statement {
        Stmt::Pass(_) | Stmt::Raise(_) => true,
        Stmt::Expr(statement) => {
            matches!(*statement.value, Expr::StringLiteral(_) | Expr::EllipsisLiteral(_))
        }
        _ => false,
    })
}

/// As [`coroutine_function`], for a call at `site`. In code that runs in no coroutine most calls call none: there, a name
/// decides first.
pub(super) fn called_coroutine(site: &Site, call: &ast::ExprCall) -> Option<Function> {
    if site.async_function().is_none() && !site.module.may_call_async(call) {
        return None;
    }
    coroutine_function(site.module, &call.func)
}

/// The function that `expr` names, if calling it gives a coroutine. Decorators that keep it one are looked through.
pub(crate) fn coroutine_function(module: &Module, expr: &Expr) -> Option<Function> {
    let function = module.function(expr)?;
    if !function.is_async || function.is_generator {
        return None;
    }
    let is_kept = !function.is_decorated
        || with_def(module, &function, |module, def| {
            def.decorator_list.iter().all(|decorator| {
                const TRANSPARENT: &[&str] = &[
                    "abc.abstractmethod",
                    "builtins.classmethod",
                    "builtins.staticmethod",
                    "typing.final",
                    "typing.override",
                    "typing_extensions.override",
                ];
                module.symbol(&decorator.expression).is_some_and(|symbol| symbol.is_any(TRANSPARENT))
            })
        })
        .unwrap_or(function.symbol.origin == Origin::StandardLibrary);
    is_kept.then_some(function)
}

/// Whether this file runs coroutines by hand, with `coroutine.send(None)`: there, `async def` says nothing of a loop.
pub(crate) fn drives_coroutines(module: &Module) -> bool {
    let sends_none = |call: &ast::ExprCall| {
        matches!(call.arguments.args.as_ref(), [only] if only.is_none_literal_expr())
            && call.arguments.keywords.is_empty()
    };
    module.calls_of("send").into_iter().any(sends_none)
}

/// `name` for `name(…)`: the call without its arguments.
pub(crate) fn call_head(module: &Module, call: &ast::ExprCall) -> String {
    let arguments = if call.arguments.is_empty() { "()" } else { "(…)" };
    format!("{}{arguments}", module.source(&*call.func))
}

/// Whether an exception handler's type names one of `classes`.
pub(crate) fn handles(module: &Module, handler: &ast::ExceptHandlerExceptHandler, classes: &[&str]) -> bool {
    let Some(handled) = &handler.type_ else { return false };
    let types = match &**handled {
        Expr::Tuple(tuple) => tuple.elts.as_slice(),
        other => std::slice::from_ref(other),
    };
    types.iter().any(|class| module.symbol(class).is_some_and(|symbol| symbol.is_any(classes)))
}
