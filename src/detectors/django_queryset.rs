//! A name that is bound to a query set of Django: where its query runs, and which uses query again.
//!
//! Reads one function, in the order of its text. A use counts as run before another one only where nothing decides about it.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::django_relation::is_model;
use super::nodes::{all_nodes, around, block_around, body_around, holds, method, own_nodes};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["third-party/django-queryset"], nodes: &[NodeKind::ExprName], detect };

/// Methods that make a query set of another one.
const CHAIN: &[&str] = &[
    "all",
    "annotate",
    "defer",
    "distinct",
    "exclude",
    "filter",
    "only",
    "order_by",
    "prefetch_related",
    "reverse",
    "select_for_update",
    "select_related",
    "using",
    "values",
    "values_list",
];
/// Methods that answer from the rows once they are there, and query otherwise.
const ANSWERS: &[&str] = &["count", "exists"];
/// Methods that query each time.
const QUERIES: &[&str] = &["aggregate", "delete", "earliest", "get", "iterator", "last", "latest", "update"];
/// Functions that go over what they are given.
const READERS: &[&str] =
    &["dict", "enumerate", "frozenset", "len", "list", "max", "min", "set", "sorted", "sum", "tuple"];

/// What a use of the name does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// Fetches the rows, which the object keeps.
    Fetches,
    /// Answers from the rows if they are there.
    Answers,
    /// Queries, whatever is there.
    Queries,
    /// Fetches the rows without blocking the event loop: `async for`.
    Awaits,
    /// May fetch the rows: handed on, tested, under another name.
    Unknown,
}

struct Seen<'m> {
    range: TextRange,
    /// The whole expression or statement head to be shown.
    code: TextRange,
    what: Use,
    name: &'m ast::ExprName,
}

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprName(name) = site.node else { return None };
    let module = site.module;
    if !site.is_asked(name.range()) || !module.may_use_package("django") {
        return None;
    }
    site.function()?;
    let body = body_around(module, name.range());
    let nodes = own_nodes(body);
    let bindings: Vec<_> = nodes
        .iter()
        .filter_map(|node| match node {
            AnyNodeRef::ExprName(other) if other.id == name.id && !other.ctx.is_load() => Some(*other),
            _ => None,
        })
        .collect();
    let [bound] = bindings.as_slice() else { return None };
    let assigned = nodes.iter().find_map(|node| match node {
        AnyNodeRef::StmtAssign(assign) => match assign.targets.as_slice() {
            [Expr::Name(target)] if target.range() == bound.range() => Some(&*assign.value),
            _ => None,
        },
        _ => None,
    })?;
    if !is_query_set(module, assigned) {
        return None;
    }
    // What a nested function does with the rows, and when, is not known.
    let mentions = |nodes: &[AnyNodeRef]| {
        nodes.iter().filter(|node| matches!(node, AnyNodeRef::ExprName(other) if other.id == name.id)).count()
    };
    if mentions(&nodes) != mentions(&all_nodes(body)) {
        return None;
    }
    let uses: Vec<Seen> = nodes
        .iter()
        .filter_map(|node| match node {
            AnyNodeRef::ExprName(other) if other.id == name.id && other.ctx.is_load() => used(module, other),
            _ => None,
        })
        .collect();
    let may_be_there = |before: &ast::ExprName| {
        let known = |seen: &&Seen| matches!(seen.what, Use::Awaits | Use::Unknown);
        uses.iter().filter(known).any(|seen| seen.range.end() <= before.start())
    };
    let finding = Finding::new("third-party/django-queryset", name.range()).fact("rows", Fact::from(name.id.as_str()));
    let place = |range: TextRange| module.place(range).map(Fact::from);
    if name.range() == bound.range() {
        let first = uses.iter().find(|seen| seen.what == Use::Fetches).filter(|seen| !may_be_there(seen.name))?;
        findings.push(
            finding.fact("first_at", place(first.range)).fact("first_code", Fact::from(module.source(first.code))),
        );
        return Some(());
    }
    let this = uses.iter().find(|seen| seen.range == name.range()).filter(|seen| seen.what != Use::Unknown)?;
    let finding = finding.fact("code", Fact::from(module.source(this.code))).fact("made_at", place(assigned.range()));
    if let Some(coroutine) = site.async_function() {
        if may_be_there(name) {
            return None;
        }
        let is_plain = this.what != Use::Awaits;
        findings.push(finding.fact("coroutine", is_plain.then(|| Fact::from(coroutine.name.as_str()))));
        return Some(());
    }
    let before =
        |seen: &&Seen| seen.what == Use::Fetches && seen.range.end() <= name.start() && leads_to(module, seen, name);
    let fetched = uses.iter().find(before);
    let later = uses
        .iter()
        .find(|seen| seen.what == Use::Fetches && seen.range.start() > name.end() && leads_to(module, this, seen.name));
    let fetched_at = fetched.and_then(|seen| place(seen.range));
    findings.push(match (this.what, fetched) {
        (Use::Fetches | Use::Answers, Some(_)) => finding.fact("reused_at", fetched_at),
        (Use::Queries, Some(_)) => finding.fact("again_at", fetched_at),
        // An earlier one that something decides about may have fetched them.
        (Use::Fetches, None)
            if uses.iter().any(|seen| seen.what == Use::Fetches && seen.range.end() <= name.start()) =>
        {
            return None;
        }
        (_, None) if may_be_there(name) => return None,
        (Use::Fetches, None) => finding.fact("runs", Fact::from(module.source(this.code))),
        (Use::Answers, None) => finding.fact("later_at", place(later?.range)),
        (Use::Queries, None) | (Use::Awaits | Use::Unknown, _) => return None,
    });
    Some(())
}

