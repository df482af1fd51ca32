//! A dictionary that holds its values, and a second one of weak references that empty it → one `WeakValueDictionary`.
//!
//! Only where both are made in `__init__` and everything else is done with operations that both kinds of dictionary have.

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use super::imports::{imported, line_after};
use super::raise_attribute_error::loses_comment;
use super::{Offer, Rewrite, Target};
use crate::analysis::Module;
use crate::text::{Edit, Ranged as _, TextRange};

pub(super) const REWRITE: Rewrite = Rewrite { name: "weak_value_dictionary", offer };

/// What both kinds of dictionary can do.
const SHARED: &[&str] = &["clear", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values"];

fn offer(target: &Target) -> Option<Offer> {
    let site = &target.site;
    let module = site.module;
    let AnyNodeRef::StmtAssign(store) = site.node else { return None };
    let [Expr::Subscript(entry)] = store.targets.as_slice() else { return None };
    let (cache, own) = own_attribute(&entry.value)?;
    let (function, class) = (site.function()?, site.class()?);
    let watch =
        function.body.iter().filter_map(Stmt::as_assign_stmt).find(|assign| is_reference(module, assign, store))?;
    let [watched] = watch.targets.as_slice() else { return None };
    let line = |range: TextRange| module.lines().line(range.start());
    let refs = match watched {
        Expr::Subscript(item) if module.source(&*item.slice) == module.source(&*entry.slice) => {
            own_attribute(&item.value)
        }
        _ => None,
    };
    let title = |refs: &str| {
        let both = if refs.is_empty() { format!("`{cache}`") } else { format!("`{cache}` and `{refs}`") };
        format!("Replace {both} by one `WeakValueDictionary` (entries vanish when nobody else holds the value)")
    };
    let Some((refs, _)) = refs.filter(|(refs, _)| *refs != cache) else {
        let at = line(watch.range());
        return Offer::refused(title(""), format!("line {at} does not keep the weak reference under the same key"));
    };
    let title = title(refs);
    let (Some(made), Some(other)) = (made_in_init(module, class, cache), made_in_init(module, class, refs)) else {
        return Offer::refused(
            title,
            format!("`{own}.{cache}` and `{own}.{refs}` are not both made as empty dictionaries in `__init__`"),
        );
    };
    let known = [made.statement.range(), other.statement.range(), watch.range()];
    let mut uses = Uses { names: [cache, refs], ancestors: vec![], found: vec![] };
    uses.visit_body(&module.syntax().body);
    for found in uses.found.iter().filter(|found| !known.iter().any(|known| known.contains_range(found.range))) {
        if found.name == refs || !found.is_shared() {
            let use_ = module.source(found.range);
            return Offer::refused(title, format!("`{use_}` is used in line {} in another way", line(found.range)));
        }
    }
    let Some(dictionary) = class_name(target, watch) else {
        return Offer::refused(title, "the name `weakref` is used for something else in this file");
    };
    let Some(gone) = lines_of(module, watch.range()) else {
        return Offer::refused(title, lost_line());
    };
    match replaced(module, &made, &other, &dictionary.0) {
        Err(reason) => Offer::refused(title, reason),
        Ok(mut edits) => {
            edits.push(Edit::delete(gone));
            edits.extend(dictionary.1);
            Offer::edit(module, title, edits, false)
        }
    }
}

fn lost_line() -> String {
    "a line to be removed holds more than one statement, or a comment".to_string()
}

/// The edits in `__init__`: the one dictionary becomes weak, the other goes.
fn replaced(module: &Module, made: &Made, other: &Made, class: &str) -> Result<Vec<Edit>, String> {
    let line = |range: TextRange| module.lines().line(range.start());
    let mut edits = vec![];
    match made.statement {
        Stmt::Assign(assign) if assign.targets[0].is_tuple_expr() => {
            edits.push(without(module, assign, Some((made.value.range(), class)), other)?);
        }
        Stmt::AnnAssign(assign) => {
            edits.extend(annotation(module, &assign.annotation, class)?);
            edits.push(Edit::replace(made.value.range(), format!("{class}()")));
        }
        _ => edits.push(Edit::replace(made.value.range(), format!("{class}()"))),
    }
    match other.statement {
        _ if other.statement.range() == made.statement.range() => {}
        Stmt::Assign(assign) if assign.targets[0].is_tuple_expr() => edits.push(without(module, assign, None, other)?),
        statement => match lines_of(module, statement.range()) {
            Some(lines) => edits.push(Edit::delete(lines)),
            None => {
                return Err(format!("line {} holds more than one statement, or a comment", line(statement.range())));
            }
        },
    }
    Ok(edits)
}

/// `self.a, self.b = {}, {}` without one of them, and with another value for the other.
fn without(
    module: &Module,
    assign: &ast::StmtAssign,
    changed: Option<(TextRange, &str)>,
    other: &Made,
) -> Result<Edit, String> {
    if loses_comment(module, assign.range()) {
        return Err(lost_line());
    }
    let ([Expr::Tuple(targets)], Expr::Tuple(values)) = (assign.targets.as_slice(), &*assign.value) else {
        return Err(lost_line());
    };
    let mut kept: (Vec<String>, Vec<String>) = (vec![], vec![]);
    for (target, value) in
        targets.elts.iter().zip(&values.elts).filter(|(_, value)| value.range() != other.value.range())
    {
        kept.0.push(module.source(target).to_string());
        kept.1.push(match changed {
            Some((range, class)) if range == value.range() => format!("{class}()"),
            _ => module.source(value).to_string(),
        });
    }
    Ok(Edit::replace(assign.range(), format!("{} = {}", kept.0.join(", "), kept.1.join(", "))))
}

/// `dict[str, Image]` as the weak dictionary's own type; an abstract mapping stays.
fn annotation(module: &Module, annotation: &Expr, class: &str) -> Result<Vec<Edit>, String> {
    const ABSTRACT: &[&str] = &[
        "collections.abc.MutableMapping",
        "typing.Any",
        "typing.MutableMapping",
        "collections.abc.Mapping",
        "typing.Mapping",
    ];
    let head = match annotation {
        Expr::Subscript(subscript) => &*subscript.value,
        other => other,
    };
    match module.symbol(head) {
        Some(symbol) if symbol.is_any(&["builtins.dict", "typing.Dict"]) => {
            Ok(vec![Edit::replace(head.range(), class)])
        }
        Some(symbol) if symbol.is_any(ABSTRACT) => Ok(vec![]),
        _ => {
            let line = module.lines().line(annotation.start());
            Err(format!("the annotation `{}` is not understood (line {line})", module.source(annotation)))
        }
    }
}

/// `_cache` and `self` for `self._cache`.
fn own_attribute(expr: &Expr) -> Option<(&str, &str)> {
    let attribute = expr.as_attribute_expr()?;
    Some((attribute.attr.as_str(), attribute.value.as_name_expr()?.id.as_str()))
}

/// Whether `assign` keeps a weak reference, with a callback, to the value of `store`.
fn is_reference(module: &Module, assign: &ast::StmtAssign, store: &ast::StmtAssign) -> bool {
    let Expr::Call(call) = &*assign.value else { return false };
    let [referent, _callback] = &*call.arguments.args else { return false };
    module.source(referent) == module.source(&*store.value)
        && module.callee(call).is_some_and(|symbol| symbol.is("weakref.ref"))
}

/// An empty dictionary, and the statement that binds it.
struct Made<'a> {
    statement: &'a Stmt,
    value: &'a Expr,
}

