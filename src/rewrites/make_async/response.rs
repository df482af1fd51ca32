//! The answer of a server, whose body arrives later: reading it waits again.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr};

use crate::analysis::{Module, Site};
use crate::detectors::nodes::{method, own_nodes};
use crate::detectors::suspension::{call_head, frame, path_to};
use crate::rewrites::awaiting::{parentheses, suspension_obstacle};
use crate::rewrites::imports::Names;
use crate::rewrites::to_thread;
use crate::text::{Edit, Ranged as _, TextRange, apply};

/// Calls that return when the head of the answer is there.
const OPENED: &[&str] =
    &["http.client.HTTPConnection.getresponse", "urllib.request.OpenerDirector.open", "urllib.request.urlopen"];

/// The methods of the answer that wait for its body.
const READS: &[&str] = &["peek", "read", "read1", "readinto", "readline", "readlines"];

/// Whether the call gives such an answer.
pub(in crate::rewrites) fn opens(module: &Module, call: &ast::ExprCall) -> bool {
    module.calls(call, OPENED)
}

/// The call of `read` directly on what the call at the site gives.
pub(in crate::rewrites) fn read_at_once<'a, 's>(site: &Site<'a, 's>) -> Option<(&'a ast::ExprCall, Site<'a, 's>)> {
    let attribute = site.up()?;
    let AnyNodeRef::ExprAttribute(read) = attribute.node else { return None };
    let outer = attribute.up()?;
    let AnyNodeRef::ExprCall(call) = outer.node else { return None };
    let is_read = READS.contains(&read.attr.as_str()) && call.func.range() == read.range();
    is_read.then_some((call, outer))
}

/// `urlopen(address).read()` as `await asyncio.to_thread(lambda: urlopen(address).read())`, if nothing that it evaluates can tell
/// the thread apart.
pub(in crate::rewrites) fn as_lambda(site: &Site, head: &str) -> Option<Vec<Edit>> {
    let AnyNodeRef::ExprCall(outer) = site.node else { return None };
    let (opened, _) = method(outer)?;
    let opened = opened.as_call_expr()?;
    let is_plain = |call: &ast::ExprCall| call.arguments.iter_source_order().all(|argument| is_plain(argument.value()));
    if !is_plain(outer) || !is_plain(opened) || !is_plain_callee(&opened.func) {
        return None;
    }
    let range = outer.range();
    let (open, close) = match parentheses(site).as_slice() {
        [open, close] => (open.text.clone(), format!("){}", close.text)),
        _ => (String::new(), ")".to_string()),
    };
    Some(vec![Edit::insert(range.start(), format!("{open}{head}(lambda: ")), Edit::insert(range.end(), close)])
}

/// `urlopen(names.pop()).read()` as `await asyncio.to_thread((await asyncio.to_thread(urlopen, names.pop())).read)`: both wait
/// in a thread, and what they are given is evaluated here. `opened` is the site of the inner call, `read` that of the outer.
pub(in crate::rewrites) fn in_turn(opened: &Site, read: &Site, head: &str) -> Option<Vec<Edit>> {
    let (AnyNodeRef::ExprCall(inner), AnyNodeRef::ExprCall(outer)) = (opened.node, read.node) else { return None };
    let module = read.module;
    let within: Vec<Edit> = to_thread::edits(opened, inner, head)?
        .into_iter()
        .map(|edit| Edit { range: edit.range - inner.start(), ..edit })
        .collect();
    let mut within = within;
    within.sort_by_key(|edit| (edit.range.start(), edit.range.end()));
    let inner_text = apply(module.source(inner.range()), &within)?;
    let callee = format!("{inner_text}{}", module.source(TextRange::new(inner.end(), outer.func.end())));
    to_thread::edits_with(read, outer, head, &callee)
}

fn is_plain_callee(callee: &Expr) -> bool {
    match callee {
        Expr::Name(_) => true,
        Expr::Attribute(attribute) => is_plain_callee(&attribute.value),
        _ => false,
    }
}

/// A name, an attribute, a literal or a text made of them.
fn is_plain(expr: &Expr) -> bool {
    match expr {
        Expr::Name(_)
        | Expr::StringLiteral(_)
        | Expr::BytesLiteral(_)
        | Expr::NumberLiteral(_)
        | Expr::NoneLiteral(_)
        | Expr::BooleanLiteral(_) => true,
        Expr::Attribute(attribute) => is_plain(&attribute.value),
        Expr::BinOp(operation) => is_plain(&operation.left) && is_plain(&operation.right),
        Expr::FString(string) => string.value.elements().all(|element| match element {
            ast::InterpolatedStringElement::Literal(_) => true,
            ast::InterpolatedStringElement::Interpolation(part) => is_plain(&part.expression),
        }),
        _ => false,
    }
}

/// What becomes of the reads of an answer that has a name.
#[derive(Default)]
pub(super) struct Reads {
    /// The edits of each read, with its range.
    pub(super) edits: Vec<(TextRange, Vec<Edit>)>,
    /// What goes on waiting, as written.
    pub(super) still_waits: Vec<String>,
}

/// The reads of what the call at the site gives, where `with` or an assignment names it; and what else may read it.
pub(super) fn reads_of(site: &Site, head: &str) -> Reads {
    let module = site.module;
    let range = site.node.range();
    let mut reads = Reads::default();
    let name = match site.parent() {
        Some(AnyNodeRef::WithItem(item)) => item.optional_vars.as_deref().and_then(Expr::as_name_expr),
        Some(AnyNodeRef::StmtAssign(assign)) => match assign.targets.as_slice() {
            [Expr::Name(name)] => Some(name),
            _ => None,
        },
        Some(AnyNodeRef::Arguments(_)) => {
            let mut outer = site.enclosing().skip(1);
            if let Some(AnyNodeRef::ExprCall(reader)) = outer.next()
                && !module.calls(reader, &["contextlib.closing"])
            {
                reads.still_waits.push(call_head(module, reader));
            }
            return reads;
        }
        _ => None,
    };
    let Some(name) = name else { return reads };
    let body = frame(site);
    for read in Names::in_body(&name.id, body).reads {
        let path = path_to(module, read);
        match path.as_slice() {
            [.., AnyNodeRef::ExprCall(call), AnyNodeRef::ExprAttribute(method), _]
                if call.func.range() == method.range() && READS.contains(&method.attr.as_str()) =>
            {
                let read = Site::at(module, path[path.len() - 3], &path[..path.len() - 3]);
                let is_own = own_nodes(body).iter().any(|node| node.range() == call.range());
                let is_free = is_own && suspension_obstacle(&read).is_none() && call.start() > range.start();
                match to_thread::edits(&read, call, head).filter(|_| is_free && module.blocking_call(call).is_none()) {
                    Some(edits) => reads.edits.push((call.range(), edits)),
                    None if module.blocking_call(call).is_some() => {}
                    None => reads.still_waits.push(module.source(&*call.func).to_string()),
                }
            }
            [.., AnyNodeRef::ExprCall(reader), AnyNodeRef::Arguments(_), _] => {
                reads.still_waits.push(call_head(module, reader));
            }
            [.., AnyNodeRef::StmtFor(turns), _] if turns.iter.range() == read => {
                reads.still_waits.push(format!("for … in {}", name.id));
            }
            _ => {}
        }
    }
    reads
}
