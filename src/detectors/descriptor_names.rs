//! Descriptors that are told their own name as an argument.
//!
//! Silent when some use passes another name (a column, a key in a file), and when `__set_name__` is there.

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind};

use super::class_reading::{Use, uses};
use super::descriptor_shape::{Shape, argument};
use super::method_body::method;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, MemberKind, Module, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["descriptors/name-by-hand", "descriptors/shared-name"],
    nodes: &[NodeKind::StmtClassDef],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtClassDef(statement) = site.node else { return None };
    let class = site.module.class(statement)?;
    if site.is_type_checking() {
        return None;
    }
    shared_names(site, statement, &class, findings);
    // Cheap questions first: nearly no class is made for the attributes of others.
    method(&statement.body, "__init__")?;
    let uses = uses(site.module, &class);
    if uses.is_empty() {
        return None;
    }
    let shape = Shape::of(class);
    for parameter in named_by_hand(site.module, statement, &shape, &uses) {
        let (storage, _) = shape.storage().unzip();
        findings.push(
            Finding::new("descriptors/name-by-hand", parameter.name.range())
                .fact("class", Fact::from(class.name()))
                .fact("parameter", Fact::from(parameter.name.as_str()))
                .fact("uses", Fact::from(uses.iter().map(Use::label).collect::<Vec<_>>()))
                .fact("storage", storage.map(Fact::from)),
        );
    }
    Some(())
}

/// The parameters of `__init__` for which every use passes the name of its own attribute, to make the storage key of it.
pub(super) fn named_by_hand<'a>(
    module: &Module,
    statement: &'a ast::StmtClassDef,
    shape: &Shape,
    uses: &[Use],
) -> Vec<&'a ast::Parameter> {
    let Some(def) = method(&statement.body, "__init__") else { return vec![] };
    if uses.is_empty() || shape.set.is_none() || shape.get.is_none() || shape.set_name.is_some() {
        return vec![];
    }
    let parameters = def.parameters.posonlyargs.iter().chain(&def.parameters.args).skip(1);
    let is_own_name = |parameter: &&ast::Parameter| {
        let name = parameter.name.as_str();
        uses.iter().all(|made| literal(def, made.call, name) == Some(made.attribute))
            && decides_storage(module, shape, uses, def, name)
    };
    parameters.map(|parameter| &parameter.parameter).filter(is_own_name).collect()
}

/// The string that `call` passes for parameter `name`.
fn literal<'a>(def: &ast::StmtFunctionDef, call: &'a ast::ExprCall, name: &str) -> Option<&'a str> {
    Some(argument(def, call, name)?.as_string_literal_expr()?.value.to_str())
}

/// Whether the storage key of the uses is made from parameter `name`: it ends in what was passed.
fn decides_storage(module: &Module, shape: &Shape, uses: &[Use], def: &ast::StmtFunctionDef, name: &str) -> bool {
    uses.iter().all(|made| {
        let key = shape.stored_as(Some((module, made.call)), made.attribute);
        let passed = literal(def, made.call, name);
        key.zip(passed).is_some_and(|(key, passed)| key.contains(passed))
    })
}

/// Two attributes of one class body that keep their values under one key, as they were told the same name.
fn shared_names(site: &Site, owner: &ast::StmtClassDef, class: &Class, findings: &mut Findings) -> Option<()> {
    let mut seen: Vec<(String, &str, &ast::ExprCall)> = vec![];
    let calls: Vec<_> = owner.body.iter().filter_map(made).filter(|(_, call)| passes_text(call)).collect();
    if calls.len() < 2 {
        return None;
    }
    for (target, call) in calls {
        let Some(member) = class.own_member(target) else { continue };
        let MemberKind::Descriptor(descriptor) = member.kind else { continue };
        let shape = Shape::of(descriptor);
        if shape.set_name.is_some() || shape.get.is_none() {
            continue;
        }
        let Some(key) = shape.stored_as(Some((site.module, call)), target) else { continue };
        let passed = call.arguments.iter_source_order().find_map(|argument| {
            let text = argument.value().as_string_literal_expr()?;
            key.contains(text.value.to_str()).then_some(text)
        });
        let Some(passed) = passed else { continue };
        // Aliases of an attribute of another kind share it on purpose.
        let named = class.own_member(passed.value.to_str()).map(|member| member.kind);
        let is_alias = match named {
            Some(MemberKind::Descriptor(other)) => other != shape.class,
            other => other.is_some(),
        };
        if is_alias {
            continue;
        }
        match seen.iter().find(|(known, ..)| *known == key) {
            Some((_, other, other_call)) => findings.push(
                Finding::new("descriptors/shared-name", passed.range())
                    .fact("attribute", Fact::from(target))
                    .fact("other", Fact::from(*other))
                    .fact("other_at", site.module.place(other_call.range()).map(Fact::from))
                    .fact("class", Fact::from(descriptor.name()))
                    .fact("owner", Fact::from(class.name()))
                    .fact("name", Fact::from(passed.value.to_str()))
                    .fact("storage", shape.storage().map(|(source, _)| Fact::from(source))),
            ),
            None => seen.push((key, target, call)),
        }
    }
    Some(())
}

fn passes_text(call: &ast::ExprCall) -> bool {
    call.arguments.iter_source_order().any(|argument| argument.value().is_string_literal_expr())
}

fn made(statement: &ast::Stmt) -> Option<(&str, &ast::ExprCall)> {
    match statement {
        ast::Stmt::Assign(assign) => match assign.targets.as_slice() {
            [ast::Expr::Name(name)] => Some((name.id.as_str(), assign.value.as_call_expr()?)),
            _ => None,
        },
        ast::Stmt::AnnAssign(assign) => {
            Some((assign.target.as_name_expr()?.id.as_str(), assign.value.as_deref()?.as_call_expr()?))
        }
        _ => None,
    }
}
