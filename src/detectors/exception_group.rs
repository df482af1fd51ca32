//! `except*`.

use ruff_python_ast::{AnyNodeRef, NodeKind};

use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["asyncio/exception-group"], nodes: &[NodeKind::ExceptHandlerExceptHandler], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExceptHandlerExceptHandler(handler) = site.node else { return None };
    let AnyNodeRef::StmtTry(statement) = site.parent()? else { return None };
    let handled = handler.type_.as_deref().filter(|_| statement.is_star)?;
    findings.push(
        Finding::new("asyncio/exception-group", TextRange::new(handler.start(), handled.end()))
            .fact("handled", Fact::from(site.module.source(handled)))
            .fact("name", handler.name.as_ref().map(|name| Fact::from(name.as_str()))),
    );
    Some(())
}
