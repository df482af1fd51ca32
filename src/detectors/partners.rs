//! What else is done with the object that a page on a name speaks of, as its `[partners]` ask: who sets the event that is
//! waited for, where the lock that is released is taken; and which call in a `try` raises what its handler names. What stands
//! in the same function, or close to the handler, a reader sees without being told.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr};

use super::nodes::{all_nodes, calls, function_around, method, own_nodes};
use super::{Fact, Finding};
use crate::analysis::{Module, Site};
use crate::text::{Place, Ranged as _, TextRange};

/// The most partners that are told of.
const MOST: usize = 4;
/// How far from its handler a call stands that a reader may not see with it, in lines.
const FAR: usize = 8;
/// The partners that are forms of syntax: a `with` block over the object, and an `await` of it.
const BLOCK: &str = "with";
const AWAITED: &str = "await";

/// Adds what the partners of the name at `site` do. A partner with a dot is a callable that raises the name.
pub(super) fn told(site: &Site, partners: &[String], finding: Finding) -> Finding {
    if let Some(handled) = handled(site) {
        let line = site.module.lines().line(site.node.start());
        return raised(site.module, handled, line, partners, finding);
    }
    let Some(subject) = Subject::of(site) else { return finding };
    let mut found: Vec<(String, Vec<Place>)> = vec![];
    for partner in partners.iter().filter(|partner| !partner.contains('.')) {
        let here = function_around(site.module, subject.at).map(|function| function.range());
        let is_elsewhere = |used: TextRange| {
            let there = function_around(site.module, used).map(|function| function.range());
            there != here
        };
        let mut uses = subject.uses(site.module, partner);
        uses.retain(|(used, _)| is_elsewhere(*used));
        let Some((_, first)) = uses.first() else { continue };
        let places = uses.iter().filter_map(|(range, _)| site.module.place(*range)).collect();
        found.push((site.module.source(*first).to_string(), places));
    }
    found.truncate(MOST);
    let (names, places): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    finding
        .fact("partner", Fact::Each(names.into_iter().map(Fact::from).collect()))
        .fact("partner_at", Fact::Each(places.into_iter().map(Fact::from).collect()))
}

/// The `try` statement one of whose handlers names what stands at `site`.
fn handled<'a>(site: &Site<'a, '_>) -> Option<&'a ast::StmtTry> {
    let range = site.node.range();
    let is_named = |handler: &ast::ExceptHandler| {
        let handler = handler.as_except_handler();
        handler.and_then(|handler| handler.type_.as_deref()).is_some_and(|named| named.range().contains_range(range))
    };
    site.enclosing().find_map(|node| match node {
        AnyNodeRef::StmtTry(statement) if statement.handlers.iter().any(is_named) => Some(statement),
        _ => None,
    })
}

/// Adds which calls in the body of `statement` raise what the handler in line `handler` names.
fn raised(module: &Module, statement: &ast::StmtTry, handler: usize, partners: &[String], finding: Finding) -> Finding {
    let inner: Vec<TextRange> = own_nodes(&statement.body)
        .into_iter()
        .filter_map(|node| match node {
            AnyNodeRef::StmtTry(inner) if !inner.handlers.is_empty() => Some(inner),
            _ => None,
        })
        .filter_map(|inner| Some(TextRange::new(inner.body.first()?.start(), inner.body.last()?.end())))
        .collect();
    let is_caught = |call: &ast::ExprCall| inner.iter().any(|body| body.contains_range(call.range()));
    let callables: Vec<&str> = partners.iter().map(String::as_str).filter(|partner| partner.contains('.')).collect();
    let calls = calls(&own_nodes(&statement.body));
    let is_far = |call: &ast::ExprCall| module.lines().line(call.start()) + FAR <= handler;
    let raisers = calls.into_iter().filter(|call| !is_caught(call) && is_far(call) && module.calls(call, &callables));
    let mut found: Vec<(&str, Vec<Place>)> = vec![];
    for call in raisers {
        let Some(place) = module.place(call.range()) else { continue };
        let written = module.source(&*call.func);
        match found.iter_mut().find(|(name, _)| *name == written) {
            Some((_, places)) => places.push(place),
            None => found.push((written, vec![place])),
        }
    }
    found.truncate(MOST);
    let (names, places): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    finding
        .fact("raiser", Fact::Each(names.into_iter().map(Fact::from).collect()))
        .fact("raised_at", Fact::Each(places.into_iter().map(Fact::from).collect()))
}

/// The object that a use of a name makes, or whose method it is.
struct Subject<'m> {
    /// The use itself.
    at: TextRange,
    /// The call that makes the object, if that is known.
    made: Option<TextRange>,
    /// What refers to it: what it is bound to, or the receiver; the parts of a tuple that it is unpacked to.
    written: Vec<&'m Expr>,
}

