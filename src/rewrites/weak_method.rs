//! `weakref.ref(player.on_pause)` → `weakref.WeakMethod(player.on_pause)`

use ruff_python_ast::{AnyNodeRef, Expr};

use super::imports::{imported, without_unread};
use super::{Offer, Rewrite, Target};
use crate::text::{Edit, Ranged as _};

pub(super) const REWRITE: Rewrite = Rewrite { name: "weak_method", offer };

fn offer(target: &Target) -> Option<Offer> {
    let module = target.site.module;
    let call = target.site.enclosing().find_map(|node| match node {
        AnyNodeRef::ExprCall(call) => Some(call),
        _ => None,
    })?;
    if !module.callee(call)?.is("weakref.ref") {
        return None;
    }
    let title = "Use `weakref.WeakMethod`, which lives as long as the method's object";
    let edits = match &*call.func {
        Expr::Attribute(attribute) => vec![Edit::replace(attribute.attr.range(), "WeakMethod")],
        func => {
            let Some(weakref) = imported(&target.site, "weakref") else {
                return Offer::refused(title, "the name `weakref` is used for something else in this file");
            };
            let mut edits = vec![Edit::replace(func.range(), format!("{}.WeakMethod", weakref.name))];
            edits.extend(weakref.edit);
            without_unread(module, module.source(func), edits)
        }
    };
    Offer::edit(module, title, edits, true)
}
