//! Expressions and bindings: what they evaluate to.

use ruff_python_ast::{self as ast, Expr, Operator, Stmt};
use ruff_text_size::Ranged as _;

use super::super::syntax_index::last_name;
use super::index::BindingKind;
use super::modules::{Context, Evaluator};
use super::{Arguments, ClassRef, Function, Value};

impl<'db> Evaluator<'db> {
    /// What `expr` evaluates to.
    pub fn evaluate(&self, context: &Context<'db>, expr: &Expr) -> Value {
        match self.budget.get().checked_sub(1) {
            Some(rest) => self.budget.set(rest),
            None => return Value::Unknown,
        }
        match expr {
            Expr::StringLiteral(literal) => Value::Str(literal.value.to_str().into()),
            Expr::BytesLiteral(_) => Value::c_instance("builtins.bytes"),
            Expr::NumberLiteral(literal) => match &literal.value {
                ast::Number::Int(number) => {
                    number.as_i64().map_or_else(|| Value::c_instance("builtins.int"), Value::Int)
                }
                ast::Number::Float(_) => Value::c_instance("builtins.float"),
                ast::Number::Complex { .. } => Value::c_instance("builtins.complex"),
            },
            Expr::BooleanLiteral(literal) => Value::Bool(literal.value),
            Expr::NoneLiteral(_) => Value::None,
            Expr::EllipsisLiteral(_) => Value::c_instance("builtins.ellipsis"),
            Expr::FString(_) => Value::c_instance("builtins.str"),
            Expr::Tuple(tuple) => self.tuple(context, &tuple.elts),
            Expr::List(_) | Expr::ListComp(_) => Value::c_instance("builtins.list"),
            Expr::Dict(_) | Expr::DictComp(_) => Value::c_instance("builtins.dict"),
            Expr::Set(_) | Expr::SetComp(_) => Value::c_instance("builtins.set"),
            Expr::Generator(_) => Value::c_instance("builtins.generator"),
            Expr::Lambda(_) => {
                let node = context.source.at(super::index::number(expr));
                Value::Function(Function { node, closure: context.frame.clone() }.into())
            }
            Expr::Name(name) => self.name(context, &name.id).unwrap_or(Value::Unknown),
            Expr::Attribute(attribute) => {
                let object = self.evaluate(context, &attribute.value);
                object.map(|object| self.attribute(context, object, &attribute.attr).unwrap_or(Value::Unknown))
            }
            Expr::Call(call) => self.call_expression(context, call),
            Expr::Subscript(subscript) => self.subscript(context, subscript),
            Expr::BinOp(operation) => {
                let left = self.evaluate(context, &operation.left);
                let right = self.evaluate(context, &operation.right);
                self.binary(&left, operation.op, &right)
            }
            Expr::UnaryOp(operation) => self.unary(context, operation),
            Expr::BoolOp(chain) => self.chain(context, chain),
            Expr::Compare(compare) => self.compare(context, compare),
            Expr::If(conditional) => match self.truth(context, &conditional.test) {
                Some(true) => self.evaluate(context, &conditional.body),
                Some(false) => self.evaluate(context, &conditional.orelse),
                None => Value::join([
                    self.evaluate(context, &conditional.body),
                    self.evaluate(context, &conditional.orelse),
                ]),
            },
            Expr::Named(named) => self.evaluate(context, &named.value),
            _ => Value::Unknown,
        }
    }

    fn tuple(&self, context: &Context<'db>, items: &[Expr]) -> Value {
        if items.iter().any(Expr::is_starred_expr) {
            return Value::c_instance("builtins.tuple");
        }
        Value::Tuple(items.iter().map(|item| self.evaluate(context, item)).collect())
    }

    fn call_expression(&self, context: &Context<'db>, call: &ast::ExprCall) -> Value {
        if let Expr::Name(name) = &*call.func
            && name.id == "super"
            && call.arguments.is_empty()
        {
            return self.zero_argument_super(context);
        }
        let callee = self.evaluate(context, &call.func);
        if callee.is_unknown() {
            return Value::Unknown;
        }
        let arguments = self.arguments(context, &call.arguments);
        callee.map(|callee| self.call(context, callee, arguments.clone()))
    }

    /// The values of a call's arguments.
    pub fn arguments(&self, context: &Context<'db>, arguments: &ast::Arguments) -> Arguments {
        let mut values = Arguments::default();
        for argument in &arguments.args {
            match argument {
                Expr::Starred(starred) => match self.evaluate(context, &starred.value) {
                    Value::Tuple(items) => values.positional.extend(items.iter().cloned()),
                    _ => values.is_open = true,
                },
                // What follows an unknown number of arguments has no known position.
                _ if values.is_open => {}
                other => values.positional.push(self.evaluate(context, other)),
            }
        }
        for keyword in &arguments.keywords {
            match &keyword.arg {
                Some(name) => values.keywords.push((name.to_string(), self.evaluate(context, &keyword.value))),
                None => values.is_open = true,
            }
        }
        values
    }

