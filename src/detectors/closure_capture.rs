//! Lambdas and nested functions that outlive the statement they stand in: which variables they hold, and when they read them.

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal, walk_node};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::reference_count::binds;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::{Ranged as _, TextRange, TextSize};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["memory/closure-capture"],
    nodes: &[NodeKind::ExprLambda, NodeKind::StmtFunctionDef],
    detect,
};

/// Functions that are done with a function argument when they return, or read it lazily in place.
const USED_UP: &[&str] = &[
    "filter",
    "map",
    "max",
    "min",
    "sort",
    "sorted",
    "reduce",
    "groupby",
    "takewhile",
    "dropwhile",
    "sub",
    "subn",
    "nlargest",
    "nsmallest",
    "accumulate",
    "bisect",
    "insort",
    "merge",
    "patch",
    "setattr",
    "assertRaises",
];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let (range, used) = match site.node {
        AnyNodeRef::ExprLambda(lambda) => {
            let range = TextRange::at(lambda.start(), TextSize::new(6));
            outlives(site).then_some(())?;
            (range, free_names(lambda.parameters.as_deref(), AnyNodeRef::from(&*lambda.body)))
        }
        AnyNodeRef::StmtFunctionDef(def) => {
            // A nested function that is handed out.
            let around = site.function()?;
            is_handed_out(around, &def.name).then_some(())?;
            (def.name.range(), free_names(Some(&def.parameters), site.node))
        }
        _ => return None,
    };
    let mut finding = Finding::new("memory/closure-capture", range);
    if let Some(variable) = loop_variable(site, &used) {
        findings.push(finding.fact("loop_variable", Fact::from(variable)));
        return Some(());
    }
    let around = site.function()?;
    let captures: Vec<String> = used.into_iter().filter(|name| is_local(around, name)).collect();
    // A function that is returned and captures arguments is what decorators are made of.
    let is_returned = site.node.is_stmt_function_def() && !is_stored(around, site);
    if captures.is_empty() || (is_returned && !captures.iter().any(|name| name == "self")) {
        return None;
    }
    finding = finding.fact("captures", Fact::from(captures)).fact("function", Fact::from(around.name.as_str()));
    findings.push(finding);
    Some(())
}

/// The names that a function reads and does not bind itself.
pub(super) fn free_names(parameters: Option<&ast::Parameters>, body: AnyNodeRef) -> Vec<String> {
    struct Names {
        read: Vec<String>,
        bound: Vec<String>,
    }
    impl<'a> SourceOrderVisitor<'a> for Names {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            match node {
                AnyNodeRef::ExprName(name) => {
                    let names = if name.ctx.is_load() { &mut self.read } else { &mut self.bound };
                    if !names.iter().any(|other| *other == *name.id) {
                        names.push(name.id.to_string());
                    }
                }
                // Defaults, annotations and decorators are evaluated outside.
                AnyNodeRef::Parameters(_) | AnyNodeRef::Decorator(_) => return TraversalSignal::Skip,
                _ => {}
            }
            TraversalSignal::Traverse
        }
    }
    let mut names = Names { read: vec![], bound: vec![] };
    walk_node(&mut names, body);
    let is_parameter =
        |name: &str| parameters.is_some_and(|parameters| parameters.iter().any(|item| item.name().as_str() == name));
    let bound = names.bound;
    names.read.into_iter().filter(|name| !is_parameter(name) && !bound.contains(name)).collect()
}

pub(super) fn is_local(def: &ast::StmtFunctionDef, name: &str) -> bool {
    binds(&def.body, name) || def.parameters.iter().any(|parameter| parameter.name().as_str() == name)
}

