//! Bases whose metaclasses have no common heir among them: the class statement raises `TypeError`.
//!
//! Silent unless every base and every metaclass is known.

use ruff_python_ast::{AnyNodeRef, NodeKind};

use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["metaclasses/metaclass-conflict"], nodes: &[NodeKind::StmtClassDef], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtClassDef(statement) = site.node else { return None };
    if site.is_type_checking() {
        return None;
    }
    // One alone has nothing to be in conflict with.
    let keyword = statement.arguments.as_ref().and_then(|arguments| arguments.find_keyword("metaclass"));
    if statement.bases().len() + usize::from(keyword.is_some()) < 2 {
        return None;
    }
    // Each metaclass with what brings it: a base, or the keyword.
    let mut brought: Vec<(Class, String)> = vec![];
    for base in statement.bases() {
        let class = site.module.class_reference(base)?;
        if !class.mro_is_complete() {
            return None;
        }
        if let Some(metaclass) = class.metaclass() {
            brought.push((metaclass.class, class.name()));
        }
    }
    if let Some(arguments) = &statement.arguments {
        if arguments.keywords.iter().any(|keyword| keyword.arg.is_none()) {
            return None;
        }
        if let Some(keyword) = arguments.find_keyword("metaclass") {
            let class = site.module.class_reference(&keyword.value)?;
            if !class.is_metaclass() {
                return None; // Any callable may stand here; it decides alone.
            }
            brought.push((class, site.module.source(keyword).to_string()));
        }
    }
    if brought.iter().any(|(metaclass, _)| !metaclass.mro_is_complete()) {
        return None;
    }
    let serves_all = |(one, _): &(Class, String)| brought.iter().all(|(other, _)| one.is_subclass_of(other));
    if brought.iter().any(serves_all) {
        return None;
    }
    let (first, first_base) = brought.first()?;
    let (second, second_base) =
        brought.iter().find(|(other, _)| !first.is_subclass_of(other) && !other.is_subclass_of(first))?;
    findings.push(
        Finding::new("metaclasses/metaclass-conflict", statement.name.range())
            .fact("class", Fact::from(statement.name.as_str()))
            .fact("first", Fact::from(first.name()))
            .fact("first_base", Fact::from(first_base.as_str()))
            .fact("first_at", first.place().map(Fact::from))
            .fact("second", Fact::from(second.name()))
            .fact("second_base", Fact::from(second_base.as_str()))
            .fact("second_at", second.place().map(Fact::from)),
    );
    Some(())
}
