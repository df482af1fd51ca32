//! Coroutine functions where a plain callable is wanted: callbacks of the loop, targets of threads, jobs of pools.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::suspension::coroutine_function;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["asyncio/coroutine-as-callback"], nodes: &[NodeKind::ExprCall], detect };

/// What calls a function it is given: its name, the keyword of the function and its position. Not `add_signal_handler`,
/// which refuses a coroutine function by itself.
const CALLERS: &[(&str, &str, usize)] = &[
    ("asyncio.AbstractEventLoop.call_at", "callback", 1),
    ("asyncio.AbstractEventLoop.call_later", "callback", 1),
    ("asyncio.AbstractEventLoop.call_soon", "callback", 0),
    ("asyncio.AbstractEventLoop.call_soon_threadsafe", "callback", 0),
    ("asyncio.AbstractEventLoop.run_in_executor", "func", 1),
    ("asyncio.Future.add_done_callback", "fn", 0),
    ("asyncio.Task.add_done_callback", "fn", 0),
    ("asyncio.to_thread", "func", 0),
    ("concurrent.futures.Executor.submit", "fn", 0),
    ("concurrent.futures.ProcessPoolExecutor.submit", "fn", 0),
    ("concurrent.futures.ThreadPoolExecutor.submit", "fn", 0),
    ("threading.Thread", "target", 1),
    ("threading.Timer", "function", 1),
];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let callback = candidates(call).find_map(|callback| coroutine_function(site.module, callback).map(|_| callback))?;
    let symbol = site.module.callee(call)?;
    let (_, keyword, position) = CALLERS.iter().find(|(name, ..)| symbol.is(name))?;
    let passed = call.arguments.find_argument_value(keyword, *position)?;
    if passed.range() != callback.range() || site.is_type_checking() {
        return None;
    }
    findings.push(
        Finding::new("asyncio/coroutine-as-callback", callback.range())
            .fact("function", Fact::from(site.module.source(callback)))
            .fact("callee", Fact::from(site.module.source(&*call.func))),
    );
    Some(())
}

/// The arguments that may be a function. A caller's own name decides before any type does.
fn candidates(call: &ast::ExprCall) -> impl Iterator<Item = &Expr> {
    let name = match &*call.func {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => "",
    };
    let is_caller = CALLERS.iter().any(|(caller, ..)| caller.rsplit('.').next() == Some(name));
    let positional = call.arguments.args.iter();
    let keywords = call.arguments.keywords.iter().map(|keyword| &keyword.value);
    let is_function = |argument: &&Expr| matches!(argument, Expr::Name(_) | Expr::Attribute(_));
    positional.chain(keywords).filter(move |argument| is_caller && is_function(argument))
}
