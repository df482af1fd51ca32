//! The call graph: what the body of each function calls, by names and by the classes of receivers.
//!
//! One memo a function, made when somebody asks for it. Places count from the function's `def`, so that a keystroke changes
//! the memo of the function it is in, and what is above or in other files stays as it is. Only functions of the project have
//! calls; a library's are judged by the table of blocking calls. What is not certain is no call.

mod body;
mod decorators;
mod results;
mod unnamed;

use ruff_db::parsed::{ParsedModuleRef, parsed_module};
use ruff_python_ast::{self as ast, Expr};
use ruff_text_size::{Ranged as _, TextRange, TextSize};
use ty_module_resolver::file_to_module;
use ty_python_core::definition::{Definition, DefinitionKind};
use ty_python_core::semantic_index;
use ty_python_semantic::Db as SemanticDb;

use super::database::Db;
use super::functions::contains_yield;
use super::module::Module;
use super::syntax_index::import_aliases;
use body::{Asks, CallSite, calls_in};
pub(super) use body::{Doubts, How};
use decorators::{Decoration, decoration};
pub(super) use results::result;

/// What a function's own body calls, in the order of the text.
#[derive(Debug, Default, PartialEq, Eq, salsa::SalsaValue)]
pub(super) struct Frame<'db> {
    pub(super) calls: Vec<Edge<'db>>,
    pub(super) flags: Vec<Flag>,
    /// Whether it asks on which thread or loop it runs: then it does different things on different ones.
    pub(super) asks: Asks,
}

/// A call in a frame.
#[derive(Debug, PartialEq, Eq, salsa::SalsaValue)]
pub(super) struct Edge<'db> {
    /// Where the called expression stands, from the start of the function.
    start: u32,
    end: u32,
    pub(super) target: Target<'db>,
    /// What the call passes for flags of its target.
    pub(super) passes: Vec<(String, Passed)>,
    /// The flags of the caller, with the truth they must have for the call to happen.
    pub(super) needs: Vec<(String, bool)>,
    /// What else has to hold.
    pub(super) doubts: Doubts,
    /// Stands in the test of an `if` or a `while`, or is a wrapper's.
    pub(super) decides: bool,
    /// The target is what the call names, and runs when it is called.
    pub(super) is_named: bool,
}

/// What is called.
#[derive(Debug, PartialEq, Eq, salsa::SalsaValue)]
pub(super) enum Target<'db> {
    /// A function of the project that runs before the call returns.
    Function(Definition<'db>),
    /// A row of the table of blocking calls, by its name.
    Blocking(String),
}

/// A parameter that switches something on or off: its default is a literal truth value or `None`, or it is a `bool`.
#[derive(Clone, Debug, PartialEq, Eq, salsa::SalsaValue)]
pub(super) struct Flag {
    pub(super) name: String,
    pub(super) default: Option<bool>,
}

/// What is passed for a flag.
#[derive(Clone, Debug, PartialEq, Eq, salsa::SalsaValue)]
pub(super) enum Passed {
    Truth(bool),
    /// The caller's own flag.
    Flag(String),
    Unknown,
}

/// The frame of a function of the project.
#[salsa::tracked(returns(ref))]
pub(super) fn frame<'db>(db: &'db dyn Db, function: Definition<'db>) -> Frame<'db> {
    let module = Module::of_file(db.snapshot(), function.program_file(db));
    let parsed = module.parsed().clone();
    let DefinitionKind::Function(node) = function.kind(db) else { return Frame::default() };
    let def = node.node(&parsed);
    let names = flags(def);
    let (sites, asks) = calls_in(module.import_aliases(), def, &names);
    let mut calls = vec![];
    let decoration = decoration(&module, def);
    // What is at hand already is not worked out again.
    let is_cached = matches!(decoration, Decoration::Cached | Decoration::CachedProperty);
    if let Decoration::Wrapped(wrappers) = decoration {
        calls.extend(wrappers.into_iter().map(|(range, wrapper)| Edge {
            // A wrapper decides whether the function is called at all.
            decides: true,
            ..Edge::new(def, range, Target::Function(wrapper))
        }));
    }
    for site in &sites {
        calls.extend(edges(&module, def, site, &names));
    }
    if is_cached {
        calls.iter_mut().for_each(|call| call.doubts.data += 1);
    }
    Frame { calls, flags: names, asks }
}

