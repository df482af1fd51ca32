//! Concepts that a name, a method or a form of syntax gives away: their pages are their detectors.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, ExprRef};

use super::{Fact, Finding, Findings, Wanted, partners};
use crate::analysis::{ExecutionContext, Origin, Site, Symbol};
use crate::pages::{self, Page, Store};
use crate::text::{Ranged as _, TextRange, TextSize};

/// The data-only pages that are wanted, by trigger.
pub(super) struct Triggers<'a> {
    index: &'a pages::Triggers,
    /// By the number of the page.
    is_wanted: Vec<bool>,
}

impl<'a> Triggers<'a> {
    pub(super) fn new(store: &'a Store, wanted: Wanted) -> Self {
        let index = store.triggers();
        Self { index, is_wanted: index.pages().iter().map(|page| wanted(&page.id)).collect() }
    }

    fn wanted(&self, numbers: &[usize]) -> impl Iterator<Item = &'a Page> {
        let wanted = numbers.iter().filter(|number| self.is_wanted[**number]);
        wanted.map(|number| &*self.index.pages()[*number])
    }

    /// Pushes the findings of the pages for one node.
    pub(super) fn detect(&self, site: &Site, findings: &mut Findings) {
        if let Some((symbol, range)) = self.used_symbol(site) {
            let name = symbol.to_string();
            // The handbook is about libraries; a team may have written about its own code.
            let is_meant = |page: &&Page| symbol.origin != Origin::Project || page.is_of_team();
            for page in self.wanted(self.index.of_symbol(&name)).filter(is_meant) {
                let finding = Finding::new(&page.id, range).fact("name", Fact::from(name.as_str()));
                let finding = with_facts(site, finding);
                findings.push(match page.partners(&name) {
                    [] => finding,
                    partners => partners::told(site, partners, finding),
                });
            }
        }
        let mut push = |numbers: &[usize], range: TextRange| {
            for page in self.wanted(numbers) {
                findings.push(with_facts(site, Finding::new(&page.id, range)));
            }
        };
        if let AnyNodeRef::StmtFunctionDef(function) = site.node
            && matches!(site.parent(), Some(AnyNodeRef::StmtClassDef(_)))
        {
            push(self.index.of_method(&function.name), function.name.range());
        }
        if let Some((form, range)) = form(site) {
            push(self.index.of_syntax(form), range);
        }
    }

    /// The object that a call calls, or that a name outside of a call mentions; and the range that names it.
    fn used_symbol(&self, site: &Site) -> Option<(Symbol, TextRange)> {
        let (mentioned, name) = match site.node {
            AnyNodeRef::ExprCall(call) => (ExprRef::from(&*call.func), last_name(&call.func)?),
            AnyNodeRef::ExprAttribute(node) if node.ctx.is_load() => (node.into(), node.attr.as_str()),
            AnyNodeRef::ExprName(node) if node.ctx.is_load() => (node.into(), node.id.as_str()),
            _ => return None,
        };
        let name = if mentioned.is_name_expr() { site.module.imported_name(name) } else { name };
        if self.wanted(self.index.of_last_name(name)).next().is_none()
            || (!site.node.is_expr_call() && is_part_of_a_use(site))
        {
            return None;
        }
        let has_page = |symbol: &Symbol| self.wanted(self.index.of_symbol(&symbol.to_string())).next().is_some();
        let symbol = written(site, mentioned).filter(has_page).or_else(|| site.module.symbol(mentioned))?;
        Some((symbol, mentioned.range()))
    }
}

/// The name as it is written behind a module: `asyncio.TimeoutError`, which is the builtin one by another name.
fn written(site: &Site, mentioned: ExprRef) -> Option<Symbol> {
    let ExprRef::Attribute(attribute) = mentioned else { return None };
    let module = site.module.symbol(&*attribute.value).filter(|symbol| symbol.name.is_empty())?;
    Some(module.member(&attribute.attr))
}

/// Whether the node reads like a variable of a module, such as `gc.callbacks` in `gc.callbacks.append(f)`.
fn is_value(site: &Site) -> bool {
    let AnyNodeRef::ExprAttribute(attribute) = site.node else { return false };
    attribute.value.is_name_expr() && attribute.attr.starts_with(|first: char| first.is_lowercase())
}

/// A part of a longer name, what a call calls, and an annotation are not uses of their own.
fn is_part_of_a_use(site: &Site) -> bool {
    match site.parent() {
        Some(AnyNodeRef::ExprAttribute(_)) => !is_value(site),
        None => true,
        Some(AnyNodeRef::ExprCall(call)) if call.func.range() == site.node.range() => true,
        // A class among others is only listed: for `isinstance`, or to be looped over.
        Some(AnyNodeRef::ExprList(_) | AnyNodeRef::ExprSet(_) | AnyNodeRef::ExprTuple(_)) => !is_handled(site),
        // What is only compared with, or told to a type checker.
        Some(AnyNodeRef::Arguments(_)) if is_tested(site) => true,
        _ => site.is_annotation(),
    }
}

/// Whether the node stands in what an exception handler names.
fn is_handled(site: &Site) -> bool {
    let is_named = |handler: &ast::ExceptHandlerExceptHandler| {
        handler.type_.as_deref().is_some_and(|class| class.range().contains_range(site.node.range()))
    };
    let mut around = site.enclosing().take(3);
    around.any(|node| matches!(node, AnyNodeRef::ExceptHandlerExceptHandler(handler) if is_named(handler)))
}

/// Whether the node is an argument of a check of types.
fn is_tested(site: &Site) -> bool {
    let call = site.enclosing().nth(1).and_then(|node| match node {
        AnyNodeRef::ExprCall(call) => Some(call),
        _ => None,
    });
    call.is_some_and(|call| matches!(last_name(&call.func), Some("cast" | "isinstance" | "issubclass")))
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
pub(super) fn with_facts(site: &Site, mut finding: Finding) -> Finding {
    let module = site.module;
    let code = |range: TextRange| Fact::Code(module.source(range).to_string());
    finding = finding.fact("code", code(site.node.range()));
    let callee = match site.node {
        AnyNodeRef::ExprCall(call) => {
            // `None` stands for the absence of what the page tells of.
            let argument = call.arguments.iter_source_order().next().map(|argument| argument.value());
            let argument = argument.filter(|argument| !argument.is_none_literal_expr());
            finding = finding.fact("argument", argument.map(|argument| code(argument.range())));
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
        let name = function.name.as_str();
        finding = finding.fact("method", Fact::from(name)).fact("name", Fact::from(name));
    }
    let unbound = callee.and_then(|callee| module.unbound_root(callee));
    finding = finding.fact("receiver", receiver.map(code)).fact("unbound", unbound.map(Fact::from));
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
