//! A `return` in `__getattr__` that gives its value without raising: the attribute exists.
//!
//! Silent where the value may raise: then whether the attribute exists is decided elsewhere.

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind};

use super::getattr_hook::answered_here;
use super::getattr_shape::{answers_all, never_raises};
use super::method_body::{find_own, own_nodes, parameter};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["attributes/getattr-answer"], nodes: &[NodeKind::StmtReturn], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtReturn(statement) = site.node else { return None };
    let def = site.function().filter(|def| def.name.as_str() == "__getattr__")?;
    let owner = site.class()?;
    let is_method = owner.body.iter().any(|statement| statement.range() == def.range());
    if !is_method || def.is_async || !def.decorator_list.is_empty() || site.is_type_checking() {
        return None;
    }
    let class = site.module.class(owner)?;
    let name = parameter(def, 1)?;
    if !statement.value.as_deref().is_none_or(|value| never_raises(site.module, value, name)) {
        return None;
    }
    let answer = statement.value.as_deref().map_or("None", |value| site.module.source(value));
    let is_every = answers_all(site.module, def, name).is_some() && has_one_return(def);
    let kind = statement.value.as_deref().and_then(|value| site.module.class_of(value)).map(|class| class.name());
    let reads = if is_every { answered_here(site.module, &class) } else { vec![] };
    findings.push(
        Finding::new("attributes/getattr-answer", statement.range())
            .fact("class", Fact::from(class.name()))
            .fact("answer", Fact::from(answer))
            .fact("every", is_every.then(|| Fact::from(answer)))
            .fact("kind", kind.map(Fact::from))
            .fact("reads", Fact::from(reads))
            .fact("not_kept", (!stores(def)).then(|| Fact::from(name))),
    );
    Some(())
}

fn has_one_return(def: &ast::StmtFunctionDef) -> bool {
    let mut returns = 0;
    own_nodes(&def.body, |node| returns += usize::from(matches!(node, AnyNodeRef::StmtReturn(_))));
    returns == 1 && matches!(def.body.last(), Some(ast::Stmt::Return(_)))
}

/// Whether the method may keep the answer: it assigns to something of an object, or calls anything as a statement.
fn stores(def: &ast::StmtFunctionDef) -> bool {
    let stored = find_own(&def.body, |node| match node {
        AnyNodeRef::ExprAttribute(attribute) => attribute.ctx.is_store().then_some(()),
        AnyNodeRef::ExprSubscript(item) => item.ctx.is_store().then_some(()),
        AnyNodeRef::StmtExpr(statement) => statement.value.is_call_expr().then_some(()),
        _ => None,
    });
    stored.is_some()
}
