//! `asyncio.ensure_future(work())` and `loop.create_task(work())` → `asyncio.create_task(work())`

use ruff_python_ast::{self as ast, Expr};

use super::awaiting::{call_of, is_coroutine_call, other_loop};
use super::imports::{drop_unused, imported_member};
use super::layout::{drop_local, generated};
use super::{Offer, Rewrite, Target};
use crate::analysis::Site;
use crate::text::{Edit, Ranged as _, TextRange};

pub(super) const REWRITE: Rewrite = Rewrite { name: "create_task", offer };

fn offer(target: &Target) -> Option<Offer> {
    let (call, site) = call_of(&target.site)?;
    let title = "Use `asyncio.create_task`";
    match edits(&site, call) {
        Ok(edits) => Offer::edit(site.module, title, edits, true),
        Err(reason) => Offer::refused(title, reason),
    }
}

fn edits(site: &Site, call: &ast::ExprCall) -> Result<Vec<Edit>, String> {
    let module = site.module;
    let line = |range: TextRange| module.lines().line(range.start());
    if let Some(reason) = generated(module) {
        return Err(reason);
    }
    match site.function() {
        Some(function) if function.is_async => {}
        Some(function) => {
            let at = line(function.name.range());
            return Err(format!(
                "`{}` (line {at}) is a plain `def`: it may be called while no loop runs",
                function.name
            ));
        }
        None => return Err("only in a coroutine function a loop is sure to run".to_string()),
    }
    let is_method = module.callee(call).is_some_and(|symbol| symbol.is("asyncio.AbstractEventLoop.create_task"));
    let receiver = call.func.as_attribute_expr().map(|method| &*method.value).filter(|_| is_method);
    if let Some(reason) = receiver.and_then(|receiver| other_loop(site, receiver)) {
        return Err(reason);
    }
    if let Some(keyword) = call.arguments.keywords.iter().find(|keyword| keyword.arg.as_deref() == Some("loop")) {
        return Err(format!("`{}` (line {}) may be another loop", module.source(keyword), line(keyword.range())));
    }
    if !call.arguments.args.first().is_some_and(|argument| is_coroutine_call(module, argument)) {
        let written = call.arguments.args.first().map_or("the argument", |argument| module.source(argument));
        return Err(format!(
            "`{written}` in line {} is not known to be a coroutine: a future comes back as it is",
            line(call.range())
        ));
    }
    let function = imported_member(site, "asyncio", "create_task")?;
    let mut edits = vec![Edit::replace(call.func.range(), function.name)];
    edits.extend(function.edit);
    edits.extend(match (&*call.func, receiver) {
        (Expr::Name(name), _) => drop_unused(module, &name.id, call.func.range()),
        (_, Some(Expr::Name(name))) => drop_local(site, &name.id, call.func.range()),
        _ => None,
    });
    Ok(edits)
}
