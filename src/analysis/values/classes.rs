//! Class statements: bases, metaclass, method resolution order, and what the statement leaves behind.

use std::sync::Arc;

use ruff_python_ast::{self as ast, Expr};
use ruff_text_size::Ranged as _;

use super::super::database::Db;
use super::generic::ClassForm;
use super::index::NodeNumber;
use super::modules::{Context, Evaluator, ROUNDS};
use super::{Arguments, ClassRef, MadeClass, Node, Value};
use ruff_db::files::File;

/// What a class statement makes, before its decorators.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Classification {
    /// The bases after `__mro_entries__`; none where one is not known.
    pub bases: Option<Vec<ClassRef>>,
    pub mro: Option<Vec<ClassRef>>,
    pub metaclass: Option<ClassRef>,
    /// The statement makes an object that is no class, of this class.
    pub is_no_class: bool,
    /// A decorator makes the class anew, with another metaclass or other bases.
    pub is_made_anew: bool,
    /// The `__slots__` that do not stand in the body.
    pub slots: Option<Vec<String>>,
    pub form: ClassForm,
}

/// Reads the class statement at a node.
#[salsa::tracked(returns(clone), cycle_initial = unknown_class, cycle_fn = settled_class)]
pub(in super::super) fn classify(db: &dyn Db, file: File, node: NodeNumber) -> Arc<Classification> {
    Arc::new(Evaluator::new(db).classification(Node { file, number: node }))
}

fn unknown_class(_db: &dyn Db, _id: salsa::Id, _file: File, _node: NodeNumber) -> Arc<Classification> {
    Arc::default()
}

fn settled_class(
    _db: &dyn Db,
    cycle: &salsa::Cycle,
    _previous: &Arc<Classification>,
    value: Arc<Classification>,
    _file: File,
    _node: NodeNumber,
) -> Arc<Classification> {
    if cycle.iteration() > ROUNDS { Arc::default() } else { value }
}

/// What the name of a class statement holds once its decorators have run.
#[salsa::tracked(returns(clone), cycle_initial = unknown_value, cycle_fn = settled_value)]
fn class_value(db: &dyn Db, file: File, node: NodeNumber) -> Value {
    let evaluator = Evaluator::new(db);
    let source = evaluator.source(file);
    let Some(statement) = source.class(node) else { return Value::Unknown };
    let context =
        Context { scope: source.scope_before(node), at: Some(statement.start()), frame: None, source: source.clone() };
    evaluator.finished_class(&context, source.at(node))
}

fn unknown_value(_db: &dyn Db, _id: salsa::Id, _file: File, _node: NodeNumber) -> Value {
    Value::Unknown
}

fn settled_value(
    _db: &dyn Db,
    cycle: &salsa::Cycle,
    _previous: &Value,
    value: Value,
    _file: File,
    _node: NodeNumber,
) -> Value {
    if cycle.iteration() > ROUNDS { Value::Unknown } else { value }
}

impl<'db> Evaluator<'db> {
    /// What a class statement binds.
    pub fn class_statement(&self, context: &Context<'db>, node: Node) -> Value {
        match context.frame {
            None => class_value(self.db, node.file, node.number),
            Some(_) => self.finished_class(context, node),
        }
    }

    fn finished_class(&self, context: &Context<'db>, node: Node) -> Value {
        let Some(statement) = context.source.class(node.number) else { return Value::Unknown };
        let facts = classify(self.db, node.file, node.number);
        let made = match (&facts.metaclass, facts.is_no_class) {
            (Some(class), true) => Value::Instance(class.clone()),
            _ => Value::Class(ClassRef::Source(node)),
        };
        if statement.decorator_list.is_empty() {
            return made;
        }
        let here = Context { at: Some(statement.start()), ..context.clone() };
        statement.decorator_list.iter().rev().fold(made, |made, decorator| {
            let function = self.evaluate(&here, &decorator.expression);
            let result = function.map(|function| self.call(&here, function, Arguments::of(vec![made.clone()])));
            match result {
                // A decorator that cannot be read gives the class back, as nearly all do.
                Value::Unknown => made,
                // Several ways through it, one of which gives the class back.
                Value::OneOf(values) if values.contains(&made) => made,
                // The class made anew: what it is like then is part of its classification.
                Value::Class(ClassRef::Made(anew)) if anew.is_named(&statement.name) => made,
                other => other,
            }
        })
    }

