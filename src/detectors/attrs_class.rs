//! Classes decorated by attrs: whether a second class with slots takes the place of the first, and what assignment does.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::nodes::{is_false, is_true};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Origin, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["third-party/attrs-class"], nodes: &[NodeKind::StmtClassDef], detect };

/// What the decorators do when they are not told.
const WITH_SLOTS: &[&str] = &["define", "frozen", "mutable"];
const WITHOUT_SLOTS: &[&str] = &["attrs", "attributes", "dataclass", "s"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtClassDef(statement) = site.node else { return None };
    let module = site.module;
    let (decorator, has_slots) = statement.decorator_list.iter().find_map(|decorator| {
        let callable = ast::helpers::map_callable(&decorator.expression);
        Some((decorator, makes_slots(module, callable)?))
    })?;
    let call = decorator.expression.as_call_expr();
    let given = |name: &str| call.and_then(|call| call.arguments.find_keyword(name)).map(|keyword| &keyword.value);
    let is_open = call.is_some_and(|call| call.arguments.keywords.iter().any(|keyword| keyword.arg.is_none()));
    let decided = |name: &str, default: bool| match given(name) {
        _ if is_open => None,
        None => Some(default),
        Some(value) if is_true(value) => Some(true),
        Some(value) if is_false(value) => Some(false),
        Some(_) => None,
    };
    let callable = ast::helpers::map_callable(&decorator.expression);
    let slots = decided("slots", has_slots);
    let is_frozen = decided("frozen", module.source(callable).ends_with("frozen"));
    let name = || Fact::from(statement.name.as_str());
    let is_plain_set = given("on_setattr").is_none() && is_frozen == Some(false);
    // What the decorator's own arguments say, a reader knows.
    let is_unchecked = is_plain_set && !has_slots && has_validators(module, statement);
    let hook = slots == Some(true) && runs_hooks(module, statement);
    if !is_unchecked && !hook {
        return None;
    }
    findings.push(
        Finding::new("third-party/attrs-class", decorator.expression.range())
            .fact("callee", Fact::from(module.source(callable)))
            .fact("slotted", hook.then(name))
            .fact("unchecked", is_unchecked.then(name)),
    );
    Some(())
}

/// Whether a field of the class has a validator or a converter.
fn has_validators(module: &Module, statement: &ast::StmtClassDef) -> bool {
    let source = module.source(statement);
    source.contains("validator=") || source.contains("converter=") || source.contains(".validator")
}

/// Whether a base of the project has a hook that runs for each class made.
fn runs_hooks(module: &Module, statement: &ast::StmtClassDef) -> bool {
    let Some(class) = module.class(statement) else { return false };
    let hook = class.mro().into_iter().skip(1).find(|base| base.own_member("__init_subclass__").is_some());
    hook.is_some_and(|base| base.symbol().origin == Origin::Project)
}

/// Whether a decorator of attrs makes slots when it is not told; `None` for other decorators.
fn makes_slots(module: &Module, callable: &Expr) -> Option<bool> {
    let last = match callable {
        Expr::Name(name) => module.imported_name(&name.id),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return None,
    };
    let has_slots = match last {
        name if WITH_SLOTS.contains(&name) => true,
        name if WITHOUT_SLOTS.contains(&name) => false,
        _ => return None,
    };
    let symbol = module.symbol(callable)?;
    let package = symbol.module.split('.').next()?;
    matches!(package, "attr" | "attrs").then_some(has_slots)
}
