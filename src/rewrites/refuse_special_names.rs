//! `__getattr__` → the same with `if name.startswith("__"): raise AttributeError(name)` before everything else.

use ruff_python_ast::Stmt;

use super::raise_attribute_error::hook;
use super::{Offer, Rewrite, Target};
use crate::text::{Edit, Ranged as _, TextRange};

pub(super) const REWRITE: Rewrite = Rewrite { name: "refuse_special_names", offer };

const TITLE: &str = "Refuse special names such as `__deepcopy__`; other names are answered as before";

fn offer(target: &Target) -> Option<Offer> {
    let def = hook(target)?;
    let module = target.site.module;
    let lines = module.lines();
    let first = def.body.first()?;
    if lines.line(first.start()) == lines.line(def.name.start()) {
        return Offer::refused(TITLE, "the body stands on the line of its `def`");
    }
    let name = def.parameters.iter_non_variadic_params().nth(1)?.parameter.name.as_str();
    let inner = lines.indentation(first.start());
    let unit = inner.strip_prefix(lines.indentation(def.name.start())).filter(|unit| !unit.is_empty())?;
    // Behind the docstring; else before the comments that lead up to the first statement.
    let is_docstring = matches!(first, Stmt::Expr(statement) if statement.value.is_string_literal_expr());
    let line = match is_docstring {
        true => lines.line(first.end()),
        false => header_end(target, def.name.end(), first.start())?,
    };
    let newline = lines.newline();
    let end = lines.line_range(line).end();
    let guard =
        format!("{newline}{inner}if {name}.startswith(\"__\"):{newline}{inner}{unit}raise AttributeError({name})");
    Offer::edit(module, TITLE, vec![Edit::insert(end, guard)], false)
}

/// The line on which the header of the function ends: the last one before `body` that is neither a comment nor empty.
fn header_end(target: &Target, name: crate::text::TextSize, body: crate::text::TextSize) -> Option<usize> {
    let lines = target.site.module.lines();
    let (first, last) = (lines.line(name), lines.line(body));
    (first..last).rev().find(|line| {
        let text =
            target.site.module.source(TextRange::new(lines.line_range(*line).start(), lines.line_range(*line).end()));
        let text = text.trim_start();
        !text.is_empty() && !text.starts_with('#')
    })
}