    fn zero_argument_super(&self, context: &Context<'db>) -> Value {
        let Some(frame) = &context.frame else { return Value::Unknown };
        let (Some(owner), Some((_, receiver))) = (&frame.owner, frame.parameters.first()) else {
            return Value::Unknown;
        };
        let arguments = Arguments::of(vec![Value::Class(owner.clone()), receiver.clone()]);
        Value::object(ClassRef::C("builtins.super".into()), arguments)
    }

    fn unary(&self, context: &Context<'db>, operation: &ast::ExprUnaryOp) -> Value {
        let operand = self.evaluate(context, &operation.operand);
        match (operation.op, &operand) {
            (ast::UnaryOp::Not, _) => {
                self.truth_of(&operand).map_or_else(|| Value::c_instance("builtins.bool"), Value::Bool)
            }
            (ast::UnaryOp::USub, Value::Int(number)) => Value::Int(-number),
            (_, Value::Int(_)) => Value::c_instance("builtins.int"),
            (_, Value::Instance(ClassRef::C(name)))
                if matches!(&**name, "builtins.int" | "builtins.float" | "builtins.complex") =>
            {
                operand.clone()
            }
            (ast::UnaryOp::Invert, Value::Instance(ClassRef::Source(_))) => {
                let Some(class) = self.type_of(&operand) else { return Value::Unknown };
                match self.class_entry(&class, "__invert__").map(|(_, value)| value) {
                    Some(function @ Value::Function(_)) => {
                        self.call_bound(operand.clone(), &class, "__invert__", function, Arguments::default())
                    }
                    _ => Value::Unknown,
                }
            }
            _ => Value::Unknown,
        }
    }

    fn chain(&self, context: &Context<'db>, chain: &ast::ExprBoolOp) -> Value {
        let mut values = vec![];
        let Some((last, init)) = chain.values.split_last() else { return Value::Unknown };
        for value in init {
            let value = self.evaluate(context, value);
            let truth = self.truth_of(&value);
            let ends = chain.op == ast::BoolOp::Or;
            match truth {
                Some(truth) if truth == ends => {
                    values.push(value);
                    return Value::join(values);
                }
                Some(_) => {}
                None => values.push(value),
            }
        }
        values.push(self.evaluate(context, last));
        Value::join(values)
    }

    fn compare(&self, context: &Context<'db>, compare: &ast::ExprCompare) -> Value {
        if let Some(truth) = self.truth(context, &Expr::from(compare.clone())) {
            return Value::Bool(truth);
        }
        let gives_bool =
            |op: &ast::CmpOp| matches!(op, ast::CmpOp::Is | ast::CmpOp::IsNot | ast::CmpOp::In | ast::CmpOp::NotIn);
        if compare.ops.iter().all(gives_bool) {
            return Value::c_instance("builtins.bool");
        }
        let left = self.evaluate(context, &compare.left);
        let is_builtin =
            |value: &Value| matches!(self.type_of(value), Some(ClassRef::C(name)) if name.starts_with("builtins."));
        match is_builtin(&left) && compare.comparators.iter().all(|other| is_builtin(&self.evaluate(context, other))) {
            true => Value::c_instance("builtins.bool"),
            false => Value::Unknown,
        }
    }

    fn subscript(&self, context: &Context<'db>, subscript: &ast::ExprSubscript) -> Value {
        let value = self.evaluate(context, &subscript.value);
        value.map(|value| match value {
            Value::Class(_) | Value::Form(_) => self.subscripted_class(context, value, &subscript.slice),
            Value::Tuple(items) => match &*subscript.slice {
                Expr::Slice(slice) => {
                    let bound = |bound: &Option<Box<Expr>>| match bound.as_deref() {
                        None => Some(None),
                        Some(bound) => match self.evaluate(context, bound) {
                            Value::Int(number) => usize::try_from(number).ok().map(Some),
                            _ => None,
                        },
                    };
                    let (Some(lower), Some(upper)) = (bound(&slice.lower), bound(&slice.upper)) else {
                        return Value::c_instance("builtins.tuple");
                    };
                    let (lower, upper) = (lower.unwrap_or(0), upper.unwrap_or(items.len()).min(items.len()));
                    Value::Tuple(items.get(lower..upper).unwrap_or_default().into())
                }
                index => match self.evaluate(context, index) {
                    Value::Int(index) => {
                        let index = if index < 0 { items.len() as i64 + index } else { index };
                        let item = usize::try_from(index).ok().and_then(|index| items.get(index));
                        item.cloned().unwrap_or(Value::Unknown)
                    }
                    _ => Value::Unknown,
                },
            },
            Value::Str(_) => Value::c_instance("builtins.str"),
            // The variables that are left get their values; the class stays.
            Value::Alias(alias) if alias.class == "typing._GenericAlias" && !alias.is_special => value.clone(),
            Value::Object(object) => self.subscripted_object(object),
            _ => Value::Unknown,
        })
    }

