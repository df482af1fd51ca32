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
    let (Some(made), Some(other)) = (made_in_init(class, cache), made_in_init(class, refs)) else {
        return Offer::refused(
            title,
            format!("`{own}.{cache}` and `{own}.{refs}` are not both made by `{{}}` in `__init__`"),
        );
    };
    let known = [made.range(), other.range(), watch.range()];
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
    let (Some(gone), Some(unused)) = (lines_of(module, watch.range()), lines_of(module, other.range())) else {
        return Offer::refused(title, "a line to be removed holds more than one statement, or a comment");
    };
    let mut edits = vec![
        Edit::replace(made.value.range(), format!("{}()", dictionary.0)),
        Edit::delete(unused),
        Edit::delete(gone),
    ];
    edits.extend(dictionary.1);
    Offer::edit(module, title, edits, false)
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

/// The statement of `__init__` that makes the attribute an empty dictionary.
fn made_in_init<'a>(class: &'a ast::StmtClassDef, name: &str) -> Option<&'a ast::StmtAssign> {
    let init = class.body.iter().filter_map(Stmt::as_function_def_stmt).find(|def| def.name.as_str() == "__init__")?;
    init.body.iter().filter_map(Stmt::as_assign_stmt).find(|assign| {
        let is_target = match assign.targets.as_slice() {
            [target] => own_attribute(target).is_some_and(|(attribute, _)| attribute == name),
            _ => false,
        };
        is_target && matches!(&*assign.value, Expr::Dict(dict) if dict.items.is_empty())
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
