//! Binary operators on known values.

use ruff_python_ast::Operator;

use super::modules::Evaluator;
use super::{Arguments, ClassRef, Value};

impl Evaluator<'_> {
    /// What a binary operator gives.
    pub fn binary(&self, left: &Value, op: Operator, right: &Value) -> Value {
        if let (Value::OneOf(_), _) | (_, Value::OneOf(_)) = (left, right) {
            let pairs =
                left.alternatives().iter().flat_map(|left| right.alternatives().iter().map(move |right| (left, right)));
            return Value::join(pairs.map(|(left, right)| self.binary(left, op, right)));
        }
        if let (Value::Int(left), Value::Int(right)) = (left, right)
            && let Some(number) = integer(*left, op, *right)
        {
            return Value::Int(number);
        }
        if let (Value::Int(_), Operator::Pow, Value::Int(..0)) = (left, op, right) {
            return Value::c_instance("builtins.float");
        }
        if let (Value::Str(left), Operator::Add, Value::Str(right)) = (left, op, right) {
            return Value::Str(format!("{left}{right}").into());
        }
        if let (Value::Tuple(left), Operator::Add, Value::Tuple(right)) = (left, op, right) {
            return Value::Tuple(left.iter().chain(right.iter()).cloned().collect());
        }
        if matches!(op, Operator::BitOr)
            && let (Value::Class(_) | Value::Alias(_), Value::Class(_) | Value::Alias(_) | Value::None) = (left, right)
        {
            return Value::c_instance("types.UnionType");
        }
        let (Some(ClassRef::C(left_name)), Some(right_class)) = (self.type_of(left), self.type_of(right)) else {
            return self.operator_method(left, op, right);
        };
        let right_name = match &right_class {
            ClassRef::C(name) => name.clone(),
            _ => return Value::Unknown,
        };
        builtin_operation(&left_name, op, &right_name).map_or(Value::Unknown, Value::c_instance)
    }

    /// Whether a class derives from `enum.Flag`.
    fn is_flag(&self, class: &ClassRef) -> bool {
        let Some(order) = self.mro(class) else { return false };
        order.iter().any(|class| self.class_name(class).as_deref() == Some("enum.Flag"))
    }

    /// An operator that the left operand's class defines in Python.
    fn operator_method(&self, left: &Value, op: Operator, right: &Value) -> Value {
        let method = match op {
            Operator::BitOr => "__or__",
            Operator::BitAnd => "__and__",
            Operator::Add => "__add__",
            Operator::Sub => "__sub__",
            Operator::Mult => "__mul__",
            Operator::Mod => "__mod__",
            Operator::Div => "__truediv__",
            _ => return Value::Unknown,
        };
        let Some(class) = self.type_of(left) else { return Value::Unknown };
        let is_bitwise = matches!(op, Operator::BitOr | Operator::BitAnd | Operator::BitXor);
        if is_bitwise && self.is_flag(&class) && self.type_of(right).as_ref() == Some(&class) {
            return Value::Instance(class); // `enum.Flag`
        }
        let Some(function @ Value::Function(_)) = self.class_entry(&class, method).map(|(_, value)| value) else {
            return Value::Unknown;
        };
        self.call_bound(left.clone(), &class, method, function, Arguments::of(vec![right.clone()]))
    }
}

fn integer(left: i64, op: Operator, right: i64) -> Option<i64> {
    match op {
        Operator::Add => left.checked_add(right),
        Operator::Sub => left.checked_sub(right),
        Operator::Mult => left.checked_mul(right),
        Operator::BitOr => Some(left | right),
        Operator::BitAnd => Some(left & right),
        Operator::Pow => u32::try_from(right).ok().and_then(|right| left.checked_pow(right)),
        Operator::LShift => {
            u32::try_from(right).ok().filter(|right| *right < 32).and_then(|right| left.checked_mul(1 << right))
        }
        _ => None,
    }
}

/// The class of what an operator gives for two builtin operands.
fn builtin_operation(left: &str, op: Operator, right: &str) -> Option<&'static str> {
    let number = |name: &str| match name {
        "builtins.bool" | "builtins.int" => Some(0),
        "builtins.float" => Some(1),
        "builtins.complex" => Some(2),
        _ => None,
    };
    match (left, op, right) {
        ("builtins.str", Operator::Mod, _) => Some("builtins.str"),
        ("builtins.bytes", Operator::Mod, _) => Some("builtins.bytes"),
        ("builtins.str", Operator::Add, "builtins.str") => Some("builtins.str"),
        ("builtins.bytes", Operator::Add, "builtins.bytes") => Some("builtins.bytes"),
        ("builtins.list", Operator::Add, "builtins.list") => Some("builtins.list"),
        ("builtins.tuple", Operator::Add, "builtins.tuple") => Some("builtins.tuple"),
        ("builtins.dict", Operator::BitOr, "builtins.dict") => Some("builtins.dict"),
        (
            "builtins.set",
            Operator::BitOr | Operator::BitAnd | Operator::Sub | Operator::BitXor,
            "builtins.set" | "builtins.frozenset",
        ) => Some("builtins.set"),
        (
            "builtins.frozenset",
            Operator::BitOr | Operator::BitAnd | Operator::Sub,
            "builtins.set" | "builtins.frozenset",
        ) => Some("builtins.frozenset"),
        (
            sequence @ ("builtins.str" | "builtins.bytes" | "builtins.list" | "builtins.tuple"),
            Operator::Mult,
            "builtins.int",
        ) => Some(match sequence {
            "builtins.str" => "builtins.str",
            "builtins.bytes" => "builtins.bytes",
            "builtins.list" => "builtins.list",
            _ => "builtins.tuple",
        }),
        _ => {
            let (left, right) = (number(left)?, number(right)?);
            let wide = left.max(right);
            match op {
                Operator::Div if wide == 0 => Some("builtins.float"),
                // The sign of the exponent decides.
                Operator::Pow | Operator::MatMult => None,
                Operator::BitAnd | Operator::BitOr | Operator::BitXor | Operator::LShift | Operator::RShift
                    if wide > 0 =>
                {
                    None
                }
                _ => Some(["builtins.int", "builtins.float", "builtins.complex"][wide]),
            }
        }
    }
}