/// The statement of `__init__` that makes the attribute an empty dictionary: by itself, with an annotation, or beside others.
fn made_in_init<'a>(module: &Module, class: &'a ast::StmtClassDef, name: &str) -> Option<Made<'a>> {
    let init = class.body.iter().filter_map(Stmt::as_function_def_stmt).find(|def| def.name.as_str() == "__init__")?;
    let is_it = |target: &Expr| own_attribute(target).is_some_and(|(attribute, _)| attribute == name);
    init.body.iter().find_map(|statement| {
        let value = match statement {
            Stmt::Assign(assign) => match (assign.targets.as_slice(), &*assign.value) {
                ([Expr::Tuple(targets)], Expr::Tuple(values)) if targets.elts.len() == values.elts.len() => {
                    values.elts.get(targets.elts.iter().position(is_it)?)?
                }
                ([target], value) if is_it(target) => value,
                _ => return None,
            },
            Stmt::AnnAssign(assign) if is_it(&assign.target) => assign.value.as_deref()?,
            _ => return None,
        };
        let is_empty = match value {
            Expr::Dict(dict) => dict.items.is_empty(),
            Expr::Call(call) => call.arguments.is_empty() && module.calls(call, &["builtins.dict"]),
            _ => false,
        };
        is_empty.then_some(Made { statement, value })
    })
}

