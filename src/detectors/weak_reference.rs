//! `weakref.ref`: what holds the object all the same, what the callback captures and removes; and the strong store beside it.
//!
//! The store is a hazard only if nothing but the callback ever takes the entry out again.

mod callback;
mod container;

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::reference_count::{object_of, root};
use super::weak_target::{Weakrefable, bound_method, temporary, weakrefable};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Ranged as _, TextRange};

use callback::Callback;

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["weakref/defeated", "weakref/weak-callback", "weakref/weak-reference"],
    nodes: &[NodeKind::ExprCall, NodeKind::StmtAssign],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    match site.node {
        AnyNodeRef::ExprCall(call) => reference(site, call, findings),
        AnyNodeRef::StmtAssign(assign) => strong_store(site, assign, findings),
        _ => None,
    }
}

/// Whether `call` makes a `weakref.ref`.
fn makes_reference(module: &Module, call: &ast::ExprCall) -> bool {
    module.may_be(&call.func, &["weakref.ref"]) && module.callee(call).is_some_and(|symbol| symbol.is("weakref.ref"))
}

/// The second argument of a reference.
fn callback_of(call: &ast::ExprCall) -> Option<&Expr> {
    call.arguments.args.get(1).filter(|callback| !callback.is_none_literal_expr())
}

fn reference(site: &Site, call: &ast::ExprCall, findings: &mut Findings) -> Option<()> {
    let module = site.module;
    let referent = call.arguments.args.first().filter(|_| makes_reference(module, call))?;
    let shown = Fact::from(module.source(referent.range()));
    let strong = site.function().and_then(|def| strong_holder(module, def, call, referent));
    let callback = callback_of(call).and_then(|callback| Callback::of(site, callback));
    let cycle = callback.as_ref().filter(|callback| callback.holds_owner_of(target(site))).and(site.class());
    let cycle = cycle.map(|class| Fact::from(class.name.as_str()));
    let holder = strong.map(|holder| Fact::from(module.source(holder.range())));
    let removes = callback.as_ref().and_then(|callback| callback.removes.clone());
    let defeats =
        removes.as_deref().filter(|entry| strong.is_some_and(|holder| same(module.source(holder.range()), entry)));

    let mut finding = Finding::new("weakref/weak-reference", call.func.range())
        .fact("referent", shown.clone())
        .fact("strong_holder", holder)
        .fact("strong_holder_at", strong.and_then(|holder| module.place(holder.range())).map(Fact::from))
        .fact("removes", defeats.map(Fact::from))
        .fact("cycle_class", cycle.clone())
        .fact("target", target(site).map(|target| Fact::from(module.source(target.range()))));
    let method = bound_method(module, referent).is_some();
    let temporary = temporary(module, referent).is_some();
    if method || temporary {
        let name = if method { "method" } else { "temporary" };
        findings.push(finding.fact(name, shown));
        return None;
    }
    finding = match module.receiver_class(referent) {
        // Functions and classes have room for weak references.
        None if module.function(referent).is_some() || module.class_reference(referent).is_some() => finding,
        None => finding.fact("any_referent", shown.clone()),
        Some(class) if weakrefable(&class) == Weakrefable::Yes => {
            finding.fact("referent_class", Fact::from(class.name()))
        }
        Some(_) => finding,
    };
    if strong.is_none()
        && let Expr::Name(name) = referent
        && let Some(object) = object_of(site, &name.id)
    {
        let slots = object.slots.iter().map(|slot| slot.path.clone());
        let holders: Vec<String> = object.names.iter().cloned().chain(slots).collect();
        finding = finding.fact("holders", Fact::from(holders));
    }
    findings.push(finding);

    let callback = callback?;
    let finding = Finding::new("weakref/weak-callback", callback.range)
        .fact("referent", shown)
        .fact("removes", defeats.map(Fact::from))
        .fact("unchecked", removes.filter(|_| !callback.compares).map(Fact::from))
        .fact("captures", Fact::from(callback.captures))
        .fact("cycle_class", cycle);
    findings.push(finding);
    Some(())
}

