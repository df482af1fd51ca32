//! `field(…)` in the body of a dataclass: what its keywords have for a consequence.
//!
//! Silent about `default_factory=list` and the like, and about keywords that say all there is.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::class_reading::{is_dataclass, is_own};
use super::method_body::{attribute_of, find_own, is_name, method, parameter};
use super::nodes::{is_false, is_true};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Module, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["metaclasses/dataclass-field"], nodes: &[NodeKind::StmtAnnAssign], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtAnnAssign(assign) = site.node else { return None };
    let AnyNodeRef::StmtClassDef(statement) = site.parent()? else { return None };
    let Expr::Call(call) = assign.value.as_deref()? else { return None };
    let name = assign.target.as_name_expr()?.id.as_str();
    if !site.module.may_be(&call.func, &["dataclasses.field"]) || !site.module.calls(call, &["dataclasses.field"]) {
        return None;
    }
    let class = site.module.class(statement).filter(is_dataclass)?;
    let keyword = |name: &str| call.arguments.find_keyword(name).map(|keyword| &keyword.value);
    let label = || Fact::from(format!("{}.{name}", statement.name));
    let default = keyword("default");
    let factory = keyword("default_factory");
    let has_default = default.is_some() || factory.is_some();
    let is_left_out = keyword("init").is_some_and(is_false);
    let mut finding = Finding::new("metaclasses/dataclass-field", call.func.range())
        .fact("class", Fact::from(statement.name.as_str()))
        .fact("field", Fact::from(name));
    let about_class = finding.facts.clone();
    if let Some(default) = default.filter(|default| is_mutable(site.module, default)) {
        finding = finding.fact("refused", Fact::from(site.module.source(default)));
    }
    if let Some(factory) = factory {
        finding = with_factory(site.module, factory, finding);
    }
    if is_left_out && !has_default && is_set_by_dataclass(site.module, statement) {
        finding = without_value(&class, name, finding);
    }
    let is_left_out_of_equality = keyword("compare").is_some_and(is_false) && !keyword("hash").is_some_and(is_true);
    let is_left_out = is_left_out_of_equality && has_written_equality(site.module, statement);
    finding = finding.fact("ignored", is_left_out.then(label));
    if finding.facts == about_class {
        return None;
    }
    findings.push(finding);
    Some(())
}

/// A default that `@dataclass` refuses on every version.
fn is_mutable(module: &Module, default: &Expr) -> bool {
    match default {
        Expr::List(_) | Expr::Dict(_) | Expr::Set(_) | Expr::ListComp(_) | Expr::DictComp(_) | Expr::SetComp(_) => true,
        Expr::Call(call) => module.calls(call, &["builtins.list", "builtins.dict", "builtins.set"]),
        _ => false,
    }
}

/// What `default_factory` names, if it is the project's own.
fn with_factory(module: &Module, factory: &Expr, finding: Finding) -> Finding {
    let source = || Fact::from(module.source(factory));
    match factory {
        Expr::Call(call) => match module.called_function(call) {
            Some(function) if function.symbol.origin == crate::analysis::Origin::Project => {
                finding.fact("called_once", source())
            }
            _ => finding,
        },
        Expr::Lambda(lambda) => match &*lambda.body {
            // A name of the module: the same object for all.
            Expr::Name(shared) if module.class_of(&*lambda.body).is_some_and(|class| is_changed_in_place(&class)) => {
                finding.fact("shared", Fact::from(shared.id.as_str()))
            }
            _ => finding,
        },
        other => {
            let Some(function) = module.function(other) else { return finding };
            if function.is_async && !function.is_decorated {
                return finding.fact("coroutine", source());
            }
            let is_own = function.symbol.origin == crate::analysis::Origin::Project;
            let at = function.place.filter(|_| is_own).map(Fact::from);
            finding.fact("factory", at.is_some().then(source)).fact("factory_at", at)
        }
    }
}

fn is_changed_in_place(class: &Class) -> bool {
    class.symbol().is_any(&[
        "builtins.list",
        "builtins.dict",
        "builtins.set",
        "collections.defaultdict",
        "collections.deque",
    ])
}

/// Whether the class has the `__init__` that `@dataclass` writes.
fn is_set_by_dataclass(module: &Module, statement: &ast::StmtClassDef) -> bool {
    let is_off = statement.decorator_list.iter().any(|decorator| match &decorator.expression {
        Expr::Call(call) => {
            module.is_symbol(&call.func, "dataclasses.dataclass")
                && call.arguments.find_keyword("init").is_some_and(|keyword| !is_true(&keyword.value))
        }
        _ => false,
    });
    !is_off && method(&statement.body, "__init__").is_none() && method(&statement.body, "__new__").is_none()
}

/// `field(init=False)` without a default: who sets it.
fn without_value(class: &Class, name: &str, finding: Finding) -> Finding {
    let order = class.mro();
    let is_known = class.mro_is_complete() && order.iter().all(|base| is_own(base) || base.is("builtins.object"));
    let answers = |base: &Class| {
        base.binds("__getattr__") || base.binds("__new__") && is_own(base) || (base != class && base.binds(name))
    };
    if !is_known || order.iter().any(answers) {
        return finding;
    }
    let hook = class.definer("__post_init__");
    let set_at = hook.as_ref().and_then(|definer| {
        definer.with_statement(|module, statement| set_in(module, method(&statement.body, "__post_init__")?, name))
    });
    match (hook, set_at) {
        (_, Some(SetAt::Here(place))) => finding.fact("set_at", place.map(Fact::from)),
        (_, Some(SetAt::Elsewhere)) => finding,
        (_, None) => finding.fact("missing", Fact::from(name)),
    }
}

/// Whether `@dataclass` writes the class's `__eq__`.
fn has_written_equality(module: &Module, statement: &ast::StmtClassDef) -> bool {
    let is_off = statement.decorator_list.iter().any(|decorator| match &decorator.expression {
        Expr::Call(call) => {
            module.is_symbol(&call.func, "dataclasses.dataclass")
                && call.arguments.find_keyword("eq").is_some_and(|keyword| !is_true(&keyword.value))
        }
        _ => false,
    });
    !is_off && method(&statement.body, "__eq__").is_none()
}

enum SetAt {
    Here(Option<Place>),
    /// Perhaps in what `__post_init__` hands the object to.
    Elsewhere,
}

fn set_in(module: &Module, def: &ast::StmtFunctionDef, name: &str) -> Option<SetAt> {
    let own = parameter(def, 0)?;
    let set = find_own(&def.body, |node| match node {
        AnyNodeRef::ExprAttribute(target) => {
            let is_it = target.ctx.is_store() && target.attr.as_str() == name && is_name(&target.value, own);
            is_it.then(|| target.range())
        }
        _ => None,
    });
    if let Some(range) = set {
        return Some(SetAt::Here(module.place(range)));
    }
    let handed = find_own(&def.body, |node| match node {
        AnyNodeRef::ExprCall(call) => {
            let is_argument = call.arguments.iter_source_order().any(|argument| is_name(argument.value(), own));
            let is_method = attribute_of(&call.func, own).is_some();
            let is_super = super::method_body::mentions(&call.func, "super");
            (is_argument || is_method || is_super).then_some(())
        }
        AnyNodeRef::ExprAttribute(attribute) => (attribute.attr.as_str() == "__dict__").then_some(()),
        _ => None,
    });
    handed.map(|()| SetAt::Elsewhere)
}