/// What the body of a function of the project asks about where it runs. Its syntax alone says.
#[salsa::tracked(returns(copy))]
pub(super) fn asks<'db>(db: &'db dyn Db, function: Definition<'db>) -> Asks {
    let aliases = import_aliases(db, function.program_file(db));
    with_function(db, function, |def| calls_in(aliases, def, &[]).1).unwrap_or_default()
}

impl<'db> Edge<'db> {
    fn new(def: &ast::StmtFunctionDef, range: TextRange, target: Target<'db>) -> Self {
        let range = range - def.start();
        let (start, end) = (range.start().to_u32(), range.end().to_u32());
        Self {
            start,
            end,
            target,
            passes: vec![],
            needs: vec![],
            doubts: Doubts::default(),
            decides: false,
            is_named: false,
        }
    }

    /// Whether the caller always comes to this call, as far as tests decide.
    pub(super) fn is_certain(&self) -> bool {
        self.needs.is_empty() && self.doubts == Doubts::default()
    }

    /// Where the called expression stands in its file, of whose `caller` this is a call.
    pub(super) fn range(&self, caller: &ast::StmtFunctionDef) -> TextRange {
        TextRange::new(TextSize::new(self.start), TextSize::new(self.end)) + caller.start()
    }
}

/// The expressions of a function's own body that it enters by `with`, or whose `acquire()` it waits for; and whether nothing
/// decides about that.
pub(super) fn lock_sites<'a>(module: &Module, def: &'a ast::StmtFunctionDef) -> Vec<(&'a Expr, bool)> {
    let (sites, _) = calls_in(module.import_aliases(), def, &[]);
    let mut found = vec![];
    for site in sites {
        let expr = match (site.call, site.expr) {
            (None, Some(expr)) if site.how == How::Entered => expr,
            // With any argument it may come back without the lock.
            (Some(call), _) if call.arguments.is_empty() => match &*call.func {
                Expr::Attribute(method) if method.attr.as_str() == "acquire" => &*method.value,
                _ => continue,
            },
            _ => continue,
        };
        if matches!(expr, Expr::Name(_) | Expr::Attribute(_)) {
            found.push((expr, site.doubts == Doubts::default() && site.needs.is_empty()));
        }
    }
    found
}

/// Reads the `def` of a definition.
pub(super) fn with_function<'db, R>(
    db: &'db dyn Db,
    function: Definition<'db>,
    read: impl FnOnce(&ast::StmtFunctionDef) -> R,
) -> Option<R> {
    let parsed: ParsedModuleRef = parsed_module(db, function.python_file(db)).load(db);
    let DefinitionKind::Function(node) = function.kind(db) else { return None };
    Some(read(node.node(&parsed)))
}

/// What a call site runs: functions of the project, or something that blocks.
fn edges<'db>(module: &Module<'db>, def: &ast::StmtFunctionDef, site: &CallSite, flags: &[Flag]) -> Vec<Edge<'db>> {
    let mut found = vec![];
    let mut push = |target, passes, more: Vec<(String, bool)>| {
        let mut edge = Edge::new(def, site.range, target);
        edge.passes = passes;
        edge.needs = site.needs.clone();
        edge.needs.extend(more);
        edge.doubts = site.doubts;
        edge.decides = site.is_test;
        edge.is_named = site.call.is_some() && site.how == How::Called;
        found.push(edge);
    };
    if let Some(call) = site.call {
        if let Some((row, flags)) = module.blocking_unless(call, flags) {
            let needs = flags.into_iter().map(|flag| (flag, true)).collect();
            push(Target::Blocking(row.name.clone()), vec![], needs);
        } else if let Some(called) = module.runs(call, site.how) {
            let passes = module.passed(call, called, flags);
            push(Target::Function(called), passes, vec![]);
        }
    }
    if let (How::HandedOver, Some(function)) = (site.how, site.expr) {
        let called = module.function_definition(function).filter(|called| module.runs_when(*called, How::Called));
        called.into_iter().for_each(|called| push(Target::Function(called), vec![], vec![]));
    }
    for method in site.expr.map(|expr| module.implied(expr, site.how)).unwrap_or_default() {
        push(Target::Function(method), vec![], vec![]);
    }
    found
}

