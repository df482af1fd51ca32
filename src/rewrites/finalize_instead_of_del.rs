//! `def __del__(self): self.wire.close()` → `self._finalizer = weakref.finalize(self, self.wire.close)` in `__init__`
//!
//! Only where `__del__` is one call that releases something, of values that `__init__` sets once.

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use super::imports::{imported, line_after};
use super::layout::lost_comment;
use super::weakref_slot::NEVER_WEAK;
use super::{Offer, Rewrite, Target};
use crate::analysis::Module;
use crate::detectors::class_reading::subclasses;
use crate::text::{Edit, Ranged as _, TextRange};

pub(super) const REWRITE: Rewrite = Rewrite { name: "finalize_instead_of_del", offer };

const TITLE: &str =
    "Replace `__del__` by `weakref.finalize` (it also runs at exit, and keeps the values it is given here)";
const FINALIZER: &str = "_finalizer";
/// The last part of the names of functions that release something.
const RELEASING: &[&str] = &[
    "cancel",
    "cleanup",
    "close",
    "disconnect",
    "dispose",
    "free",
    "kill",
    "release",
    "remove",
    "rmdir",
    "rmtree",
    "shutdown",
    "stop",
    "terminate",
    "unlink",
    "unsubscribe",
];

fn offer(target: &Target) -> Option<Offer> {
    let module = target.site.module;
    let mut around = target.site.enclosing();
    let AnyNodeRef::StmtFunctionDef(del) = around.next()? else { return None };
    let AnyNodeRef::StmtClassDef(class) = around.next()? else { return None };
    let own = del.parameters.iter_non_variadic_params().next()?.name().as_str();
    let call = only_call(del).filter(|call| releases(call))?;
    let line = |range: TextRange| module.lines().line(range.start());
    let refused = |reason: String| Offer::refused(TITLE, reason);
    if let Expr::Attribute(method) = &*call.func
        && method.value.as_name_expr().is_some_and(|name| name.id == own)
    {
        return refused(format!("`{}` holds the object, which would then never die", module.source(&*call.func)));
    }
    if target.finding.facts.get("subclass").is_some() {
        return refused(format!("a subclass of `{}` has a `__del__` of its own", class.name));
    }
    if module.text().contains(".__del__") {
        return refused("another class of this file calls a `__del__` by name".to_string());
    }
    let inherited = module.class(class)?.mro().into_iter().skip(1).find(|base| base.binds("__del__"));
    if let Some(base) = inherited {
        return refused(format!("`{}` has a `__del__` too, which this one replaces", base.name()));
    }
    let own_class = module.class(class)?;
    for base in own_class.mro() {
        if base.binds("__slots__") && !base.is("builtins.object") {
            return refused(format!("`{}` has `__slots__`, without a place for the finalizer", base.name()));
        }
        if base.symbol().is_any(NEVER_WEAK) {
            return refused(format!("objects of `{}` cannot be referred to weakly", base.name()));
        }
    }
    if let Some(subclass) = subclasses(module, &own_class).iter().find(|subclass| subclass.binds("__init__")) {
        return refused(format!("`{}` has an `__init__` of its own, which may make no finalizer", subclass.name()));
    }
    let init = class.body.iter().filter_map(Stmt::as_function_def_stmt).find(|def| def.name.as_str() == "__init__")?;
    let init_own = init.parameters.iter_non_variadic_params().next()?.name().as_str();
    let mut last: Option<&Stmt> = None;
    for name in own_attributes(del, own)? {
        let stores = stores_of(module, name);
        let set = init.body.iter().find(|statement| sets(statement, init_own, name));
        let Some(set) = set else {
            return refused(format!("`{own}.{name}` is not set by a statement of `__init__` itself"));
        };
        if let Some(other) = stores.iter().find(|store| !set.range().contains_range(**store)) {
            return refused(format!("`.{name}` is set again in line {}", line(*other)));
        }
        last = last.filter(|last| last.start() > set.start()).or(Some(set));
    }
    let last = last?;
    if !stores_of(module, FINALIZER).is_empty() {
        return refused(format!("the name `{FINALIZER}` is taken"));
    }
    if let Some(reason) = lost_comment(module, lines_of(module, del), &[]) {
        return refused(reason);
    }
    let Some(weakref) = imported(&target.site, "weakref") else {
        return refused("the name `weakref` is used for something else in this file".to_string());
    };
    let arguments = call.arguments.iter_source_order().map(|argument| module.source(argument.range()));
    let given: Vec<&str> = std::iter::once(module.source(&*call.func)).chain(arguments).collect();
    let given = given.join(", ").replace(&format!("{own}."), &format!("{init_own}."));
    let (newline, indent) = (module.lines().newline(), module.lines().indentation(last.start()));
    let made = format!("{indent}{init_own}.{FINALIZER} = {}.finalize({init_own}, {given}){newline}", weakref.name);
    let mut edits = vec![Edit::insert(line_after(module, last.end()), made), Edit::delete(lines_of(module, del))];
    edits.extend(weakref.edit);
    Offer::edit(module, TITLE, edits, false)
}

