//! Looks further than types where code has no annotations: from a name to what was assigned to it, from
//! `self.name` to what the methods of the class assign, from a parameter to the arguments of the calls in this file.
//!
//! Every step must be the only possibility in sight; where two sources disagree, the answer is none.

mod results;

use std::cell::Cell;

use ruff_db::parsed::parsed_module;
use ruff_python_ast::{self as ast, AnyNodeRef, Expr};
use ruff_text_size::Ranged as _;
use ty_python_core::definition::{Definition, DefinitionKind};
use ty_python_core::{attribute_scopes, semantic_index};
use ty_python_semantic::types::Type;
use ty_python_semantic::{HasType as _, ImportAliasResolution, definitions_for_name};

use super::attributes::instance_bindings;
use super::classes::Class;
use super::module::Module;
use super::names::{Origin, Symbol};
use super::syntax_index::{FUNCTION_KEYWORDS, last_name};
use results::item_named;

/// How many steps are taken back; each one is a binding, a call's argument or a context manager.
const DEPTH: usize = 6;

/// How many steps one question may take in all. Names ask for classes and classes for names, so depth alone is no bound.
const STEPS: u32 = 64;

/// The most bindings of one name that are followed.
const BINDINGS: usize = 16;

/// The steps that the question under way has left; `None` when none is under way.
#[derive(Default)]
pub(super) struct Budget(Cell<Option<u32>>);

/// Calls that run a function they are given, with the positional arguments behind it.
const HANDS_OVER: &[&str] =
    &["apply_async", "call_soon", "call_soon_threadsafe", "run_in_executor", "submit", "to_thread"];

/// What a traced object is an instance of.
enum Instance<'s> {
    Of(Class<'s>),
    /// A class of a package that is not installed, by name.
    Named(Symbol),
}

impl<'s> Instance<'s> {
    fn symbol(&self) -> Symbol {
        match self {
            Self::Of(class) => class.symbol(),
            Self::Named(symbol) => symbol.clone(),
        }
    }
}

