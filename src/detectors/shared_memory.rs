//! A block of shared memory: whether it is made here or attached to, and on which paths it is unlinked.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::context_var::only_target;
use super::nodes::{around, block_around, is_false, is_true, method};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Place, Ranged as _, TextRange};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["processes/shared-memory"], nodes: &[NodeKind::ExprCall], detect };

const BLOCKS: &[&str] = &["multiprocessing.shared_memory.ShareableList", "multiprocessing.shared_memory.SharedMemory"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    if !site.is_asked(call.func.range()) {
        return None;
    }
    let module = site.module;
    let is_list = site.callee_among(call, BLOCKS)?.last() == "ShareableList";
    let named = call.arguments.find_argument_value("name", if is_list { 1 } else { 0 });
    let create = call.arguments.find_argument_value("create", 1).filter(|_| !is_list);
    let sequence = call.arguments.find_argument_value("sequence", 0).filter(|_| is_list);
    let is_made = create.is_some_and(is_true) || sequence.is_some_and(|given| !given.is_none_literal_expr());
    let is_attached = named.is_some() && !is_made && create.is_none_or(is_false);
    let is_tracked = call.arguments.find_keyword("track").is_none();
    let target = only_target(site);
    let written = target.map(|target| module.source(target));
    let unlinked = calls_on(module, call.range(), "unlink");
    let places = |calls: &[&ast::ExprCall]| -> Fact {
        let places: Vec<Place> = calls.iter().filter_map(|call| module.place(call.range())).collect();
        Fact::from(places)
    };
    let is_left = is_made && unlinked.is_empty() && target.is_some_and(Expr::is_name_expr);
    let skipped = match unlinked.as_slice() {
        [only] if is_made => may_be_skipped(module, site, only),
        _ => None,
    };
    findings.push(
        Finding::new("processes/shared-memory", call.func.range())
            .fact("made", written.filter(|_| is_made).map(Fact::from))
            .fact("attached", written.filter(|_| is_attached).map(Fact::from))
            .fact("tracked", (is_attached && is_tracked).then(|| Fact::from(module.source(call))))
            .fact("left", written.filter(|_| is_left).map(Fact::from))
            .fact("skipped_by", skipped.map(|call| Fact::from(module.source(&*call.func))))
            .fact("skipped_by_at", skipped.and_then(|call| module.place(call.range())).map(Fact::from))
            .fact("unlinked_at", places(&unlinked))
            .fact("closed_at", places(&calls_on(module, call.range(), "close"))),
    );
    Some(())
}

/// The calls of `name` on the block that the call at `made` gives; of a list, on its `shm`.
fn calls_on<'m>(module: &'m Module, made: TextRange, name: &str) -> Vec<&'m ast::ExprCall> {
    let on_it = |call: &&ast::ExprCall| {
        let Some((receiver, _)) = method(call) else { return false };
        let block = match receiver {
            Expr::Attribute(attribute) if attribute.attr.as_str() == "shm" => &*attribute.value,
            other => other,
        };
        module.origins(block).iter().any(|origin| origin.range() == made)
    };
    module.calls_of(name).into_iter().filter(on_it).collect()
}

/// The first call between the statement that makes the block and the one that unlinks it, further down in the same block of
/// statements: an exception of it leaves the memory behind.
fn may_be_skipped<'m>(module: &'m Module, site: &Site, unlink: &ast::ExprCall) -> Option<&'m ast::ExprCall> {
    let (block, made) = block_around(module, site.statement()?.range())?;
    let (same, unlinked) = block_around(module, statement_of(module, unlink.range())?)?;
    let is_same = block.first()?.range() == same.first()?.range();
    let between: &[Stmt] = block.get(made + 1..unlinked).filter(|_| is_same)?;
    let nodes = super::nodes::own_nodes(between);
    let closes = |call: &ast::ExprCall| method(call).is_some_and(|(_, name)| name == "close");
    super::nodes::calls(&nodes).into_iter().find(|call| !closes(call))
}

fn statement_of(module: &Module, range: TextRange) -> Option<TextRange> {
    around(module, range).into_iter().find(|node| node.is_statement()).map(|node| node.range())
}
