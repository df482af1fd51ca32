//! Calls: functions are followed through their `return` statements, classes make instances.

use std::sync::Arc;

use ruff_db::files::File;
use ruff_python_ast::{self as ast, AnyRootNodeRef, Expr};
use ruff_text_size::Ranged as _;

use super::super::functions::contains_yield;
use super::index::ScopeKind;
use super::modules::{Context, Evaluator, is_compiled};
use super::reaching::{Runs, leaves};
use super::{Arguments, ClassRef, Frame, Function, Node, Value};

/// How deep calls are followed.
const DEPTH: usize = 14;

impl<'db> Evaluator<'db> {
    /// What calling `callee` gives.
    pub fn call(&self, context: &Context<'db>, callee: &Value, arguments: Arguments) -> Value {
        match callee {
            Value::Function(function) => self.call_function(function, arguments, Some(context.source.file)),
            Value::Method(method) => {
                let (receiver, function) = &**method;
                let mut arguments = arguments;
                arguments.positional.insert(0, receiver.clone());
                self.call(context, function, arguments)
            }
            Value::Class(class) => self.instantiate(context, class, arguments),
            Value::Alias(alias) => self.instantiate(context, &alias.origin, arguments),
            Value::Builtin(name) => self.call_builtin(context, name, &arguments),
            Value::Object(object) if self.is_c(&object.class, "functools.partial") => {
                let Some((function, bound)) = object.arguments.positional.split_first() else {
                    return Value::Unknown;
                };
                let mut all = object.arguments.clone();
                all.positional = bound.iter().cloned().chain(arguments.positional).collect();
                all.keywords.extend(arguments.keywords);
                all.is_open |= arguments.is_open;
                self.call(context, function, all)
            }
            Value::Object(_) | Value::Instance(_) => {
                let Some(class) = self.type_of(callee) else { return Value::Unknown };
                match self.class_entry(&class, "__call__") {
                    Some((_, function @ Value::Function(_))) => {
                        self.call_bound(callee.clone(), &class, "__call__", function, arguments)
                    }
                    _ => Value::Unknown,
                }
            }
            Value::OneOf(_) => callee.map(|callee| self.call(context, callee, arguments.clone())),
            _ => Value::Unknown,
        }
    }

    /// Calls a function found on a class, with the object it is bound to.
    pub fn call_bound(
        &self,
        receiver: Value,
        _class: &ClassRef,
        _name: &str,
        function: Value,
        mut arguments: Arguments,
    ) -> Value {
        let Value::Function(function) = function else { return Value::Unknown };
        arguments.positional.insert(0, receiver);
        self.call_function(&function, arguments, None)
    }

    /// What a call of a function written in Python returns.
    pub fn call_function(&self, function: &Arc<Function>, arguments: Arguments, caller: Option<File>) -> Value {
        if self.depth.get() >= DEPTH {
            return Value::Unknown;
        }
        self.depth.set(self.depth.get() + 1);
        let known = self.known_function(function, &arguments, caller);
        let result = known.unwrap_or_else(|| self.run(function, arguments));
        self.depth.set(self.depth.get() - 1);
        if result.is_unknown() { self.documented_result(function) } else { result }
    }

    fn run(&self, function: &Arc<Function>, arguments: Arguments) -> Value {
        let source = self.source(function.node.file);
        match source.node(function.node.number) {
            AnyRootNodeRef::Expr(expr @ Expr::Lambda(lambda)) => {
                let scope = source.scope_around(expr.range());
                let context = Context { source: source.clone(), scope, frame: function.closure.clone(), at: None };
                let parameters = lambda.parameters.as_deref();
                let frame = self.frame(&context, function, parameters, arguments, None);
                self.evaluate(&Context { frame: Some(frame), ..context.clone() }, &lambda.body)
            }
            AnyRootNodeRef::Stmt(statement) => {
                let Some(def) = statement.as_function_def_stmt() else { return Value::Unknown };
                if let Some(result) = self.result_of_kind(def) {
                    return result;
                }
                if source.is_stub {
                    return self.stub_result(function.node);
                }
                let Some(context) = self.context_of_call(function, arguments) else { return Value::Unknown };
                self.returned(&context, def)
            }
            _ => Value::Unknown,
        }
    }

