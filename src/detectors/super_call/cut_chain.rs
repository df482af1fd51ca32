//! A class with several bases whose `__init__` that runs does not call `super()`: those of the other bases do not run.

use ruff_python_ast::AnyNodeRef;

use super::super::class_reading::{class_statements, is_dataclass, is_own};
use super::super::initialiser::mentions_parent;
use super::super::method_body::{method, own_nodes, parameter};
use super::super::{Fact, Finding};
use crate::analysis::{Class, Site};
use crate::text::{Ranged as _, TextRange};

const INIT: &str = "__init__";

/// At the name of the class with several bases, and at that of the `__init__` that ends the chain.
pub(super) fn detect(site: &Site) -> Option<Finding> {
    match site.node {
        AnyNodeRef::StmtClassDef(statement) if statement.bases().len() > 1 => {
            if !site.is_asked(statement.name.range()) || site.is_type_checking() {
                return None;
            }
            let cut = Cut::of(&site.module.class(statement)?)?;
            Some(cut.finding(statement.name.range()).fact("cut_class", Fact::from(statement.name.as_str())))
        }
        AnyNodeRef::StmtFunctionDef(def) if def.name.as_str() == INIT && site.is_asked(def.name.range()) => {
            let AnyNodeRef::StmtClassDef(statement) = site.parent()? else { return None };
            let class = site.module.class(statement)?;
            let several = class_statements(site.module).into_iter().filter(|other| other.bases().len() > 1);
            let mut cuts = several.filter_map(|other| {
                let cut = Cut::of(&site.module.class(other)?)?;
                (cut.by == class).then(|| (other.name.to_string(), cut))
            });
            let (name, cut) = cuts.next()?;
            Some(cut.finding(def.name.range()).fact("ends_for", Fact::from(name)))
        }
        _ => None,
    }
}

/// Which `__init__` runs, and which of another base does not.
struct Cut<'s> {
    by: Class<'s>,
    off: Class<'s>,
    /// The attributes that are not set because of it.
    lost: Vec<String>,
}

impl<'s> Cut<'s> {
    fn of(class: &Class<'s>) -> Option<Self> {
        if !class.mro_is_complete() || class.is_metaclass() || is_dataclass(class) {
            return None;
        }
        let order = class.mro();
        let by = class.definer(INIT).filter(|by| by != class && is_own(by) && !is_dataclass(by))?;
        let goes_on = by.with_statement(|_, statement| {
            let init = method(&statement.body, INIT)?;
            Some(mentions_parent(init) || !init.decorator_list.is_empty())
        })?;
        let behind = order.into_iter().skip_while(|other| *other != by).skip(1);
        let mut behind = behind.filter(|other| other.binds(INIT));
        let off = behind.find(|other| !other.is("builtins.object") && !by.is_subclass_of(other)).filter(is_own)?;
        if goes_on || is_dataclass(&off) {
            return None;
        }
        let set = set_by(&by);
        let is_lost = |name: &String| !set.contains(name) && !class.binds(name) && class.definer(name).is_none();
        let lost: Vec<String> = set_by(&off).into_iter().filter(is_lost).collect();
        (!lost.is_empty()).then_some(Self { by, off, lost })
    }

    fn finding(&self, range: TextRange) -> Finding {
        let label = |class: &Class| Fact::from(format!("{}.{INIT}", class.name()));
        let place = |class: &Class| class.own_member(INIT).and_then(|member| member.place).map(Fact::from);
        Finding::new("attributes/mro-super", range)
            .fact("cut_by", label(&self.by))
            .fact("cut_at", place(&self.by))
            .fact("cut_off", label(&self.off))
            .fact("cut_off_at", place(&self.off))
            .fact("lost", Fact::from(self.lost.iter().map(|name| format!("self.{name}")).collect::<Vec<_>>()))
    }
}

/// The attributes that the class's own `__init__` sets.
fn set_by(class: &Class) -> Vec<String> {
    class.with_statement(|_, statement| {
        let mut found: Vec<String> = vec![];
        let Some(init) = method(&statement.body, INIT) else { return found };
        let Some(own) = parameter(init, 0) else { return found };
        own_nodes(&init.body, |node| {
            let AnyNodeRef::ExprAttribute(attribute) = node else { return };
            let is_set = attribute.ctx.is_store() && attribute.value.as_name_expr().is_some_and(|name| name.id == own);
            if is_set && !found.iter().any(|known| known == attribute.attr.as_str()) {
                found.push(attribute.attr.to_string());
            }
        });
        found
    })
}
