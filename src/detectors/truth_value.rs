//! `def __bool__`: conditions on the object that raise, are decided beforehand, or that `__len__` does not decide.

use ruff_python_ast::{Expr, NodeKind, Stmt};

use super::method_body::is_name;
use super::method_shape::{SpecialMethod, without_docstring};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["datamodel/truth-value"], nodes: &[NodeKind::StmtFunctionDef], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let method = SpecialMethod::at(site, &["__bool__"])?;
    let finding = Finding::new("datamodel/truth-value", method.def.name.range());
    let length = method.class.definer("__len__");
    let length_at = length.as_ref().and_then(|definer| definer.own_member("__len__")).and_then(|member| member.place);
    let finding = match without_docstring(&method.def.body) {
        [Stmt::Raise(raise)] => {
            let error = raise.exc.as_deref().map(ruff_python_ast::helpers::map_callable);
            finding.fact("raises", error.map(|error| Fact::from(site.module.source(error))))
        }
        [Stmt::Return(statement)] => {
            let value = statement.value.as_deref()?;
            let shown = Fact::from(site.module.source(value));
            match value {
                Expr::BooleanLiteral(literal) if literal.value => finding.fact("true", length.as_ref().map(|_| shown)),
                Expr::BooleanLiteral(_) => finding.fact("false", shown),
                other if is_no_bool(other) => finding.fact("no_bool", shown),
                _ => finding,
            }
        }
        _ => finding,
    };
    let finding = match length {
        Some(definer) => finding
            .fact("length", Fact::from(format!("{}.__len__", definer.name())))
            .fact("length_at", length_at.map(Fact::from)),
        None => finding,
    };
    finding.facts.iter().next()?;
    findings.push(finding.fact("class", Fact::from(method.statement.name.as_str())));
    Some(())
}

/// What is certainly no `bool`.
fn is_no_bool(value: &Expr) -> bool {
    match value {
        Expr::Call(call) => is_name(&call.func, "len"),
        Expr::Name(name) => name.id == "NotImplemented",
        other => other.is_literal_expr(),
    }
}
