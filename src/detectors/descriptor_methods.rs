//! The methods of a descriptor class where they are defined: `__get__`, `__set__`, `__set_name__`.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::class_reading::{is_protocol, uses};
use super::descriptor_shape::{Accessor, Shape, is_none_test, keeps_per_instance};
use super::method_body::{attribute_of, find_own, is_name, mentions, own_nodes, parameter};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Module, Site};
use crate::text::{Place, Ranged as _, TextRange};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &[
        "descriptors/get",
        "descriptors/get-without-instance-check",
        "descriptors/set",
        "descriptors/set-name",
        "descriptors/shared-state",
    ],
    nodes: &[NodeKind::StmtFunctionDef],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtFunctionDef(def) = site.node else { return None };
    let name = def.name.as_str();
    if !matches!(name, "__get__" | "__set__" | "__set_name__") || site.is_type_checking() {
        return None;
    }
    let class = site.module.class(site.class()?)?;
    let is_method = site.enclosing().find(|node| !matches!(node, AnyNodeRef::StmtIf(_) | AnyNodeRef::StmtTry(_)))?;
    if !matches!(is_method, AnyNodeRef::StmtClassDef(_)) || is_protocol(&class) || !def.decorator_list.is_empty() {
        return None;
    }
    let shape = Shape::of(class);
    let uses = uses(site.module, &class).iter().map(super::class_reading::Use::label).collect::<Vec<_>>();
    match name {
        "__get__" => get(site, def, &shape, uses, findings),
        "__set__" => set(site, def, &shape, uses, findings),
        _ => set_name(def, &shape, uses, findings),
    }
}

fn get(
    site: &Site,
    def: &ast::StmtFunctionDef,
    shape: &Shape,
    uses: Vec<String>,
    findings: &mut Findings,
) -> Option<()> {
    let get = shape.get.as_ref()?;
    let instance = parameter(def, 1)?;
    let access = shape.class_access().unwrap_or_default();
    let (default, default_at) = shape.default().unzip();
    let masks = find_own(&def.body, |node| masking_getattr(site.module, node, instance));
    let owner = def.parameters.args.get(2).filter(|owner| owner.default.is_none());
    let none_at = access.none_branch.filter(|_| access.returns_self.is_none());
    findings.push(
        Finding::new("descriptors/get", def.name.range())
            .fact("class", Fact::from(shape.class.name()))
            .fact("instance", Fact::from(instance))
            .fact("uses", Fact::from(uses.clone()))
            .fact("returns_self_at", access.returns_self.map(Fact::from))
            .fact("none_at", none_at.map(Fact::from))
            .fact("owner_required", owner.map(|owner| Fact::from(owner.parameter.name.as_str())))
            .fact("default", default.map(Fact::from))
            .fact("default_at", default_at.flatten().map(Fact::from))
            .fact("masks", masks.map(Fact::from)),
    );
    let (used, used_at) = unguarded_use(get)?;
    findings.push(
        Finding::new("descriptors/get-without-instance-check", def.name.range())
            .fact("class", Fact::from(shape.class.name()))
            .fact("instance", Fact::from(instance))
            .fact("used", Fact::from(used))
            .fact("used_at", used_at.map(Fact::from))
            .fact("read_on", Fact::from(uses)),
    );
    Some(())
}

fn masking_getattr(module: &Module, node: AnyNodeRef, instance: &str) -> Option<String> {
    let AnyNodeRef::ExprCall(call) = node else { return None };
    let [first, _, _] = &*call.arguments.args else { return None };
    (is_name(&call.func, "getattr") && is_name(first, instance)).then(|| module.source(call).to_string())
}

/// What a `__get__` without any test of its instance does with it that fails on `None`.
pub(super) fn unguarded_use(get: &Accessor) -> Option<(String, Option<Place>)> {
    get.read(|module, def| {
        let instance = parameter(def, 1)?;
        let is_tested = find_own(&def.body, |node| is_test(node, instance).then_some(())).is_some();
        if is_tested {
            return None;
        }
        let used = find_own(&def.body, |node| failing_use(node, instance))?;
        Some((module.source(used).to_string(), module.place(used)))
    })
}

