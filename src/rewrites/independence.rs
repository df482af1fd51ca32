//! What calls that are to run side by side must not have in common: objects, state of modules, locks.
//!
//! All of it has to be seen; what cannot be seen is the reason of a refusal.

use std::collections::BTreeSet;

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use super::imports::Names;
use crate::analysis::{Function, Module, Origin, Site};
use crate::detectors::nodes::own_nodes;
use crate::detectors::suspension::{around, coroutine_function, is_in, with_def};
use crate::text::{Ranged as _, TextRange};

/// Values that two calls may both have: nothing can be changed in them.
const IMMUTABLE: &[&str] = &[
    "builtins.bool",
    "builtins.bytes",
    "builtins.complex",
    "builtins.float",
    "builtins.frozenset",
    "builtins.int",
    "builtins.range",
    "builtins.str",
    "datetime.date",
    "datetime.datetime",
    "datetime.timedelta",
    "decimal.Decimal",
    "pathlib.Path",
    "uuid.UUID",
];

/// Calls without an effect that may stand in an argument.
const PURE: &[&str] = &["bool", "bytes", "float", "int", "len", "repr", "str"];

/// The most functions that are followed from one call.
const FUNCTIONS: usize = 32;

/// A lock of asyncio that is held at the site.
pub(super) fn held_lock(site: &Site) -> Option<String> {
    const LOCKS: &[&str] = &["asyncio.BoundedSemaphore", "asyncio.Condition", "asyncio.Lock", "asyncio.Semaphore"];
    let module = site.module;
    let manager = around(site).find_map(|node| match node {
        AnyNodeRef::StmtWith(with) if with.is_async && is_in(&with.body, site.node.range()) => {
            let mut managers = with.items.iter().map(|item| &item.context_expr);
            managers.find(|manager| module.class_name(manager).is_some_and(|class| class.is_any(LOCKS)))
        }
        _ => None,
    })?;
    let line = module.lines().line(manager.start());
    Some(format!("the lock `{}` (line {line}) is held here", module.source(manager)))
}

/// A part of the arguments that may do more than give a value.
pub(super) fn effect(module: &Module, call: &ast::ExprCall) -> Option<String> {
    let keywords = call.arguments.keywords.iter().map(|keyword| &keyword.value);
    let receiver = call.func.as_attribute_expr().map(|method| &*method.value);
    let mut found = None;
    for expr in call.arguments.args.iter().chain(keywords).chain(receiver) {
        ast::helpers::any_over_expr(expr, |part| {
            let acts = match part {
                Expr::Call(call) => !call.func.as_name_expr().is_some_and(|name| PURE.contains(&name.id.as_str())),
                Expr::Await(_) | Expr::Named(_) | Expr::Yield(_) | Expr::YieldFrom(_) => true,
                _ => false,
            };
            if acts && found.is_none() {
                found = Some(part.range());
            }
            found.is_some()
        });
    }
    let at: TextRange = found?;
    Some(format!("`{}` in line {} may have an effect", module.source(at), module.lines().line(at.start())))
}

/// The names of the objects that a call hands over, its receiver included, but for values that cannot change.
pub(super) fn objects<'a>(module: &Module, call: &'a ast::ExprCall) -> Vec<&'a ast::ExprName> {
    let keywords = call.arguments.keywords.iter().map(|keyword| &keyword.value);
    let receiver = call.func.as_attribute_expr().map(|method| &*method.value);
    let mut found = vec![];
    for expr in call.arguments.args.iter().chain(keywords).chain(receiver) {
        let expr = ast::helpers::map_starred(expr);
        let is_immutable = module.class_name(expr).is_some_and(|class| class.is_any(IMMUTABLE));
        if !is_immutable {
            names(module, expr, &mut found);
        }
    }
    found
}

/// The names in `expr` that are no functions, classes or modules.
fn names<'a>(module: &Module, expr: &'a Expr, found: &mut Vec<&'a ast::ExprName>) {
    struct Collector<'a, 'm, 's> {
        module: &'m Module<'s>,
        found: &'m mut Vec<&'a ast::ExprName>,
    }
    impl<'a> ast::visitor::source_order::SourceOrderVisitor<'a> for Collector<'a, '_, '_> {
        fn visit_expr(&mut self, expr: &'a Expr) {
            match expr {
                Expr::Name(name) if self.module.symbol(name).is_none() => self.found.push(name),
                _ => ast::visitor::source_order::walk_expr(self, expr),
            }
        }
    }
    ast::visitor::source_order::SourceOrderVisitor::visit_expr(&mut Collector { module, found }, expr);
}