impl<'m> Subject<'m> {
    fn of(site: &Site<'m, '_>) -> Option<Self> {
        let (module, at) = (site.module, site.node.range());
        let AnyNodeRef::ExprCall(call) = site.node else { return None };
        let is_of_module = |receiver: &Expr| module.symbol(receiver).is_some_and(|symbol| symbol.name.is_empty());
        if let Some((receiver, _)) = method(call).filter(|(receiver, _)| !is_of_module(receiver)) {
            return Some(Self { at, made: made(module, receiver), written: vec![receiver] });
        }
        Some(Self { at, made: Some(at), written: bound(site) })
    }

    /// The places where `partner` is done with the object, each with what is written there; in the order of the text.
    fn uses(&self, module: &'m Module, partner: &str) -> Vec<(TextRange, &'m Expr)> {
        let mut found: Vec<(TextRange, &Expr)> = match partner {
            BLOCK | AWAITED => {
                let nodes = all_nodes(&module.syntax().body).into_iter();
                let used = nodes.flat_map(|node| match node {
                    AnyNodeRef::StmtWith(with) if partner == BLOCK => {
                        with.items.iter().map(|item| &item.context_expr).collect()
                    }
                    AnyNodeRef::ExprAwait(awaited) if partner == AWAITED => vec![&*awaited.value],
                    _ => vec![],
                });
                used.filter(|used| self.is(module, used)).map(|used| (used.range(), used)).collect()
            }
            _ => {
                let calls = module.calls_of(partner).into_iter().filter(|call| call.range() != self.at);
                let on_it = calls.filter(|call| method(call).is_some_and(|(receiver, _)| self.is(module, receiver)));
                on_it.map(|call| (call.range(), &*call.func)).collect()
            }
        };
        found.sort_by_key(|(range, _)| range.start());
        found
    }

    /// Whether `other` refers to the object: made by the same call, the same attribute of the same class, or the same
    /// variable of one function.
    fn is(&self, module: &'m Module, other: &'m Expr) -> bool {
        match (self.made, made(module, other)) {
            (Some(made), Some(other)) if made == other => return true,
            (Some(_), Some(_)) => return false,
            _ => {}
        }
        let is_other = |written: &&&Expr| module.source(**written) == module.source(other);
        let Some(written) = self.written.iter().find(is_other) else { return false };
        match (*written, other) {
            (Expr::Attribute(here), Expr::Attribute(there)) => {
                let owner = |expr: &Expr| module.enclosing_class(expr.into()).and_then(|class| class.place());
                let (here, there) = (owner(&here.value), owner(&there.value));
                here.is_some() && here == there
            }
            (Expr::Name(name), Expr::Name(_)) => is_bound_once(module, name, other.range()),
            _ => false,
        }
    }
}

/// The call that makes what `expr` refers to.
fn made(module: &Module, expr: &Expr) -> Option<TextRange> {
    match module.origins(expr).as_slice() {
        [Expr::Call(call)] => Some(call.range()),
        [Expr::Await(awaited)] => Some(awaited.value.range()),
        _ => None,
    }
}

/// What the object that a call makes is bound to, directly, through `await`, or by `with … as`.
fn bound<'a>(site: &Site<'a, '_>) -> Vec<&'a Expr> {
    let target = site.enclosing().find(|node| !node.is_expr_await()).and_then(|node| match node {
        AnyNodeRef::StmtAssign(assign) => assign.targets.first(),
        AnyNodeRef::StmtAnnAssign(assign) => Some(&*assign.target),
        AnyNodeRef::WithItem(item) => item.optional_vars.as_deref(),
        _ => None,
    });
    match target {
        Some(Expr::Tuple(tuple)) => tuple.elts.iter().collect(),
        target => target.into_iter().collect(),
    }
}

/// Whether `name` and what is written at `other` are one variable of one function, or of the module, which is bound in one
/// place at most.
fn is_bound_once(module: &Module, name: &ast::ExprName, other: TextRange) -> bool {
    let (here, there) = (function_around(module, name.range()), function_around(module, other));
    if here.map(|here| here.range()) != there.map(|there| there.range()) {
        return false;
    }
    let body = here.map_or(&module.syntax().body, |function| &function.body);
    let is_store =
        |node: &AnyNodeRef| matches!(node, AnyNodeRef::ExprName(found) if found.id == name.id && found.ctx.is_store());
    let stores = all_nodes(body).into_iter().filter(is_store).count();
    let is_parameter = here.is_some_and(|function| function.parameters.iter().any(|found| found.name().id == name.id));
    stores + usize::from(is_parameter) <= 1
}