/// The call that is all a function does, a docstring aside.
fn only_call(def: &ast::StmtFunctionDef) -> Option<&ast::ExprCall> {
    let is_docstring = |statement: &&Stmt| !ast::helpers::is_docstring_stmt(statement);
    let mut statements = def.body.iter().filter(is_docstring);
    let (Some(Stmt::Expr(only)), None) = (statements.next(), statements.next()) else { return None };
    only.value.as_call_expr().filter(|_| def.decorator_list.is_empty() && !def.is_async)
}

fn releases(call: &ast::ExprCall) -> bool {
    let name = match &*call.func {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return false,
    };
    RELEASING.contains(&name.trim_start_matches('_'))
}

/// The attributes of `own` that a function reads; `None` if it uses the object in any other way.
fn own_attributes<'a>(def: &'a ast::StmtFunctionDef, own: &str) -> Option<Vec<&'a str>> {
    struct Reads<'n, 'a>(&'n str, Vec<&'a str>, usize);
    impl<'a> SourceOrderVisitor<'a> for Reads<'_, 'a> {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            match node {
                AnyNodeRef::ExprAttribute(attribute)
                    if attribute.value.as_name_expr().is_some_and(|n| n.id == self.0) =>
                {
                    self.1.push(attribute.attr.as_str());
                }
                AnyNodeRef::ExprName(name) if name.id == self.0 => self.2 += 1,
                _ => {}
            }
            TraversalSignal::Traverse
        }
    }
    let mut finder = Reads(own, vec![], 0);
    finder.visit_body(&def.body);
    (finder.1.len() == finder.2 && !finder.1.is_empty()).then_some(finder.1)
}

/// Whether a statement of `__init__` is the assignment `own.name = …`.
fn sets(statement: &Stmt, own: &str, name: &str) -> bool {
    let is_target = |target: &Expr| {
        let attribute = target.as_attribute_expr().filter(|attribute| attribute.attr.as_str() == name);
        attribute.is_some_and(|attribute| attribute.value.as_name_expr().is_some_and(|receiver| receiver.id == own))
    };
    match statement {
        Stmt::Assign(assign) => assign.targets.iter().any(is_target),
        Stmt::AnnAssign(assign) => assign.value.is_some() && is_target(&assign.target),
        _ => false,
    }
}

/// Where the file assigns to or deletes an attribute of this name, of any object.
fn stores_of(module: &Module, name: &str) -> Vec<TextRange> {
    struct Stores<'n>(&'n str, Vec<TextRange>);
    impl<'a> SourceOrderVisitor<'a> for Stores<'_> {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            if let AnyNodeRef::ExprAttribute(attribute) = node
                && attribute.attr.as_str() == self.0
                && !attribute.ctx.is_load()
            {
                self.1.push(attribute.range());
            }
            TraversalSignal::Traverse
        }
    }
    let mut finder = Stores(name, vec![]);
    finder.visit_body(&module.syntax().body);
    finder.1
}

/// The lines of a function, with the blank lines above it.
fn lines_of(module: &Module, def: &ast::StmtFunctionDef) -> TextRange {
    let lines = module.lines();
    let first = lines.line(def.start());
    let is_blank = |line: &usize| module.source(lines.line_range(*line)).trim().is_empty();
    let top = (1..first).rev().take_while(is_blank).last().unwrap_or(first);
    TextRange::new(lines.line_range(top).start(), line_after(module, def.end()))
}
