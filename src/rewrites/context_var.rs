//! `state = threading.local()` → one `ContextVar` for each attribute.
//!
//! For an object of the module whose attributes are set and read by name, and which is used in no other way.

use std::collections::BTreeMap;

use ruff_python_ast::{AnyNodeRef, Expr, Stmt};

use super::imports::{Names, bindings, drop_unused, imported_member};
use super::layout::{generated, lost_comment, own_lines};
use super::{Offer, Rewrite, Target};
use crate::analysis::Module;
use crate::detectors::Fact;
use crate::detectors::suspension::{is_in, path_to};
use crate::text::{Edit, Ranged as _, TextRange};

pub(super) const REWRITE: Rewrite = Rewrite { name: "context_var", offer };

fn offer(target: &Target) -> Option<Offer> {
    let Some(Fact::Code(object)) = target.finding.facts.get("object") else { return None };
    let module = target.site.module;
    if !module.syntax_errors().is_empty() {
        return None;
    }
    let title = format!(
        "Replace `{object}` by a `ContextVar` for each attribute (each task has its own values; reading one that is not set raises `LookupError`)"
    );
    match edits(target, object) {
        Ok(edits) => Offer::edit(module, title, edits, false),
        Err(reason) => Offer::refused(title, reason),
    }
}

fn edits(target: &Target, object: &str) -> Result<Vec<Edit>, String> {
    let module = target.site.module;
    let line = |range: TextRange| module.lines().line(range.start());
    if let Some(reason) = generated(module) {
        return Err(reason);
    }
    if !object.starts_with('_') && !is_program(module) {
        return Err(format!("other modules may import `{object}`, whose name does not start with `_`"));
    }
    let names = Names::in_body(object, &module.syntax().body);
    let [bound] = names.bindings.as_slice() else {
        let again = names.bindings.get(1).copied().unwrap_or_default();
        return Err(format!("`{object}` is bound again in line {}", line(again)));
    };
    let made = module.syntax().body.iter().find_map(|statement| match statement {
        Stmt::Assign(assign) if assign.targets.len() == 1 && assign.targets[0].range() == *bound => Some(assign),
        _ => None,
    });
    let Some(made) = made.filter(|made| made.value.as_call_expr().is_some_and(|call| call.arguments.is_empty())) else {
        return Err(format!("`{object}` is made in a way that is not understood, in line {}", line(*bound)));
    };
    own_lines(module, made.range())?;
    if let Some(reason) = lost_comment(module, made.range(), &[]) {
        return Err(reason);
    }
    let class = imported_member(&target.site, "contextvars", "ContextVar")?;
    let mut variables: BTreeMap<String, String> = BTreeMap::new();
    let mut order = vec![];
    let mut edits = vec![];
    for read in &names.reads {
        let (attribute, make) = use_of(module, object, &names.reads, *read)?;
        let variable = match variables.get(&attribute) {
            Some(variable) => variable.clone(),
            None => {
                let variable = variable_name(module, &attribute)?;
                order.push((attribute.clone(), variable.clone()));
                variables.insert(attribute, variable.clone());
                variable
            }
        };
        edits.push(make.edit(module, &variable));
    }
    let newline = module.lines().newline();
    let lines: Vec<_> =
        order.iter().map(|(attribute, variable)| format!("{variable} = {}(\"{attribute}\")", class.name)).collect();
    edits.push(Edit::replace(made.range(), lines.join(newline)));
    edits.extend(class.edit);
    let root = module.source(&*made.value).split(['.', '(']).next().unwrap_or_default().trim();
    edits.extend(drop_unused(module, root, made.value.range()));
    Ok(edits)
}

/// Whether the file is run as a program: it starts a loop, or has the test of `__name__`.
fn is_program(module: &Module) -> bool {
    module.syntax().body.iter().any(|statement| match statement {
        Stmt::If(statement) => module.source(&*statement.test).contains("__name__"),
        Stmt::Expr(statement) => {
            statement.value.as_call_expr().is_some_and(|call| module.calls(call, &["asyncio.run"]))
        }
        _ => false,
    })
}

