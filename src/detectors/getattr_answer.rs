//! Reads that `__getattr__` answers, and reads that it would answer had not the constructor's keywords set the attribute.
//!
//! Silent on `self` (a subclass may have the name), for declared names, and where attributes are set under computed names.

use ruff_python_ast::{self as ast, AnyNodeRef, ExprContext, NodeKind};

use super::class_reading::{is_built_plainly, is_own, is_protocol};
use super::dynamic_shape::{Dynamic, dynamic, extra_keywords};
use super::getattr_shape::answers_all;
use super::method_body::{each_node, is_name, method, parameter};
use super::method_shape::is_placeholder;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Lookup, Module, Site, Step};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["attributes/answered-by-getattr", "attributes/lookup-order"],
    nodes: &[NodeKind::ExprAttribute],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprAttribute(attribute) = site.node else { return None };
    if site.is_type_checking() || site.is_annotation() {
        return None;
    }
    let answer = answer(site.module, attribute)?;
    let hook = format!("{}.__getattr__", answer.lookup.member.owner.name());
    let hook_at = answer.lookup.member.place.clone();
    let concept = if answer.is_set { "attributes/lookup-order" } else { "attributes/answered-by-getattr" };
    let finding = Finding::new(concept, attribute.attr.range())
        .fact("code", Fact::from(site.module.source(attribute)))
        .fact("attribute", Fact::from(attribute.attr.as_str()))
        .fact("receiver", Fact::from(site.module.source(&*attribute.value)));
    if answer.is_set {
        findings.push(
            finding
                .fact("keyword_at", answer.keywords_at.map(Fact::from))
                .fact("fallback", Fact::from(hook))
                .fact("fallback_at", hook_at.map(Fact::from)),
        );
        return Some(());
    }
    let all = answer.lookup.member.owner.with_statement(|module, statement| {
        let def = method(&statement.body, "__getattr__")?;
        let all = answers_all(module, def, parameter(def, 1)?)?;
        let range = all.answer.unwrap_or(def.name.range());
        let text = all.answer.map_or("None".to_string(), |range| module.source(range).to_string());
        Some((text, module.place(range)))
    });
    let (all, all_at) = all.unzip();
    findings.push(
        finding
            .fact("getattr", Fact::from(hook))
            .fact("getattr_at", hook_at.map(Fact::from))
            .fact("answer", all.map(Fact::from))
            .fact("answer_at", all_at.flatten().map(Fact::from))
            .fact("keywords", Fact::from(answer.keywords))
            .fact("keywords_at", answer.keywords_at.map(Fact::from)),
    );
    Some(())
}

/// A read that comes as far as `__getattr__` when only what is written out is counted.
pub(super) struct Answer<'s> {
    pub lookup: Lookup<'s>,
    /// Whether a keyword of the constructor has set the attribute, so that the hook is not called.
    pub is_set: bool,
    keywords: Vec<String>,
    keywords_at: Option<Place>,
}

/// How `attribute` is answered, when the class's `__getattr__` is the last resort.
pub(super) fn answer<'s>(module: &Module<'s>, attribute: &ast::ExprAttribute) -> Option<Answer<'s>> {
    if attribute.ctx != ExprContext::Load || is_name(&attribute.value, "self") {
        return None;
    }
    let lookup = module.lookup(attribute)?;
    let class = lookup.receiver;
    let name = attribute.attr.as_str();
    if lookup.step != Step::GetattrHook
        || !is_built_plainly(&class)
        || class.mro().iter().any(|class| class.binds(name))
        || !runs(&lookup.member.owner)
    {
        return None;
    }
    if is_stored_elsewhere(module, &class, name) {
        return None;
    }
    let (mut keywords, mut keywords_at) = (vec![], None);
    match dynamic(&class) {
        Dynamic::Absent => {}
        Dynamic::Unknown => return None,
        Dynamic::Keywords(_) => {
            let origins = module.origins(&attribute.value);
            let [origin] = origins.as_slice() else { return None };
            let call = origin.as_call_expr()?;
            if module.class_reference(&call.func)? != class {
                return None;
            }
            keywords = extra_keywords(&class, call)?;
            keywords_at = module.place(call.range());
        }
    }
    let is_set = keywords.iter().any(|keyword| keyword == name);
    Some(Answer { lookup, is_set, keywords, keywords_at })
}

/// Whether the class's hook is code that runs: not a stub's, not a protocol's, not one for type checkers alone.
fn runs(owner: &Class) -> bool {
    let has_body = |_: &Module, statement: &ast::StmtClassDef| {
        method(&statement.body, "__getattr__").is_some_and(|def| !is_placeholder(&def.body))
    };
    is_own(owner) && !is_protocol(owner) && owner.with_statement(has_body)
}

/// Whether the file assigns the attribute on an object that may be of the class, or sets computed names on such objects.
fn is_stored_elsewhere(module: &Module, class: &Class, name: &str) -> bool {
    let mut found = false;
    each_node(&module.syntax().body, |node| {
        let object = match node {
            _ if found => return,
            AnyNodeRef::ExprAttribute(store) if store.ctx.is_store() && store.attr.as_str() == name => &*store.value,
            AnyNodeRef::ExprCall(call) if is_name(&call.func, "setattr") => match &*call.arguments.args {
                [object, key, _] if !is_name(object, "self") => {
                    let is_other = key.as_string_literal_expr().is_some_and(|key| key.value.to_str() != name);
                    if is_other {
                        return;
                    }
                    object
                }
                _ => return,
            },
            _ => return,
        };
        found = module.class_of(object).is_none_or(|owner| owner == *class || owner.is_subclass_of(class));
    });
    found
}