impl<'s> Module<'s> {
    /// The definition that a `def` of this file makes.
    pub(super) fn definition_of(&self, def: &ast::StmtFunctionDef) -> Option<Definition<'s>> {
        semantic_index(self.db(), self.model().program_file()).try_definition(def)
    }

    /// The function of the project that `call` runs before it returns.
    fn runs(&self, call: &ast::ExprCall, how: How) -> Option<Definition<'s>> {
        let called = self.called_definition(call)?;
        self.runs_when(called, how).then_some(called)
    }

    /// What `call` calls: a function, a method by its receiver's class, or the `__init__` of a class.
    fn called_definition(&self, call: &ast::ExprCall) -> Option<Definition<'s>> {
        if let Some(function) = self.function_definition(&call.func) {
            return Some(function);
        }
        if let Some(class) = self.class_reference(&call.func) {
            return class.definer("__init__")?.own_definition("__init__");
        }
        if let Expr::Attribute(method) = &*call.func
            && let Some(class) = self.receiver_class(&method.value)
            && let Some(definer) = class.definer(&method.attr)
        {
            return definer.own_definition(&method.attr);
        }
        if !self.may_have_method("__call__") {
            return None;
        }
        self.receiver_class(&call.func)?.definer("__call__")?.own_definition("__call__")
    }

    /// The methods that run when the value of `expr` is used like this, without being named.
    fn implied(&self, expr: &Expr, how: How) -> Vec<Definition<'s>> {
        let (receiver, names): (&Expr, &[(&str, How)]) = match (how, expr) {
            (How::Entered, _) => (expr, &[("__enter__", How::Called), ("__exit__", How::Called)]),
            (How::Iterated, _) if self.may_have_method("__iter__") => {
                (expr, &[("__iter__", How::Iterated), ("__next__", How::Called)])
            }
            (How::Read, Expr::Attribute(read)) if self.may_have_property(&read.attr) => {
                (&read.value, &[(read.attr.as_str(), How::Read)])
            }
            (How::Special(name), _) if self.may_have_method(name) => (expr, &[(name, How::Called)]),
            _ => return vec![],
        };
        let Some(class) = self.receiver_class(receiver) else { return vec![] };
        let method = |name: &str| class.definer(name)?.own_definition(name);
        let runs = names.iter().filter_map(|(name, how)| method(name).filter(|method| self.runs_when(*method, *how)));
        runs.collect()
    }

    /// Whether the body of a function of the project runs when it is used like this.
    fn runs_when(&self, function: Definition<'s>, how: How) -> bool {
        let db = self.snapshot();
        if !is_of_project(db, function) {
            return false;
        }
        let home = Module::of_file(db, function.program_file(db));
        let parsed = home.parsed().clone();
        let DefinitionKind::Function(node) = function.kind(db) else { return false };
        let def = node.node(&parsed);
        if def.is_async {
            return false;
        }
        let is_generator = contains_yield(&def.body);
        match decoration(&home, def) {
            Decoration::None | Decoration::Cached | Decoration::Wrapped(_) => {
                how != How::Read && (!is_generator || how == How::Iterated)
            }
            Decoration::Property | Decoration::CachedProperty => !is_generator && how == How::Read,
            Decoration::ContextManager => is_generator && how == How::Entered,
            Decoration::Unknown => false,
        }
    }

    /// What `call` passes for the flags of `target`.
    fn passed(&self, call: &ast::ExprCall, target: Definition<'s>, own: &[Flag]) -> Vec<(String, Passed)> {
        let db = self.snapshot();
        let is_method = target.scope(db).node(db).as_class().is_some();
        let passed = with_function(db, target, |def| {
            let is_static = def.decorator_list.iter().any(|decorator| is_name(&decorator.expression, "staticmethod"));
            let through_class = match &*call.func {
                Expr::Attribute(method) => self.class_reference(&method.value).is_some(),
                _ => false,
            };
            let is_class_method =
                def.decorator_list.iter().any(|decorator| is_name(&decorator.expression, "classmethod"));
            let skipped = usize::from(is_method && !is_static && (is_class_method || !through_class));
            let is_spread = call.arguments.args.iter().any(Expr::is_starred_expr)
                || call.arguments.keywords.iter().any(|keyword| keyword.arg.is_none());
            let positions = def.parameters.posonlyargs.iter().chain(&def.parameters.args);
            let positions: Vec<_> = positions.map(|item| item.name().as_str()).collect();
            let value = |flag: &Flag| {
                let position = positions.iter().position(|name| *name == flag.name);
                let position = position.and_then(|position| position.checked_sub(skipped));
                let keyword = call.arguments.find_keyword(&flag.name).map(|keyword| &keyword.value);
                keyword.or_else(|| call.arguments.args.get(position?))
            };
            let is_none_by_default = |flag: &Flag| flag.default == Some(false) && !default_is_bool(def, &flag.name);
            flags(def)
                .into_iter()
                .filter_map(|flag| {
                    let passed = match value(&flag) {
                        Some(value) => passed_value(value, own, is_none_by_default(&flag)),
                        None if is_spread => Passed::Unknown,
                        None => return None,
                    };
                    Some((flag.name, passed))
                })
                .collect()
        });
        passed.unwrap_or_default()
    }
}

