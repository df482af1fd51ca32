//! `with` and `for` on objects that have only the asynchronous protocol: they raise at once.
//!
//! Silent where a class may have both protocols, or is not known to its root.

use ruff_python_ast::{AnyNodeRef, Expr, NodeKind};

use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["asyncio/missing-async"],
    nodes: &[NodeKind::Comprehension, NodeKind::StmtFor, NodeKind::StmtWith],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let module = site.module;
    if site.is_whole_file && !is_likely(site) {
        return None;
    }
    let (used, keyword, method) = match site.node {
        AnyNodeRef::StmtWith(with) if !with.is_async => {
            let mut managers = with.items.iter().map(|item| &item.context_expr);
            (managers.find(|manager| is_only_async_manager(module, manager))?, "with", "__enter__")
        }
        AnyNodeRef::StmtFor(statement) if !statement.is_async => (&*statement.iter, "for", "__iter__"),
        AnyNodeRef::Comprehension(clause) if !clause.is_async => (&clause.iter, "for", "__iter__"),
        _ => return None,
    };
    if (keyword == "for" && !is_only_async_iterable(module, used)) || site.is_type_checking() || is_expected(site) {
        return None;
    }
    let function = site.async_function().map(|function| Fact::from(function.name.as_str()));
    findings.push(
        Finding::new("asyncio/missing-async", used.range())
            .fact("object", Fact::from(module.source(used)))
            .fact("object_class", module.class_of(used).map(|class| Fact::from(class.name())))
            .fact("keyword", Fact::from(keyword))
            .fact("method", Fact::from(method))
            .fact("in_coroutine", function),
    );
    Some(())
}

/// Whether the types are worth a question in a view of the whole file: the code runs in a coroutine function, and an
/// asynchronous object may be at hand.
fn is_likely(site: &Site) -> bool {
    const PACKAGES: &[&str] = &["aiohttp", "anyio", "asyncio", "httpx", "trio"];
    let module = site.module;
    let may_be_called = |expr: &Expr| expr.as_call_expr().is_some_and(|call| module.may_call_async(call));
    let (method, is_called) = match site.node {
        AnyNodeRef::StmtFor(statement) => ("__aiter__", may_be_called(&statement.iter)),
        AnyNodeRef::Comprehension(clause) => ("__aiter__", may_be_called(&clause.iter)),
        _ => ("__aenter__", PACKAGES.iter().any(|package| module.may_use_package(package))),
    };
    site.async_function().is_some() && (is_called || module.may_have_method(method))
}

/// Whether the error is what a test waits for.
fn is_expected(site: &Site) -> bool {
    super::suspension::around(site).any(|node| match node {
        AnyNodeRef::StmtWith(with) => with.items.iter().any(|item| {
            let name = item.context_expr.as_call_expr().and_then(|call| match &*call.func {
                Expr::Name(name) => Some(name.id.as_str()),
                Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
                _ => None,
            });
            matches!(name, Some("assertRaises" | "assertRaisesRegex" | "raises"))
        }),
        _ => false,
    })
}

/// Whether `with` fails on `manager` and `async with` works.
pub(crate) fn is_only_async_manager(module: &Module, manager: &Expr) -> bool {
    has_only(module, manager, "__aenter__", &["__enter__"])
}

/// Whether `for` fails on `iterable` and `async for` works.
fn is_only_async_iterable(module: &Module, iterable: &Expr) -> bool {
    let generator = iterable.as_call_expr().and_then(|call| module.called_function(call));
    let is_generator =
        generator.is_some_and(|function| function.is_async && function.is_generator && !function.is_decorated);
    is_generator || has_only(module, iterable, "__aiter__", &["__getitem__", "__iter__"])
}

fn has_only(module: &Module, expr: &Expr, wanted: &str, others: &[&str]) -> bool {
    // Literals and the like are none of it; a name, an attribute or a call may be.
    if !matches!(expr, Expr::Name(_) | Expr::Attribute(_) | Expr::Call(_)) {
        return false;
    }
    let Some(class) = module.class_of(expr) else { return false };
    let has = |name: &str| class.definer(name).is_some();
    class.mro_is_complete() && has(wanted) && !others.iter().any(|name| has(name)) && !has("__getattr__")
}