    fn classification(&self, node: Node) -> Classification {
        let source = self.source(node.file);
        let Some(statement) = source.class(node.number) else { return Classification::default() };
        let context = Context {
            scope: source.scope_before(node.number),
            at: Some(statement.start()),
            frame: None,
            source: source.clone(),
        };
        let arguments = statement.arguments.as_deref();
        let values: Vec<Value> = statement.bases().iter().map(|base| self.evaluate(&context, base)).collect();
        let keyword = arguments.and_then(|arguments| arguments.find_keyword("metaclass"));
        let has_open_keywords =
            arguments.is_some_and(|arguments| arguments.keywords.iter().any(|keyword| keyword.arg.is_none()));
        if statement.bases().iter().any(Expr::is_starred_expr) || has_open_keywords {
            return Classification::default();
        }
        if let Some(rebuilt) = self.rebuilt_enum(&context, node, statement) {
            return rebuilt;
        }
        let keyword = keyword.map(|keyword| self.evaluate(&context, &keyword.value));
        let facts = self.class_from(&context, statement, node, &values, keyword);
        self.made_anew(&context, node, statement, &facts).unwrap_or(facts)
    }

    fn class_from(
        &self,
        context: &Context<'db>,
        statement: &ast::StmtClassDef,
        node: Node,
        values: &[Value],
        keyword: Option<Value>,
    ) -> Classification {
        if let Some(special) = self.special_class(values) {
            return self.special_classification(node, special);
        }
        // A base that is no class: its own class makes the object (reference/datamodel, determining the metaclass).
        if let Some(object) = values.iter().find(|value| matches!(value, Value::Instance(_) | Value::Object(_)))
            && keyword.is_none()
            && !self.has_mro_entries(object)
        {
            let class = self.type_of(object);
            let is_metaclass = class.as_ref().and_then(|class| self.mro(class)).map(|order| self.has_type(&order));
            return match is_metaclass {
                Some(false) => Classification { metaclass: class, is_no_class: true, ..Classification::default() },
                _ => Classification::default(),
            };
        }
        let bases = self.resolved_bases(values);
        let metaclass = match &keyword {
            Some(Value::Class(class)) => Some(class.clone()),
            Some(other) => {
                return self.made_by_callable(context, statement, node, other, bases);
            }
            None => Some(ClassRef::C("builtins.type".into())),
        };
        let metaclass = match &bases {
            Some(bases) => metaclass.and_then(|metaclass| self.winner(metaclass, bases)),
            // No metaclass of an extension module derives from one that is written in Python.
            None => metaclass.filter(|metaclass| {
                let mut bases = statement.bases().iter().zip(values);
                matches!(metaclass, ClassRef::Source(_))
                    && bases.all(|(base, value)| value.is_unknown() && self.is_of_extension(context, base))
            }),
        };
        if let (Some(metaclass), Some(bases)) = (&metaclass, &bases)
            && let Some(replaced) = self.replaced_by_metaclass(context, statement, metaclass, bases)
        {
            return self.complete(
                node,
                Some(replaced.bases.clone()),
                replaced.metaclass.clone(),
                replaced.slots.clone(),
            );
        }
        self.complete(node, bases, metaclass, None)
    }

    /// The classification for known bases and a known metaclass.
    pub fn complete(
        &self,
        node: Node,
        bases: Option<Vec<ClassRef>>,
        metaclass: Option<ClassRef>,
        slots: Option<Vec<String>>,
    ) -> Classification {
        let mro = bases.as_ref().and_then(|bases| self.linearized(ClassRef::Source(node), bases));
        // The bases may be others than those written, though what its instances carry stays as it is (`type.__bases__`).
        let is_rebased =
            |class: &ast::StmtClassDef| super::rebased::is_rebased(self.db, node.file, class.name.as_str());
        let mro = mro.filter(|_| !self.source(node.file).class(node.number).is_some_and(is_rebased));
        Classification { bases, mro, metaclass, slots, ..Classification::default() }
    }

    fn made_by_callable(
        &self,
        context: &Context<'db>,
        statement: &ast::StmtClassDef,
        node: Node,
        callable: &Value,
        bases: Option<Vec<ClassRef>>,
    ) -> Classification {
        let tuple = bases.iter().flatten().cloned().map(Value::Class).collect();
        let arguments = Arguments::of(vec![
            Value::Str(statement.name.as_str().into()),
            Value::Tuple(tuple),
            Value::c_instance("builtins.dict"),
        ]);
        match self.call(context, callable, arguments) {
            Value::Class(ClassRef::Made(made)) => {
                self.complete(node, Some(made.bases.clone()), made.metaclass.clone(), made.slots.clone())
            }
            value @ (Value::Instance(_) | Value::Object(_)) => {
                let class = self.type_of(&value);
                Classification { metaclass: class, is_no_class: true, ..Classification::default() }
            }
            _ => Classification::default(),
        }
    }