impl<'s> Module<'s> {
    pub(super) fn traced_class(&self, expr: &Expr) -> Option<Class<'s>> {
        match self.trace_within_budget(expr)? {
            Instance::Of(class) => Some(class),
            Instance::Named(_) => None,
        }
    }

    pub(super) fn traced_class_name(&self, expr: &Expr) -> Option<Symbol> {
        Some(self.trace_within_budget(expr)?.symbol())
    }

    fn trace_within_budget(&self, expr: &Expr) -> Option<Instance<'s>> {
        let Budget(left) = self.tracing_budget();
        let is_outermost = left.get().is_none();
        if is_outermost {
            left.set(Some(STEPS));
        }
        let found = self.trace(expr, DEPTH);
        if is_outermost {
            left.set(None);
        }
        found
    }

    /// The expressions of this file that `expr` gets its value from: `queue.Queue()` for a parameter that every call in the
    /// file gives that object. Empty when nothing is known; the expression itself when it is no name.
    pub fn origins<'m>(&'m self, expr: &'m Expr) -> Vec<&'m Expr> {
        self.origins_within(expr, DEPTH).unwrap_or_default()
    }

    /// As [`Module::origins`], and what a `with` statement enters to bind `expr`.
    pub(super) fn makers<'m>(&'m self, expr: &'m Expr) -> Vec<&'m Expr> {
        let mut found = self.origins(expr);
        if found.is_empty() {
            let entered = self.sources(expr).unwrap_or_default().into_iter().filter_map(|source| match source {
                Source::Entered(manager) => Some(manager),
                _ => None,
            });
            found.extend(entered.flat_map(|manager| self.origins(manager)));
        }
        found
    }

    /// Whether the object that `expr` refers to comes from elsewhere: a parameter for which no call in this file says what it
    /// is, or an attribute that is not seen to be made.
    pub(super) fn is_out_of_sight(&self, expr: &Expr) -> bool {
        let is_parameter = |definition: &Definition| matches!(definition.kind(self.db()), DefinitionKind::Parameter(_));
        match expr {
            Expr::Name(name) => {
                let definitions = self.name_definitions(name).unwrap_or_default();
                definitions.iter().any(is_parameter) && self.origins(expr).is_empty()
            }
            Expr::Attribute(_) => self.origins(expr).is_empty(),
            _ => false,
        }
    }

    fn trace(&self, expr: &Expr, depth: usize) -> Option<Instance<'s>> {
        let depth = depth.checked_sub(1)?;
        let Budget(left) = self.tracing_budget();
        left.set(Some(left.get().unwrap_or(STEPS).checked_sub(1)?));
        if let Some(class) = self.class_of(expr) {
            return Some(Instance::Of(class));
        }
        if let Some(instance) = self.result_of(expr, depth) {
            return Some(instance);
        }
        if let Expr::Call(call) = expr {
            let symbol = self.symbol(&*call.func)?;
            if symbol.origin != Origin::Project
                && let Some((module, name)) = self.runtime().returned_class(&symbol.to_string())
            {
                let (module, name) = (module.to_string(), name.to_string());
                return Some(Instance::Named(Symbol { module, name, origin: symbol.origin }));
            }
            // A capitalised name of an unresolved module is taken for a class, and its call for an instance (PEP 8).
            let is_class = symbol.last().starts_with(|first: char| first.is_uppercase());
            return (symbol.origin == Origin::Unresolved && is_class).then_some(Instance::Named(symbol));
        }
        let mut found: Option<Instance<'s>> = None;
        for source in self.sources(expr)? {
            let instance = match source {
                Source::Value(value) => self.trace(value, depth)?,
                // `if note:` narrows the type to an intersection, which has no class; the annotation has.
                Source::Annotated(class) if self.is_narrowed(expr) => Instance::Of(self.class_reference(class)?),
                // What the engine knows it has said already: this is a class of a package that is not installed.
                Source::Annotated(class) => {
                    let symbol = self.symbol(class)?;
                    (symbol.origin == Origin::Unresolved).then_some(Instance::Named(symbol))?
                }
                Source::Entered(manager) => {
                    if let Some(instance) = self.entered(manager, depth) {
                        return Some(instance);
                    }
                    let manager = self.trace(manager, depth)?;
                    let known = self.runtime().enters_itself(&manager.symbol().to_string());
                    known.then_some(manager)?
                }
            };
            if found.as_ref().is_some_and(|found| found.symbol() != instance.symbol()) {
                return None;
            }
            found = Some(instance);
        }
        found
    }

    fn is_narrowed(&self, expr: &Expr) -> bool {
        matches!(expr.inferred_type(self.model()), Some(Type::Intersection(_)))
    }

    fn origins_within<'m>(&'m self, expr: &'m Expr, depth: usize) -> Option<Vec<&'m Expr>> {
        let depth = depth.checked_sub(1)?;
        if !matches!(expr, Expr::Name(_) | Expr::Attribute(_)) {
            return Some(vec![expr]);
        }
        let mut found = vec![];
        for source in self.sources(expr)? {
            let Source::Value(value) = source else { return None };
            for origin in self.origins_within(value, depth)? {
                if !found.contains(&origin) {
                    found.push(origin);
                }
            }
        }
        Some(found)
    }

    /// What a name or `self.name` was bound to, one step back.
    fn sources<'m>(&'m self, expr: &'m Expr) -> Option<Vec<Source<'m>>> {
        let definitions = match expr {
            Expr::Name(name) => self.name_definitions(name)?,
            Expr::Attribute(attribute) => {
                let class = self.class_of(&attribute.value)?;
                self.instance_attribute_definitions(class, attribute.attr.as_str())
            }
            _ => return None,
        };
        if definitions.is_empty() {
            return None;
        }
        let mut sources = vec![];
        for definition in definitions {
            sources.extend(self.definition_sources(definition)?);
        }
        Some(sources)
    }

    pub(super) fn name_definitions(&self, name: &ast::ExprName) -> Option<Vec<Definition<'s>>> {
        let aliases = ImportAliasResolution::PreserveAliases;
        let resolved = definitions_for_name(self.model(), name.id.as_str(), AnyNodeRef::from(name), aliases);
        if resolved.len() > BINDINGS {
            return None;
        }
        let definitions = resolved.into_iter().map(|resolved| resolved.definition());
        definitions.collect()
    }

    pub(super) fn instance_attribute_definitions(&self, class: Class<'s>, name: &str) -> Vec<Definition<'s>> {
        let db = self.db();
        let mut definitions = vec![];
        for class in class.mro() {
            let scope = class.scope();
            let index = semantic_index(db, scope.program_file(db));
            for method in attribute_scopes(db, scope) {
                definitions.extend(instance_bindings(index, method, name));
            }
            if !definitions.is_empty() {
                break;
            }
        }
        definitions
    }

    fn definition_sources<'m>(&'m self, definition: Definition<'s>) -> Option<Vec<Source<'m>>> {
        let db = self.db();
        if definition.file(db) != self.model().file() {
            return None;
        }
        let parsed = self.parsed();
        match definition.kind(db) {
            DefinitionKind::Assignment(assignment) if assignment.unpack().is_none() => {
                Some(vec![Source::Value(assignment.value(parsed))])
            }
            DefinitionKind::Assignment(assignment) => {
                Some(vec![Source::Value(self.paired(assignment.target(parsed), assignment.value(parsed))?)])
            }
            DefinitionKind::AnnotatedAssignment(assignment) => Some(vec![Source::Value(assignment.value(parsed)?)]),
            DefinitionKind::NamedExpression(named) => Some(vec![Source::Value(&named.node(parsed).value)]),
            DefinitionKind::WithItem(item) => Some(vec![Source::Entered(item.context_expr(parsed))]),
            DefinitionKind::Parameter(_) => match self.annotation(definition) {
                Some(annotation) => Some(vec![Source::Annotated(annotation)]),
                None => self.argument_sources(definition),
            },
            _ => None,
        }
    }

    /// The annotation of a parameter of this file, without `| None`.
    fn annotation<'m>(&'m self, parameter: Definition<'s>) -> Option<&'m Expr> {
        let (db, parsed) = (self.db(), self.parsed());
        let function = parameter.scope(db).node(db).as_function()?.node(parsed);
        let focus = parameter.focus_range(db, parsed).range();
        let mut parameters = function.parameters.iter_non_variadic_params();
        let annotation = parameters.find(|item| item.range().contains_range(focus))?.annotation()?;
        match annotation {
            Expr::BinOp(union) if union.right.is_none_literal_expr() => Some(&*union.left),
            Expr::BinOp(union) if union.left.is_none_literal_expr() => Some(&*union.right),
            other => Some(other),
        }
    }

    /// The arguments that the calls in this file pass for a parameter.
    fn argument_sources<'m>(&'m self, parameter: Definition<'s>) -> Option<Vec<Source<'m>>> {
        let db = self.db();
        let scope = parameter.scope(db);
        let parsed = parsed_module(db, parameter.python_file(db)).load(db);
        let function = scope.node(db).as_function()?.node(&parsed);
        let focus = parameter.focus_range(db, &parsed).range();
        let class = scope.class_definition_of_method(db).map(|class| Class::new(self.snapshot(), class));
        let decorator = |name: &str| {
            let mut names = function.decorator_list.iter().map(|decorator| last_name(&decorator.expression));
            names.any(|found| found == Some(name))
        };
        // What another decorator passes on to a method is not known.
        let is_known = |count: usize| function.decorator_list.len() <= count;
        if class.is_some() && !is_known(usize::from(decorator("classmethod") || decorator("staticmethod"))) {
            return None;
        }
        let is_bound = class.is_some() && !decorator("staticmethod");
        let mut parameters = function.parameters.iter_non_variadic_params().enumerate();
        let (position, item) = parameters.find(|(_, item)| item.range().contains_range(focus))?;
        let name = item.name();
        let position = if is_bound { position.checked_sub(1)? } else { position };
        let called_as = match (&class, function.name.as_str()) {
            (Some(class), "__init__") => class.name(),
            _ => function.name.to_string(),
        };
        let mut sources = vec![];
        for call in self.calls_of(&called_as) {
            if !self.calls_function(call, class, function) {
                continue;
            }
            if call.arguments.args.iter().any(Expr::is_starred_expr) {
                return None;
            }
            let keyword = call.arguments.find_keyword(name).map(|keyword| &keyword.value);
            let argument = keyword.or_else(|| call.arguments.args.get(position));
            sources.extend(argument.map(Source::Value));
        }
        sources.extend(self.handed_over_arguments(function, position, name)?.into_iter().map(Source::Value));
        (!sources.is_empty()).then_some(sources)
    }

    /// The arguments for a parameter that travel beside the function: `Thread(target=f, args=(a,))`, `pool.submit(f, a)`.
    /// `None` when some of them are not seen.
    fn handed_over_arguments<'m>(
        &'m self,
        function: &ast::StmtFunctionDef,
        position: usize,
        name: &str,
    ) -> Option<Vec<&'m Expr>> {
        let is_it = |expr: &Expr| {
            last_name(expr) == Some(function.name.as_str())
                && self.function(expr).and_then(|function| function.place).is_some_and(|place| {
                    self.path() == Some(place.path.as_path()) && place.range() == function.name.range()
                })
        };
        let mut found = vec![];
        for keyword in FUNCTION_KEYWORDS {
            for call in self.calls_of(&format!("{keyword}=")) {
                let arguments = &call.arguments;
                if !arguments.find_keyword(keyword).is_some_and(|keyword| is_it(&keyword.value)) {
                    continue;
                }
                match arguments.find_keyword("kwargs").map(|keyword| &keyword.value) {
                    None => {}
                    Some(Expr::Dict(named)) => found.extend(item_named(named, name)?),
                    Some(_) => return None,
                }
                let listed = match arguments.find_keyword("args").map(|keyword| &keyword.value) {
                    Some(Expr::Tuple(tuple)) => &tuple.elts,
                    Some(Expr::List(list)) => &list.elts,
                    Some(_) => return None,
                    None => continue,
                };
                if listed.iter().any(Expr::is_starred_expr) {
                    return None;
                }
                found.extend(listed.get(position));
            }
        }
        for call in HANDS_OVER.iter().flat_map(|name| self.calls_of(name)) {
            let arguments = &call.arguments.args;
            let Some(index) = arguments.iter().position(is_it) else { continue };
            let beside = &arguments[index + 1..];
            if beside.iter().any(Expr::is_starred_expr) {
                return None;
            }
            found.extend(beside.get(position));
        }
        Some(found)
    }

    fn calls_function(&self, call: &ast::ExprCall, class: Option<Class<'s>>, function: &ast::StmtFunctionDef) -> bool {
        match class {
            Some(class) if function.name.as_str() == "__init__" => {
                self.class_reference(&call.func).is_some_and(|called| called == class)
            }
            Some(class) => match &*call.func {
                Expr::Attribute(attribute) => {
                    self.class_of(&attribute.value).is_some_and(|receiver| receiver.is_subclass_of(&class))
                }
                _ => false,
            },
            None => call.func.is_name_expr(),
        }
    }
}

/// One place a value comes from.
enum Source<'m> {
    /// The value of this expression.
    Value(&'m Expr),
    /// An instance of the class that this annotation names.
    Annotated(&'m Expr),
    /// What entering this context manager gives.
    Entered(&'m Expr),
}
