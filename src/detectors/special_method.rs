//! Operations that ask the type for a special method, which a `__getattr__` cannot serve.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::class_reading::{is_built_plainly, is_own};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["attributes/special-method-lookup"],
    nodes: &[NodeKind::ExprCall, NodeKind::ExprSubscript, NodeKind::StmtFor],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    if site.is_type_checking() || site.is_annotation() {
        return None;
    }
    // Classes with the hook are few; where none is in sight, nothing else is asked.
    if site.is_whole_file && !site.module.may_have_method("__getattr__") {
        return None;
    }
    let (object, method, range) = asked(site)?;
    let class = site.module.receiver_class(object)?;
    let fallback = class.definer("__getattr__").filter(is_own)?;
    let is_served = class.definer(method).is_some() || (method == "__iter__" && class.definer("__getitem__").is_some());
    if is_served || !is_built_plainly(&class) || site.module.class_reference(object).is_some() {
        return None;
    }
    findings.push(
        Finding::new("attributes/special-method-lookup", range)
            .fact("code", Fact::from(shown(site, object)))
            .fact("class", Fact::from(class.name()))
            .fact("method", Fact::from(method))
            .fact("receiver", Fact::from(site.module.source(object)))
            .fact("fallback", Fact::from(format!("{}.__getattr__", fallback.name()))),
    );
    Some(())
}

/// The operation, without the body of a loop.
fn shown(site: &Site, object: &Expr) -> String {
    match site.node {
        AnyNodeRef::StmtFor(_) => format!("for … in {}", site.module.source(object)),
        node => site.module.source(node).to_string(),
    }
}

/// What a node asks of which object, where the answer is a `TypeError` without the method.
fn asked<'a>(site: &Site<'a, '_>) -> Option<(&'a Expr, &'static str, TextRange)> {
    match site.node {
        AnyNodeRef::StmtFor(statement) if !statement.is_async => {
            Some((&statement.iter, "__iter__", statement.iter.range()))
        }
        AnyNodeRef::ExprSubscript(item) if item.ctx.is_load() => Some((&item.value, "__getitem__", item.range())),
        AnyNodeRef::ExprCall(call) => {
            let [object] = &*call.arguments.args else { return of_called(call) };
            let Some(name) = call.func.as_name_expr() else { return of_called(call) };
            let method = match name.id.as_str() {
                "len" => "__len__",
                "iter" => "__iter__",
                "next" => "__next__",
                "abs" => "__abs__",
                _ => return of_called(call),
            };
            let is_builtin = site.module.callee(call)?.is(&format!("builtins.{}", name.id));
            is_builtin.then(|| (object, method, call.range()))
        }
        _ => None,
    }
}

fn of_called(call: &ast::ExprCall) -> Option<(&Expr, &'static str, TextRange)> {
    call.func.is_name_expr().then(|| (&*call.func, "__call__", call.range()))
}
