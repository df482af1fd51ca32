//! `global` and `nonlocal`: which variable the name means from here on, and who else writes it.

use ruff_python_ast::{self as ast, AnyNodeRef, Identifier, NodeKind};

use super::method_body::{each_node, find_own, own_nodes};
use super::suspension::qualified_name;
use super::threads::hand_over;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::{Place, Ranged as _, TextRange, TextSize};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["keywords/global", "keywords/nonlocal"],
    nodes: &[NodeKind::StmtGlobal, NodeKind::StmtNonlocal],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    match site.node {
        AnyNodeRef::StmtGlobal(statement) => findings.push(global(site, statement)?),
        AnyNodeRef::StmtNonlocal(statement) => findings.push(nonlocal(site, statement)?),
        _ => {}
    }
    Some(())
}

fn names(names: &[Identifier]) -> Vec<String> {
    names.iter().map(|name| name.to_string()).collect()
}

fn global(site: &Site, statement: &ast::StmtGlobal) -> Option<Finding> {
    let module = site.module;
    // What a class body binds by it is the module's variable in place of an attribute: never without effect.
    if is_in_class_body(site) {
        return None;
    }
    let finding = Finding::new("keywords/global", TextRange::at(statement.start(), TextSize::new(6)));
    let Some(def) = site.function() else {
        return Some(finding.fact("useless", Fact::from(names(&statement.names))));
    };
    let listed = |name: &str| statement.names.iter().any(|listed| listed.as_str() == name);
    let writes = written(&def.body, &listed);
    let mut others: Vec<String> = vec![];
    each_node(&module.syntax().body, |node| {
        let AnyNodeRef::StmtFunctionDef(other) = node else { return };
        let declares = declared_global(other).iter().any(|name| listed(name));
        if declares && other.range() != def.range() && !written(&other.body, &listed).is_empty() {
            others.push(qualified_name(module, other));
        }
    });
    let counted = find_own(&def.body, |node| match node {
        AnyNodeRef::StmtAugAssign(assign) => {
            assign.target.as_name_expr().filter(|name| listed(&name.id)).map(|_| assign.range())
        }
        _ => None,
    });
    let is_only_read = writes.is_empty();
    let is_shared = hand_over(module, def).is_some();
    if !is_only_read && others.is_empty() && !(is_shared && counted.is_some()) {
        return None;
    }
    if is_only_read && is_bound_around(site, def, &statement.names) {
        return None;
    }
    let counted = counted.filter(|_| is_shared);
    let places: Vec<Place> = writes.into_iter().filter_map(|range| module.place(range)).collect();
    let name = if is_only_read { "only_read" } else { "names" };
    Some(
        finding
            .fact(name, Fact::from(names(&statement.names)))
            .fact("function", Fact::from(qualified_name(module, def)))
            .fact("written_at", Fact::from(places))
            .fact("others", Fact::from(others))
            .fact("counted", counted.map(|range| Fact::Code(module.source(range).to_string())))
            .fact("counted_at", counted.and_then(|range| module.place(range)).map(Fact::from)),
    )
}

fn is_in_class_body(site: &Site) -> bool {
    let scope =
        site.enclosing().find(|node| matches!(node, AnyNodeRef::StmtFunctionDef(_) | AnyNodeRef::StmtClassDef(_)));
    matches!(scope, Some(AnyNodeRef::StmtClassDef(_)))
}

/// Whether a function around `def` has a variable of such a name: without the statement, that one would be read.
fn is_bound_around(site: &Site, def: &ast::StmtFunctionDef, names: &[Identifier]) -> bool {
    site.enclosing().any(|node| match node {
        AnyNodeRef::StmtFunctionDef(outer) if outer.range() != def.range() => {
            names.iter().any(|name| binds_all(outer, std::slice::from_ref(name)))
        }
        _ => false,
    })
}

