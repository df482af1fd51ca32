//! Looks around in the tree: what runs together with a node, what encloses a range.

use ruff_python_ast::find_node::covering_node;
use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use crate::analysis::{Function, Module, Origin, blocks};
use crate::text::{Ranged as _, TextRange};

/// The nodes of `body` in source order, without what stands in nested functions, lambdas and classes: those run at another
/// time, or not at all. The nested definitions themselves are there.
pub(crate) fn own_nodes(body: &[Stmt]) -> Vec<AnyNodeRef<'_>> {
    let mut collector = Collector { nodes: vec![], enter_definitions: false };
    collector.visit_body(body);
    collector.nodes
}

/// All nodes of `body`, in source order.
pub(crate) fn all_nodes(body: &[Stmt]) -> Vec<AnyNodeRef<'_>> {
    let mut collector = Collector { nodes: vec![], enter_definitions: true };
    collector.visit_body(body);
    collector.nodes
}

struct Collector<'a> {
    nodes: Vec<AnyNodeRef<'a>>,
    enter_definitions: bool,
}

impl<'a> SourceOrderVisitor<'a> for Collector<'a> {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        self.nodes.push(node);
        let is_definition =
            matches!(node, AnyNodeRef::StmtFunctionDef(_) | AnyNodeRef::StmtClassDef(_) | AnyNodeRef::ExprLambda(_));
        if is_definition && !self.enter_definitions { TraversalSignal::Skip } else { TraversalSignal::Traverse }
    }
}

/// The calls among `nodes`.
pub(crate) fn calls<'a>(nodes: &[AnyNodeRef<'a>]) -> Vec<&'a ast::ExprCall> {
    nodes
        .iter()
        .filter_map(|node| match node {
            AnyNodeRef::ExprCall(call) => Some(*call),
            _ => None,
        })
        .collect()
}

/// The receiver and the name of a method call: `q` and `get` for `q.get()`.
pub(crate) fn method(call: &ast::ExprCall) -> Option<(&Expr, &str)> {
    let attribute = call.func.as_attribute_expr()?;
    Some((&attribute.value, attribute.attr.as_str()))
}

/// The nodes around `range`, nearest first, the node at `range` included.
pub(crate) fn around<'a>(module: &'a Module, range: TextRange) -> Vec<AnyNodeRef<'a>> {
    covering_node(module.syntax().into(), range).ancestors().collect()
}

/// The function whose body holds `range`.
pub(crate) fn function_around<'a>(module: &'a Module, range: TextRange) -> Option<&'a ast::StmtFunctionDef> {
    around(module, range).into_iter().find_map(|node| match node {
        AnyNodeRef::StmtFunctionDef(function) if holds(&function.body, range) => Some(function),
        _ => None,
    })
}

/// The statements that run together with `range`: those of the function around it, or of the module.
pub(crate) fn body_around<'a>(module: &'a Module, range: TextRange) -> &'a [Stmt] {
    function_around(module, range).map_or(&module.syntax().body, |function| &function.body)
}

/// The block that holds the statement with this range directly, and the statement's index in it.
pub(crate) fn block_around<'a>(module: &'a Module, range: TextRange) -> Option<(&'a [Stmt], usize)> {
    around(module, range).into_iter().find_map(|node| {
        blocks(node).into_iter().find_map(|block| {
            let index = block.iter().position(|statement| statement.range() == range)?;
            Some((block, index))
        })
    })
}

/// Whether the statements of `body` span `range`.
pub(crate) fn holds(body: &[Stmt], range: TextRange) -> bool {
    match (body.first(), body.last()) {
        (Some(first), Some(last)) => TextRange::new(first.start(), last.end()).contains_range(range),
        _ => false,
    }
}

/// Whether `expr` is `True`.
pub(super) fn is_true(expr: &Expr) -> bool {
    expr.as_boolean_literal_expr().is_some_and(|literal| literal.value)
}

/// Whether `expr` is `False`.
pub(super) fn is_false(expr: &Expr) -> bool {
    expr.as_boolean_literal_expr().is_some_and(|literal| !literal.value)
}

/// Whether the file is part of a test suite, by the conventions of pytest and unittest.
pub(crate) fn is_test_file(module: &Module) -> bool {
    let Some(path) = module.path() else { return false };
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let root = module.snapshot().roots().into_iter().find(|root| path.starts_with(root));
    let below = root.as_deref().and_then(|root| path.strip_prefix(root).ok()).unwrap_or(path);
    let in_tests = below.components().any(|part| matches!(part.as_os_str().to_str(), Some("test" | "tests")));
    in_tests || name.starts_with("test_") || name.ends_with("_test.py") || name == "conftest.py"
}

/// Reads the `def` of a function of the project, wherever it is.
pub(crate) fn with_def<R>(
    module: &Module,
    function: &Function,
    read: impl FnOnce(&Module, &ast::StmtFunctionDef) -> Option<R>,
) -> Option<R> {
    let place = function.place.as_ref().filter(|_| function.symbol.origin == Origin::Project)?;
    let other;
    let home = if module.path() == Some(place.path.as_path()) {
        module
    } else {
        other = module.snapshot().module(&place.path).ok()?;
        &other
    };
    let def = around(home, place.range()).into_iter().find_map(|node| match node {
        AnyNodeRef::StmtFunctionDef(function) => Some(function),
        _ => None,
    })?;
    (def.name.range() == place.range()).then(|| read(home, def))?
}

/// Whether a function's own body has a `yield`.
pub(crate) fn is_generator(function: &ast::StmtFunctionDef) -> bool {
    let mut nodes = own_nodes(&function.body).into_iter();
    nodes.any(|node| matches!(node, AnyNodeRef::ExprYield(_) | AnyNodeRef::ExprYieldFrom(_)))
}