    /// The value of a binding.
    pub fn evaluate_binding(&self, context: &Context<'db>, scope: usize, number: usize) -> Value {
        let source = context.source.clone();
        let binding = &source.index.scope(scope).bindings[number];
        match &binding.kind {
            BindingKind::Function => {
                let Some(def) = source.function(binding.node) else { return Value::Unknown };
                let function = Function { node: source.at(binding.node), closure: context.frame.clone() };
                let here = Context { at: Some(def.start()), ..context.clone() };
                self.decorated(&here, Value::Function(function.into()), &def.decorator_list)
            }
            BindingKind::Class => self.class_statement(context, source.at(binding.node)),
            BindingKind::Assign { value, path } => {
                let Some(expr) = source.expression(*value) else { return Value::Unknown };
                let here = Context { at: Some(expr.start()), ..context.clone() };
                let mut value = self.evaluate(&here, expr);
                for index in path {
                    value = value.map(|value| self.item(value, *index));
                }
                value
            }
            BindingKind::Augmented => {
                let Some(Stmt::AugAssign(assign)) = source.statement(binding.node) else { return Value::Unknown };
                let here = Context { at: Some(assign.start()), ..context.clone() };
                let before = self.name(&here, &binding.name).unwrap_or(Value::Unknown);
                let operand = self.evaluate(&here, &assign.value);
                let result = self.binary(&before, assign.op, &operand);
                match (self.type_of(&before), assign.op) {
                    // In place, whatever is added.
                    (Some(ClassRef::C(name)), Operator::Add) if &*name == "builtins.list" => before,
                    _ => result,
                }
            }
            BindingKind::Declared => {
                let Some(Stmt::AnnAssign(assign)) = source.statement(binding.node) else { return Value::Unknown };
                self.annotated(&Context { at: None, ..context.clone() }, &assign.annotation)
            }
            BindingKind::Import | BindingKind::ImportFrom => self.import_value(&source, binding.node),
            BindingKind::Item { iterable } => {
                let Some(expr) = source.expression(*iterable) else { return Value::Unknown };
                let here = Context { at: Some(expr.start()), ..context.clone() };
                match expr {
                    Expr::List(ast::ExprList { elts, .. }) | Expr::Set(ast::ExprSet { elts, .. }) => {
                        Value::join(elts.iter().map(|item| self.evaluate(&here, item)))
                    }
                    _ => match self.evaluate(&here, expr) {
                        Value::Tuple(items) => Value::join(items.iter().cloned()),
                        _ => Value::Unknown,
                    },
                }
            }
            BindingKind::Star | BindingKind::Deleted | BindingKind::Opaque => Value::Unknown,
        }
    }

    /// Item number `index` of what is unpacked.
    fn item(&self, value: &Value, index: usize) -> Value {
        match value {
            Value::Tuple(items) => items.get(index).cloned().unwrap_or(Value::Unknown),
            Value::Class(class) if self.metaclass(class).is_some_and(|metaclass| self.is_enum_type(&metaclass)) => {
                Value::Instance(class.clone())
            }
            other => match self.type_of(other) {
                Some(ClassRef::C(name)) if &*name == "builtins.range" => Value::c_instance("builtins.int"),
                _ => Value::Unknown,
            },
        }
    }

    /// What the decorators make of a function or class.
    pub fn decorated(&self, context: &Context<'db>, value: Value, decorators: &[ast::Decorator]) -> Value {
        // In a stub these only tell readers something.
        const MARKS: &[&str] = &["deprecated", "disjoint_base", "final", "overload", "type_check_only"];
        let is_mark = |decorator: &&ast::Decorator| {
            context.source.is_stub && last_name(&decorator.expression).is_some_and(|name| MARKS.contains(&name))
        };
        decorators.iter().rev().filter(|decorator| !is_mark(decorator)).fold(value, |value, decorator| {
            let function = self.evaluate(context, &decorator.expression);
            function.map(|function| self.call(context, function, Arguments::of(vec![value.clone()])))
        })
    }
}
