//! Concepts that a name, a method or a form of syntax gives away: their pages are their detectors.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr};

use super::{Fact, Finding, Findings, Wanted};
use crate::analysis::{ExecutionContext, Origin, Site, Symbol};
use crate::pages::{Page, Store};
use crate::text::{Ranged as _, TextRange, TextSize};

/// Pushes the findings of data-only pages for one node.
pub(super) fn detect(site: &Site, store: &Store, wanted: Wanted, findings: &mut Findings) {
    let mut push = |pages: &[std::sync::Arc<Page>], range: TextRange| {
        for page in pages.iter().filter(|page| wanted(&page.id)) {
            findings.push(with_facts(site, Finding::new(&page.id, range)));
        }
    };
    if let Some((symbol, range)) = used_symbol(site, store) {
        push(store.of_symbol(&symbol.to_string()), range);
    }
    if let AnyNodeRef::StmtFunctionDef(function) = site.node
        && matches!(site.parent(), Some(AnyNodeRef::StmtClassDef(_)))
    {
        push(store.of_method(&function.name), function.name.range());
    }
    if let Some((form, range)) = form(site) {
        push(store.of_syntax(form), range);
    }
}

/// The library object that a call calls, or that a name outside of a call mentions; and the range that names it.
fn used_symbol(site: &Site, store: &Store) -> Option<(Symbol, TextRange)> {
    let mentioned = match site.node {
        AnyNodeRef::ExprCall(call) => &call.func,
        AnyNodeRef::ExprAttribute(_) | AnyNodeRef::ExprName(_) => {
            if site.is_annotation() {
                return None;
            }
            // A part of a longer name, or what a call calls, is not a use of its own.
            match site.parent()? {
                AnyNodeRef::ExprAttribute(_) => return None,
                AnyNodeRef::ExprCall(call) if call.func.range() == site.node.range() => return None,
                _ => {}
            }
            return mentioned_symbol(site, store);
        }
        _ => return None,
    };
    // A plain name may be an alias (`from time import sleep as nap`); an attribute keeps its last part.
    let may_be_one = mentioned.is_name_expr() || store.has_symbol_named(last_name(mentioned)?);
    if !may_be_one {
        return None;
    }
    let symbol = site.module.symbol(mentioned)?;
    is_library(&symbol, store).then(|| (symbol, mentioned.range()))
}

fn mentioned_symbol(site: &Site, store: &Store) -> Option<(Symbol, TextRange)> {
    let is_read = match site.node {
        AnyNodeRef::ExprAttribute(node) => node.ctx.is_load() && store.has_symbol_named(&node.attr),
        AnyNodeRef::ExprName(node) => node.ctx.is_load() && store.has_symbol_named(&node.id),
        _ => false,
    };
    let symbol = site.module.symbol(site.expression().filter(|_| is_read)?)?;
    is_library(&symbol, store).then(|| (symbol, site.node.range()))
}

fn is_library(symbol: &Symbol, store: &Store) -> bool {
    symbol.origin != Origin::Project && !store.of_symbol(&symbol.to_string()).is_empty()
}

fn last_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        _ => None,
    }
}

/// The form of syntax a node is, and the range of the words that make it so.
fn form(site: &Site) -> Option<(&'static str, TextRange)> {
    let keyword = |length: u32| TextRange::at(site.node.start(), TextSize::new(length));
    Some(match site.node {
        AnyNodeRef::StmtFunctionDef(function) if function.is_async => {
            let start = function.decorator_list.last().map_or(function.start(), |decorator| decorator.end());
            let source = site.module.source(TextRange::new(start, function.name.start()));
            let offset = source.find("async").unwrap_or(0);
            let start = start + TextSize::try_from(offset).unwrap_or_default();
            ("async-def", TextRange::new(start, function.name.end()))
        }
        AnyNodeRef::StmtClassDef(class) => ("class", class.name.range()),
        AnyNodeRef::ExprAwait(_) => ("await", keyword(5)),
        AnyNodeRef::StmtFor(statement) if statement.is_async => ("async-for", keyword(9)),
        AnyNodeRef::StmtWith(statement) if statement.is_async => ("async-with", keyword(10)),
        AnyNodeRef::StmtWith(_) => ("with", keyword(4)),
        AnyNodeRef::StmtDelete(_) => ("del", keyword(3)),
        AnyNodeRef::StmtGlobal(_) => ("global", keyword(6)),
        AnyNodeRef::StmtNonlocal(_) => ("nonlocal", keyword(8)),
        AnyNodeRef::ExprLambda(_) => ("lambda", keyword(6)),
        AnyNodeRef::ExprYield(_) => ("yield", keyword(5)),
        AnyNodeRef::ExprYieldFrom(_) => ("yield-from", keyword(10)),
        AnyNodeRef::Comprehension(comprehension) if comprehension.is_async => ("async-comprehension", keyword(9)),
        _ => return None,
    })
}

/// The facts that every trigger gives.
fn with_facts(site: &Site, mut finding: Finding) -> Finding {
    let module = site.module;
    let code = |range: TextRange| Fact::Code(module.source(range).to_string());
    finding = finding.fact("code", code(site.node.range()));
    let callee = match site.node {
        AnyNodeRef::ExprCall(call) => {
            let argument = call.arguments.iter_source_order().next().map(|argument| argument.value().range());
            finding = finding.fact("argument", argument.map(code));
            Some(&*call.func)
        }
        _ => None,
    };
    let range = callee.map_or(site.node.range(), |callee| callee.range());
    if site.node.is_expression() {
        finding = finding.fact("callee", code(range));
    }
    let receiver = match (callee, site.node) {
        (Some(Expr::Attribute(attribute)), _) => Some(attribute.value.range()),
        (None, AnyNodeRef::ExprAttribute(attribute)) => Some(attribute.value.range()),
        _ => None,
    };
    if let AnyNodeRef::StmtFunctionDef(function) = site.node {
        finding = finding.fact("method", Fact::from(function.name.as_str()));
    }
    finding = finding.fact("receiver", receiver.map(code));
    finding = finding.fact("target", target(site).map(code));
    finding = finding.fact("class", site.class().map(|class| Fact::from(class.name.as_str())));
    match site.context() {
        ExecutionContext::Function(function) => finding.fact("function", Fact::from(function.name.as_str())),
        _ => finding,
    }
}

/// What the value of the node is bound to, directly, through `await`, or by `with … as`.
fn target(site: &Site) -> Option<TextRange> {
    let range = site.node.range();
    for node in site.enclosing() {
        match node {
            AnyNodeRef::ExprAwait(_) => {}
            AnyNodeRef::StmtAssign(ast::StmtAssign { targets, value, .. }) if value.range().contains_range(range) => {
                let [target] = targets.as_slice() else { return None };
                return is_whole(value, range).then(|| target.range());
            }
            AnyNodeRef::StmtAnnAssign(assign) => {
                let value = assign.value.as_deref()?;
                return is_whole(value, range).then(|| assign.target.range());
            }
            AnyNodeRef::WithItem(item) if item.context_expr.range() == range => {
                return item.optional_vars.as_ref().map(|vars| vars.range());
            }
            _ => return None,
        }
    }
    None
}

/// Whether `value` is the node at `range`, or awaits it.
fn is_whole(value: &Expr, range: TextRange) -> bool {
    let value = match value {
        Expr::Await(awaited) => &awaited.value,
        other => other,
    };
    value.range() == range
}
