//! The base of an enumeration, and `@unique`: names that look like members and are none, members that equal those of another
//! enumeration, and a class that cannot be made.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::class_reading::{class_statements, is_own};
use super::enum_alias::{Member, Value, is_plain_enumeration, members};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Module, Origin, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["metaclasses/enum-class"], nodes: &[NodeKind::StmtClassDef], detect };

const BASES: &[&str] = &["enum.Enum", "enum.Flag", "enum.IntEnum", "enum.IntFlag", "enum.StrEnum"];
const METACLASSES: &[&str] = &["enum.EnumMeta", "enum.EnumType"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtClassDef(statement) = site.node else { return None };
    let module = site.module;
    if site.is_type_checking() {
        return None;
    }
    let new = |named: &Expr| {
        Finding::new("metaclasses/enum-class", named.range())
            .fact("class", Fact::from(statement.name.as_str()))
            .fact("base", Fact::from(module.source(named)))
    };
    for base in statement.bases() {
        let is_meta = module.may_be(base, METACLASSES);
        let may_be = is_meta || module.may_be(base, BASES);
        let Some(symbol) = may_be.then(|| module.symbol(base)).flatten() else { continue };
        if symbol.is_any(METACLASSES) {
            findings.extend(of_metaclass(module, statement, new(base)));
        } else if symbol.is_any(BASES) {
            let class = module.class(statement)?;
            let found = of_class(module, statement, &class, symbol.last(), new(base));
            findings.extend(found);
        }
    }
    for decorator in &statement.decorator_list {
        let named = &decorator.expression;
        if module.may_be(named, &["enum.unique"]) && module.is_symbol(named, "enum.unique") {
            let class = module.class(statement).filter(is_plain_enumeration)?;
            let twice = twice(&members(module, statement)).filter(|_| is_own(&class));
            findings.extend(
                twice.map(|(name, first)| {
                    new(named).fact("duplicate", Fact::from(name)).fact("first", Fact::from(first))
                }),
            );
        }
    }
    Some(())
}

/// The first name whose value an earlier one has, and that one.
fn twice(members: &[Member]) -> Option<(String, String)> {
    members.iter().enumerate().find_map(|(index, member)| {
        let value = member.value.as_ref()?;
        let first = members[..index].iter().find(|earlier| earlier.value.as_ref() == Some(value))?;
        Some((member.name.clone(), first.name.clone()))
    })
}

/// What a metaclass changes about looking members up.
fn of_metaclass(module: &Module, statement: &ast::StmtClassDef, finding: Finding) -> Option<Finding> {
    let place = |name: &str| {
        let def = super::method_body::method(&statement.body, name)?;
        module.place(def.name.range()).map(Fact::from)
    };
    if let Some(at) = place("__call__") {
        return Some(finding.fact("call_at", at));
    }
    place("__contains__").map(|at| finding.fact("contains_at", at))
}

fn of_class(
    module: &Module,
    statement: &ast::StmtClassDef,
    class: &Class,
    base: &str,
    finding: Finding,
) -> Option<Finding> {
    let functions = functions(module, statement);
    if !functions.is_empty() {
        return Some(finding.fact("functions", Fact::from(functions)));
    }
    if !is_plain_enumeration(class) {
        return None;
    }
    let own = members(module, statement);
    match base {
        "StrEnum" => {
            let refused =
                own.iter().find(|member| matches!(member.value, Some(Value::Integer(_) | Value::Float(_))))?;
            Some(finding.fact("refused", Fact::from(refused.name.as_str())))
        }
        "Flag" | "IntFlag" => overlapping(module, statement, &own, finding),
        "IntEnum" => equal(module, class, &own, finding),
        _ => None,
    }
}

/// Names of the body that are bound to a function of Python: a descriptor, and so a method.
fn functions(module: &Module, statement: &ast::StmtClassDef) -> Vec<String> {
    let assigned = statement.body.iter().filter_map(Stmt::as_assign_stmt).filter_map(|assign| {
        let [Expr::Name(target)] = assign.targets.as_slice() else { return None };
        let is_function = match &*assign.value {
            Expr::Lambda(_) => true,
            Expr::Name(_) => module
                .function(&assign.value)
                .is_some_and(|function| function.symbol.origin == Origin::Project && !function.is_decorated),
            _ => false,
        };
        (is_function && !target.id.starts_with('_')).then(|| target.id.to_string())
    });
    assigned.collect()
}

/// A flag written as a number that is those of others together: counted on, where bits were meant.
fn overlapping(module: &Module, statement: &ast::StmtClassDef, own: &[Member], finding: Finding) -> Option<Finding> {
    let written = statement.body.iter().filter_map(Stmt::as_assign_stmt).find_map(|assign| {
        let [Expr::Name(target)] = assign.targets.as_slice() else { return None };
        let is_number = assign.value.is_number_literal_expr() && !module.source(&*assign.value).starts_with("0x");
        let index = own.iter().position(|member| member.name == target.id.as_str())?;
        let Some(Value::Integer(bits)) = own[index].value else { return None };
        let parts: Vec<&Member> = own[..index]
            .iter()
            .filter(|member| matches!(member.value, Some(Value::Integer(bit)) if bit > 0 && bit.count_ones() == 1 && bits & bit != 0))
            .collect();
        let is_all = bits.count_ones() as usize == parts.len() && parts.len() > 1;
        (is_number && is_all).then(|| {
            (target.id.to_string(), parts.into_iter().map(|part| part.name.clone()).collect::<Vec<_>>())
        })
    })?;
    Some(finding.fact("flag", Fact::from(written.0)).fact("parts", Fact::from(written.1)))
}

/// A member of another `IntEnum` of the file that has the number of one of these.
fn equal(module: &Module, class: &Class, own: &[Member], finding: Finding) -> Option<Finding> {
    let others = class_statements(module).into_iter().filter(|statement| !statement.bases().is_empty());
    let others = others.filter_map(|statement| Some((statement, module.class(statement)?)));
    let mut others =
        others.filter(|(_, other)| other != class && other.inherits("enum.IntEnum") && is_plain_enumeration(other));
    others.find_map(|(statement, other)| {
        let theirs = members(module, statement);
        own.iter().find_map(|member| {
            let value = member.value.as_ref()?;
            let twin = theirs.iter().find(|their| their.value.as_ref() == Some(value))?;
            Some(
                finding
                    .clone()
                    .fact("member", Fact::from(format!("{}.{}", class.name(), member.name)))
                    .fact("twin", Fact::from(format!("{}.{}", other.name(), twin.name))),
            )
        })
    })
}
