//! Names of an enumeration that make no member of their own: aliases, and flags of several bits or none.
//!
//! Values are compared where they are written out: numbers, text, tuples of them, and names and bits put together.
//! Silent where `__new__` or another metaclass may make other values of them.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Number, Operator, Stmt, UnaryOp};

use super::class_reading::is_own;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Module, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["metaclasses/enum-alias"], nodes: &[NodeKind::ExprAttribute, NodeKind::StmtAssign], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let (class, name, range) = match site.node {
        AnyNodeRef::StmtAssign(assign) => {
            let AnyNodeRef::StmtClassDef(statement) = site.parent()? else { return None };
            let [Expr::Name(target)] = assign.targets.as_slice() else { return None };
            if statement.bases().is_empty() || site.is_type_checking() {
                return None;
            }
            (site.module.class(statement)?, target.id.as_str(), target.range())
        }
        AnyNodeRef::ExprAttribute(attribute) if attribute.ctx.is_load() && is_member_name(&attribute.attr) => {
            if !site.module.may_have_class_attribute(&attribute.attr) && !attribute.attr.contains(char::is_uppercase) {
                return None;
            }
            (site.module.class_reference(&attribute.value)?, attribute.attr.as_str(), attribute.attr.range())
        }
        _ => return None,
    };
    if !is_own(&class) || !is_plain_enumeration(&class) {
        return None;
    }
    let is_flag = class.inherits("enum.Flag");
    let member = class.with_statement(|module, statement| {
        let members = members(module, statement);
        let at = members.iter().position(|member| member.name == name)?;
        let value = members[at].value.clone()?;
        let original = members[..at].iter().find(|earlier| earlier.value.as_ref() == Some(&value));
        Some((original.map(|original| (original.name.clone(), original.place.clone())), value))
    })?;
    let (original, value) = member;
    let finding = Finding::new("metaclasses/enum-alias", range)
        .fact("name", Fact::from(name))
        .fact("class", Fact::from(class.name()));
    let finding = match (original, value) {
        (Some((original, place)), _) => {
            let refused = class.with_statement(|module, statement| is_unique(module, statement));
            let fact = if refused { "refused" } else { "original" };
            let at = place.map(Fact::from);
            finding.fact(fact, Fact::from(original.as_str())).fact("original_at", at)
        }
        (None, Value::Integer(bits)) if is_flag && bits > 0 && bits.count_ones() > 1 => {
            finding.fact("combined", Fact::from(name))
        }
        (None, Value::Integer(0)) if is_flag => finding.fact("empty", Fact::from(name)),
        _ => return None,
    };
    findings.push(finding);
    Some(())
}

/// Whether the values in the body are what `enum` compares.
pub(super) fn is_plain_enumeration(class: &Class) -> bool {
    const BASES: &[&str] = &[
        "builtins.bytes",
        "builtins.float",
        "builtins.int",
        "builtins.object",
        "builtins.str",
        "enum.Enum",
        "enum.Flag",
        "enum.IntEnum",
        "enum.IntFlag",
        "enum.ReprEnum",
        "enum.StrEnum",
    ];
    const MAKERS: &[&str] = &["__new__", "_generate_next_value_", "_ignore_", "__prepare__"];
    let is_known = |base: &Class| match is_own(base) {
        true => base.inherits("enum.Enum") && !MAKERS.iter().any(|maker| base.binds(maker)),
        // `int` and `str` stand behind stubs' protocols, which have no say.
        false => base.symbol().is_any(BASES) || matches!(base.symbol().module.as_str(), "typing" | "collections.abc"),
    };
    class.inherits("enum.Enum")
        && class.mro().iter().all(is_known)
        && class
            .metaclass()
            .is_some_and(|metaclass| metaclass.class.symbol().is_any(&["enum.EnumMeta", "enum.EnumType"]))
}

/// A name that can be a member's: no private one, and none with underscores on both sides.
fn is_member_name(name: &str) -> bool {
    !name.starts_with('_')
}

pub(super) struct Member {
    pub(super) name: String,
    pub(super) value: Option<Value>,
    pub(super) place: Option<Place>,
}

/// A value that is written out. Numbers that are equal are one value, whatever their type.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Integer(i64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    Tuple(Vec<Value>),
}

pub(super) fn members(module: &Module, statement: &ast::StmtClassDef) -> Vec<Member> {
    let mut found: Vec<Member> = vec![];
    for inner in &statement.body {
        let Stmt::Assign(assign) = inner else { continue };
        let [Expr::Name(target)] = assign.targets.as_slice() else { continue };
        if is_member_name(&target.id) {
            found.push(Member {
                value: value(&assign.value, &found),
                name: target.id.to_string(),
                place: module.place(target.range()),
            });
        }
    }
    found
}

fn value(expr: &Expr, earlier: &[Member]) -> Option<Value> {
    Some(match expr {
        Expr::NumberLiteral(number) => match &number.value {
            Number::Int(int) => Value::Integer(int.as_i64()?),
            Number::Float(float) => float_value(*float),
            Number::Complex { .. } => return None,
        },
        Expr::BooleanLiteral(literal) => Value::Integer(i64::from(literal.value)),
        Expr::StringLiteral(text) => Value::Text(text.value.to_str().to_string()),
        Expr::BytesLiteral(bytes) => Value::Bytes(bytes.value.bytes().collect()),
        Expr::Tuple(tuple) => Value::Tuple(tuple.elts.iter().map(|part| value(part, earlier)).collect::<Option<_>>()?),
        Expr::Name(name) => earlier.iter().rev().find(|member| member.name == name.id.as_str())?.value.clone()?,
        Expr::UnaryOp(operation) if operation.op == UnaryOp::USub => match value(&operation.operand, earlier)? {
            Value::Integer(number) => Value::Integer(number.checked_neg()?),
            Value::Float(number) => Value::Float(-number),
            _ => return None,
        },
        Expr::BinOp(operation) => {
            let (left, right) = (value(&operation.left, earlier)?, value(&operation.right, earlier)?);
            let (Value::Integer(left), Value::Integer(right)) = (left, right) else { return None };
            match operation.op {
                Operator::BitOr => Value::Integer(left | right),
                Operator::BitAnd => Value::Integer(left & right),
                Operator::LShift if (0..32).contains(&right) && (0..i64::from(u16::MAX)).contains(&left) => {
                    Value::Integer(left << right)
                }
                _ => return None,
            }
        }
        _ => return None,
    })
}

/// `1.0` is the value `1`.
fn float_value(float: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "only whole numbers of a few digits are converted")]
    match float.fract() == 0.0 && float.abs() < 1e9 {
        true => Value::Integer(float as i64),
        false => Value::Float(float),
    }
}

/// Whether `@unique` or `@verify(UNIQUE)` refuses a second name for a value.
fn is_unique(module: &Module, statement: &ast::StmtClassDef) -> bool {
    statement.decorator_list.iter().any(|decorator| match &decorator.expression {
        Expr::Call(call) => {
            module.is_symbol(&call.func, "enum.verify")
                && call.arguments.args.iter().any(|check| module.source(check).ends_with("UNIQUE"))
        }
        other => module.is_symbol(other, "enum.unique"),
    })
}
