//! `def __eq__` and `def __hash__`: what becomes of the hash, and what an equality asks of strangers.
//!
//! Silent where the class says itself that it has no hash, and where both methods are in order.

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind, Stmt};

use super::method_body::{find_own, is_name, own_nodes, parameter};
use super::method_shape::SpecialMethod;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["datamodel/equality-hash"], nodes: &[NodeKind::StmtFunctionDef], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtFunctionDef(def) = site.node else { return None };
    let AnyNodeRef::StmtClassDef(statement) = site.parent()? else { return None };
    if !matches!(def.name.as_str(), "__eq__" | "__hash__") {
        return None;
    }
    if says_unhashable(statement) {
        return None;
    }
    let class = site.module.class(statement)?;
    let finding = Finding::new("datamodel/equality-hash", def.name.range());
    let name = || Fact::from(statement.name.as_str());
    let method = SpecialMethod::at(site, &["__eq__", "__hash__"]);
    if def.name.as_str() == "__hash__" {
        findings.push(hashing(site, &method?, finding)?);
        return Some(());
    }
    // A decorator such as `dataclass` may add a hash.
    let is_unhashable = !class.binds("__hash__") && statement.decorator_list.is_empty();
    let lost = class.mro().into_iter().skip(1).find(|base| base.binds("__hash__") && !base.is("builtins.object"));
    let read = method.as_ref().and_then(SpecialMethod::unchecked_read).map(|read| Fact::from(site.module.source(read)));
    if !is_unhashable && read.is_none() {
        return None;
    }
    let (reads, also_reads) = if is_unhashable { (None, read) } else { (read, None) };
    findings.push(
        finding
            .fact("class", name())
            .fact("unhashable", is_unhashable.then(name))
            .fact("reads", reads)
            .fact("also_reads", also_reads)
            .fact(
                "lost",
                lost.filter(|_| is_unhashable).map(|base: Class| Fact::from(format!("{}.__hash__", base.name()))),
            ),
    );
    Some(())
}

/// `__hash__` without an equality, or over something that changes.
fn hashing(site: &Site, method: &SpecialMethod, finding: Finding) -> Option<Finding> {
    let name = method.statement.name.as_str();
    // `dataclass` and its like write an `__eq__`.
    let is_alone = method.statement.decorator_list.is_empty() && method.lacks("__eq__");
    let changed = changed_elsewhere(method);
    if !is_alone && changed.is_none() {
        return None;
    }
    let finding = finding.fact("class", Fact::from(name)).fact("alone", is_alone.then(|| Fact::from(name)));
    Some(match changed {
        Some((attribute, setter)) => finding
            .fact("changing", Fact::from(site.module.source(attribute)))
            .fact("setter", Fact::from(setter))
            .fact("set_at", site.module.place(attribute.range()).map(Fact::from)),
        None => finding,
    })
}

/// Where a method that does not make the object sets an attribute that the hash reads.
fn changed_elsewhere<'a>(method: &SpecialMethod<'a, '_>) -> Option<(&'a ast::ExprAttribute, &'a str)> {
    let own = method.own()?;
    let mut read = vec![];
    own_nodes(&method.def.body, |node| {
        if let AnyNodeRef::ExprAttribute(attribute) = node
            && is_name(&attribute.value, own)
        {
            read.push(attribute.attr.as_str());
        }
    });
    const MAKERS: &[&str] = &["__init__", "__new__", "__post_init__", "__setstate__", "__hash__"];
    let methods = method.statement.body.iter().filter_map(Stmt::as_function_def_stmt);
    let mut others = methods.filter(|def| !MAKERS.contains(&def.name.as_str()) && def.decorator_list.is_empty());
    others.find_map(|def| {
        let receiver = parameter(def, 0)?;
        let set = find_own(&def.body, |node| match node {
            AnyNodeRef::ExprAttribute(attribute) if attribute.ctx.is_store() && is_name(&attribute.value, receiver) => {
                read.contains(&attribute.attr.as_str()).then_some(attribute)
            }
            _ => None,
        })?;
        Some((set, def.name.as_str()))
    })
}

/// Whether the body has `__hash__ = None`.
fn says_unhashable(statement: &ast::StmtClassDef) -> bool {
    statement.body.iter().any(|statement| {
        let Stmt::Assign(assign) = statement else { return false };
        let is_hash = |target: &ast::Expr| target.as_name_expr().is_some_and(|name| name.id == "__hash__");
        assign.targets.iter().any(is_hash) && assign.value.is_none_literal_expr()
    })
}