/// One use of an attribute.
enum Use {
    /// The whole statement `object.name = value`.
    Set(TextRange, String),
    Get(TextRange),
    /// `getattr(object, "name", default)`.
    GetOr(TextRange, TextRange),
}

impl Use {
    fn edit(&self, module: &Module, variable: &str) -> Edit {
        match self {
            Self::Set(range, value) => Edit::replace(*range, format!("{variable}.set({value})")),
            Self::Get(range) => Edit::replace(*range, format!("{variable}.get()")),
            Self::GetOr(range, default) => {
                Edit::replace(*range, format!("{variable}.get({})", module.source(*default)))
            }
        }
    }
}

/// The attribute that a read of the object's name stands for, and what is done with it.
fn use_of(module: &Module, object: &str, reads: &[TextRange], read: TextRange) -> Result<(String, Use), String> {
    let line = module.lines().line(read.start());
    let path = path_to(module, read);
    let whole = || format!("`{object}` is used as a whole in line {line}");
    match path.as_slice() {
        [.., AnyNodeRef::StmtAssign(assign), AnyNodeRef::ExprAttribute(attribute), _] if attribute.ctx.is_store() => {
            if assign.targets.len() != 1 {
                return Err(format!("line {line} sets several targets at once"));
            }
            let value = assign.value.range();
            if reads.iter().any(|other| value.contains_range(*other)) {
                return Err(format!("line {line} reads and sets attributes of `{object}` at once"));
            }
            let behind = TextRange::new(attribute.end(), assign.end());
            let value = module.source(behind).trim_start().trim_start_matches('=').trim();
            let is_bare_tuple = matches!(&*assign.value, Expr::Tuple(tuple) if !tuple.parenthesized);
            let value = if is_bare_tuple { format!("({value})") } else { value.to_string() };
            Ok((attribute.attr.to_string(), Use::Set(assign.range(), value)))
        }
        [.., AnyNodeRef::ExprAttribute(attribute), _] if attribute.ctx.is_load() => {
            if attribute.attr.as_str().starts_with("__") {
                return Err(whole());
            }
            if let Some(handler) = attribute_handler(module, &path, read) {
                return Err(handler);
            }
            Ok((attribute.attr.to_string(), Use::Get(attribute.range())))
        }
        [.., AnyNodeRef::ExprAttribute(_), _] => Err(format!("line {line} changes or deletes an attribute in place")),
        [.., AnyNodeRef::ExprCall(call), AnyNodeRef::Arguments(arguments), _] => {
            let is_getattr = module.calls(call, &["builtins.getattr"]) && arguments.keywords.is_empty();
            match &*arguments.args {
                [_, Expr::StringLiteral(name), default] if is_getattr && default.range() != read => {
                    Ok((name.value.to_string(), Use::GetOr(call.range(), default.range())))
                }
                _ => Err(whole()),
            }
        }
        _ => Err(whole()),
    }
}

/// A handler of `AttributeError` around the read: it would not see the `LookupError`.
fn attribute_handler(module: &Module, path: &[AnyNodeRef], read: TextRange) -> Option<String> {
    path.iter().rev().find_map(|node| match node {
        AnyNodeRef::StmtTry(statement) if is_in(&statement.body, read) => {
            let handlers = statement.handlers.iter().filter_map(|handler| handler.as_except_handler());
            let mut types = handlers.into_iter().filter_map(|handler| handler.type_.as_deref());
            let handled = types.find(|handled| module.source(*handled).contains("AttributeError"))?;
            let line = module.lines().line(handled.start());
            Some(format!("`except {}` in line {line} does not catch a `LookupError`", module.source(handled)))
        }
        _ => None,
    })
}

/// A name for the variable that the file does not use yet.
fn variable_name(module: &Module, attribute: &str) -> Result<String, String> {
    let candidates = [attribute.to_string(), format!("{attribute}_var")];
    let is_free = |name: &&String| {
        bindings(module, name).is_empty() && Names::in_body(name, &module.syntax().body).reads.is_empty()
    };
    let free = candidates.iter().find(is_free).cloned();
    free.ok_or_else(|| format!("the names `{attribute}` and `{attribute}_var` are in use in this file"))
}