/// What `WeakValueDictionary` is called here, and the import it needs.
fn class_name(target: &Target, watch: &ast::StmtAssign) -> Option<(String, Option<Edit>)> {
    let Expr::Call(call) = &*watch.value else { return None };
    if let Expr::Attribute(attribute) = &*call.func {
        let module = target.site.module.source(&*attribute.value);
        return Some((format!("{module}.WeakValueDictionary"), None));
    }
    let weakref = imported(&target.site, "weakref")?;
    Some((format!("{}.WeakValueDictionary", weakref.name), weakref.edit))
}

/// The lines of a statement that stands alone; a comment above it stays.
fn lines_of(module: &Module, range: TextRange) -> Option<TextRange> {
    let lines = module.lines();
    let alone = lines.line_range(lines.line(range.start())).start();
    let last = lines.line_range(lines.line(range.end()));
    let before = module.source(TextRange::new(alone, range.start()));
    let behind = module.source(TextRange::new(range.end(), last.end()));
    let is_alone = before.trim().is_empty() && behind.trim().is_empty();
    (is_alone && !loses_comment(module, range)).then(|| TextRange::new(alone, line_after(module, range.end())))
}

struct Uses<'n, 'a> {
    names: [&'n str; 2],
    ancestors: Vec<AnyNodeRef<'a>>,
    found: Vec<Found<'n, 'a>>,
}

/// A use of one of the two attributes, of any object.
struct Found<'n, 'a> {
    name: &'n str,
    range: TextRange,
    is_load: bool,
    around: [Option<AnyNodeRef<'a>>; 2],
}

impl<'a> SourceOrderVisitor<'a> for Uses<'_, 'a> {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        if let AnyNodeRef::ExprAttribute(attribute) = node
            && let Some(name) = self.names.iter().find(|name| **name == attribute.attr.as_str())
        {
            let mut around = self.ancestors.iter().rev().copied();
            let around = [around.next(), around.next()];
            self.found.push(Found { name, range: node.range(), is_load: attribute.ctx.is_load(), around });
        }
        self.ancestors.push(node);
        TraversalSignal::Traverse
    }

    fn leave_node(&mut self, _node: AnyNodeRef<'a>) {
        self.ancestors.pop();
    }
}

impl Found<'_, '_> {
    /// Whether it is an operation that both kinds of dictionary have.
    fn is_shared(&self) -> bool {
        if !self.is_load {
            return false;
        }
        match self.around {
            [Some(AnyNodeRef::ExprSubscript(entry)), _] => entry.value.range() == self.range,
            [Some(AnyNodeRef::ExprAttribute(method)), _] => SHARED.contains(&method.attr.as_str()),
            [Some(AnyNodeRef::ExprCompare(compare)), _] => {
                compare.ops.iter().all(|op| matches!(op, ast::CmpOp::In | ast::CmpOp::NotIn))
            }
            [Some(AnyNodeRef::StmtFor(_)), _] => true,
            [Some(AnyNodeRef::Arguments(_)), Some(AnyNodeRef::ExprCall(call))] => {
                matches!(&*call.func, Expr::Name(name) if ["len", "list", "sorted"].contains(&name.id.as_str()))
            }
            _ => false,
        }
    }
}
