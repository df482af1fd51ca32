//! `Shape()` where `Shape` still has abstract methods, and `@abstractmethod` in a class that nobody checks.
//!
//! Silent for bases written in C, whose `__new__` does not look, and in tests that expect the error.

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind};

use super::abstract_class::{is_made_by_object, missing};
use super::class_reading::{is_built_plainly, is_own, is_protocol};
use super::never_awaited::is_expected;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["metaclasses/abstract-base-class", "metaclasses/abstract-instance"],
    nodes: &[NodeKind::ExprCall, NodeKind::StmtFunctionDef],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    match site.node {
        AnyNodeRef::ExprCall(call) => made(site, call, findings),
        AnyNodeRef::StmtFunctionDef(def) => unchecked(site, def, findings),
        _ => None,
    }
}

fn made(site: &Site, call: &ast::ExprCall, findings: &mut Findings) -> Option<()> {
    if !findings.wants("metaclasses/abstract-instance") || site.is_type_checking() {
        return None;
    }
    if !site.module.is_named_like_a_class(&call.func) {
        return None;
    }
    if site.is_whole_file && !site.module.may_use_package("abc") {
        return None;
    }
    let class = site.module.class_reference(&call.func)?;
    let is_checked = class.metaclass().is_some_and(|metaclass| metaclass.class.is("abc.ABCMeta"));
    if !is_checked
        || !is_own(&class)
        || !class.mro().iter().all(is_made_by_object)
        || class.definer("__new__").is_some()
    {
        return None;
    }
    let missing = missing(&class)?;
    let is_reset =
        class.module().text().contains("__abstractmethods__") || site.module.text().contains("__abstractmethods__");
    if missing.is_empty() || !is_built_plainly(&class) || is_protocol(&class) || is_reset || is_expected(site) {
        return None;
    }
    findings.push(
        Finding::new("metaclasses/abstract-instance", call.range())
            .fact("callee", Fact::from(site.module.source(&*call.func)))
            .fact("class", Fact::from(class.name()))
            .fact("class_at", class.place().map(Fact::from))
            .fact("missing", Fact::from(missing)),
    );
    Some(())
}

/// `@abstractmethod` in a class without `ABCMeta`.
fn unchecked(site: &Site, def: &ast::StmtFunctionDef, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtClassDef(statement) = site.parent()? else { return None };
    let marked = def.decorator_list.iter().find(|decorator| {
        const MARK: &[&str] = &["abc.abstractmethod"];
        site.module.may_be(&decorator.expression, MARK)
            && site.module.symbol(&decorator.expression).is_some_and(|symbol| symbol.is_any(MARK))
    })?;
    let class = site.module.class(statement)?;
    let is_plain = class.mro_is_complete() && class.metaclass().is_none() && is_built_plainly(&class);
    // A mixin may be meant for classes that are checked.
    let is_mixed_in = super::class_reading::subclasses(site.module, &class)
        .iter()
        .any(|subclass| subclass.metaclass().is_some() || !subclass.mro_is_complete());
    if !is_plain || is_protocol(&class) || is_mixed_in || site.is_type_checking() {
        return None;
    }
    findings.push(
        Finding::new("metaclasses/abstract-base-class", marked.expression.range())
            .fact("unchecked", Fact::from(statement.name.as_str()))
            .fact("method", Fact::from(def.name.as_str())),
    );
    Some(())
}
