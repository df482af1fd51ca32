//! What a file's syntax alone says, read once for many questions: its calls by name, its renaming imports.

use std::collections::HashMap;

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{AnyNodeRef, Expr, HasNodeIndex as _, NodeIndex, Stmt};

/// The calls of a body, by the last part of the called name.
pub(super) fn calls_by_name(body: &[Stmt]) -> HashMap<String, Vec<NodeIndex>> {
    let mut collector = CallCollector::default();
    collector.visit_body(body);
    collector.calls
}

/// The names that imports give another name, with the last part of what they were.
pub(super) fn import_aliases(body: &[Stmt]) -> HashMap<String, String> {
    let mut collector = AliasCollector::default();
    collector.visit_body(body);
    collector.aliases
}

/// Names that imports rename, with the last part of what they were.
#[derive(Default)]
struct AliasCollector {
    aliases: HashMap<String, String>,
}

impl<'a> SourceOrderVisitor<'a> for AliasCollector {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        if let AnyNodeRef::Alias(alias) = node
            && let Some(name) = &alias.asname
        {
            let original = alias.name.rsplit('.').next().unwrap_or(&alias.name);
            self.aliases.insert(name.to_string(), original.to_string());
        }
        if node.is_expression() { TraversalSignal::Skip } else { TraversalSignal::Traverse }
    }
}

/// The name that `expr` ends in: `f` in `f` and in `x.f`.
pub(super) fn last_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        _ => None,
    }
}

#[derive(Default)]
struct CallCollector {
    calls: HashMap<String, Vec<NodeIndex>>,
}

impl<'a> SourceOrderVisitor<'a> for CallCollector {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        if let AnyNodeRef::ExprCall(call) = node
            && let Some(name) = last_name(&call.func)
        {
            self.calls.entry(name.to_string()).or_default().push(call.node_index().load());
        }
        TraversalSignal::Traverse
    }
}
