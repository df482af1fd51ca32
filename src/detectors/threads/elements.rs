//! Where the objects come from that a name, a loop's variable or an item of a container refers to.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr};

use super::super::nodes::{all_nodes, around, body_around, method, own_nodes};
use crate::analysis::Module;
use crate::text::Ranged as _;

/// Where the value of `expr` comes from; for a loop's variable, where the elements come from.
pub(super) fn values<'m>(module: &'m Module, expr: &'m Expr) -> Vec<&'m Expr> {
    let Expr::Name(name) = expr else { return module.origins(expr) };
    let iterated = around(module, expr.range()).into_iter().find_map(|node| {
        let (target, iter) = match node {
            AnyNodeRef::StmtFor(node) => (&*node.target, &*node.iter),
            AnyNodeRef::ExprListComp(node) => node.generators.first().map(|part| (&part.target, &part.iter))?,
            _ => return None,
        };
        let is_bound_here = target.as_name_expr().is_some_and(|target| target.id == name.id);
        (is_bound_here && iter.range() != expr.range()).then_some(iter)
    });
    match iterated {
        Some(iter) => elements(module, iter),
        None => bound_in_turn(module, name).unwrap_or_else(|| module.origins(expr)),
    }
}

/// The values of a name that a loop binds as well, such as `worker` in `worker = Worker()` and `for worker in workers`.
fn bound_in_turn<'m>(module: &'m Module, name: &ast::ExprName) -> Option<Vec<&'m Expr>> {
    let (mut found, lists) = bindings(module, name)?;
    found.extend(lists.into_iter().flat_map(|list| elements(module, list)));
    Some(found)
}

/// What a name that a loop binds as well is assigned, and what the loops go over; `None` if it is bound otherwise, too.
fn bindings<'m>(module: &'m Module, name: &ast::ExprName) -> Option<(Vec<&'m Expr>, Vec<&'m Expr>)> {
    let (mut stores, mut understood) = (0, 0);
    let (mut assigned, mut lists) = (vec![], vec![]);
    let is_it = |target: &Expr| target.as_name_expr().is_some_and(|target| target.id == name.id);
    for node in own_nodes(body_around(module, name.range())) {
        match node {
            AnyNodeRef::ExprName(other) if other.id == name.id && !other.ctx.is_load() => stores += 1,
            AnyNodeRef::StmtAssign(assign) => {
                if let [target] = assign.targets.as_slice()
                    && is_it(target)
                {
                    understood += 1;
                    assigned.extend(module.origins(&assign.value));
                }
            }
            AnyNodeRef::StmtFor(turns) if is_it(&turns.target) => {
                understood += 1;
                lists.push(&*turns.iter);
            }
            AnyNodeRef::ExprListComp(list) if list.generators.iter().any(|part| is_it(&part.target)) => understood += 1,
            _ => {}
        }
    }
    (!lists.is_empty() && stores == understood).then_some((assigned, lists))
}

/// The expressions whose values are in the list or the tuple `expr`: those of its literal or comprehension, and those appended;
/// of a sum, those of both sides.
fn elements<'m>(module: &'m Module, expr: &'m Expr) -> Vec<&'m Expr> {
    let mut found = vec![];
    let lists = module.origins(expr);
    for list in &lists {
        match list {
            Expr::List(ast::ExprList { elts, .. }) | Expr::Tuple(ast::ExprTuple { elts, .. }) => {
                found.extend(elts.iter().flat_map(|item| module.origins(item)));
            }
            Expr::ListComp(list) => found.push(&*list.elt),
            Expr::BinOp(sum) if sum.op == ast::Operator::Add => {
                let (left, right) = (elements(module, &sum.left), elements(module, &sum.right));
                if left.is_empty() || right.is_empty() {
                    return vec![];
                }
                found.extend(left.into_iter().chain(right));
            }
            _ => return vec![],
        }
    }
    for call in module.calls_of("append") {
        let Some((receiver, _)) = method(call) else { continue };
        let appended = call.arguments.args.first();
        if lists.iter().any(|list| module.origins(receiver).iter().any(|other| other.range() == list.range())) {
            // A name that a loop over this list binds, too, adds nothing by that.
            let assigned = |item: &'m Expr| bindings(module, item.as_name_expr()?).map(|(assigned, _)| assigned);
            let appended = appended.into_iter();
            found.extend(appended.flat_map(|item| assigned(item).unwrap_or_else(|| module.origins(item))));
        }
    }
    found
}

