//! A class on a base of `contextlib`: what that base lets happen to its objects.

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind};

use super::method_body::{attribute_of, method, own_nodes, parameter};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["metaclasses/manager-base"], nodes: &[NodeKind::StmtClassDef], detect };

const DECORATORS: &[&str] = &["contextlib.AsyncContextDecorator", "contextlib.ContextDecorator"];
const ABSTRACT: &[&str] = &["contextlib.AbstractAsyncContextManager", "contextlib.AbstractContextManager"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtClassDef(statement) = site.node else { return None };
    let module = site.module;
    for base in statement.bases() {
        let named = ast::helpers::map_subscript(base);
        let may_be = module.may_be(named, DECORATORS) || module.may_be(named, ABSTRACT);
        let Some(symbol) = may_be.then(|| module.symbol(named)).flatten() else { continue };
        let finding = Finding::new("metaclasses/manager-base", named.range())
            .fact("class", Fact::from(statement.name.as_str()))
            .fact("base", Fact::from(module.source(named)));
        if symbol.is_any(DECORATORS) {
            findings.extend(shared(module, statement, finding));
        } else if symbol.is_any(ABSTRACT) {
            let enter = if symbol.last().contains("Async") { "__aenter__" } else { "__enter__" };
            findings.extend(inherited(statement, enter, finding));
        }
    }
    Some(())
}

/// What entering stores on the object, of which there is one for all calls of a decorated function.
fn shared(module: &Module, statement: &ast::StmtClassDef, finding: Finding) -> Option<Finding> {
    if method(&statement.body, "_recreate_cm").is_some() {
        return None;
    }
    let enter = ["__enter__", "__aenter__"].into_iter().find_map(|name| method(&statement.body, name))?;
    let this = parameter(enter, 0)?;
    let mut stored = vec![];
    own_nodes(&enter.body, |node| {
        if let AnyNodeRef::ExprAttribute(attribute) = node
            && attribute.ctx.is_store()
            && attribute_of(&ast::Expr::Attribute(attribute.clone()), this).is_some()
        {
            stored.push(attribute.range());
        }
    });
    let first = *stored.first()?;
    let mut names: Vec<String> = stored.into_iter().map(|range| module.source(range).to_string()).collect();
    names.dedup();
    Some(finding.fact("stored", Fact::from(names)).fact("stored_at", module.place(first).map(Fact::from)))
}

/// The method that enters is the only base's own, which returns the manager.
fn inherited(statement: &ast::StmtClassDef, enter: &'static str, finding: Finding) -> Option<Finding> {
    let is_alone = statement.bases().len() == 1 && method(&statement.body, enter).is_none();
    (is_alone && !statement.body.iter().any(|member| member.is_assign_stmt()))
        .then(|| finding.fact("inherited", Fact::from(enter)))
}