/// Anything that may tell `None` from an instance.
fn is_test(node: AnyNodeRef, instance: &str) -> bool {
    let is_it = |expr: &Expr| is_name(expr, instance);
    match node {
        AnyNodeRef::ExprCompare(compare) => is_it(&compare.left) || compare.comparators.iter().any(is_it),
        AnyNodeRef::ExprBoolOp(operation) => operation.values.iter().any(is_it),
        AnyNodeRef::ExprUnaryOp(operation) => is_it(&operation.operand),
        AnyNodeRef::ExprIf(choice) => is_it(&choice.test),
        AnyNodeRef::StmtIf(branch) => is_it(&branch.test) || is_none_test(&branch.test, instance),
        AnyNodeRef::StmtAssert(assertion) => mentions(&assertion.test, instance),
        AnyNodeRef::StmtMatch(choice) => mentions(&choice.subject, instance),
        AnyNodeRef::StmtTry(_) => true,
        AnyNodeRef::StmtAssign(assign) => assign.targets.iter().any(is_it),
        AnyNodeRef::StmtAugAssign(assign) => is_it(&assign.target),
        AnyNodeRef::ExprCall(call) => {
            let asks_base = call.func.as_attribute_expr().is_some_and(|called| called.attr.as_str() == "__get__");
            (is_name(&call.func, "isinstance") && call.arguments.args.first().is_some_and(is_it))
                // What another `__get__` does with `None` decides what comes back, and what is done with it.
                || (asks_base && call.arguments.args.iter().any(is_it))
        }
        _ => false,
    }
}

/// An operation that raises when `instance` is `None`, for certain.
fn failing_use(node: AnyNodeRef, instance: &str) -> Option<TextRange> {
    match node {
        AnyNodeRef::ExprAttribute(attribute) => {
            const OF_NONE: &[&str] = &["__bool__", "__class__", "__dir__", "__doc__", "__eq__", "__hash__", "__repr__"];
            let is_missing = !OF_NONE.contains(&attribute.attr.as_str());
            (is_name(&attribute.value, instance) && is_missing).then(|| attribute.range())
        }
        AnyNodeRef::ExprSubscript(item) => is_name(&item.value, instance).then(|| item.range()),
        AnyNodeRef::ExprCall(call) => match &*call.arguments.args {
            [first, _] if is_name(&call.func, "getattr") && is_name(first, instance) => Some(call.range()),
            _ => None,
        },
        _ => None,
    }
}

fn set(
    site: &Site,
    def: &ast::StmtFunctionDef,
    shape: &Shape,
    uses: Vec<String>,
    findings: &mut Findings,
) -> Option<()> {
    let (receiver, instance, value) = (parameter(def, 0)?, parameter(def, 1)?, parameter(def, 2)?);
    let (stores, stores_at) = shape.storage().unzip();
    let check = find_own(&def.body, |node| type_check(node, value));
    let bool_passes = check.map(|check| int_uses(site.module, &shape.class, check, receiver)).unwrap_or_default();
    let excludes_bool = find_own(&def.body, |node| match node {
        AnyNodeRef::ExprName(name) => (name.id == "bool").then_some(()),
        _ => None,
    });
    let missing_delete = shape.delete.is_none().then(|| Fact::from("__delete__"));
    findings.push(
        Finding::new("descriptors/set", def.name.range())
            .fact("class", Fact::from(shape.class.name()))
            .fact("instance", Fact::from(instance))
            .fact("uses", Fact::from(uses.clone()))
            .fact("stores", stores.map(Fact::from))
            .fact("stores_at", stores_at.flatten().map(Fact::from))
            .fact("check", check.map(|check| Fact::from(site.module.source(check))))
            .fact("bool_passes", excludes_bool.is_none().then(|| Fact::from(bool_passes)))
            .fact("anonymous_at", anonymous_error(site.module, def, receiver).map(Fact::from))
            .fact("missing_delete", missing_delete),
    );
    if keeps_per_instance(&def.body, instance) {
        return None;
    }
    let shared = find_own(&def.body, |node| {
        let AnyNodeRef::StmtAssign(assign) = node else { return None };
        let on_itself = assign.targets.iter().any(|target| attribute_of(target, receiver).is_some());
        (on_itself && is_name(&assign.value, value)).then_some(assign)
    })?;
    findings.push(
        Finding::new("descriptors/shared-state", shared.range())
            .fact("class", Fact::from(shape.class.name()))
            .fact("stores", Fact::from(site.module.source(shared)))
            .fact("stores_at", site.module.place(shared.range()).map(Fact::from))
            .fact("instance", Fact::from(instance))
            .fact("value", Fact::from(value))
            .fact("uses", Fact::from(uses)),
    );
    Some(())
}

