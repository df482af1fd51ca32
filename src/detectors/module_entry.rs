//! Writing to `sys.modules`: who gets the new module, and who keeps the old one. Silent where it is only read.

use ruff_python_ast::{AnyNodeRef, Expr, NodeKind};

use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["memory/module-entry"], nodes: &[NodeKind::ExprCall, NodeKind::ExprSubscript], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let is_modules = |expr: &Expr| {
        let last = match expr {
            Expr::Attribute(attribute) => attribute.attr.as_str(),
            Expr::Name(name) => name.id.as_str(),
            _ => return false,
        };
        last == "modules" && site.module.symbol(expr).is_some_and(|symbol| symbol.is("sys.modules"))
    };
    let finding = match site.node {
        AnyNodeRef::ExprSubscript(item) if !item.ctx.is_load() && is_modules(&item.value) => {
            let finding = Finding::new("memory/module-entry", item.range());
            let code = Fact::from(site.module.source(item));
            if item.ctx.is_del() {
                finding.fact("removed", code)
            } else {
                let value = site.enclosing().find_map(|node| match node {
                    AnyNodeRef::StmtAssign(assign) => Some(&*assign.value),
                    _ => None,
                })?;
                match value {
                    Expr::NoneLiteral(_) => finding.fact("refused", code),
                    value => finding.fact("stored", code).fact("value", Fact::from(site.module.source(value))),
                }
            }
        }
        AnyNodeRef::ExprCall(call) => {
            let method = call.func.as_attribute_expr().filter(|method| method.attr.as_str() == "pop")?;
            is_modules(&method.value).then_some(())?;
            Finding::new("memory/module-entry", call.range()).fact("removed", Fact::from(site.module.source(call)))
        }
        _ => return None,
    };
    findings.push(finding);
    Some(())
}
