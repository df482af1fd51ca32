//! `daemon=True` and `thread.daemon = True`.

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind};

use super::nodes::{is_true, own_nodes};
use super::threads::{created, is_super_init, is_thread, thread_class};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["threads/daemon-thread"], nodes: &[NodeKind::Keyword, NodeKind::StmtAssign], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let finding = match site.node {
        AnyNodeRef::Keyword(keyword) => of_keyword(site, keyword)?,
        AnyNodeRef::StmtAssign(assign) => of_assignment(site, assign)?,
        _ => return None,
    };
    findings.push(finding);
    Some(())
}

fn of_keyword(site: &Site, keyword: &ast::Keyword) -> Option<Finding> {
    if keyword.arg.as_ref()?.as_str() != "daemon" || !is_true(&keyword.value) {
        return None;
    }
    let call_site = site.up()?.up()?;
    let AnyNodeRef::ExprCall(call) = call_site.node else { return None };
    let finding = Finding::new("threads/daemon-thread", keyword.range());
    if let Some(made) = created(site.module, call) {
        let bound = match call_site.parent() {
            Some(AnyNodeRef::StmtAssign(assign)) => assign.targets.first().map(|target| site.module.source(target)),
            _ => None,
        };
        let runs = made.runs(site.module).map(|runs| runs.name);
        let thread = bound.map(str::to_string).or(runs);
        return Some(finding.fact("thread", thread.map(Fact::from)));
    }
    let class = site.module.class(site.class()?).filter(is_thread)?;
    is_super_init(call).then(|| finding.fact("thread", Fact::from(class.name())))
}

fn of_assignment(site: &Site, assign: &ast::StmtAssign) -> Option<Finding> {
    let [ast::Expr::Attribute(target)] = assign.targets.as_slice() else { return None };
    if target.attr.as_str() != "daemon" || !is_true(&assign.value) {
        return None;
    }
    let module = site.module;
    let class = thread_class(module, &target.value)?;
    let function = site.function();
    let on_self = function.is_some_and(|function| {
        target.value.as_name_expr().is_some_and(|name| super::threads::is_first_parameter(function, name))
    });
    let thread = if on_self { class.name() } else { module.source(&*target.value).to_string() };
    let super_call = function.filter(|_| on_self).and_then(|function| {
        own_nodes(&function.body).into_iter().find_map(|node| match node {
            AnyNodeRef::ExprCall(call) if is_super_init(call) && call.end() <= assign.start() => Some(call),
            _ => None,
        })
    });
    Some(
        Finding::new("threads/daemon-thread", assign.range())
            .fact("thread", Fact::from(thread))
            .fact("super_call", super_call.map(|call| Fact::from(module.source(call)))),
    )
}