/// Where a body binds or deletes one of the names, the statements of nested functions aside.
fn written(body: &[ast::Stmt], listed: &dyn Fn(&str) -> bool) -> Vec<TextRange> {
    let mut writes = vec![];
    own_nodes(body, |node| {
        let (name, range) = match node {
            AnyNodeRef::ExprName(name) if !name.ctx.is_load() => (name.id.as_str(), name.range()),
            AnyNodeRef::StmtFunctionDef(def) => of(&def.name),
            AnyNodeRef::StmtClassDef(class) => of(&class.name),
            AnyNodeRef::Alias(alias) => {
                let (bound, range) = of(alias.asname.as_ref().unwrap_or(&alias.name));
                // `import a.b` binds `a`.
                (bound.split('.').next().unwrap_or(bound), range)
            }
            other => match pattern_or_handler(other) {
                Some(name) => of(name),
                None => return,
            },
        };
        if listed(name) {
            writes.push(range);
        }
    });
    writes
}

fn of(name: &Identifier) -> (&str, TextRange) {
    (name.as_str(), name.range())
}

/// The name that a handler or a pattern binds.
fn pattern_or_handler(node: AnyNodeRef<'_>) -> Option<&Identifier> {
    match node {
        AnyNodeRef::ExceptHandlerExceptHandler(handler) => handler.name.as_ref(),
        AnyNodeRef::PatternMatchAs(pattern) => pattern.name.as_ref(),
        AnyNodeRef::PatternMatchStar(pattern) => pattern.name.as_ref(),
        AnyNodeRef::PatternMatchMapping(pattern) => pattern.rest.as_ref(),
        _ => None,
    }
}

fn declared_global(def: &ast::StmtFunctionDef) -> Vec<String> {
    let mut found = vec![];
    own_nodes(&def.body, |node| {
        if let AnyNodeRef::StmtGlobal(statement) = node {
            found.extend(names(&statement.names));
        }
    });
    found
}

fn nonlocal(site: &Site, statement: &ast::StmtNonlocal) -> Option<Finding> {
    let def = site.function()?;
    let listed = |name: &str| statement.names.iter().any(|listed| listed.as_str() == name);
    let owner = site.enclosing().find_map(|node| match node {
        AnyNodeRef::StmtFunctionDef(outer) if outer.range() != def.range() && binds_all(outer, &statement.names) => {
            Some(outer)
        }
        _ => None,
    });
    let mut sharing: Vec<String> = vec![];
    if let Some(owner) = owner {
        each_node(&owner.body, |node| {
            if let AnyNodeRef::StmtFunctionDef(other) = node
                && other.range() != def.range()
                && !other.range().contains_range(def.range())
                && mentions_any(other, &listed)
            {
                sharing.push(other.name.to_string());
            }
        });
    }
    if sharing.is_empty() {
        return None;
    }
    Some(
        Finding::new("keywords/nonlocal", TextRange::at(statement.start(), TextSize::new(8)))
            .fact("names", Fact::from(names(&statement.names)))
            .fact("function", Fact::from(def.name.as_str()))
            .fact("owner", owner.map(|owner| Fact::from(owner.name.as_str())))
            .fact("sharing", Fact::from(sharing)),
    )
}

fn binds_all(def: &ast::StmtFunctionDef, names: &[Identifier]) -> bool {
    let is_parameter = |name: &str| def.parameters.iter().any(|parameter| parameter.name().as_str() == name);
    let declares = |name: &str| {
        let mut found = false;
        own_nodes(&def.body, |node| {
            found |=
                matches!(node, AnyNodeRef::StmtNonlocal(other) if other.names.iter().any(|item| item.as_str() == name));
        });
        found
    };
    names.iter().all(|name| {
        let name = name.as_str();
        (is_parameter(name) || !written(&def.body, &|other| other == name).is_empty()) && !declares(name)
    })
}

fn mentions_any(def: &ast::StmtFunctionDef, listed: &dyn Fn(&str) -> bool) -> bool {
    let mut found = false;
    each_node(&def.body, |node| found |= matches!(node, AnyNodeRef::ExprName(name) if listed(&name.id)));
    found
}