/// Whether a function is the user's own.
pub(super) fn is_of_project<'db>(db: &'db dyn SemanticDb, function: Definition<'db>) -> bool {
    if function.file(db).is_stub(db) {
        return false;
    }
    let module = file_to_module(db, function.program_file(db).resolver_file(db));
    module.is_none_or(|module| module.search_path(db).is_none_or(|path| path.is_first_party()))
}

fn is_name(expr: &Expr, name: &str) -> bool {
    expr.as_name_expr().is_some_and(|expr| expr.id == name)
}

/// The flags of a function: parameters that its body binds no more.
fn flags(def: &ast::StmtFunctionDef) -> Vec<Flag> {
    let mut found = vec![];
    for item in def.parameters.iter_non_variadic_params() {
        let default = item.default().and_then(|default| match default {
            Expr::BooleanLiteral(literal) => Some(literal.value),
            Expr::NoneLiteral(_) => Some(false),
            _ => None,
        });
        let is_bool = item.annotation().is_some_and(|annotation| is_name(annotation, "bool"));
        if default.is_some() || is_bool {
            found.push(Flag { name: item.name().to_string(), default });
        }
    }
    if !found.is_empty() {
        let bound = body::bound_names(&def.body);
        found.retain(|flag| !bound.contains(&flag.name));
    }
    found
}

fn default_is_bool(def: &ast::StmtFunctionDef, name: &str) -> bool {
    let mut items = def.parameters.iter_non_variadic_params();
    items.any(|item| item.name() == name && item.default().is_some_and(Expr::is_boolean_literal_expr))
}

/// The truth of what is passed. A value that takes the place of `None` is taken for a true one.
fn passed_value(value: &Expr, own: &[Flag], instead_of_none: bool) -> Passed {
    match value {
        Expr::BooleanLiteral(literal) => Passed::Truth(literal.value),
        Expr::NoneLiteral(_) => Passed::Truth(false),
        Expr::Name(name) if own.iter().any(|flag| flag.name == name.id.as_str()) => Passed::Flag(name.id.to_string()),
        _ if instead_of_none => Passed::Truth(true),
        _ => Passed::Unknown,
    }
}

/// The name of a function as a reader knows it: `Class.method`, or the name alone.
pub(super) fn shown_name<'db>(db: &'db dyn Db, function: Definition<'db>) -> String {
    let name = function.name(db).unwrap_or_default();
    let parsed = parsed_module(db, function.python_file(db)).load(db);
    match function.scope(db).node(db).as_class() {
        Some(class) => format!("{}.{name}", class.node(&parsed).name),
        None => name,
    }
}