/// The variable of a loop or comprehension around the function that it reads, when more than one function is made.
fn loop_variable(site: &Site, used: &[String]) -> Option<String> {
    let binds_name = |target: &Expr| used.iter().find(|name| target_names(target, name)).cloned();
    for node in site.enclosing() {
        let found = match node {
            AnyNodeRef::StmtFor(statement) if !statement.iter.range().contains_range(site.node.range()) => {
                binds_name(&statement.target)
            }
            AnyNodeRef::ExprListComp(comprehension) => first(&comprehension.generators, &binds_name),
            AnyNodeRef::ExprSetComp(comprehension) => first(&comprehension.generators, &binds_name),
            AnyNodeRef::ExprDictComp(comprehension) => first(&comprehension.generators, &binds_name),
            AnyNodeRef::StmtReturn(_) => return None,
            AnyNodeRef::StmtFunctionDef(_) | AnyNodeRef::ExprLambda(_) | AnyNodeRef::StmtClassDef(_) => return None,
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

fn first(generators: &[ast::Comprehension], binds_name: &dyn Fn(&Expr) -> Option<String>) -> Option<String> {
    generators.iter().find_map(|generator| binds_name(&generator.target))
}

fn target_names(target: &Expr, name: &str) -> bool {
    match target {
        Expr::Name(target) => target.id == name,
        Expr::Tuple(tuple) => tuple.elts.iter().any(|element| target_names(element, name)),
        Expr::List(list) => list.elts.iter().any(|element| target_names(element, name)),
        Expr::Starred(starred) => target_names(&starred.value, name),
        _ => false,
    }
}

/// Whether a lambda lives on after the expression it stands in.
fn outlives(site: &Site) -> bool {
    for node in site.enclosing() {
        match node {
            AnyNodeRef::Keyword(keyword) if keyword.arg.as_ref().is_some_and(|name| name.as_str() == "key") => {
                return false;
            }
            AnyNodeRef::Keyword(_) | AnyNodeRef::Arguments(_) => {}
            AnyNodeRef::ExprCall(call) => {
                let name = match &*call.func {
                    Expr::Name(name) => name.id.as_str(),
                    Expr::Attribute(attribute) => attribute.attr.as_str(),
                    _ => return false,
                };
                let is_called = call.func.range().contains_range(site.node.range());
                // Callbacks of weak references have a page of their own.
                const WEAK: &[&str] = &["weakref.proxy", "weakref.ref"];
                let is_weak = site.module.may_be(&call.func, WEAK)
                    && site.module.callee(call).is_some_and(|symbol| symbol.is_any(WEAK));
                return !is_called && !is_weak && !USED_UP.contains(&name);
            }
            AnyNodeRef::ExprList(_)
            | AnyNodeRef::ExprTuple(_)
            | AnyNodeRef::ExprDict(_)
            | AnyNodeRef::ExprListComp(_)
            | AnyNodeRef::ExprDictComp(_)
            | AnyNodeRef::ExprIf(_)
            | AnyNodeRef::ExprBoolOp(_) => {}
            AnyNodeRef::StmtReturn(_) | AnyNodeRef::ExprYield(_) => return true,
            AnyNodeRef::StmtAssign(assign) => return assign.targets.iter().any(|target| !target.is_name_expr()),
            _ => return false,
        }
    }
    false
}

/// Whether a function returns, stores or passes on the nested function `name`.
/// Whether the nested function at `site` is put into something, not only returned.
fn is_stored(around: &ast::StmtFunctionDef, site: &Site) -> bool {
    let AnyNodeRef::StmtFunctionDef(def) = site.node else { return false };
    let mut finder = HandedOut { name: &def.name, with_returned: false, found: false };
    finder.visit_body(&around.body);
    finder.found
}

struct HandedOut<'n> {
    name: &'n str,
    with_returned: bool,
    found: bool,
}

fn is_handed_out(def: &ast::StmtFunctionDef, name: &str) -> bool {
    let mut finder = HandedOut { name, with_returned: true, found: false };
    finder.visit_body(&def.body);
    finder.found
}

impl<'a> SourceOrderVisitor<'a> for HandedOut<'_> {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        let value = match node {
            AnyNodeRef::StmtReturn(returned) if self.with_returned => returned.value.as_deref(),
            AnyNodeRef::ExprYield(yielded) if self.with_returned => yielded.value.as_deref(),
            AnyNodeRef::StmtAssign(assign) if assign.targets.iter().any(|target| !target.is_name_expr()) => {
                Some(&*assign.value)
            }
            _ => None,
        };
        self.found |= matches!(value, Some(Expr::Name(name)) if name.id == self.name);
        if let AnyNodeRef::ExprCall(call) = node
            && let Expr::Attribute(method) = &*call.func
            && ["append", "add"].contains(&method.attr.as_str())
        {
            self.found |=
                call.arguments.args.iter().any(|item| matches!(item, Expr::Name(name) if name.id == self.name));
        }
        TraversalSignal::Traverse
    }
}
