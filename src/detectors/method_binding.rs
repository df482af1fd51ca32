//! A method of the user's own classes taken as a value: each time a new bound method, which holds its object.
//!
//! Silent for calls, where nothing is kept, and for methods of libraries.

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind};

use super::class_reading::is_own;
use super::handed_over::{Keeping, keeping};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{MemberKind, Site, Step};
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["descriptors/method-binding"], nodes: &[NodeKind::ExprAttribute], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprAttribute(attribute) = site.node else { return None };
    let is_called = matches!(site.parent()?, AnyNodeRef::ExprCall(call) if call.func.range() == attribute.range());
    let is_looked_into = matches!(site.parent()?, AnyNodeRef::ExprAttribute(_));
    if !attribute.ctx.is_load() || is_called || is_looked_into || site.is_type_checking() {
        return None;
    }
    let lookup = site.module.lookup(attribute)?;
    let is_method = lookup.member.kind == MemberKind::Function && lookup.step == Step::ClassAttribute;
    if !is_method || lookup.through_class || !is_own(&lookup.member.owner) {
        return None;
    }
    let code = |node: AnyNodeRef| Fact::from(site.module.source(node));
    let (mut stored_in, mut passed_to, mut identity) = (None, None, None);
    let (mut kept_by, mut kept_in, mut kept_at) = (None, None, None);
    match site.parent()? {
        AnyNodeRef::StmtAssign(assign) => {
            stored_in = assign.targets.first().filter(|target| !target.is_name_expr()).map(|target| code(target.into()))
        }
        AnyNodeRef::Arguments(_) | AnyNodeRef::Keyword(_) => {
            let call = callee(site).filter(|call| outlives_this(site, call))?;
            let function = code((&*call.func).into());
            match keeping(site.module, call, attribute.range()) {
                Some(Keeping::Strongly { container, at }) => {
                    (kept_by, kept_in, kept_at) = (Some(function), Some(Fact::from(container)), at.map(Fact::from));
                }
                Some(Keeping::Weakly { .. } | Keeping::Not | Keeping::Unclear) => {}
                None => passed_to = keeps(call).then_some(function),
            }
        }
        AnyNodeRef::ExprCompare(compare) => {
            let by_identity = matches!(&*compare.ops, [ast::CmpOp::Is | ast::CmpOp::IsNot]);
            let with_none = compare.left.is_none_literal_expr() || compare.comparators[0].is_none_literal_expr();
            identity = (by_identity && !with_none).then(|| code(compare.into()));
        }
        _ => {}
    }
    // That a method is handed on, or has another local name, is nothing to dwell on.
    let is_kept = stored_in.is_some() || kept_by.is_some() || passed_to.is_some();
    if !is_kept && identity.is_none() {
        return None;
    }
    findings.push(
        Finding::new("descriptors/method-binding", attribute.attr.range())
            .fact("code", Fact::from(site.module.source(attribute)))
            .fact("receiver", Fact::from(site.module.source(&*attribute.value)))
            .fact("method", Fact::from(format!("{}.{}", lookup.member.owner.name(), lookup.member.name)))
            .fact("method_at", lookup.member.place.clone().map(Fact::from))
            .fact("stored_in", stored_in)
            .fact("kept_by", kept_by)
            .fact("kept_in", kept_in)
            .fact("kept_at", kept_at)
            .fact("passed_to", passed_to)
            .fact("identity", identity),
    );
    Some(())
}

/// Whether what is called may live longer than the function: not a list or another object that a local name holds.
pub(super) fn outlives_this(site: &Site, call: &ast::ExprCall) -> bool {
    let ast::Expr::Attribute(attribute) = &*call.func else { return true };
    let ast::Expr::Name(name) = &*attribute.value else { return true };
    let Some(function) = site.function() else { return true };
    !super::method_body::binds_locally(function, &name.id)
}

/// Whether what is called keeps the argument at `range` for later: by its body, where that is known, or else by its name.
pub(super) fn is_kept(site: &Site, call: &ast::ExprCall, range: TextRange) -> bool {
    outlives_this(site, call)
        && match keeping(site.module, call, range) {
            Some(keeping) => matches!(keeping, Keeping::Strongly { .. }),
            None => keeps(call),
        }
}

/// Whether the name of what is called says that it keeps what it is given.
pub(super) fn keeps(call: &ast::ExprCall) -> bool {
    const WORDS: &[&str] = &[
        "add",
        "append",
        "attach",
        "bind",
        "callback",
        "connect",
        "hook",
        "listen",
        "observe",
        "register",
        "signal",
        "subscribe",
    ];
    let name = match &*call.func {
        ast::Expr::Name(name) => name.id.as_str(),
        ast::Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return false,
    };
    let name = name.to_lowercase();
    WORDS.iter().any(|word| name.split('_').any(|part| part.starts_with(word)))
}

/// The call that the node is an argument of.
fn callee<'a>(site: &Site<'a, '_>) -> Option<&'a ast::ExprCall> {
    site.enclosing().take(3).find_map(|node| match node {
        AnyNodeRef::ExprCall(call) => Some(call),
        _ => None,
    })
}
