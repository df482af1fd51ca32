//! `except` clauses that never run: an earlier one of the same `try` takes a base class of theirs.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["keywords/handler-shadowed"], nodes: &[NodeKind::StmtTry], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtTry(attempt) = site.node else { return None };
    if attempt.handlers.len() < 2 || attempt.is_star {
        return None;
    }
    let module = site.module;
    let mut taken: Vec<(Class, &Expr)> = vec![];
    for handler in attempt.handlers.iter().filter_map(ast::ExceptHandler::as_except_handler) {
        let Some(named) = handler.type_.as_deref() else { break };
        let classes = match named {
            Expr::Tuple(tuple) => tuple.elts.as_slice(),
            one => std::slice::from_ref(one),
        };
        for expr in classes.iter().filter(|expr| !taken.is_empty() && site.is_asked(expr.range())) {
            let Some(class) = module.class_reference(expr) else { continue };
            let Some((earlier, at)) = taken.iter().find(|(earlier, _)| class.is_subclass_of(earlier)) else { continue };
            findings.push(
                Finding::new("keywords/handler-shadowed", expr.range())
                    .fact("shadowed", Fact::from(module.source(expr)))
                    .fact("earlier", Fact::from(module.source(*at)))
                    .fact("earlier_at", module.place(at.range()).map(Fact::from))
                    .fact("base", (*earlier != class).then(|| Fact::from(earlier.name()))),
            );
        }
        taken.extend(classes.iter().filter_map(|expr| Some((module.class_reference(expr)?, expr))));
    }
    Some(())
}