/// As [`values`], and where that knows nothing, what is in a dictionary that `expr` is an item of or a loop's variable over.
pub(in crate::detectors) fn kept_values<'m>(module: &'m Module, expr: &'m Expr) -> Vec<&'m Expr> {
    let found = values(module, expr);
    if found.iter().any(|value| value.is_call_expr() && value.range() != expr.range()) {
        return found;
    }
    let kept = match expr {
        Expr::Subscript(item) => Some(&*item.value),
        Expr::Name(name) => looped_over(module, name),
        _ => None,
    };
    kept.map(|kept| in_dictionary(module, kept)).filter(|kept| !kept.is_empty()).unwrap_or(found)
}

/// The dictionary over whose values, or items, a loop goes that binds `name`.
fn looped_over<'m>(module: &'m Module, name: &ast::ExprName) -> Option<&'m Expr> {
    let is_it = |target: &Expr| target.as_name_expr().is_some_and(|target| target.id == name.id);
    around(module, name.range()).into_iter().find_map(|node| {
        let (target, iter) = match node {
            AnyNodeRef::StmtFor(node) => (&*node.target, &*node.iter),
            AnyNodeRef::ExprListComp(node) => node.generators.first().map(|part| (&part.target, &part.iter))?,
            _ => return None,
        };
        match target {
            Expr::Name(_) if is_it(target) => dictionary(iter, "values"),
            Expr::Tuple(pair) if matches!(pair.elts.as_slice(), [_, value] if is_it(value)) => {
                dictionary(iter, "items")
            }
            _ => None,
        }
    })
}

/// The dictionary whose `method` is called without arguments.
fn dictionary<'m>(expr: &'m Expr, name: &str) -> Option<&'m Expr> {
    let call = expr.as_call_expr().filter(|call| call.arguments.is_empty())?;
    method(call).filter(|(_, called)| *called == name).map(|(receiver, _)| receiver)
}

/// The values of a dictionary that this file makes: those of its literal or comprehension, and those assigned to its items. None
/// where it is filled in another way, too.
fn in_dictionary<'m>(module: &'m Module, expr: &'m Expr) -> Vec<&'m Expr> {
    const FILLS: &[&str] = &["setdefault", "update"];
    let made = module.origins(expr);
    let mut found = vec![];
    for origin in &made {
        match origin {
            Expr::Dict(dict) => found.extend(dict.items.iter().flat_map(|item| module.origins(&item.value))),
            Expr::DictComp(dict) => found.push(&*dict.value),
            Expr::Call(call) if call.arguments.is_empty() && module.calls(call, &["builtins.dict"]) => {}
            _ => return vec![],
        }
    }
    let is_it =
        |expr: &'m Expr| module.origins(expr).iter().any(|other| made.iter().any(|own| own.range() == other.range()));
    let mut fills = FILLS.iter().flat_map(|name| module.calls_of(name)).filter_map(|call| method(call));
    if made.is_empty() || fills.any(|(receiver, _)| is_it(receiver)) {
        return vec![];
    }
    for node in all_nodes(&module.syntax().body) {
        let AnyNodeRef::StmtAssign(assign) = node else { continue };
        for target in &assign.targets {
            if target.as_subscript_expr().is_some_and(|item| is_it(&item.value)) {
                found.extend(module.origins(&assign.value));
            }
        }
    }
    found
}
