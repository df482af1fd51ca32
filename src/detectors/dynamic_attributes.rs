//! Attributes set under computed names, and the constructor calls whose keywords decide them.

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind};

use super::class_reading::is_own;
use super::dynamic_shape::{Dynamic, computed_stores, constructions, dynamic, extra_keywords};
use super::method_body::parameter;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, MemberKind, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["attributes/dynamic"], nodes: &[NodeKind::ExprCall, NodeKind::StmtFunctionDef], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    match site.node {
        AnyNodeRef::ExprCall(call) => construction(site, call, findings),
        AnyNodeRef::StmtFunctionDef(def) => {
            let AnyNodeRef::StmtClassDef(statement) = site.parent()? else { return None };
            stores(site, &site.module.class(statement)?, def, findings)
        }
        _ => None,
    }
}

fn stores<'s>(
    site: &Site<'_, 's>,
    class: &Class<'s>,
    def: &ast::StmtFunctionDef,
    findings: &mut Findings,
) -> Option<()> {
    let receiver = parameter(def, 0)?;
    for store in computed_stores(def) {
        let code = Fact::from(site.module.source(store.range));
        let finding = Finding::new("attributes/dynamic", store.range).fact("class", Fact::from(class.name()));
        if !store.from_keywords {
            findings.push(finding.fact("computed", code));
            continue;
        }
        let calls = constructions(site.module, class);
        let mut keywords: Vec<String> = vec![];
        for keyword in calls.iter().filter_map(|call| extra_keywords(class, call)).flatten() {
            if !keywords.contains(&keyword) {
                keywords.push(keyword);
            }
        }
        let callers = calls.iter().map(|call| site.module.source(*call).to_string()).collect::<Vec<_>>();
        findings.push(
            finding
                .fact("code", code)
                .fact("receiver", Fact::from(receiver))
                .fact("keywords", Fact::from(keywords))
                .fact("callers", Fact::from(callers))
                .fact("methods", Fact::from(methods(class))),
        );
    }
    Some(())
}

/// The public methods of the class's own body.
fn methods(class: &Class) -> Vec<String> {
    let mut names = class.own_names();
    names.retain(|name| {
        let kind = class.own_member(name).map(|member| member.kind);
        !name.starts_with('_') && kind == Some(MemberKind::Function)
    });
    names
}

fn construction(site: &Site, call: &ast::ExprCall, findings: &mut Findings) -> Option<()> {
    if call.arguments.keywords.is_empty() {
        return None;
    }
    let class = site.module.class_reference(&call.func).filter(is_own)?;
    let Dynamic::Keywords(called_at) = dynamic(&class) else { return None };
    let keywords = extra_keywords(&class, call)?;
    let hidden = methods(&class).into_iter().filter(|method| keywords.contains(method)).collect::<Vec<_>>();
    if keywords.is_empty() {
        return None;
    }
    findings.push(
        Finding::new("attributes/dynamic", call.func.range())
            .fact("called", Fact::from(site.module.source(call)))
            .fact("called_at", called_at.map(Fact::from))
            .fact("class", Fact::from(class.name()))
            .fact("keywords", Fact::from(keywords))
            .fact("methods", Fact::from(hidden)),
    );
    Some(())
}