/// Whether `expr` is `Model.objects` with methods that make a query set.
fn is_query_set(module: &Module, expr: &Expr) -> bool {
    let Some((receiver, name)) = expr.as_call_expr().and_then(method) else { return false };
    if !CHAIN.contains(&name) {
        return false;
    }
    match receiver {
        Expr::Attribute(manager) if manager.attr.as_str() == "objects" => {
            module.class_reference(&manager.value).is_some_and(|class| is_model(&class))
        }
        other => is_query_set(module, other),
    }
}

/// What the expression around the name does with the query set; `None` for what makes another one of it.
fn used<'m>(module: &'m Module, name: &'m ast::ExprName) -> Option<Seen<'m>> {
    let nodes = around(module, name.range());
    let (parent, outer) = (nodes.get(1)?, nodes.get(2));
    let seen = |code: TextRange, what: Use| Some(Seen { range: name.range(), code, what, name });
    let unknown = || seen(name.range(), Use::Unknown);
    let looped = |is_async: bool| if is_async { Use::Awaits } else { Use::Fetches };
    match parent {
        AnyNodeRef::StmtFor(turns) if turns.iter.range() == name.range() => {
            seen(TextRange::new(turns.start(), turns.iter.end()), looped(turns.is_async))
        }
        AnyNodeRef::Comprehension(part) if part.iter.range() == name.range() => {
            seen(part.range(), looped(part.is_async))
        }
        AnyNodeRef::StmtIf(branch) if branch.test.range() == name.range() => {
            seen(TextRange::new(branch.start(), name.end()), Use::Fetches)
        }
        AnyNodeRef::ExprUnaryOp(negated) if negated.op == ast::UnaryOp::Not => seen(negated.range(), Use::Fetches),
        AnyNodeRef::Arguments(_) => match outer {
            Some(AnyNodeRef::ExprCall(call)) => {
                let reader = call.func.as_name_expr().filter(|reader| READERS.contains(&reader.id.as_str()));
                if reader.is_some() { seen(call.range(), Use::Fetches) } else { unknown() }
            }
            _ => unknown(),
        },
        AnyNodeRef::ExprCompare(compare) if compare.ops.iter().any(|op| op.is_in() || op.is_not_in()) => {
            if compare.left.range() == name.range() { None } else { seen(compare.range(), Use::Fetches) }
        }
        AnyNodeRef::ExprCompare(_) => None,
        AnyNodeRef::ExprSubscript(item) if item.value.range() == name.range() => {
            if item.slice.is_slice_expr() {
                None
            } else {
                seen(item.range(), Use::Answers)
            }
        }
        AnyNodeRef::ExprAttribute(attribute) => {
            let Some(AnyNodeRef::ExprCall(call)) = outer else { return None };
            let called = attribute.attr.as_str();
            let what = match () {
                () if ANSWERS.contains(&called) => Use::Answers,
                () if QUERIES.contains(&called) => Use::Queries,
                () => return None,
            };
            if call.func.range() == attribute.range() { seen(call.range(), what) } else { None }
        }
        _ => unknown(),
    }
}

/// Whether nothing decides that `first` runs before `later` does.
fn leads_to(module: &Module, first: &Seen, later: &ast::ExprName) -> bool {
    let nodes = around(module, first.range);
    let is_conditional = nodes
        .iter()
        .take_while(|node| !node.is_statement())
        .any(|node| matches!(node, AnyNodeRef::ExprBoolOp(_) | AnyNodeRef::ExprIf(_) | AnyNodeRef::ExprLambda(_)));
    let Some(statement) = nodes.iter().find(|node| node.is_statement()) else { return false };
    // The test of an `elif` is a clause, no statement: then the whole `if` is found, and the first test alone is certain.
    let is_elif = nodes.iter().take_while(|node| !node.is_statement()).any(|node| node.is_elif_else_clause());
    !is_conditional
        && !is_elif
        && block_around(module, statement.range()).is_some_and(|(block, _)| holds(block, later.range()))
}
