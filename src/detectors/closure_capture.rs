//! Lambdas and nested functions that outlive the statement they stand in: which variables they hold, and when they read them.

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal, walk_node};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::method_binding::{is_kept, keeps};
use super::method_body::{find_own, is_name, own_nodes};
use super::nodes::block_around;
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
    let finding = Finding::new("memory/closure-capture", range);
    if let Some(variable) = loop_variable(site, &used) {
        findings.push(finding.fact("loop_variable", Fact::from(variable)));
        return Some(());
    }
    let around = site.function()?;
    let captures: Vec<String> = used.into_iter().filter(|name| is_local(around, name)).collect();
    if let Some((name, at)) = captures.iter().find_map(|name| Some((name, bound_each_turn(site, name)?))) {
        let place = site.module.place(at).map(Fact::from);
        findings.push(finding.fact("each_turn", Fact::from(name.as_str())).fact("each_turn_at", place));
        return Some(());
    }
    let finding = finding.fact("function", Fact::from(around.name.as_str()));
    // Capturing is what nested functions are for; telling is a variable that changes afterwards, and who keeps `self` alive.
    if let Some((name, at)) = captures.iter().find_map(|name| Some((name, rebound(site, around, name)?))) {
        let place = site.module.place(at).map(Fact::from);
        findings.push(finding.fact("rebound", Fact::from(name.as_str())).fact("rebound_at", place));
        return Some(());
    }
    if let Some((name, by, at)) = captures.iter().find_map(|name| set_by_other(site, around, name)) {
        let place = site.module.place(at).map(Fact::from);
        findings
            .push(finding.fact("changed", Fact::from(name)).fact("changer", Fact::from(by)).fact("changed_at", place));
        return Some(());
    }
    if !captures.iter().any(|name| name == "self") {
        return None;
    }
    let keeper = keeper(site, around)?;
    findings.push(finding.fact("keeper", Fact::from(keeper)).fact("captures", Fact::from(captures)));
    Some(())
}

/// Where the function around sets a captured variable again, behind the nested function.
fn rebound(site: &Site, around: &ast::StmtFunctionDef, name: &str) -> Option<TextRange> {
    let statement = site.statement()?;
    // What is handed out by a `return` is gone before anything further down runs.
    let (block, index) = block_around(site.module, statement.range())?;
    let ends = |statement: &Stmt| matches!(statement, Stmt::Return(_) | Stmt::Raise(_));
    let is_whole = block.as_ptr() == around.body.as_ptr();
    if block[index..].iter().any(ends) && !is_whole || matches!(statement, AnyNodeRef::StmtReturn(_)) {
        return None;
    }
    let mut behind = around.body.iter().filter(|other| other.start() > statement.end());
    behind.find_map(|other| set_in(std::slice::from_ref(other), name))
}

/// Where statements set a variable, other than as the variable of a handler, an import or a definition.
fn set_in(statements: &[Stmt], name: &str) -> Option<TextRange> {
    let mut own_scopes: Vec<TextRange> = vec![];
    find_own(statements, |node| match node {
        // The variable of a comprehension is its own.
        AnyNodeRef::Comprehension(comprehension) => {
            own_scopes.push(comprehension.target.range());
            None
        }
        AnyNodeRef::ExprName(target) => {
            let is_own = own_scopes.iter().any(|scope| scope.contains_range(target.range()));
            (target.ctx.is_store() && target.id == name && !is_own).then(|| target.range())
        }
        _ => None,
    })
}

/// Where the loop around the function, in which it is made anew each turn, sets a captured variable each turn.
fn bound_each_turn(site: &Site, name: &str) -> Option<TextRange> {
    for node in site.enclosing() {
        let body = match node {
            AnyNodeRef::StmtFor(statement) => &statement.body,
            AnyNodeRef::StmtWhile(statement) => &statement.body,
            AnyNodeRef::StmtReturn(_)
            | AnyNodeRef::StmtFunctionDef(_)
            | AnyNodeRef::ExprLambda(_)
            | AnyNodeRef::StmtClassDef(_) => return None,
            _ => continue,
        };
        let is_in_body = body.iter().any(|statement| statement.range().contains_range(site.node.range()));
        let mut plain = body.iter().filter(|statement| statement.is_assign_stmt() || statement.is_ann_assign_stmt());
        if is_in_body && let Some(set) = plain.find_map(|statement| set_in(std::slice::from_ref(statement), name)) {
            return Some(set);
        }
    }
    None
}

/// Another nested function that sets a captured variable by `nonlocal`.
fn set_by_other(site: &Site, around: &ast::StmtFunctionDef, name: &str) -> Option<(String, String, TextRange)> {
    let mut found = None;
    own_nodes(&around.body, |node| {
        let AnyNodeRef::StmtFunctionDef(other) = node else { return };
        if other.range().contains_range(site.node.range()) || found.is_some() {
            return;
        }
        let declares = find_own(&other.body, |node| match node {
            AnyNodeRef::StmtNonlocal(nonlocal) => {
                nonlocal.names.iter().any(|declared| declared.as_str() == name).then_some(())
            }
            _ => None,
        });
        found = declares.and_then(|()| set_in(&other.body, name)).map(|at| (other.name.to_string(), at));
    });
    found.map(|(by, at)| (name.to_string(), by, at))
}

/// What keeps the function: the callee that registers it, the place it is stored in.
fn keeper(site: &Site, around: &ast::StmtFunctionDef) -> Option<String> {
    if let AnyNodeRef::StmtFunctionDef(def) = site.node {
        let mut kept = None;
        own_nodes(&around.body, |node| {
            if let AnyNodeRef::ExprCall(call) = node
                && let Some(argument) = call.arguments.args.iter().find(|argument| is_name(argument, &def.name))
                && kept.is_none()
                && is_kept(site, call, argument.range())
            {
                kept = Some(call.func.range());
            }
        });
        return kept.map(|range: TextRange| site.module.source(range).to_string());
    }
    site.enclosing().find_map(|node| match node {
        AnyNodeRef::ExprCall(call) => {
            is_kept(site, call, site.node.range()).then(|| site.module.source(&*call.func).to_string())
        }
        _ => None,
    })
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

struct HandedOut<'n> {
    name: &'n str,
    found: bool,
}

/// Whether a function returns, stores or passes on the nested function `name`.
fn is_handed_out(def: &ast::StmtFunctionDef, name: &str) -> bool {
    let mut finder = HandedOut { name, found: false };
    finder.visit_body(&def.body);
    finder.found
}

impl<'a> SourceOrderVisitor<'a> for HandedOut<'_> {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        let value = match node {
            AnyNodeRef::StmtReturn(returned) => returned.value.as_deref(),
            AnyNodeRef::ExprYield(yielded) => yielded.value.as_deref(),
            AnyNodeRef::StmtAssign(assign) if assign.targets.iter().any(|target| !target.is_name_expr()) => {
                Some(&*assign.value)
            }
            _ => None,
        };
        self.found |= match value {
            Some(Expr::Tuple(tuple)) => tuple.elts.iter().any(|item| is_name(item, self.name)),
            Some(value) => is_name(value, self.name),
            None => false,
        };
        if let AnyNodeRef::ExprCall(call) = node
            && let Expr::Attribute(method) = &*call.func
            && (["append", "add"].contains(&method.attr.as_str()) || keeps(call))
        {
            self.found |=
                call.arguments.args.iter().any(|item| matches!(item, Expr::Name(name) if name.id == self.name));
        }
        TraversalSignal::Traverse
    }
}
