//! Objects of the interpreter's own types that code makes by hand: a module nobody can import, a code object with all its
//! arguments, a coroutine that yields what the event loop refuses, a namespace that calls share.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::method_body::{attribute_of, find_own, is_dict_of, is_name};
use super::nodes::{body_around, own_nodes};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["metaclasses/types-by-hand"],
    nodes: &[NodeKind::ExprCall, NodeKind::StmtFunctionDef],
    detect,
};

const MADE: &[&str] = &["types.CodeType", "types.ModuleType", "types.SimpleNamespace"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    findings.extend(match site.node {
        AnyNodeRef::ExprCall(call) => made(site, call),
        AnyNodeRef::StmtFunctionDef(def) => driven(site, def),
        _ => None,
    });
    Some(())
}

fn made(site: &Site, call: &ast::ExprCall) -> Option<Finding> {
    let symbol = site.callee_among(call, MADE)?;
    let module = site.module;
    let finding = Finding::new("metaclasses/types-by-hand", call.func.range());
    match symbol.last() {
        "CodeType" => Some(finding.fact("code_type", Fact::from(module.source(&*call.func)))),
        "ModuleType" => not_importable(site, call, finding),
        _ => shared(site, call, finding),
    }
}

/// A module that code is executed in, and that is not put into `sys.modules`.
fn not_importable(site: &Site, call: &ast::ExprCall, finding: Finding) -> Option<Finding> {
    let module = site.module;
    let AnyNodeRef::StmtAssign(assign) = site.parent()? else { return None };
    let [Expr::Name(target)] = assign.targets.as_slice() else { return None };
    let body = body_around(module, call.range());
    let nodes = own_nodes(body);
    let registers = nodes.iter().any(|node| match node {
        AnyNodeRef::ExprAttribute(attribute) => attribute.attr.as_str() == "modules",
        AnyNodeRef::ExprName(name) => name.id == "modules",
        _ => false,
    });
    let executed = nodes.iter().find_map(|node| match node {
        AnyNodeRef::ExprCall(run) if is_name(&run.func, "exec") => {
            run.arguments.args.get(1).filter(|globals| is_dict_of(globals, &target.id)).map(|_| run.range())
        }
        _ => None,
    })?;
    (!registers).then(|| {
        finding
            .fact("module", Fact::from(target.id.as_str()))
            .fact("executed_at", module.place(executed).map(Fact::from))
    })
}

/// A default argument whose attributes the function sets.
fn shared(site: &Site, call: &ast::ExprCall, finding: Finding) -> Option<Finding> {
    let AnyNodeRef::ParameterWithDefault(parameter) = site.parent()? else { return None };
    let def = site.enclosing().find_map(|node| match node {
        AnyNodeRef::StmtFunctionDef(def) => Some(def),
        _ => None,
    })?;
    let name = parameter.parameter.name.as_str();
    if parameter.default.as_deref()?.range() != call.range() || super::method_body::binds_locally(def, name) {
        return None;
    }
    let set = find_own(&def.body, |node| match node {
        AnyNodeRef::ExprAttribute(attribute) if attribute.ctx.is_store() => {
            attribute_of(&Expr::Attribute(attribute.clone()), name).map(|_| attribute.range())
        }
        _ => None,
    })?;
    Some(
        finding
            .fact("function", Fact::from(def.name.as_str()))
            .fact("shared", Fact::from(name))
            .fact("set", Fact::from(site.module.source(set)))
            .fact("set_at", site.module.place(set).map(Fact::from)),
    )
}

/// `@types.coroutine` over a `yield` of something, in a file about asyncio.
fn driven(site: &Site, def: &ast::StmtFunctionDef) -> Option<Finding> {
    let module = site.module;
    let name = "types.coroutine";
    let decorator = def.decorator_list.iter().find(|decorator| {
        module.may_be(&decorator.expression, &[name]) && module.is_symbol(&decorator.expression, name)
    })?;
    let yielded = find_own(&def.body, |node| match node {
        AnyNodeRef::ExprYield(found) => found.value.as_deref().filter(|value| refused(value)),
        _ => None,
    })?;
    module.may_use_package("asyncio").then(|| {
        Finding::new("metaclasses/types-by-hand", decorator.expression.range())
            .fact("function", Fact::from(def.name.as_str()))
            .fact("yielded", Fact::from(module.source(yielded)))
            .fact("yielded_at", module.place(yielded.range()).map(Fact::from))
    })
}

/// What is certainly neither `None` nor a future.
fn refused(value: &Expr) -> bool {
    matches!(value, Expr::Tuple(_) | Expr::List(_) | Expr::Dict(_))
        || (value.is_literal_expr() && !value.is_none_literal_expr())
}
