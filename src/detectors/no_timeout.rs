//! Network calls that wait for ever for a silent server.
//!
//! Silent for a `timeout` of any kind, for `*arguments` and `**options`, in tests, in files that set a default, and in
//! functions with a parameter for it.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::nodes::{is_test_file, method};
use super::suspension::{frame, visit_frame};
use super::threads::thread_body;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["threads/no-timeout"], nodes: &[NodeKind::ExprCall], detect };

/// The calls without a timeout of their own, where `timeout` stands among the positional arguments, and what to write.
const CALLS: &[(&str, usize, &str)] = &[
    ("requests.delete", usize::MAX, "timeout=(3.05, 30)"),
    ("requests.get", usize::MAX, "timeout=(3.05, 30)"),
    ("requests.head", usize::MAX, "timeout=(3.05, 30)"),
    ("requests.options", usize::MAX, "timeout=(3.05, 30)"),
    ("requests.patch", usize::MAX, "timeout=(3.05, 30)"),
    ("requests.post", usize::MAX, "timeout=(3.05, 30)"),
    ("requests.put", usize::MAX, "timeout=(3.05, 30)"),
    ("requests.request", usize::MAX, "timeout=(3.05, 30)"),
    ("socket.create_connection", 1, "timeout=10"),
    ("urllib.request.urlopen", 2, "timeout=10"),
];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    let is_named = |name: &str| module.may_be(&call.func, &[name]) && module.may_use_package(package(name));
    if !CALLS.iter().any(|(name, ..)| is_named(name)) {
        return None;
    }
    let symbol = module.callee(call)?;
    let (_, position, argument) = CALLS.iter().find(|(name, ..)| symbol.is(name))?;
    let arguments = &call.arguments;
    let is_open = arguments.args.iter().any(Expr::is_starred_expr)
        || arguments.keywords.iter().any(|keyword| keyword.arg.is_none());
    let stays_here = symbol.is("urllib.request.urlopen")
        && arguments.find_argument_value("url", 0).is_some_and(|url| module.is_local_url(url));
    if is_open || stays_here || arguments.find_argument_value("timeout", *position).is_some() {
        return None;
    }
    // A function that knows of a timeout has decided to do without one here.
    let knows_of_one = site.function().is_some_and(|function| {
        function.parameters.iter().any(|parameter| parameter.name().as_str().contains("timeout"))
    });
    if knows_of_one {
        return None;
    }
    if symbol.is("socket.create_connection") && limits_later(site, call) {
        return None;
    }
    if !module.calls_of("setdefaulttimeout").is_empty() || is_test_file(module) || site.is_type_checking() {
        return None;
    }
    findings.push(
        Finding::new("threads/no-timeout", call.func.range())
            .fact("callee", Fact::from(module.source(&*call.func)))
            .fact("sessionless", (symbol.module == "requests").then(|| Fact::from(module.source(&*call.func))))
            .fact("timeout_argument", Fact::from(*argument))
            .fact("runs", thread_body(module, call.range()).map(Fact::from)),
    );
    Some(())
}

/// Whether the function sets how long the socket that `call` makes may wait, or gives it to an event loop, which never waits
/// for it: connecting itself ends with the system's own limit.
fn limits_later(site: &Site, call: &ast::ExprCall) -> bool {
    const SETTERS: &[&str] = &["setblocking", "settimeout"];
    let bound = site.enclosing().find_map(|node| match node {
        AnyNodeRef::StmtAssign(assign) if assign.value.range() == call.range() => assign.targets.first(),
        AnyNodeRef::StmtAnnAssign(assign) => Some(&*assign.target),
        AnyNodeRef::WithItem(item) => item.optional_vars.as_deref(),
        _ => None,
    });
    let Some(bound) = bound else { return false };
    let module = site.module;
    let is_it = |expr: &Expr| module.source(expr) == module.source(bound);
    let mut limits = false;
    visit_frame(frame(site), &mut |node| {
        if let AnyNodeRef::ExprCall(other) = node {
            limits |= method(other).is_some_and(|(receiver, name)| SETTERS.contains(&name) && is_it(receiver))
                || other.arguments.find_keyword("sock").is_some_and(|keyword| is_it(&keyword.value));
        }
    });
    limits
}

/// The package that a public name begins with.
fn package(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}
