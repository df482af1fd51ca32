//! `if r() is not None: r().use()` → `if (obj := r()) is not None: obj.use()`

use ruff_python_ast::{AnyNodeRef, Expr};

use super::imports::bindings;
use super::{Offer, Rewrite, Target};
use crate::detectors::called_twice::{calls_like, tested_call};
use crate::text::{Edit, Ranged as _};

pub(super) const REWRITE: Rewrite = Rewrite { name: "bind_weak_object", offer };

const NAMES: [&str; 3] = ["obj", "alive", "target"];

fn offer(target: &Target) -> Option<Offer> {
    let module = target.site.module;
    let statement = target.site.enclosing().find_map(|node| match node {
        AnyNodeRef::StmtIf(statement) if tested_call(&statement.test).is_some() => Some(statement),
        _ => None,
    })?;
    let tested = tested_call(&statement.test)?;
    let Some(name) = NAMES.into_iter().find(|name| bindings(module, name).is_empty()) else {
        return Offer::refused(
            "Bind the object in the test",
            "the names `obj`, `alive` and `target` are taken in this file",
        );
    };
    let is_whole = matches!(&*statement.test, Expr::Call(_));
    let bound = format!("{name} := {}", module.source(tested));
    let bound = if is_whole { bound } else { format!("({bound})") };
    let mut edits = vec![Edit::replace(tested.range(), bound)];
    edits.extend(calls_like(module, &statement.body, tested).iter().map(|call| Edit::replace(call.range(), name)));
    Offer::edit(module, format!("Bind the object in the test, as `{name}`"), edits, true)
}
