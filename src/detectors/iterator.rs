//! `def __iter__`: one pass over the object, or a new one for each loop.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::method_body::{is_name, own_nodes, parameter};
use super::nodes::is_generator;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["datamodel/iterator"], nodes: &[NodeKind::StmtFunctionDef], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtFunctionDef(def) = site.node else { return None };
    let AnyNodeRef::StmtClassDef(statement) = site.parent()? else { return None };
    if def.is_async || !matches!(def.name.as_str(), "__iter__" | "__next__") {
        return None;
    }
    let class = site.module.class(statement)?;
    let name = || Fact::from(statement.name.as_str());
    let finding = Finding::new("datamodel/iterator", def.name.range());
    if def.name.as_str() == "__next__" {
        let no_iter = class.mro_is_complete() && class.definer("__iter__").is_none();
        findings.push(finding.fact("steps", name()).fact("no_iter", no_iter.then(name)));
        return Some(());
    }
    let returned = returned(def);
    let returns_self =
        !returned.is_empty() && parameter(def, 0).is_some_and(|own| returned.iter().all(|value| is_name(value, own)));
    let no_next = returns_self && class.mro_is_complete() && class.definer("__next__").is_none();
    let delegate = match returned.as_slice() {
        [Expr::Call(call)] if !is_generator(def) && is_name(&call.func, "iter") => call.arguments.args.first(),
        _ => None,
    };
    findings.push(
        finding
            .fact("single", returns_self.then(name))
            .fact("no_next", no_next.then(name))
            .fact("fresh", is_generator(def).then(name))
            .fact("delegate", delegate.map(|inner| Fact::from(site.module.source(inner))))
            .fact("class", name()),
    );
    Some(())
}

fn returned(def: &ast::StmtFunctionDef) -> Vec<&Expr> {
    let mut values = vec![];
    own_nodes(&def.body, |node| {
        if let AnyNodeRef::StmtReturn(ast::StmtReturn { value: Some(value), .. }) = node {
            values.push(&**value);
        }
    });
    values
}
