//! Conditions that are decided before the program starts: versions, platforms, `TYPE_CHECKING`, and tests of known values.

use ruff_python_ast::{self as ast, CmpOp, Expr};

use super::modules::{Context, Evaluator};
use super::{ClassRef, Value};

impl<'db> Evaluator<'db> {
    /// Whether an expression is true, where that is certain.
    pub fn truth(&self, context: &Context<'db>, expr: &Expr) -> Option<bool> {
        match expr {
            Expr::Name(name) if name.id == "TYPE_CHECKING" => return Some(false),
            Expr::Attribute(attribute) if attribute.attr.as_str() == "TYPE_CHECKING" => return Some(false),
            Expr::UnaryOp(unary) if unary.op == ast::UnaryOp::Not => {
                return self.truth(context, &unary.operand).map(|truth| !truth);
            }
            Expr::BoolOp(chain) => {
                let decides = chain.op == ast::BoolOp::Or;
                let mut result = Some(!decides);
                for value in &chain.values {
                    match self.truth(context, value) {
                        Some(truth) if truth == decides => return Some(decides),
                        Some(_) => {}
                        None => result = None,
                    }
                }
                return result;
            }
            Expr::Compare(compare) => return self.comparison(context, compare),
            _ => {}
        }
        self.truth_of(&self.evaluate(context, expr))
    }

    /// Whether a value counts as true.
    pub fn truth_of(&self, value: &Value) -> Option<bool> {
        match value {
            Value::None => Some(false),
            Value::Bool(truth) => Some(*truth),
            Value::Int(number) => Some(*number != 0),
            Value::Str(text) => Some(!text.is_empty()),
            Value::Tuple(items) => Some(!items.is_empty()),
            Value::Function(_) | Value::Builtin(_) | Value::Module(_) | Value::Method(_) => Some(true),
            // A metaclass may say otherwise, but hardly any does.
            Value::Class(_) => Some(true),
            Value::OneOf(values) => {
                let mut truths = values.iter().map(|value| self.truth_of(value));
                let first = truths.next()??;
                truths.all(|truth| truth == Some(first)).then_some(first)
            }
            _ => None,
        }
    }

    fn comparison(&self, context: &Context<'db>, compare: &ast::ExprCompare) -> Option<bool> {
        let ([op], [right]) = (&*compare.ops, &*compare.comparators) else { return None };
        let left = self.evaluate(context, &compare.left);
        let right = self.evaluate(context, right);
        match op {
            CmpOp::Is => is_same(&left, &right),
            CmpOp::IsNot => is_same(&left, &right).map(|same| !same),
            CmpOp::Eq => order(&left, &right).map(|order| order.is_eq()),
            CmpOp::NotEq => order(&left, &right).map(|order| order.is_ne()),
            CmpOp::Lt => order(&left, &right).map(|order| order.is_lt()),
            CmpOp::LtE => order(&left, &right).map(|order| order.is_le()),
            CmpOp::Gt => order(&left, &right).map(|order| order.is_gt()),
            CmpOp::GtE => order(&left, &right).map(|order| order.is_ge()),
            CmpOp::In => contains(&right, &left),
            CmpOp::NotIn => contains(&right, &left).map(|contains| !contains),
        }
    }

    /// `isinstance(value, classes)`.
    pub fn is_instance(&self, value: &Value, classes: &Value) -> Option<bool> {
        let class = self.type_of(value)?;
        self.is_subclass(&class, classes)
    }

    /// `issubclass(class, classes)`.
    pub fn is_subclass(&self, class: &ClassRef, classes: &Value) -> Option<bool> {
        match classes {
            Value::Class(other) => {
                let order = self.mro(class)?;
                if order.contains(other) {
                    return Some(true);
                }
                // An abstract base class may say yes to anything.
                let metaclass = self.metaclass(other)?;
                (metaclass == ClassRef::C("builtins.type".into())).then_some(false)
            }
            Value::Tuple(classes) => {
                let mut result = Some(false);
                for other in classes.iter() {
                    match self.is_subclass(class, other) {
                        Some(true) => return Some(true),
                        Some(false) => {}
                        None => result = None,
                    }
                }
                result
            }
            _ => None,
        }
    }
}

fn is_same(left: &Value, right: &Value) -> Option<bool> {
    match (left, right) {
        (Value::Unknown, _) | (_, Value::Unknown) => None,
        (Value::OneOf(values), other) | (other, Value::OneOf(values)) => {
            let mut answers = values.iter().map(|value| is_same(value, other));
            let first = answers.next()??;
            answers.all(|answer| answer == Some(first)).then_some(first)
        }
        (Value::None, Value::None) => Some(true),
        // An instance of a class that is not `NoneType` is not `None`.
        (Value::Instance(class), Value::None) | (Value::None, Value::Instance(class)) => {
            (*class != ClassRef::C("builtins.NoneType".into())).then_some(false)
        }
        (Value::None, _) | (_, Value::None) => Some(false),
        (Value::Bool(left), Value::Bool(right)) => Some(left == right),
        (Value::Class(left), Value::Class(right)) => Some(left == right),
        (Value::Function(left), Value::Function(right)) => Some(left == right),
        (Value::Class(_) | Value::Function(_), Value::Class(_) | Value::Function(_)) => Some(false),
        _ => None,
    }
}

fn order(left: &Value, right: &Value) -> Option<std::cmp::Ordering> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::Str(left), Value::Str(right)) => Some(left.cmp(right)),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Tuple(left), Value::Tuple(right)) => {
            for (left, right) in left.iter().zip(right.iter()) {
                let order = order(left, right)?;
                if order.is_ne() {
                    return Some(order);
                }
            }
            Some(left.len().cmp(&right.len()))
        }
        _ => None,
    }
}

fn contains(container: &Value, item: &Value) -> Option<bool> {
    let Value::Tuple(items) = container else { return None };
    let mut result = Some(false);
    for candidate in items.iter() {
        match order(candidate, item).map(|order| order.is_eq()).or_else(|| is_same(candidate, item)) {
            Some(true) => return Some(true),
            Some(false) => {}
            None => result = None,
        }
    }
    result
}
