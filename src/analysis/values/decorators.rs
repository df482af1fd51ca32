//! Class decorators that make the class anew or change its members: `dataclass`, those of attrs, `six.add_metaclass`.

use std::sync::Arc;

use ruff_python_ast::{self as ast, Expr};
use ruff_text_size::Ranged as _;

use super::classes::Classification;
use super::generic::ClassForm;
use super::modules::{Context, Evaluator};
use super::{Arguments, ClassRef, MadeClass, Node, Value};

/// What a decorator does to a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClassDecorator {
    /// `dataclasses.dataclass`.
    Dataclass { slots: bool, weakref_slot: bool },
    /// `dataclasses.dataclass` with arguments that are not written out.
    OpenDataclass,
    /// `attr.s`, `attrs.define` and their kin; whether annotated names are fields, or none if that depends on the body.
    Attrs { slots: bool, annotated: Option<bool> },
}

impl<'db> Evaluator<'db> {
    /// The decorators of a class that change its members.
    pub fn class_decorators(&self, context: &Context<'db>, node: Node) -> Vec<ClassDecorator> {
        let source = self.source(node.file);
        let Some(statement) = source.class(node.number) else { return vec![] };
        let here = Context {
            scope: source.scope_before(node.number),
            at: Some(statement.start()),
            frame: context.frame.clone(),
            source: source.clone(),
        };
        let decorators = statement.decorator_list.iter();
        decorators.filter_map(|decorator| self.class_decorator(&here, &decorator.expression)).collect()
    }

    fn class_decorator(&self, context: &Context<'db>, decorator: &Expr) -> Option<ClassDecorator> {
        let (callee, arguments) = match decorator {
            Expr::Call(call) => (&*call.func, self.arguments(context, &call.arguments)),
            other => (other, Arguments::default()),
        };
        let (function, bound) = match self.evaluate(context, callee) {
            Value::Function(function) => (function, Arguments::default()),
            // `attrs.frozen` is a partial of `attrs.define`.
            Value::Object(object) if self.is_c(&object.class, "functools.partial") => {
                let Some(Value::Function(function)) = object.arguments.positional.first() else { return None };
                (function.clone(), object.arguments.clone())
            }
            _ => return None,
        };
        let flag = |name: &str| match arguments.keyword(name).or_else(|| bound.keyword(name)) {
            Some(Value::Bool(flag)) => Some(*flag),
            _ => None,
        };
        // Where these functions are defined is part of no interface, but it is where every spelling of them leads.
        match self.qualified_name(function.node)?.as_str() {
            "dataclasses.dataclass" if arguments.is_open => Some(ClassDecorator::OpenDataclass),
            "dataclasses.dataclass" => Some(ClassDecorator::Dataclass {
                slots: flag("slots").unwrap_or(false),
                weakref_slot: flag("weakref_slot").unwrap_or(false),
            }),
            "attr._make.attrs" => Some(ClassDecorator::Attrs {
                slots: flag("slots").unwrap_or(false),
                annotated: Some(flag("auto_attribs").unwrap_or(false)),
            }),
            "attr._next_gen.define" => {
                Some(ClassDecorator::Attrs { slots: flag("slots").unwrap_or(true), annotated: flag("auto_attribs") })
            }
            _ => None,
        }
    }

    /// The class that a decorator makes anew, with another metaclass or other bases: `six.add_metaclass`.
    pub fn made_anew(
        &self,
        context: &Context<'db>,
        node: Node,
        statement: &ast::StmtClassDef,
        facts: &Classification,
    ) -> Option<Classification> {
        if statement.decorator_list.is_empty() || facts.form != ClassForm::Plain {
            return None;
        }
        let first = Arc::new(MadeClass {
            name: self.class_name(&ClassRef::Source(node))?.into(),
            bases: facts.bases.clone()?,
            metaclass: Some(facts.metaclass.clone()?),
            slots: None,
        });
        let class = Value::Class(ClassRef::Made(first.clone()));
        let decorated = statement.decorator_list.iter().rev().try_fold(class, |class, decorator| {
            let function = self.evaluate(context, &decorator.expression);
            let result = self.call(context, &function, Arguments::of(vec![class.clone()]));
            match result {
                Value::Unknown => Some(class),
                Value::OneOf(values) if values.contains(&class) => Some(class),
                Value::Class(_) => Some(result),
                _ => None,
            }
        });
        match decorated? {
            Value::Class(ClassRef::Made(anew)) if anew != first && anew.is_named(&statement.name) => {
                let made = self.complete(node, Some(anew.bases.clone()), anew.metaclass.clone(), facts.slots.clone());
                Some(Classification { is_made_anew: true, ..made })
            }
            _ => None,
        }
    }
}
