//! `def __init_subclass__`, and registries that are filled while classes are made.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::decorator_registry::readers;
use super::metaclass_hooks::{finished_class, is_built_by, names_of_classes, super_call};
use super::method_body::{is_name, own_nodes, parameter, runs_before_return};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Site};
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["metaclasses/init-subclass", "metaclasses/registry-pattern"],
    nodes: &[NodeKind::StmtFunctionDef],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtFunctionDef(def) = site.node else { return None };
    let AnyNodeRef::StmtClassDef(statement) = site.parent()? else { return None };
    let name = def.name.as_str();
    if !matches!(name, "__init_subclass__" | "__new__" | "__init__") || site.is_type_checking() {
        return None;
    }
    let class = site.module.class(statement)?;
    let is_hook = name == "__init_subclass__";
    if !is_hook && !class.is_metaclass() {
        return None;
    }
    let runs_for: Vec<String> = match is_hook {
        true => names_of_classes(site.module, |other| *other != class && runs_hook_of(other, &class)),
        false => names_of_classes(site.module, |other| is_built_by(other, &class)),
    };
    if is_hook {
        let keyword_only = def.parameters.kwonlyargs.iter().map(|keyword| keyword.name().to_string());
        let no_super = super_call(def).is_none().then(|| Fact::from(statement.name.as_str()));
        findings.push(
            Finding::new("metaclasses/init-subclass", def.name.range())
                .fact("class", Fact::from(statement.name.as_str()))
                .fact("runs_for", Fact::from(runs_for.clone()))
                .fact("accepts", Fact::from(keyword_only.collect::<Vec<_>>()))
                .fact("no_super", no_super),
        );
    }
    let finished = if is_hook { parameter(def, 0) } else { finished_class(def) }?;
    let (registry, range) = registration(def, finished)?;
    let hook = format!("{}.{name}", statement.name);
    let (readers, read_at) = readers(site, def, registry).into_iter().unzip::<_, _, Vec<_>, Vec<_>>();
    let finding = Finding::new("metaclasses/registry-pattern", range)
        .fact("hook", Fact::from(hook))
        .fact("readers", Fact::from(readers))
        .fact("read_at", Fact::from(read_at.into_iter().flatten().collect::<Vec<_>>()));
    let registry = Fact::from(site.module.source(registry));
    findings.push(match runs_before_return(&def.body, range) {
        true => finding.fact("registry", registry).fact("entries", Fact::from(runs_for)),
        false => finding.fact("some", registry).fact("candidates", Fact::from(runs_for)),
    });
    Some(())
}

/// Whether creating `other` runs the `__init_subclass__` in the body of `definer`.
fn runs_hook_of(other: &Class, definer: &Class) -> bool {
    other.mro().iter().skip(1).find(|base| base.binds("__init_subclass__")) == Some(definer)
}

/// `registry[…] = cls`, `registry.append(cls)` or `registry.add(cls)`, where the registry outlives the call.
fn registration<'a>(def: &'a ast::StmtFunctionDef, finished: &str) -> Option<(&'a Expr, TextRange)> {
    let mut found = None;
    own_nodes(&def.body, |node| {
        let candidate = match node {
            AnyNodeRef::StmtAssign(assign) if is_name(&assign.value, finished) => match assign.targets.as_slice() {
                [Expr::Subscript(target)] => Some((&*target.value, assign.range())),
                _ => None,
            },
            AnyNodeRef::ExprCall(call) => added(call, finished).map(|registry| (registry, call.range())),
            _ => None,
        };
        let lasts = |(registry, _): &(&Expr, TextRange)| !registry.is_name_expr() || !is_local(def, registry);
        found = found.or(candidate.filter(lasts));
    });
    found
}

fn added<'a>(call: &'a ast::ExprCall, finished: &str) -> Option<&'a Expr> {
    let function = call.func.as_attribute_expr()?;
    let [argument] = &*call.arguments.args else { return None };
    let adds = matches!(function.attr.as_str(), "append" | "add") && is_name(argument, finished);
    adds.then_some(&function.value)
}

/// Whether a name is bound in the function: then what it holds is not known.
fn is_local(def: &ast::StmtFunctionDef, registry: &Expr) -> bool {
    let Expr::Name(name) = registry else { return false };
    let is_parameter = def.parameters.iter().any(|parameter| parameter.name() == name.id.as_str());
    let mut is_bound = is_parameter;
    own_nodes(&def.body, |node| {
        if let AnyNodeRef::ExprName(other) = node {
            is_bound |= other.id == name.id && !other.ctx.is_load();
        }
    });
    is_bound
}
