//! `letters.put_nowait(x)` on another thread → `loop.call_soon_threadsafe(letters.put_nowait, x)`

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use super::awaiting::call_of;
use super::imports::Names;
use super::layout::{generated, lost_comment};
use super::{Offer, Rewrite, Target};
use crate::analysis::Site;
use crate::detectors::not_threadsafe::{is_call_soon, starter};
use crate::detectors::suspension::path_to;
use crate::text::{Edit, Ranged as _, TextRange, TextSize};

pub(super) const REWRITE: Rewrite = Rewrite { name: "call_threadsafe", offer };

fn offer(target: &Target) -> Option<Offer> {
    let title = "Use `call_soon_threadsafe` (runs later, in the loop's thread, where its errors stay)";
    let module = target.site.module;
    let statement = target.site.statement()?.range();
    if module.syntax_errors().iter().any(|error| error.intersect(statement).is_some()) {
        return None;
    }
    let edits = match (call_of(&target.site), starter(module, target.finding.range)) {
        (_, Some(starter)) => as_target(&target.site, target.finding.range, starter),
        (Some((call, site)), None) => as_call(&site, call),
        _ => return None,
    };
    match edits {
        Ok(edits) => Offer::edit(module, title, edits, true),
        Err(reason) => Offer::refused(title, reason),
    }
}

/// The call itself is in a function that a thread runs.
fn as_call(site: &Site, call: &ast::ExprCall) -> Result<Vec<Edit>, String> {
    let module = site.module;
    let line = |range: TextRange| module.lines().line(range.start());
    if let Some(reason) = generated(module) {
        return Err(reason);
    }
    if !matches!(site.parent(), Some(AnyNodeRef::StmtExpr(_))) {
        return Err(format!("line {} uses what it returns", line(call.range())));
    }
    if is_call_soon(module, call) {
        let name = call.func.as_attribute_expr().map(|method| method.attr.range());
        return name.map(|name| vec![Edit::replace(name, "call_soon_threadsafe")]).ok_or_else(String::new);
    }
    if let Some(keyword) = call.arguments.keywords.first() {
        return Err(format!("`{}` in line {} cannot be passed on", module.source(keyword), line(keyword.range())));
    }
    let lost = lost_comment(module, TextRange::new(call.func.end(), call.arguments.start() + TextSize::new(1)), &[]);
    if let Some(reason) = lost {
        return Err(reason);
    }
    let event_loop = loop_in_reach(site)?;
    let method = module.source(&*call.func);
    let behind = if call.arguments.is_empty() { "" } else { ", " };
    let open = TextRange::new(call.func.start(), call.arguments.start() + TextSize::new(1));
    Ok(vec![Edit::replace(open, format!("{event_loop}.call_soon_threadsafe({method}{behind}"))])
}

/// The method is a thread's target: `args` gets it as its first item.
fn as_target(site: &Site, method: TextRange, starter: &ast::ExprCall) -> Result<Vec<Edit>, String> {
    let module = site.module;
    let line = |range: TextRange| module.lines().line(range.start());
    if let Some(reason) = generated(module) {
        return Err(reason);
    }
    let event_loop = loop_in_reach(site)?;
    let written = module.source(method);
    let edit = Edit::replace(method, format!("{event_loop}.call_soon_threadsafe"));
    if let Some(keyword) = starter.arguments.find_keyword("kwargs") {
        return Err(format!("`{}` in line {} cannot be passed on", module.source(keyword), line(keyword.range())));
    }
    let named: Vec<_> = starter.arguments.keywords.iter().filter(|keyword| keyword.arg.is_some()).collect();
    if named.len() != starter.arguments.keywords.len() || starter.arguments.args.len() > 2 {
        return Err(format!("the arguments in line {} are not all named", line(starter.range())));
    }
    match starter.arguments.find_keyword("args").map(|keyword| &keyword.value) {
        None => {
            let last = arguments_end(&starter.arguments);
            Ok(vec![edit, Edit::insert(last, format!(", args=({written},)"))])
        }
        Some(Expr::Tuple(ast::ExprTuple { elts, range, parenthesized: true, .. })) => match elts.first() {
            Some(first) => Ok(vec![edit, Edit::insert(first.start(), format!("{written}, "))]),
            None => Ok(vec![edit, Edit::replace(*range, format!("({written},)"))]),
        },
        Some(Expr::List(ast::ExprList { elts, range, .. })) => match elts.first() {
            Some(first) => Ok(vec![edit, Edit::insert(first.start(), format!("{written}, "))]),
            None => Ok(vec![edit, Edit::replace(*range, format!("[{written}]"))]),
        },
        Some(other) => {
            Err(format!("`{}` in line {} is no tuple that is written out", module.source(other), line(other.range())))
        }
    }
}

/// The end of the last argument.
fn arguments_end(arguments: &ast::Arguments) -> TextSize {
    let ends = arguments.args.iter().map(|argument| argument.end());
    let keywords = arguments.keywords.iter().map(|keyword| keyword.end());
    ends.chain(keywords).max().unwrap_or(arguments.start() + TextSize::new(1))
}

/// A name of the event loop that the site can read: bound once to the running loop in a coroutine function around it, or a
/// parameter that is a loop.
fn loop_in_reach(site: &Site) -> Result<String, String> {
    const RUNNING: &[&str] = &["asyncio.get_event_loop", "asyncio.get_running_loop"];
    let module = site.module;
    for node in site.enclosing() {
        let AnyNodeRef::StmtFunctionDef(function) = node else { continue };
        let is_alone = |name: &str| {
            let bound = Names::in_body(name, &function.body).bindings.len();
            let parameters = function.parameters.iter().filter(|parameter| parameter.name().as_str() == name).count();
            bound + parameters == 1
        };
        for parameter in &function.parameters {
            let annotation = parameter.annotation();
            let is_it = annotation.is_some_and(|annotation| module.is_symbol(annotation, "asyncio.AbstractEventLoop"));
            if is_it && is_alone(parameter.name()) {
                return Ok(parameter.name().to_string());
            }
        }
        if !function.is_async {
            continue;
        }
        let made = function.body.iter().find_map(|statement| match statement {
            Stmt::Assign(assign) => match (assign.targets.as_slice(), &*assign.value) {
                ([Expr::Name(name)], Expr::Call(call)) if module.calls(call, RUNNING) => Some(name),
                _ => None,
            },
            _ => None,
        });
        if let Some(name) = made.filter(|name| is_alone(&name.id)) {
            return Ok(name.id.to_string());
        }
    }
    let path = path_to(module, site.node.range());
    let function = path.iter().rev().find_map(|node| match node {
        AnyNodeRef::StmtFunctionDef(function) => Some(function),
        _ => None,
    });
    let (name, range) =
        function.map_or(("this module", site.node.range()), |function| (function.name.as_str(), function.name.range()));
    Err(format!("no name of the loop is in reach in `{name}` (line {})", module.lines().line(range.start())))
}
