//! `id(x)` that outlives what it stands for: as a key or a member, or of an object that dies at once.
//!
//! Silent where the number is shown or compared in place, and where the entry holds the object as well.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::class_reading::is_own;
use super::method_body::mentions;
use super::reference_count::new_object_is_kept;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["memory/object-identity"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let [object] = &*call.arguments.args else { return None };
    if call.func.as_name_expr().is_none_or(|name| name.id != "id") || !site.module.callee(call)?.is("builtins.id") {
        return None;
    }
    let finding = Finding::new("memory/object-identity", call.func.range());
    let finding = match object {
        Expr::Call(made) if dies_at_once(site, made) => finding.fact("temporary", Fact::from(site.module.source(made))),
        Expr::Name(_) | Expr::Attribute(_) => {
            let holder = holder(site, object)?;
            // Classes and functions live as long as their module, as a rule.
            if site.module.class_reference(object).is_some() || site.module.function(object).is_some() {
                return None;
            }
            finding
                .fact("holder", Fact::from(site.module.source(holder)))
                .fact("argument", Fact::from(site.module.source(object)))
        }
        _ => return None,
    };
    findings.push(finding);
    Some(())
}

/// Whether the call makes an object that nothing else refers to.
fn dies_at_once(site: &Site, made: &ast::ExprCall) -> bool {
    const FRESH: &[&str] = &["builtins.bytearray", "builtins.dict", "builtins.list", "builtins.object", "builtins.set"];
    site.module.class_reference(&made.func).is_some_and(|class| {
        class.symbol().is_any(FRESH) || is_own(&class) && !class.is_metaclass() && !new_object_is_kept(&class)
    })
}

/// The container that keeps the number without the object.
fn holder<'a>(site: &Site<'a, '_>, object: &Expr) -> Option<&'a Expr> {
    let range = site.node.range();
    let holds_object = |value: &Expr| mentions_object(value, object);
    for node in site.enclosing() {
        match node {
            AnyNodeRef::ExprSubscript(item) if item.slice.range() == range && item.ctx.is_store() => {
                let kept = site.enclosing().find_map(|node| match node {
                    AnyNodeRef::StmtAssign(assign) => Some(&*assign.value),
                    _ => None,
                })?;
                return (!holds_object(kept)).then_some(&*item.value);
            }
            AnyNodeRef::ExprCall(call) if call.range() != range => {
                let method = call.func.as_attribute_expr()?;
                let is_kept = match (method.attr.as_str(), &*call.arguments.args) {
                    ("add" | "append", [only]) => only.range() == range,
                    ("setdefault", [key, value]) => key.range() == range && !holds_object(value),
                    _ => false,
                };
                return is_kept.then_some(&*method.value);
            }
            AnyNodeRef::Arguments(_) => {}
            _ => return None,
        }
    }
    None
}

/// Whether a stored value refers to the object in any way that can be seen.
fn mentions_object(value: &Expr, object: &Expr) -> bool {
    let root = match object {
        Expr::Attribute(attribute) => attribute.value.as_name_expr(),
        other => other.as_name_expr(),
    };
    root.is_none_or(|name: &ast::ExprName| mentions(value, &name.id))
}
