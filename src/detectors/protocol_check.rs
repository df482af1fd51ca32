//! `isinstance(x, P)` and `issubclass(C, P)` for a protocol of the project: what is compared, and when it is refused.

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind, Stmt};

use super::class_reading::{is_own, is_protocol};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["metaclasses/protocol-check"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let name = call.func.as_name_expr().map(|name| name.id.as_str())?;
    let [object, tested] = &*call.arguments.args else { return None };
    if !matches!(name, "isinstance" | "issubclass") || site.is_type_checking() {
        return None;
    }
    let class = site.module.class_reference(tested).filter(is_own).filter(is_protocol)?;
    let is_checkable = class.with_statement(|module, statement| {
        statement.decorator_list.iter().any(|decorator| {
            const CHECKABLE: &[&str] = &["typing.runtime_checkable", "typing_extensions.runtime_checkable"];
            module.symbol(&decorator.expression).is_some_and(|symbol| symbol.is_any(CHECKABLE))
        })
    });
    let (mut methods, mut data) = (vec![], vec![]);
    for class in class.mro().iter().filter(|class| is_own(class)) {
        members(class, &mut methods, &mut data);
    }
    let finding = Finding::new("metaclasses/protocol-check", call.range())
        .fact("code", Fact::from(site.module.source(call)))
        .fact("protocol", Fact::from(class.name()))
        .fact("protocol_at", class.place().map(Fact::from));
    let shown = Fact::from(site.module.source(object));
    findings.push(if !is_checkable {
        finding.fact("unchecked", Fact::from(class.name()))
    } else if name == "issubclass" && !data.is_empty() {
        finding.fact("data", Fact::from(data))
    } else if name == "isinstance" && (!methods.is_empty() || !data.is_empty()) {
        let members: Vec<String> = methods.into_iter().chain(data).collect();
        finding.fact("members", Fact::from(members)).fact("argument", shown)
    } else {
        return None;
    });
    Some(())
}

/// The members that a protocol asks for: functions, and what is only annotated or assigned.
fn members(class: &Class, methods: &mut Vec<String>, data: &mut Vec<String>) {
    class.with_statement(|_, statement| {
        for member in &statement.body {
            let (name, kind): (&str, &mut Vec<String>) = match member {
                Stmt::FunctionDef(def) => {
                    let is_property = def.decorator_list.iter().any(
                        |decorator| matches!(&decorator.expression, ast::Expr::Name(name) if name.id == "property"),
                    );
                    (def.name.as_str(), if is_property { &mut *data } else { &mut *methods })
                }
                Stmt::AnnAssign(field) => match field.target.as_name_expr() {
                    Some(name) => (name.id.as_str(), &mut *data),
                    None => continue,
                },
                _ => continue,
            };
            if name != "__init__" && !kind.iter().any(|known| known == name) {
                kind.push(name.to_string());
            }
        }
    });
}
