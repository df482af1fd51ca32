//! `return f"no {name}"` at the end of a `__getattr__` → `raise AttributeError(…)`.
//!
//! Only where what is returned last is the same kind of answer for every name; a lookup or a call may know some of them.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use super::{Offer, Rewrite, Target};
use crate::analysis::Module;
use crate::detectors::Fact;
use crate::text::{Edit, Ranged as _, TextRange};

pub(super) const REWRITE: Rewrite = Rewrite { name: "raise_attribute_error", offer };

const TITLE: &str = "Raise `AttributeError` for names that are not there";

fn offer(target: &Target) -> Option<Offer> {
    let def = hook(target)?;
    let module = target.site.module;
    let title = match then_raising(target, def) {
        uses if uses.is_empty() => TITLE.to_string(),
        uses => format!("{TITLE} ({} then raises)", uses.join(", ")),
    };
    let line = |range: TextRange| module.lines().line(range.start());
    let range = match last_answer(def) {
        Ok(range) => range,
        Err(statement) => {
            return Offer::refused(title, format!("the answers end in branches, at line {}", line(statement)));
        }
    };
    if let Some(value) = computed_answer(def) {
        let reason = format!("`{}` in line {} may know the name", module.source(value), line(value));
        return Offer::refused(title, reason);
    }
    if loses_comment(module, range) {
        return Offer::refused(title, format!("a comment inside the answer at line {} would be lost", line(range)));
    }
    let receiver = def.parameters.iter_non_variadic_params().next()?.parameter.name.as_str();
    let name = def.parameters.iter_non_variadic_params().nth(1)?.parameter.name.as_str();
    let raise =
        format!("raise AttributeError(f\"{{type({receiver}).__name__!r}} object has no attribute {{{name}!r}}\")");
    Offer::edit(module, title, vec![Edit::replace(range, raise)], false)
}

/// The reads in this file that get an answer now, without those whose name the function mentions.
fn then_raising(target: &Target, def: &ast::StmtFunctionDef) -> Vec<String> {
    let Some(Fact::List(uses)) = target.finding.facts.get("uses") else { return vec![] };
    let module = target.site.module;
    let mentioned: Vec<&str> = module
        .string_ranges()
        .into_iter()
        .filter(|string| def.range().contains_range(*string))
        .map(|string| module.source(string).trim_matches(['"', '\'']))
        .collect();
    let is_unknown = |read: &&String| {
        let name = read.rsplit('.').next().unwrap_or_default();
        !mentioned.iter().any(|text| !text.is_empty() && name.starts_with(text))
    };
    uses.iter().filter(is_unknown).cloned().collect()
}

/// The `__getattr__` that the finding is about.
pub(super) fn hook<'a>(target: &Target<'a, '_>) -> Option<&'a ast::StmtFunctionDef> {
    std::iter::once(target.site.node).chain(target.site.enclosing()).find_map(|node| match node {
        AnyNodeRef::StmtFunctionDef(def) if def.name.as_str() == "__getattr__" => Some(def),
        _ => None,
    })
}

/// The statement that answers what no other did; `Err` with the last statement when that is not one statement.
fn last_answer(def: &ast::StmtFunctionDef) -> Result<TextRange, TextRange> {
    match def.body.last() {
        Some(Stmt::Return(statement)) => Ok(statement.range()),
        Some(Stmt::Pass(statement)) => Ok(statement.range()),
        Some(statement) => Err(statement.range()),
        None => Err(def.range()),
    }
}

/// The answer, if it is computed by a call or a lookup that may know the name.
fn computed_answer(def: &ast::StmtFunctionDef) -> Option<TextRange> {
    let Some(Stmt::Return(statement)) = def.body.last() else { return None };
    let value = statement.value.as_deref()?;
    let is_fixed = value.is_literal_expr() || matches!(value, Expr::FString(_) | Expr::List(_) | Expr::Dict(_));
    (!is_fixed).then(|| value.range())
}

/// Whether a comment stands in `range`.
pub(super) fn loses_comment(module: &Module, range: TextRange) -> bool {
    let source = module.source(range);
    let strings = module.string_ranges();
    source.char_indices().any(|(index, char)| {
        let offset = range.start() + ruff_text_size::TextSize::try_from(index).unwrap_or_default();
        char == '#' && !strings.iter().any(|string| string.contains(offset))
    })
}
