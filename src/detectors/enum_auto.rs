//! `auto()` behind values that are written out: which value it becomes, where that is not one more than the line before.

use ruff_python_ast::{AnyNodeRef, Expr, NodeKind};

use super::class_reading::is_own;
use super::enum_alias::{Value, is_plain_enumeration, members};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["metaclasses/enum-auto"], nodes: &[NodeKind::StmtAssign], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtAssign(assign) = site.node else { return None };
    let call = assign.value.as_call_expr().filter(|call| call.arguments.is_empty())?;
    let [Expr::Name(target)] = assign.targets.as_slice() else { return None };
    let AnyNodeRef::StmtClassDef(statement) = site.parent()? else { return None };
    site.callee_among(call, &["enum.auto"])?;
    let module = site.module;
    let class = module.class(statement).filter(is_own).filter(is_plain_enumeration)?;
    let is_mixed = class.inherits("builtins.str") && !class.inherits("enum.StrEnum");
    if class.inherits("enum.Flag") || class.inherits("enum.StrEnum") {
        return None;
    }
    let members = members(module, statement);
    let at = members.iter().position(|member| member.name == target.id.as_str())?;
    let auto = |index: usize| members[index].value.is_none() && is_auto(site, &members[index].name);
    let finding = Finding::new("metaclasses/enum-auto", call.func.range())
        .fact("class", Fact::from(class.name()))
        .fact("member", Fact::from(target.id.as_str()));
    if is_mixed {
        let is_first = (0..at).all(auto);
        findings.extend(is_first.then(|| finding.fact("text", Fact::from(at + 1))));
        return Some(());
    }
    let mut values: Vec<i64> = vec![];
    for (index, earlier) in members.iter().enumerate().take(at) {
        match &earlier.value {
            Some(Value::Integer(number)) => values.push(*number),
            Some(Value::Text(text)) if index + 1 == at => {
                findings.push(finding.fact("before", Fact::from(text.as_str())));
                return Some(());
            }
            None if auto(index) => values.push(next(&values, module.version())?),
            _ => return None,
        }
    }
    let value = next(&values, module.version())?;
    let later = members[at + 1..].iter().find(|member| member.value == Some(Value::Integer(value)));
    let largest = values.iter().max().copied();
    let finding = match later {
        Some(later) => finding
            .fact("taken_by", Fact::from(later.name.as_str()))
            .fact("taken_at", later.place.clone().map(Fact::from)),
        None if largest == values.last().copied() => return None,
        None => finding.fact("number", Fact::from(value.to_string())),
    };
    findings.push(finding.fact("value", Fact::from(value.to_string())));
    Some(())
}

/// What `auto()` becomes behind these values. 3.11 and 3.12 warn where the last is not the largest, and which of the two they
/// count from is not documented.
fn next(values: &[i64], version: (u8, u8)) -> Option<i64> {
    let (Some(last), Some(largest)) = (values.last(), values.iter().max()) else { return Some(1) };
    match version {
        (3, 11 | 12) if last != largest => None,
        version if version < (3, 11) => last.checked_add(1),
        _ => largest.checked_add(1),
    }
}

/// Whether the body binds the name to `auto()`.
fn is_auto(site: &Site, name: &str) -> bool {
    let Some(AnyNodeRef::StmtClassDef(statement)) = site.parent() else { return false };
    statement.body.iter().filter_map(ruff_python_ast::Stmt::as_assign_stmt).any(|assign| {
        let is_it = assign.targets.iter().any(|target| super::method_body::is_name(target, name));
        let call = assign.value.as_call_expr();
        is_it && call.is_some_and(|call| site.callee_among(call, &["enum.auto"]).is_some())
    })
}
