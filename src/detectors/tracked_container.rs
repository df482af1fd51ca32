//! A list or set display, in a file that looks at reference counts or at the collector.
//!
//! Silent everywhere else: that a list is a container is news only where somebody counts.

use ruff_python_ast::{AnyNodeRef, Expr, NodeKind};

use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["memory/tracked-container"], nodes: &[NodeKind::ExprList, NodeKind::ExprSet], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let (kind, items) = match site.node {
        AnyNodeRef::ExprList(list) if list.ctx.is_load() => ("list", &list.elts),
        AnyNodeRef::ExprSet(set) => ("set", &set.elts),
        _ => return None,
    };
    let Some(AnyNodeRef::StmtAssign(assign)) = site.parent() else { return None };
    let [Expr::Name(name)] = assign.targets.as_slice() else { return None };
    let text = site.module.text();
    if !text.contains("getrefcount") && !text.contains("import gc") {
        return None;
    }
    let atom = |item: &Expr| match item {
        Expr::NumberLiteral(number) if number.value.is_int() => Some("int"),
        Expr::NumberLiteral(number) if number.value.is_float() => Some("float"),
        Expr::StringLiteral(_) => Some("str"),
        _ => None,
    };
    let first = items.first().and_then(atom);
    let atoms = first.filter(|first| items.iter().all(|item| atom(item) == Some(first)));
    findings.push(
        Finding::new("memory/tracked-container", site.node.range())
            .fact("name", Fact::from(name.id.as_str()))
            .fact("kind", Fact::from(kind))
            .fact("items", atoms.map(Fact::from)),
    );
    Some(())
}
