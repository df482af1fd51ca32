//! `match`: what a pattern asks of the subject, and names in patterns that are bound where a comparison was meant.

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind, Pattern};

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
        AnyNodeRef::StmtMatch(statement) => findings.push(matched(site.module, statement)),
        AnyNodeRef::PatternMatchClass(pattern) => findings.push(class_pattern(site.module, pattern)),
        _ => {}
    }
    Some(())
}

fn matched(module: &Module, statement: &ast::StmtMatch) -> Finding {
    let falls_through = !statement.cases.iter().any(|case| case.guard.is_none() && is_irrefutable(&case.pattern));
    let mut captures = vec![];
    let mut sequences = false;
    for case in &statement.cases {
        captures.extend(plain_capture(&case.pattern));
        sequences |= matches!(case.pattern, Pattern::MatchSequence(_));
    }
    let subject = Fact::from(module.source(&*statement.subject));
    Finding::new("keywords/match", TextRange::at(statement.start(), TextSize::new(5)))
        .fact("falls_through", falls_through.then(|| subject.clone()))
        .fact("sequence", sequences.then(|| subject.clone()))
        .fact("subject", subject)
        .fact("captures", Fact::from(captures))
}

fn is_irrefutable(pattern: &Pattern) -> bool {
    match pattern {
        Pattern::MatchAs(pattern) => pattern.pattern.as_deref().is_none_or(is_irrefutable),
        Pattern::MatchOr(pattern) => pattern.patterns.last().is_some_and(is_irrefutable),
        _ => false,
    }
}

/// A case that is a bare name: it matches anything and binds it.
fn plain_capture(pattern: &Pattern) -> Option<String> {
    match pattern {
        Pattern::MatchAs(pattern) if pattern.pattern.is_none() => pattern.name.as_ref().map(|name| name.to_string()),
        _ => None,
    }
}

fn class_pattern(module: &Module, pattern: &ast::PatternMatchClass) -> Finding {
    let class = module.class_reference(&pattern.cls);
    let positional = pattern.arguments.patterns.len();
    let names = class.as_ref().and_then(|class| {
        let definer = class.definer("__match_args__")?;
        definer.with_statement(|_, statement| match_args(statement))
    });
    let asked: Option<Vec<String>> = names.map(|names| names.into_iter().take(positional).collect());
    let keywords = pattern.arguments.keywords.iter().map(|keyword| keyword.attr.to_string());
    Finding::new("keywords/class-pattern", pattern.cls.range())
        .fact("class", Fact::from(module.source(&*pattern.cls)))
        .fact("positional", asked.filter(|asked| !asked.is_empty()).map(Fact::from))
        .fact("attributes", Fact::from(keywords.collect::<Vec<_>>()))
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
