//! Threads that are collected in a list which nothing joins.
//!
//! Silent when the list is read at all apart from being added to: whoever reads it may join them.

use ruff_python_ast::{AnyNodeRef, Expr, NodeKind, Stmt};

use super::nodes::body_around;
use super::suspension::reads;
use super::threads::is_thread;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["threads/never-joined"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let Expr::Attribute(method) = &*call.func else { return None };
    let list = method.value.as_name_expr().filter(|_| method.attr.as_str() == "append")?;
    let [thread] = &*call.arguments.args else { return None };
    let module = site.module;
    let body = body_around(module, call.range());
    let is_made_here = body.iter().any(|statement| match statement {
        Stmt::Assign(assign) => {
            let [Expr::Name(target)] = assign.targets.as_slice() else { return false };
            target.id == list.id && assign.value.as_list_expr().is_some_and(|list| list.elts.is_empty())
        }
        _ => false,
    });
    // The list of a function dies with it; one at module level may be read from anywhere.
    let is_only_added_to = reads(body, &list.id).len() == 1;
    if !is_made_here || !is_only_added_to || site.function().is_none() || site.is_type_checking() {
        return None;
    }
    let class = module.receiver_class(thread).filter(is_thread)?;
    findings.push(
        Finding::new("threads/never-joined", call.func.range())
            .fact("list", Fact::from(list.id.as_str()))
            .fact("class", Fact::from(class.name()))
            .fact("thread", Fact::from(module.source(thread))),
    );
    Some(())
}
