//! `match`: what a pattern asks of the subject, and names in patterns that are bound where a comparison was meant.

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind, Pattern, Stmt};

use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Ranged as _, TextRange, TextSize};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["keywords/class-pattern", "keywords/match"],
    nodes: &[NodeKind::PatternMatchClass, NodeKind::StmtMatch],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    match site.node {
        AnyNodeRef::StmtMatch(statement) => findings.push(matched(site, statement)?),
        AnyNodeRef::PatternMatchClass(pattern) => findings.push(class_pattern(site.module, pattern)?),
        _ => {}
    }
    Some(())
}

fn matched(site: &Site, statement: &ast::StmtMatch) -> Option<Finding> {
    let module = site.module;
    let capture = statement.cases.iter().find_map(|case| shadowing(module, &case.pattern));
    let subject = Fact::from(module.source(&*statement.subject));
    let returns_none = returns_none(site, statement);
    if capture.is_none() && returns_none.is_none() {
        return None;
    }
    Some(
        Finding::new("keywords/match", TextRange::at(statement.start(), TextSize::new(5)))
            .fact("subject", subject)
            .fact("returns_none", returns_none.map(Fact::from))
            .fact("captures", capture.map(Fact::from)),
    )
}

/// The function around, if each case returns a value of its own, none fits everything, and nothing follows.
fn returns_none(site: &Site, statement: &ast::StmtMatch) -> Option<String> {
    let def = site.function()?;
    let is_last = def.body.last()?.range() == statement.range();
    let is_total = statement.cases.iter().any(|case| case.guard.is_none() && is_irrefutable(&case.pattern));
    let returns = |body: &[Stmt]| match body.last() {
        Some(Stmt::Return(returned)) => returned.value.as_deref().is_some_and(|value| !value.is_none_literal_expr()),
        Some(Stmt::Raise(_)) => true,
        _ => false,
    };
    let all_return = statement.cases.iter().all(|case| returns(&case.body));
    (is_last && !is_total && all_return).then(|| def.name.to_string())
}

/// A case that is a bare name which the module gives to a value of its own: it looks like a comparison.
fn shadowing(module: &Module, pattern: &Pattern) -> Option<String> {
    let Pattern::MatchAs(pattern) = pattern else { return None };
    let name = pattern.name.as_ref().filter(|_| pattern.pattern.is_none())?;
    let is_global = module.syntax().body.iter().any(|statement| match statement {
        Stmt::Assign(assign) => {
            assign.targets.iter().any(|target| target.as_name_expr().is_some_and(|target| target.id == name.as_str()))
        }
        _ => false,
    });
    is_global.then(|| name.to_string())
}

fn is_irrefutable(pattern: &Pattern) -> bool {
    match pattern {
        Pattern::MatchAs(pattern) => pattern.pattern.as_deref().is_none_or(is_irrefutable),
        Pattern::MatchOr(pattern) => pattern.patterns.last().is_some_and(is_irrefutable),
        _ => false,
    }
}

/// Which attributes the positional patterns stand for: that is written in the class, and not here.
fn class_pattern(module: &Module, pattern: &ast::PatternMatchClass) -> Option<Finding> {
    let class = module.class_reference(&pattern.cls);
    let positional = pattern.arguments.patterns.len();
    let names = class.as_ref().and_then(|class| {
        let definer = class.definer("__match_args__")?;
        definer.with_statement(|_, statement| match_args(statement))
    });
    let asked: Vec<String> = names?.into_iter().take(positional).collect();
    if asked.is_empty() {
        return None;
    }
    let keywords = pattern.arguments.keywords.iter().map(|keyword| keyword.attr.to_string());
    let finding = Finding::new("keywords/class-pattern", pattern.cls.range())
        .fact("class", Fact::from(module.source(&*pattern.cls)))
        .fact("positional", Fact::from(asked))
        .fact("attributes", Fact::from(keywords.collect::<Vec<_>>()));
    Some(finding)
}

/// The names of a `__match_args__` that is written as a tuple of strings.
fn match_args(statement: &ast::StmtClassDef) -> Option<Vec<String>> {
    let value = statement.body.iter().find_map(|statement| {
        let ast::Stmt::Assign(assign) = statement else { return None };
        let [target] = assign.targets.as_slice() else { return None };
        (target.as_name_expr()?.id == "__match_args__").then_some(&*assign.value)
    })?;
    let tuple = value.as_tuple_expr()?;
    tuple.elts.iter().map(|item| Some(item.as_string_literal_expr()?.value.to_string())).collect()
}
