//! `__slots__`: whether instances still have a `__dict__`, and from which base.

use ruff_python_ast::{AnyNodeRef, Expr, NodeKind, Stmt};

use super::class_reading::subclasses;
use super::weak_target::{Reason, Weakrefable, weakrefable};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Origin, Site};
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["memory/slots", "memory/slots-no-effect"], nodes: &[NodeKind::StmtClassDef], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtClassDef(statement) = site.node else { return None };
    let range = statement.body.iter().find_map(slots_name)?;
    let class = site.module.class(statement)?;
    let own = class.own_slots()?;
    let fields = |slots: &[String]| {
        let fields = slots.iter().filter(|slot| *slot != "__dict__" && *slot != "__weakref__");
        fields.cloned().collect::<Vec<_>>()
    };
    let name = || Fact::from(statement.name.as_str());
    let own_fields = fields(&own);
    let unslotted: Vec<String> = subclasses(site.module, &class)
        .iter()
        .filter(|subclass| subclass.own_slots().is_none() && subclass.layout().has_dict == Some(true))
        .map(Class::name)
        .collect();
    // `__slots__ = ()` adds nothing, which is its point.
    if own.is_empty() && unslotted.is_empty() {
        return None;
    }
    let mut finding = Finding::new("memory/slots", range)
        .fact("unslotted", Fact::from(unslotted))
        .fact("class", name())
        .fact("slots", Fact::from(own_fields.clone()));
    if matches!(weakrefable(&class), Weakrefable::No(Reason::Slots(..))) {
        finding = finding.fact("not_weakrefable", name());
    }
    if own.iter().any(|slot| slot == "__dict__") {
        findings.push(finding.fact("dict_listed", Fact::from("__dict__")));
        return Some(());
    }
    match dict_source(&class) {
        Dict::None => {
            let order = class.mro();
            let slots = |class: &Class| fields(&class.own_slots().unwrap_or_default());
            let all: Vec<_> = order.iter().rev().flat_map(slots).collect();
            let inherited: Vec<_> = order.iter().skip(1).rev().flat_map(slots).collect();
            findings.push(
                finding
                    .fact("sealed", name())
                    .fact("all_slots", Fact::from(all))
                    .fact("inherited", (!own_fields.is_empty()).then(|| Fact::from(inherited))),
            );
        }
        Dict::From(base) => {
            findings.push(finding.fact("dict_from", Fact::from(base.name())));
            let is_ours = base.symbol().origin == Origin::Project;
            if is_ours && !own_fields.is_empty() {
                let finding = Finding::new("memory/slots-no-effect", range)
                    .fact("class", name())
                    .fact("dict_from", Fact::from(base.name()))
                    .fact("dict_at", base.place().map(Fact::from));
                findings.push(finding);
            }
        }
        Dict::Unknown => findings.push(finding),
    }
    Some(())
}

/// The range of `__slots__` in the statement that binds it.
fn slots_name(statement: &Stmt) -> Option<TextRange> {
    let target = match statement {
        Stmt::Assign(assign) => assign.targets.first()?,
        Stmt::AnnAssign(assign) => &*assign.target,
        _ => return None,
    };
    matches!(target, Expr::Name(name) if name.id == "__slots__").then(|| target.range())
}

/// Where the instance dictionary comes from.
enum Dict<'s> {
    None,
    From(Class<'s>),
    Unknown,
}

fn dict_source<'s>(class: &Class<'s>) -> Dict<'s> {
    match class.layout().has_dict {
        Some(false) => Dict::None,
        None => Dict::Unknown,
        Some(true) => match class.mro().into_iter().rev().find(|base| base.layout().has_dict == Some(true)) {
            // The first of the order from its end that has one brings it.
            Some(base) if base != *class => Dict::From(base),
            _ => Dict::Unknown,
        },
    }
}
