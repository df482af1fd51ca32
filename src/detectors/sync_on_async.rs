//! `with` and `for` on objects that only know `async with` and `async for`.
//!
//! Silent for classes that know both, and where a base class is not known.

use ruff_python_ast::{AnyNodeRef, Expr, NodeKind};

use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Module, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["asyncio/sync-for-on-async", "asyncio/sync-with-on-async"],
    nodes: &[NodeKind::Comprehension, NodeKind::StmtFor, NodeKind::StmtWith],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let module = site.module;
    if site.is_type_checking() {
        return None;
    }
    match site.node {
        AnyNodeRef::StmtWith(with) if !with.is_async => {
            for item in &with.items {
                let only_async = class(module, &item.context_expr)
                    .filter(|class| knows(class, &["__aenter__"]) && lacks(class, &["__enter__"]));
                let finding = |class: Class| found(site, "asyncio/sync-with-on-async", &item.context_expr, class.name());
                findings.extend(only_async.map(finding));
            }
        }
        AnyNodeRef::StmtFor(statement) if !statement.is_async => iterated(site, &statement.iter, findings)?,
        AnyNodeRef::Comprehension(part) if !part.is_async => iterated(site, &part.iter, findings)?,
        _ => return None,
    }
    Some(())
}

fn iterated(site: &Site, iter: &Expr, findings: &mut Findings) -> Option<()> {
    let function = iter.as_call_expr().and_then(|call| site.module.called_function(call));
    let class = match function {
        Some(function) if function.is_async && function.is_generator && !function.is_decorated => {
            "async_generator".to_string()
        }
        _ => {
            let class = class(site.module, iter)?;
            if !knows(&class, &["__aiter__"]) || !lacks(&class, &["__getitem__", "__iter__"]) {
                return None;
            }
            class.name()
        }
    };
    findings.push(found(site, "asyncio/sync-for-on-async", iter, class));
    Some(())
}

/// The class of an object; a file without asynchronous code has none of these.
fn class<'s>(module: &Module<'s>, expr: &Expr) -> Option<Class<'s>> {
    let may_be = module.may_use_package("asyncio") || module.text().contains("async ");
    module.class_of(expr).filter(|class| may_be && class.mro_is_complete())
}

fn knows(class: &Class, names: &[&str]) -> bool {
    names.iter().any(|name| class.definer(name).is_some())
}

fn lacks(class: &Class, names: &[&str]) -> bool {
    !knows(class, names)
}

fn found(site: &Site, concept: &str, object: &Expr, class: String) -> Finding {
    let function = site.async_function();
    Finding::new(concept, object.range())
        .fact("object", Fact::from(site.module.source(object)))
        .fact("class", Fact::from(class))
        .fact("in_coroutine", function.map(|function| Fact::from(function.name.as_str())))
}
