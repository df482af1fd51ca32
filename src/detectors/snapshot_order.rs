//! `after.compare_to(before)`: which snapshot was taken first.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::method_body::{is_name, own_nodes};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["memory/tracemalloc-compare"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let function = call.func.as_attribute_expr().filter(|function| function.attr.as_str() == "compare_to")?;
    if !site.module.callee(call)?.is("tracemalloc.Snapshot.compare_to") {
        return None;
    }
    let other = call.arguments.args.first()?;
    let body = site.function().map_or(&site.module.syntax().body[..], |def| &def.body[..]);
    let (own_at, other_at) = (taken(body, &function.value), taken(body, other));
    let reversed = own_at.zip(other_at).filter(|(own, other)| own.start() < other.start());
    let at = |range: TextRange| site.module.place(range).map(Fact::from);
    findings.push(
        Finding::new("memory/tracemalloc-compare", call.func.range())
            .fact("receiver", Fact::from(site.module.source(&*function.value)))
            .fact("argument", Fact::from(site.module.source(other)))
            .fact("first_at", reversed.and_then(|(own, _)| at(own)))
            .fact("second_at", reversed.and_then(|(_, other)| at(other))),
    );
    Some(())
}

/// The one statement that binds a snapshot to the name.
fn taken(body: &[ast::Stmt], snapshot: &Expr) -> Option<TextRange> {
    let name = snapshot.as_name_expr()?;
    let mut bindings = 0;
    let mut found = None;
    own_nodes(body, |node| match node {
        AnyNodeRef::ExprName(other) => bindings += usize::from(other.id == name.id && !other.ctx.is_load()),
        AnyNodeRef::StmtAssign(assign) => {
            let is_it = assign.targets.iter().any(|target| is_name(target, &name.id));
            let takes = assign.value.as_call_expr().is_some_and(|call| match &*call.func {
                Expr::Name(function) => function.id == "take_snapshot",
                Expr::Attribute(function) => function.attr.as_str() == "take_snapshot",
                _ => false,
            });
            found = found.or((is_it && takes).then(|| assign.range()));
        }
        _ => {}
    });
    found.filter(|_| bindings == 1)
}
