//! As `keep_task`, and a callback logs the task's exception when the task ends.

use ruff_python_ast::{self as ast, Stmt};

use super::imports::{bindings, end_of_head, imported, taken};
use super::keep_task::{Kept, kept};
use super::{Offer, Rewrite, Target};
use crate::analysis::{Module, Site};
use crate::text::Edit;

pub(super) const REWRITE: Rewrite = Rewrite { name: "keep_task_logged", offer };

const CALLBACK: &str = "log_failure";

fn offer(target: &Target) -> Option<Offer> {
    let title = "Keep the task in a set and log its exception as soon as it ends";
    let (site, kept) = kept(target)?;
    match kept.and_then(|kept| edits(&site, kept)) {
        Ok(edits) => Offer::edit(site.module, title, edits, false),
        Err(reason) => Offer::refused(title, reason),
    }
}

fn edits(site: &Site, kept: Kept) -> Result<Vec<Edit>, String> {
    let module = site.module;
    let newline = module.lines().newline();
    let mut edits = kept.edits(module, &[CALLBACK]);
    if bindings(module, CALLBACK).is_empty() {
        let unit = super::layout::unit(site);
        let logging = imported(site, "logging").ok_or_else(|| taken(module, "logging"))?;
        let lines = [
            String::new(),
            String::new(),
            format!("def {CALLBACK}(task):"),
            format!("{unit}if not task.cancelled() and task.exception() is not None:"),
            format!(
                "{unit}{unit}{}.getLogger(__name__).error(\"a background task failed\", exc_info=task.exception())",
                logging.name
            ),
            String::new(),
        ];
        edits.push(Edit::insert(end_of_head(module), lines.join(newline)));
        // The import comes first where all of them are put at one place.
        edits.splice(0..0, logging.edit);
    } else if !is_callback(module) {
        return Err(taken(module, CALLBACK));
    }
    Ok(edits)
}

/// Whether the name is bound once, to a function of this module that asks its argument for an exception.
fn is_callback(module: &Module) -> bool {
    let def = module.syntax().body.iter().find_map(|statement| match statement {
        Stmt::FunctionDef(def) if def.name.as_str() == CALLBACK => Some(def),
        _ => None,
    });
    let asks = |def: &ast::StmtFunctionDef| module.source(def).contains(".exception()");
    bindings(module, CALLBACK).len() == 1 && def.is_some_and(|def| def.parameters.len() == 1 && asks(def))
}
