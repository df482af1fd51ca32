//! `def __eq__`: what becomes of the hash. Silent where the class says itself that it has none.

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind, Stmt};

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
    let own_place = |method: &str| class.own_member(method).and_then(|member| member.place).map(Fact::from);
    if def.name.as_str() == "__hash__" {
        findings.push(finding.fact("hashes", name()).fact("eq_at", own_place("__eq__")));
        return Some(());
    }
    let own_hash = class.binds("__hash__");
    // A decorator such as `dataclass` may add a hash.
    let is_unhashable = !own_hash && statement.decorator_list.is_empty();
    let lost = class.mro().into_iter().skip(1).find(|base| base.binds("__hash__") && !base.is("builtins.object"));
    findings.push(
        finding
            .fact("unhashable", is_unhashable.then(name))
            .fact("class", name())
            .fact("hash_at", own_place("__hash__").filter(|_| own_hash))
            .fact(
                "lost",
                lost.filter(|_| is_unhashable).map(|base: Class| Fact::from(format!("{}.__hash__", base.name()))),
            ),
    );
    Some(())
}

/// Whether the body has `__hash__ = None`.
fn says_unhashable(statement: &ast::StmtClassDef) -> bool {
    statement.body.iter().any(|statement| {
        let Stmt::Assign(assign) = statement else { return false };
        let is_hash = |target: &ast::Expr| target.as_name_expr().is_some_and(|name| name.id == "__hash__");
        assign.targets.iter().any(is_hash) && assign.value.is_none_literal_expr()
    })
}
