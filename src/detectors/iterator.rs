//! `def __iter__` and `def __next__`, `__aiter__` and `__anext__`: objects that can be gone through once only, or not at all.

use ruff_python_ast::{Expr, NodeKind};

use super::method_shape::{SpecialMethod, ends_in_return};
use super::nodes::is_generator;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["datamodel/async-methods", "datamodel/iterator"],
    nodes: &[NodeKind::StmtFunctionDef],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let method = SpecialMethod::at(site, &["__aiter__", "__anext__", "__iter__", "__next__"])?;
    let name = || Fact::from(method.statement.name.as_str());
    let (is_async, concept) = match method.def.name.starts_with("__a") {
        true => (true, "datamodel/async-methods"),
        false => (false, "datamodel/iterator"),
    };
    let finding = Finding::new(concept, method.def.name.range());
    let (iterable, next) = if is_async { ("__aiter__", "__anext__") } else { ("__iter__", "__next__") };
    let lacks = |name: &str| method.class.mro_is_complete() && method.class.definer(name).is_none();
    if method.def.name.as_str() == next {
        let no_iter = lacks(iterable);
        findings.push(no_iter.then(|| finding.fact("no_iter", name()))?);
        return Some(());
    }
    if let Some(value) = no_iterator(site.module, &method).filter(|_| !is_async) {
        findings.push(finding.fact("no_iterator", Fact::from(site.module.source(value))));
        return Some(());
    }
    if !method.returns_itself() || method.def.is_async {
        return None;
    }
    let no_next = lacks(next).then(name);
    let is_container = ["__len__", "__getitem__", "__contains__"].iter().any(|other| method.statement_binds(other));
    let container = is_container.then(name).filter(|_| !is_async);
    findings.push(finding.fact("single", name()).fact("container", container).fact("no_next", no_next));
    Some(())
}

/// The first value that the method returns, if each is a container: something that has an iterator and is none.
pub(super) fn no_iterator<'a>(module: &Module, method: &SpecialMethod<'a, '_>) -> Option<&'a Expr> {
    const CONTAINERS: &[&str] = &["builtins.dict", "builtins.list", "builtins.set", "builtins.str", "builtins.tuple"];
    let values = method.returned();
    let is_container = |value: &&Expr| match value {
        Expr::List(_) | Expr::ListComp(_) | Expr::Dict(_) | Expr::Set(_) | Expr::Tuple(_) => true,
        other => module.class_of(*other).is_some_and(|class| class.symbol().is_any(CONTAINERS)),
    };
    let is_certain = !method.def.is_async && !is_generator(method.def) && ends_in_return(&method.def.body);
    let first = values.first().copied()?;
    (is_certain && values.iter().all(is_container)).then_some(first)
}