/// What the value of the site's node is bound to.
fn target<'a>(site: &Site<'a, '_>) -> Option<&'a Expr> {
    match site.parent()? {
        AnyNodeRef::StmtAssign(assign) if assign.value.range() == site.node.range() => {
            match assign.targets.as_slice() {
                [target] => Some(target),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether two pieces of source are the same but for white space and quotes.
fn same(one: &str, other: &str) -> bool {
    let plain = |text: &str| text.chars().filter(|char| !char.is_whitespace()).collect::<String>().replace('\'', "\"");
    plain(one) == plain(other)
}

/// The attribute or entry to which the function of `call` assigns `referent` on every way to or from the call.
fn strong_holder<'a>(
    module: &Module,
    def: &'a ast::StmtFunctionDef,
    call: &ast::ExprCall,
    referent: &Expr,
) -> Option<&'a Expr> {
    let Expr::Name(referent) = referent else { return None };
    let mut block = &def.body[..];
    loop {
        let stores = block.iter().filter_map(|statement| match statement {
            Stmt::Assign(assign) => Some(assign),
            _ => None,
        });
        let is_referent = |value: &Expr| matches!(value, Expr::Name(name) if name.id == referent.id);
        let found = stores
            .filter(|assign| is_referent(&assign.value))
            .find_map(|assign| assign.targets.iter().find(|target| !target.is_name_expr() && root(target).is_some()));
        if let Some(found) = found {
            return (!is_undone(module, def, found)).then_some(found);
        }
        block = inner_block(block, call.range())?;
    }
}

/// The block of the compound statement in `block` that holds `range`.
fn inner_block(block: &[Stmt], range: TextRange) -> Option<&[Stmt]> {
    let holds = |block: &[Stmt]| block.iter().any(|statement| statement.range().contains_range(range));
    let blocks: Vec<&[Stmt]> = match block.iter().find(|statement| statement.range().contains_range(range))? {
        Stmt::If(statement) => {
            let clauses = statement.elif_else_clauses.iter().map(|clause| &clause.body[..]);
            std::iter::once(&statement.body[..]).chain(clauses).collect()
        }
        Stmt::With(statement) => vec![&statement.body],
        Stmt::For(statement) => vec![&statement.body],
        Stmt::While(statement) => vec![&statement.body],
        Stmt::Try(statement) => vec![&statement.body],
        _ => vec![],
    };
    blocks.into_iter().find(|block| holds(block))
}

/// Whether the function itself deletes or overwrites what it stored.
fn is_undone(module: &Module, def: &ast::StmtFunctionDef, stored: &Expr) -> bool {
    let source = module.source(stored.range());
    container::targets(&def.body)
        .iter()
        .any(|target| target.range() != stored.range() && same(module.source(target.range()), source))
}

/// `self._cache[key] = value`, where a weak reference to `value` made in the same function is to empty `self._cache`.
fn strong_store(site: &Site, assign: &ast::StmtAssign, findings: &mut Findings) -> Option<()> {
    let module = site.module;
    let [target @ Expr::Subscript(entry)] = assign.targets.as_slice() else { return None };
    if !assign.value.is_name_expr() || module.calls_of("ref").is_empty() {
        return None;
    }
    let def = site.function()?;
    let calls = container::calls(&def.body);
    let (call, callback) = calls.into_iter().find_map(|call| {
        let referent = call.arguments.args.first()?;
        let callback = callback_of(call)?;
        let is_same = same(module.source(referent.range()), module.source(&*assign.value));
        (is_same && makes_reference(module, call)).then_some((call, callback))
    })?;
    if strong_holder(module, def, call, call.arguments.args.first()?)?.range() != target.range() {
        return None;
    }
    let ends = Callback::in_function(module, def, callback)?;
    let source = module.source(target.range());
    if !ends.removes.as_deref().is_some_and(|removed| same(removed, source)) {
        return None;
    }
    if container::is_emptied_elsewhere(site, &entry.value, &[assign.range(), ends.range]) {
        return None;
    }
    let finding = Finding::new("weakref/defeated", assign.range())
        .fact("value", Fact::from(module.source(&*assign.value)))
        .fact("entry", Fact::from(source))
        .fact("reference_at", module.place(call.range()).map(Fact::from))
        .fact("removed_by", module.place(callback.range()).map(Fact::from));
    findings.push(finding);
    Some(())
}
