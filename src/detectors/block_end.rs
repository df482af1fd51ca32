//! `closing`, `aclosing`, `nullcontext`, `suppress`: what their block ends with, where the looks promise more or less.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::nodes::{all_nodes, calls, own_nodes, with_def};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["metaclasses/block-end"], nodes: &[NodeKind::StmtWith], detect };

const MANAGERS: &[&str] =
    &["contextlib.aclosing", "contextlib.closing", "contextlib.nullcontext", "contextlib.suppress"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtWith(with) = site.node else { return None };
    let [item] = with.items.as_slice() else { return None };
    let call = item.context_expr.as_call_expr().filter(|call| site.is_asked(call.func.range()))?;
    let symbol = site.callee_among(call, MANAGERS)?;
    let module = site.module;
    let finding =
        Finding::new("metaclasses/block-end", call.func.range()).fact("callee", Fact::from(module.source(&*call.func)));
    findings.extend(match symbol.last() {
        "nullcontext" => not_left(module, call, finding),
        "suppress" => cut_short(module, with, call, finding),
        _ => closed(module, with, call, finding),
    });
    Some(())
}

/// `nullcontext(open(path))`: what is made here is a manager that nobody leaves.
fn not_left(module: &Module, call: &ast::ExprCall, finding: Finding) -> Option<Finding> {
    let [made @ Expr::Call(_)] = &*call.arguments.args else { return None };
    let class = module.class_of(made)?;
    class.definer("__exit__")?;
    Some(finding.fact("not_left", Fact::from(module.source(made))))
}

/// `suppress` around several statements: the first that raises ends the block.
fn cut_short(module: &Module, with: &ast::StmtWith, call: &ast::ExprCall, finding: Finding) -> Option<Finding> {
    let errors: Vec<String> = call.arguments.args.iter().map(|error| module.source(error).to_string()).collect();
    let rest = with.body.get(1).and_then(|second| module.place(second.range()))?;
    Some(finding.fact("suppressed", Fact::from(errors)).fact("rest_at", Fact::from(rest)))
}

fn closed(module: &Module, with: &ast::StmtWith, call: &ast::ExprCall, finding: Finding) -> Option<Finding> {
    let [closed] = &*call.arguments.args else { return None };
    if let Some((generator, at)) = closed.as_call_expr().and_then(|made| cleanup(module, made)) {
        return Some(finding.fact("generator", Fact::from(generator)).fact("cleanup_at", Fact::from(at)));
    }
    let connection = module.class_of(closed).filter(|class| class.inherits("sqlite3.Connection"))?;
    let opened = closed.as_call_expr()?;
    if opened.arguments.find_keyword("isolation_level").is_some()
        || opened.arguments.find_keyword("autocommit").is_some()
    {
        return None;
    }
    let nodes = all_nodes(&with.body);
    let is_committed = nodes.iter().any(|node| match node {
        AnyNodeRef::StmtWith(_) => true,
        AnyNodeRef::ExprAttribute(attribute) => {
            matches!(attribute.attr.as_str(), "commit" | "isolation_level" | "autocommit" | "executescript")
        }
        _ => false,
    });
    let writing = calls(&nodes).into_iter().find(|call| writes(call))?;
    (!is_committed).then_some(())?;
    Some(
        finding
            .fact("connection", Fact::from(connection.name()))
            .fact("written_at", module.place(writing.range()).map(Fact::from)),
    )
}

/// `x.execute("INSERT …")` and the like.
fn writes(call: &ast::ExprCall) -> bool {
    let executes = |method: &ast::ExprAttribute| matches!(method.attr.as_str(), "execute" | "executemany");
    let text = call.arguments.args.first().and_then(Expr::as_string_literal_expr).map(|literal| literal.value.to_str());
    let word = text.and_then(|text| text.split_whitespace().next()).unwrap_or_default().to_ascii_uppercase();
    call.func.as_attribute_expr().is_some_and(executes)
        && matches!(word.as_str(), "DELETE" | "INSERT" | "REPLACE" | "UPDATE")
}

/// The generator function of the project that the call calls, and the `finally` around one of its `yield`s.
fn cleanup(module: &Module, made: &ast::ExprCall) -> Option<(String, Place)> {
    let function = module.called_function(made).filter(|function| function.is_generator && !function.is_decorated)?;
    with_def(module, &function, |home, def| {
        let attempt = own_nodes(&def.body).into_iter().find_map(|node| match node {
            AnyNodeRef::StmtTry(attempt) if !attempt.finalbody.is_empty() && has_yield(&attempt.body) => Some(attempt),
            _ => None,
        })?;
        let place = home.place(attempt.finalbody.first()?.range())?;
        Some((def.name.to_string(), place))
    })
}

fn has_yield(body: &[Stmt]) -> bool {
    own_nodes(body).iter().any(|node| node.is_expr_yield())
}