    /// Where the body of a function runs when it is called with these arguments.
    pub fn context_of_call(&self, function: &Arc<Function>, arguments: Arguments) -> Option<Context<'db>> {
        let source = self.source(function.node.file);
        let scope = source.index.scope_of(function.node.number)?;
        let outer = source.index.scope(scope).parent.unwrap_or_default();
        let around = Context { source: source.clone(), scope: outer, frame: function.closure.clone(), at: None };
        let owner = self.owner(&function.node);
        let parameters = source.function(function.node.number).map(|def| &*def.parameters);
        let frame = self.frame(&around, function, parameters, arguments, owner);
        Some(Context { source, scope, frame: Some(frame), at: None })
    }

    /// What every call of an `async def` or a generator function gives.
    fn result_of_kind(&self, def: &ast::StmtFunctionDef) -> Option<Value> {
        let name = match (def.is_async, contains_yield(&def.body)) {
            (true, true) => "builtins.async_generator",
            (true, false) => "builtins.coroutine",
            (false, true) => "builtins.generator",
            (false, false) => return None,
        };
        Some(Value::c_instance(name))
    }

    /// The class in whose body a function stands.
    pub fn owner(&self, node: &Node) -> Option<ClassRef> {
        let source = self.source(node.file);
        let scope = source.index.scope(source.index.scope_of(node.number)?).parent?;
        let scope = source.index.scope(scope);
        let class = scope.node.filter(|_| scope.kind == ScopeKind::Class)?;
        Some(ClassRef::Source(source.at(class)))
    }

    /// What the `return` statements of a function give, one by one.
    fn results(&self, function: &Arc<Function>, arguments: Arguments) -> Vec<Value> {
        let source = self.source(function.node.file);
        let Some(def) = source.function(function.node.number) else { return vec![] };
        if self.depth.get() >= DEPTH {
            return vec![];
        }
        self.depth.set(self.depth.get() + 1);
        let context = self.context_of_call(function, arguments);
        let values = context.map(|context| self.returned_values(&context, def)).unwrap_or_default();
        self.depth.set(self.depth.get() - 1);
        values
    }

    fn returned(&self, context: &Context<'db>, def: &ast::StmtFunctionDef) -> Value {
        Value::join(self.returned_values(context, def))
    }

    fn returned_values(&self, context: &Context<'db>, def: &ast::StmtFunctionDef) -> Vec<Value> {
        let scope = context.source.index.scope(context.scope);
        let mut values = vec![];
        for returned in &scope.returns {
            let condition = self.runs(context, returned.branch, returned.at, None);
            if condition.runs == Runs::Never {
                continue;
            }
            values.push(match returned.value.and_then(|value| context.source.expression(value)) {
                Some(value) => {
                    let here = Context { at: Some(returned.at), ..context.clone() };
                    self.evaluate(&here, value)
                }
                None => Value::None,
            });
            if condition.runs == Runs::Always {
                return values;
            }
        }
        if values.is_empty() && def.body.len() == 1 && leaves(&def.body) {
            return vec![]; // It only raises.
        }
        if !leaves(&def.body) {
            values.push(Value::None);
        }
        values
    }

    /// Binds the arguments of a call to the parameters.
    fn frame(
        &self,
        around: &Context<'db>,
        function: &Arc<Function>,
        parameters: Option<&ast::Parameters>,
        arguments: Arguments,
        owner: Option<ClassRef>,
    ) -> Arc<Frame> {
        let mut bound = vec![];
        let Arguments { positional, keywords, is_open } = arguments;
        let mut rest = positional.into_iter();
        let empty = ast::Parameters::default();
        let parameters = parameters.unwrap_or(&empty);
        let default = |parameter: &ast::ParameterWithDefault| match &parameter.default {
            _ if is_open => Value::Unknown,
            Some(default) => {
                // A default is evaluated once, where the function is defined.
                let at = Some(parameter.range().start());
                self.evaluate(&Context { at, ..around.clone() }, default)
            }
            None => Value::Unknown,
        };
        let keyword = |name: &str| keywords.iter().find(|(keyword, _)| keyword == name).map(|(_, value)| value.clone());
        for parameter in parameters.posonlyargs.iter().chain(&parameters.args) {
            let name = parameter.name().as_str();
            let value = rest.next().or_else(|| keyword(name)).unwrap_or_else(|| default(parameter));
            bound.push((name.to_string(), value));
        }
        if let Some(variadic) = &parameters.vararg {
            let value = match is_open {
                true => Value::c_instance("builtins.tuple"),
                false => Value::Tuple(rest.collect()),
            };
            bound.push((variadic.name.to_string(), value));
        }
        for parameter in &parameters.kwonlyargs {
            let name = parameter.name().as_str();
            bound.push((name.to_string(), keyword(name).unwrap_or_else(|| default(parameter))));
        }
        if let Some(variadic) = &parameters.kwarg {
            bound.push((variadic.name.to_string(), Value::c_instance("builtins.dict")));
        }
        Arc::new(Frame { node: function.node, parameters: bound, closure: function.closure.clone(), owner })
    }

    /// What calling a class gives.
    pub fn instantiate(&self, context: &Context<'db>, class: &ClassRef, arguments: Arguments) -> Value {
        if let ClassRef::C(name) = class
            && let Some(value) = self.instantiate_c(context, name, &arguments)
        {
            return value;
        }
        let Some(metaclass) = self.metaclass(class) else { return Value::Unknown };
        if self.is_enum_type(&metaclass) {
            return self.call_enum(context, class, arguments);
        }
        if let Some((_, function @ Value::Function(_))) = self.class_entry(&metaclass, "__call__") {
            return self.call_bound(Value::Class(class.clone()), &metaclass, "__call__", function, arguments);
        }
        self.make_instance(context, class, arguments)
    }

    /// `type.__call__`: `__new__` decides what the result is.
    pub fn make_instance(&self, context: &Context<'db>, class: &ClassRef, arguments: Arguments) -> Value {
        let Some(order) = self.mro(class) else { return Value::Unknown };
        if order.iter().any(|base| self.is_c(base, "builtins.type")) {
            return self.make_class(context, class, &arguments);
        }
        match self.class_entry(class, "__new__") {
            Some((owner, value)) if !matches!(owner, ClassRef::C(_)) => {
                let function = self.unwrapped_static(&value);
                let mut all = arguments.clone();
                all.positional.insert(0, Value::Class(class.clone()));
                let results = match &function {
                    Value::Function(function) => self.results(function, all),
                    other => vec![self.call(context, other, all)],
                };
                // One way through it that makes an instance of the class tells what the others give.
                let is_own = |value: &Value| self.type_of(value).is_some_and(|made| made == *class);
                match results.iter().any(is_own) {
                    true => Value::object(class.clone(), arguments),
                    false => Value::join(results),
                }
            }
            None if order
                .iter()
                .any(|base| matches!(base, ClassRef::Source(node) if is_compiled(self.db, node.file))) =>
            {
                Value::Instance(class.clone())
            }
            _ => Value::object(class.clone(), arguments),
        }
    }

    /// The function in a `staticmethod`.
    fn unwrapped_static(&self, value: &Value) -> Value {
        match value {
            Value::Object(object) if self.is_c(&object.class, "builtins.staticmethod") => {
                object.arguments.positional.first().cloned().unwrap_or(Value::Unknown)
            }
            other => other.clone(),
        }
    }
}