/// `isinstance(value, …)`.
pub(super) fn type_check<'a>(node: AnyNodeRef<'a>, value: &str) -> Option<&'a ast::ExprCall> {
    let AnyNodeRef::ExprCall(call) = node else { return None };
    let [checked, _] = &*call.arguments.args else { return None };
    (is_name(&call.func, "isinstance") && is_name(checked, value)).then_some(call)
}

/// The uses whose check against a type of the descriptor's own is one against `int`.
fn int_uses(module: &Module, class: &Class, check: &ast::ExprCall, receiver: &str) -> Vec<String> {
    let Some(kind) = check.arguments.args.get(1) else { return vec![] };
    let is_int = |expr: &Expr| module.symbol(expr).is_some_and(|symbol| symbol.is("builtins.int"));
    let all = uses(module, class);
    let of_use = |made: &&super::class_reading::Use| {
        attribute_of(kind, receiver).is_some()
            && made.call.arguments.iter_source_order().any(|item| is_int(item.value()))
    };
    match is_int(kind) {
        true => all.iter().map(super::class_reading::Use::label).collect(),
        false => all.iter().filter(of_use).map(super::class_reading::Use::label).collect(),
    }
}

/// Where an error is raised whose message mentions nothing of the descriptor but the types it compares.
pub(super) fn anonymous_error(module: &Module, def: &ast::StmtFunctionDef, receiver: &str) -> Option<Place> {
    let raise = find_own(&def.body, |node| match node {
        AnyNodeRef::StmtRaise(raise) => Some(raise),
        _ => None,
    })?;
    let call = raise.exc.as_deref()?.as_call_expr()?;
    let [message] = &*call.arguments.args else { return None };
    if !matches!(message, Expr::StringLiteral(_) | Expr::FString(_)) {
        return None;
    }
    let mut compared = vec![];
    own_nodes(&def.body, |node| {
        if let AnyNodeRef::ExprCall(check) = node
            && is_name(&check.func, "isinstance")
        {
            compared.extend(check.arguments.args.get(1).and_then(|kind| attribute_of(kind, receiver)));
        }
    });
    let names_itself = find_own(&def.body, |node| match node {
        AnyNodeRef::ExprAttribute(attribute) if message.range().contains_range(attribute.range()) => {
            let is_own = is_name(&attribute.value, receiver) && !compared.contains(&attribute.attr.as_str());
            is_own.then_some(())
        }
        _ => None,
    });
    module.place(raise.range()).filter(|_| names_itself.is_none())
}

fn set_name(def: &ast::StmtFunctionDef, shape: &Shape, calls: Vec<String>, findings: &mut Findings) -> Option<()> {
    findings.push(
        Finding::new("descriptors/set-name", def.name.range())
            .fact("class", Fact::from(shape.class.name()))
            .fact("owner", Fact::from(parameter(def, 1)?))
            .fact("name", Fact::from(parameter(def, 2)?))
            .fact("calls", Fact::from(calls)),
    );
    Some(())
}