    /// The most derived of the metaclasses; none if one is unknown or they conflict.
    pub fn winner(&self, start: ClassRef, bases: &[ClassRef]) -> Option<ClassRef> {
        let mut winner = start;
        for base in bases {
            let candidate = self.metaclass(base)?;
            if self.mro(&winner)?.contains(&candidate) {
                continue;
            }
            if self.mro(&candidate)?.contains(&winner) {
                winner = candidate;
                continue;
            }
            return None;
        }
        Some(winner)
    }

    /// What a metaclass's own `__new__` makes instead, if it does not make a class with these bases itself.
    fn replaced_by_metaclass(
        &self,
        context: &Context<'db>,
        statement: &ast::StmtClassDef,
        metaclass: &ClassRef,
        bases: &[ClassRef],
    ) -> Option<Arc<MadeClass>> {
        let (_, function @ Value::Function(_)) = self.class_entry(metaclass, "__new__")? else { return None };
        let arguments = Arguments {
            positional: vec![
                Value::Class(metaclass.clone()),
                Value::Str(statement.name.as_str().into()),
                Value::Tuple(bases.iter().cloned().map(Value::Class).collect()),
                Value::c_instance("builtins.dict"),
            ],
            ..Arguments::default()
        };
        match self.call(context, &function, arguments) {
            Value::Class(ClassRef::Made(made)) => {
                let is_same = made.bases == bases && made.metaclass.as_ref() == Some(metaclass);
                (!is_same).then_some(made)
            }
            _ => None,
        }
    }

    /// Whether a linearisation is that of a metaclass.
    pub fn has_type(&self, order: &[ClassRef]) -> bool {
        order.iter().any(|class| self.is_c(class, "builtins.type"))
    }

    /// The metaclass of a class.
    pub fn metaclass(&self, class: &ClassRef) -> Option<ClassRef> {
        match class {
            ClassRef::Source(node) => classify(self.db, node.file, node.number).metaclass.clone(),
            ClassRef::C(name) => {
                let facts = self.db.knowledge().c_types.facts(name)?;
                Some(self.named_class(&facts.metaclass))
            }
            ClassRef::Made(made) => made.metaclass.clone(),
        }
    }

    /// The bases of a class; `object` where none are written.
    pub fn bases(&self, class: &ClassRef) -> Option<Vec<ClassRef>> {
        let bases = match class {
            ClassRef::Source(node) => classify(self.db, node.file, node.number).bases.clone()?,
            ClassRef::C(name) => {
                let facts = self.db.knowledge().c_types.facts(name)?;
                facts.bases.iter().map(|base| ClassRef::C(base.clone())).collect()
            }
            ClassRef::Made(made) => made.bases.clone(),
        };
        let object = ClassRef::C("builtins.object".into());
        Some(if bases.is_empty() && *class != object { vec![object] } else { bases })
    }

    /// The method resolution order of a class, itself first.
    pub fn mro(&self, class: &ClassRef) -> Option<Vec<ClassRef>> {
        match class {
            ClassRef::Source(node) => classify(self.db, node.file, node.number).mro.clone(),
            ClassRef::C(name) => {
                let facts = self.db.knowledge().c_types.facts(name)?;
                let bases: Vec<ClassRef> = facts.bases.iter().map(|base| ClassRef::C(base.clone())).collect();
                self.linearized(class.clone(), &bases)
            }
            ClassRef::Made(made) => self.linearized(class.clone(), &made.bases),
        }
    }

    /// C3.
    pub fn linearized(&self, class: ClassRef, bases: &[ClassRef]) -> Option<Vec<ClassRef>> {
        let object = ClassRef::C("builtins.object".into());
        if class == object {
            return Some(vec![class]);
        }
        let bases = if bases.is_empty() { std::slice::from_ref(&object) } else { bases };
        if let [base] = bases {
            let mut order = self.mro(base)?;
            order.insert(0, class);
            return Some(order);
        }
        let mut sequences = vec![];
        for base in bases {
            sequences.push(self.mro(base)?);
        }
        sequences.push(bases.to_vec());
        let mut order = vec![class];
        loop {
            sequences.retain(|sequence| !sequence.is_empty());
            if sequences.is_empty() {
                return Some(order);
            }
            let is_free = |head: &ClassRef| !sequences.iter().any(|sequence| sequence[1..].contains(head));
            let next = sequences.iter().map(|sequence| &sequence[0]).find(|head| is_free(head))?.clone();
            for sequence in &mut sequences {
                sequence.retain(|class| *class != next);
            }
            order.push(next);
        }
    }
}
