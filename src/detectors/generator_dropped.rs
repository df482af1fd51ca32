//! A generator function that is called as a statement: the generator is dropped, and nothing of the body runs.
//!
//! Silent where a method that overrides it is a plain function, and where an error is expected.

use ruff_python_ast::{AnyNodeRef, Expr, NodeKind};

use super::never_awaited::is_expected;
use super::nodes::with_def;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Function, Origin, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["datamodel/generator-dropped"], nodes: &[NodeKind::StmtExpr], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtExpr(statement) = site.node else { return None };
    let call = statement.value.as_call_expr()?;
    let name = match &*call.func {
        Expr::Name(name) => site.module.imported_name(&name.id),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return None,
    };
    if site.is_type_checking() || (site.is_whole_file && !site.module.may_have_generator(name)) {
        return None;
    }
    let function = site.module.called_function(call)?;
    if !function.is_generator || function.is_async || function.symbol.origin != Origin::Project {
        return None;
    }
    let is_plain = with_def(site.module, &function, |_, def| def.decorator_list.is_empty().then_some(()));
    if is_plain.is_none() || may_be_another(site, &call.func, &function) || is_expected(site) {
        return None;
    }
    findings.push(
        Finding::new("datamodel/generator-dropped", call.range())
            .fact("callee", Fact::from(site.module.source(&*call.func)))
            .fact("function", Fact::from(function.name.as_str()))
            .fact("defined_at", function.place.map(Fact::from)),
    );
    Some(())
}

/// Whether the object at hand may have another method of that name, which a subclass defines.
fn may_be_another(site: &Site, called: &Expr, function: &Function) -> bool {
    if !called.is_attribute_expr() {
        return false;
    }
    let Ok(definers) = site.module.snapshot().classes_defining(&function.name) else { return true };
    let Some(home) = definers.iter().find(|class: &&Class| class.method_place(&function.name) == function.place) else {
        return false;
    };
    definers.iter().any(|class| class != home && class.is_subclass_of(home))
}