/// The variables of modules that a call of a coroutine function of the project uses, directly or through others.
///
/// # Errors
/// The reason of a refusal: what it does cannot be seen.
pub(super) fn state(module: &Module, call: &ast::ExprCall) -> Result<BTreeSet<String>, String> {
    let line = module.lines().line(call.start());
    let unseen = || format!("what `{}` in line {line} shares with others cannot be seen", module.source(&*call.func));
    let function = coroutine_function(module, &call.func).ok_or_else(unseen)?;
    if function.symbol.is("asyncio.sleep") {
        return Ok(BTreeSet::new());
    }
    let mut search = Search { seen: vec![], used: BTreeSet::new() };
    search.follow(module, &function).ok_or_else(unseen)?;
    Ok(search.used)
}

struct Search {
    seen: Vec<Function>,
    used: BTreeSet<String>,
}

impl Search {
    fn follow(&mut self, module: &Module, function: &Function) -> Option<()> {
        if self.seen.contains(function) {
            return Some(());
        }
        if self.seen.len() >= FUNCTIONS {
            return None;
        }
        self.seen.push(function.clone());
        with_def(module, function, |home, def| self.read(home, def))?
    }

    fn read(&mut self, home: &Module, def: &ast::StmtFunctionDef) -> Option<()> {
        let is_parameter = |name: &str| def.parameters.iter().any(|parameter| parameter.name().as_str() == name);
        for node in own_nodes(&def.body) {
            match node {
                AnyNodeRef::StmtGlobal(global) => self.used.extend(global.names.iter().map(ToString::to_string)),
                AnyNodeRef::StmtNonlocal(nonlocal) => self.used.extend(nonlocal.names.iter().map(ToString::to_string)),
                AnyNodeRef::ExprName(name) if name.ctx.is_load() && !is_parameter(&name.id) => {
                    let is_local = !Names::in_body(&name.id, &def.body).bindings.is_empty();
                    if !is_local && is_variable(home, name) {
                        self.used.insert(name.id.to_string());
                    }
                }
                AnyNodeRef::ExprAttribute(attribute) if home.symbol(attribute).is_none() => {
                    // `settings.session`: a variable of another module of the project.
                    if let Some(module) = home.symbol(&*attribute.value)
                        && module.name.is_empty()
                        && module.origin == Origin::Project
                    {
                        self.used.insert(home.source(attribute).to_string());
                    }
                }
                AnyNodeRef::ExprCall(call) => {
                    if let Some(called) = home.called_function(call)
                        && called.symbol.origin == Origin::Project
                    {
                        self.follow(home, &called)?;
                    }
                }
                _ => {}
            }
        }
        Some(())
    }
}

/// Whether a name that is not local stands for something that may change: no function, class or module, no constant.
fn is_variable(home: &Module, name: &ast::ExprName) -> bool {
    if home.symbol(name).is_some() {
        return false;
    }
    let names = Names::in_body(&name.id, &home.syntax().body);
    if names.bindings.is_empty() {
        return false; // A builtin.
    }
    let constant = home.syntax().body.iter().find_map(|statement| match statement {
        Stmt::Assign(assign) => match assign.targets.as_slice() {
            [Expr::Name(target)] if target.id == name.id => Some(&*assign.value),
            _ => None,
        },
        Stmt::AnnAssign(assign) if assign.target.as_name_expr().is_some_and(|target| target.id == name.id) => {
            assign.value.as_deref()
        }
        _ => None,
    });
    names.bindings.len() != 1 || !constant.is_some_and(|value| is_constant(home, value))
}

fn is_constant(home: &Module, value: &Expr) -> bool {
    match value {
        Expr::Tuple(tuple) => tuple.elts.iter().all(|item| is_constant(home, item)),
        Expr::UnaryOp(operation) => is_constant(home, &operation.operand),
        Expr::Call(call) => home.calls(call, &["logging.getLogger", "re.compile"]),
        other => other.is_literal_expr(),
    }
}
