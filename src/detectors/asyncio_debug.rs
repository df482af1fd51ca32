//! Debug mode of asyncio: where it is switched on or off, and from which duration on a step of the loop is logged.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::coroutine_function::blocking_call;
use super::nodes::{all_nodes, is_false, is_true, method};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Place, Ranged as _, TextRange};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["asyncio/debug-mode"],
    nodes: &[NodeKind::ExprCall, NodeKind::Keyword, NodeKind::StmtAssign],
    detect,
};

/// What runs a loop and takes `debug=`.
const RUNNERS: &[&str] = &["asyncio.Runner", "asyncio.run"];
/// The variable of the environment that a new loop looks at.
const VARIABLE: &str = "PYTHONASYNCIODEBUG";
/// The attribute that decides which steps are logged.
const LIMIT: &str = "slow_callback_duration";

/// What a line does to the debug mode.
enum Change {
    On,
    Off,
    /// It sets the variable to a text that reads as if it switched it off.
    OnByZero,
}

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let module = site.module;
    match site.node {
        AnyNodeRef::Keyword(keyword) if keyword.arg.as_deref() == Some("debug") => {
            let Some(AnyNodeRef::ExprCall(call)) = site.enclosing().nth(1) else { return None };
            site.callee_among(call, RUNNERS)?;
            findings.push(switched(site, keyword.range(), truth(&keyword.value)?));
        }
        AnyNodeRef::ExprCall(call) => {
            let (receiver, "set_debug") = method(call)? else { return None };
            is_loop(module, receiver).then_some(())?;
            findings.push(switched(site, call.func.range(), truth(call.arguments.find_argument_value("enabled", 0)?)?));
        }
        AnyNodeRef::StmtAssign(assign) => {
            let [target] = assign.targets.as_slice() else { return None };
            match target {
                Expr::Attribute(set) if set.attr.as_str() == LIMIT && is_loop(module, &set.value) => {
                    findings.push(limit(site, target.range(), &assign.value));
                }
                Expr::Subscript(item) if is_variable(module, item) => {
                    let change = match &*assign.value.as_string_literal_expr()?.value.to_str().to_lowercase() {
                        "" => return None,
                        "0" | "false" | "no" | "off" => Change::OnByZero,
                        _ => Change::On,
                    };
                    findings.push(switched(site, target.range(), change));
                }
                _ => {}
            }
        }
        _ => {}
    }
    Some(())
}

fn truth(value: &Expr) -> Option<Change> {
    match () {
        () if is_true(value) => Some(Change::On),
        () if is_false(value) => Some(Change::Off),
        () => None,
    }
}

/// Whether `expr` is an event loop.
fn is_loop(module: &Module, expr: &Expr) -> bool {
    module.receiver_class(expr).is_some_and(|class| class.inherits("asyncio.AbstractEventLoop"))
}

/// `os.environ["PYTHONASYNCIODEBUG"]`.
fn is_variable(module: &Module, item: &ast::ExprSubscript) -> bool {
    let is_key = item.slice.as_string_literal_expr().is_some_and(|key| key.value.to_str() == VARIABLE);
    is_key && matches!(&*item.value, Expr::Attribute(_) | Expr::Name(_)) && {
        let last = module.source(&*item.value);
        last == "environ" || last.ends_with(".environ")
    }
}

fn switched(site: &Site, range: TextRange, change: Change) -> Finding {
    let module = site.module;
    let (finding, code) = (Finding::new("asyncio/debug-mode", range), Fact::from(written(site, range)));
    let finding = match change {
        Change::Off => return finding.fact("off", code),
        Change::OnByZero => finding.fact("zero", code.clone()),
        Change::On => finding,
    };
    let finding = finding.fact("on", code);
    if !site.is_asked(range) {
        return finding;
    }
    let (limit, limit_at) = limit_set(module).unzip();
    let blocking = blocking(site);
    finding
        .fact("limit", Fact::from(limit.unwrap_or_else(|| "0.1".to_string())))
        .fact("limit_at", limit_at.flatten().map(Fact::from))
        .fact("blocking_call", blocking.as_ref().map(|(call, ..)| Fact::from(call.as_str())))
        .fact("blocking_at", blocking.as_ref().and_then(|(_, at, _)| at.clone()).map(Fact::from))
        .fact("blocked", blocking.map(|(.., function)| Fact::from(function)))
}

/// What switches it, as a person says it: `debug=True`, `loop.set_debug(True)`, `PYTHONASYNCIODEBUG=1`.
fn written(site: &Site, range: TextRange) -> String {
    match site.node {
        AnyNodeRef::StmtAssign(assign) => {
            format!("{VARIABLE}={}", site.module.source(&*assign.value).trim_matches(['"', '\'']))
        }
        AnyNodeRef::ExprCall(call) => site.module.source(call).to_string(),
        _ => site.module.source(range).to_string(),
    }
}

/// The one value that this file gives to `slow_callback_duration`, and where.
fn limit_set(module: &Module) -> Option<(String, Option<Place>)> {
    if !module.text().contains(LIMIT) {
        return None;
    }
    let mut found = all_nodes(&module.syntax().body).into_iter().filter_map(|node| match node {
        AnyNodeRef::StmtAssign(assign) => {
            let target = assign.targets.first()?.as_attribute_expr()?;
            (target.attr.as_str() == LIMIT).then_some(assign)
        }
        _ => None,
    });
    let (only, None) = (found.next()?, found.next()) else { return None };
    Some((module.source(&*only.value).to_string(), module.place(only.range())))
}

/// The first call of a coroutine function of this file that blocks the loop; with the name of the function.
fn blocking(site: &Site) -> Option<(String, Option<Place>, String)> {
    all_nodes(&site.module.syntax().body).into_iter().find_map(|node| match node {
        AnyNodeRef::StmtFunctionDef(def) if def.is_async => {
            let (call, at) = blocking_call(site, &def.body)?;
            Some((call, at, def.name.to_string()))
        }
        _ => None,
    })
}

/// `loop.slow_callback_duration = …`.
fn limit(site: &Site, range: TextRange, value: &Expr) -> Finding {
    let text = site.module.text();
    // Anything that may switch it on counts.
    let is_switched = ["set_debug", "debug=", VARIABLE].iter().any(|word| text.contains(word));
    let written = Fact::from(site.module.source(value));
    let finding = Finding::new("asyncio/debug-mode", range);
    match is_switched {
        true => finding.fact("steps", written),
        false => finding.fact("unused", Fact::from(site.module.source(range))),
    }
}
