//! `async for`, as a statement and in comprehensions: what is iterated, and what an early exit leaves open.

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{AnyNodeRef, Expr, NodeKind, Stmt};

use super::coroutine_function::{cleanup_around, yields};
use super::suspension::with_def;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::{Ranged as _, TextRange, TextSize};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["asyncio/async-for", "asyncio/generator-not-closed"],
    nodes: &[NodeKind::Comprehension, NodeKind::StmtFor],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let (iterable, body): (&Expr, &[Stmt]) = match site.node {
        AnyNodeRef::StmtFor(statement) if statement.is_async => (&statement.iter, &statement.body),
        AnyNodeRef::Comprehension(comprehension) if comprehension.is_async => (&comprehension.iter, &[]),
        _ => return None,
    };
    let module = site.module;
    let finding = Finding::new("asyncio/async-for", TextRange::at(site.node.start(), TextSize::new(9)))
        .fact("iterable", Fact::from(module.source(iterable)));
    let finding = with_generator(site, iterable, body, &finding).unwrap_or(finding);
    if let (Some(left_at), Some(cleanup_at)) = (finding.facts.get("left_at"), finding.facts.get("cleanup_at")) {
        findings.push(
            Finding::new("asyncio/generator-not-closed", iterable.range())
                .fact("generator", finding.facts.get("generator").cloned())
                .fact("left_at", left_at.clone())
                .fact("cleanup_at", cleanup_at.clone()),
        );
    }
    // What the statement always means is no news.
    if finding.facts.get("generator").is_some() {
        findings.push(finding);
    }
    Some(())
}

fn with_generator(site: &Site, iterable: &Expr, body: &[Stmt], finding: &Finding) -> Option<Finding> {
    let module = site.module;
    let function = module.called_function(iterable.as_call_expr()?)?;
    if !function.is_async || !function.is_generator || function.is_decorated {
        return None;
    }
    let finding = finding
        .clone()
        .fact("generator", Fact::from(function.name.as_str()))
        .fact("generator_at", function.place.clone().map(Fact::from));
    let cleanup_at = with_def(module, &function, |module, def| {
        // Wherever it stands when the loop is left, the cleanup has to be still to come.
        let all = yields(&def.body).len();
        module.place(cleanup_around(&def.body, &|inner| yields(inner).len() == all)?)
    });
    let cleanup_at = cleanup_at.flatten();
    let (Some(cleanup_at), Some(left)) = (cleanup_at, early_exit(body)) else { return Some(finding) };
    Some(finding.fact("cleanup_at", Fact::from(cleanup_at)).fact("left_at", module.place(left).map(Fact::from)))
}

/// The first `break` of this loop, or `return` or `raise`, in `body`.
fn early_exit(body: &[Stmt]) -> Option<TextRange> {
    struct Exits {
        loops: usize,
        found: Option<TextRange>,
    }
    impl<'a> SourceOrderVisitor<'a> for Exits {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            match node {
                AnyNodeRef::StmtFunctionDef(_) | AnyNodeRef::StmtClassDef(_) | AnyNodeRef::ExprLambda(_) => {
                    return TraversalSignal::Skip;
                }
                AnyNodeRef::StmtFor(_) | AnyNodeRef::StmtWhile(_) => self.loops += 1,
                AnyNodeRef::StmtReturn(_) if self.found.is_none() => self.found = Some(node.range()),
                AnyNodeRef::StmtBreak(_) if self.loops == 0 && self.found.is_none() => self.found = Some(node.range()),
                _ => {}
            }
            TraversalSignal::Traverse
        }

        fn leave_node(&mut self, node: AnyNodeRef<'a>) {
            if matches!(node, AnyNodeRef::StmtFor(_) | AnyNodeRef::StmtWhile(_)) {
                self.loops = self.loops.saturating_sub(1);
            }
        }
    }
    let mut exits = Exits { loops: 0, found: None };
    exits.visit_body(body);
    exits.found
}
