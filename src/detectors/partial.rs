//! `functools.partial(…)`: an argument that all calls share, one that is worked out once, and a class attribute that is not bound.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["metaclasses/partial"], nodes: &[NodeKind::ExprCall], detect };

/// What gives another answer each time, and is asked once.
const ONCE: &[&str] = &[
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "random.randint",
    "random.random",
    "time.monotonic",
    "time.perf_counter",
    "time.time",
    "uuid.uuid1",
    "uuid.uuid4",
];
/// Functions that do not keep or change a collection they are given.
const READING: &[&str] = &["isinstance", "issubclass", "len", "max", "min", "print", "sorted", "sum"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    site.callee_among(call, &["functools.partial"])?;
    let module = site.module;
    let function = call.arguments.args.first()?;
    let finding =
        Finding::new("metaclasses/partial", call.func.range()).fact("function", Fact::from(module.source(function)));
    if let Some((class, name)) = class_attribute(site, call) {
        findings.push(finding.fact("class", Fact::from(class)).fact("attribute", Fact::from(name)));
        return Some(());
    }
    let positional = call.arguments.args.iter().skip(1);
    let given: Vec<&Expr> = positional.chain(call.arguments.keywords.iter().map(|keyword| &keyword.value)).collect();
    if let Some(once) = given.iter().find_map(|given| {
        let made = given.as_call_expr()?;
        site.callee_among(made, ONCE).map(|_| made)
    }) {
        findings.push(finding.fact("once", Fact::from(module.source(once))));
        return Some(());
    }
    let shared = given.iter().find(|given| is_fresh(given))?;
    let definition = module.function(function)?;
    let changed = super::nodes::with_def(module, &definition, |home, def| {
        changes(def, call, shared).map(|range| home.place(range))
    })?;
    findings
        .push(finding.fact("shared", Fact::from(module.source(*shared))).fact("changed_at", changed.map(Fact::from)));
    Some(())
}

/// The class and the name, where the partial object is an attribute of a class body.
fn class_attribute<'a>(site: &Site<'a, '_>, call: &ast::ExprCall) -> Option<(&'a str, &'a str)> {
    let AnyNodeRef::StmtAssign(assign) = site.parent()? else { return None };
    let [Expr::Name(target)] = assign.targets.as_slice() else { return None };
    let AnyNodeRef::StmtClassDef(class) = site.up()?.parent()? else { return None };
    let is_enum = site.module.class(class).is_none_or(|class| class.inherits("enum.Enum"));
    (assign.value.range() == call.range() && !is_enum).then_some((class.name.as_str(), target.id.as_str()))
}

/// A list, a dictionary or a set that is made where it is given.
fn is_fresh(given: &Expr) -> bool {
    matches!(given, Expr::List(_) | Expr::Dict(_) | Expr::Set(_) | Expr::ListComp(_) | Expr::DictComp(_))
}

/// Where the function changes the parameter that gets the value.
fn changes(def: &ast::StmtFunctionDef, call: &ast::ExprCall, shared: &Expr) -> Option<crate::text::TextRange> {
    const CHANGING: &[&str] =
        &["add", "append", "clear", "extend", "insert", "pop", "remove", "setdefault", "sort", "update"];
    let by_keyword = call.arguments.keywords.iter().find(|keyword| keyword.value.range() == shared.range());
    let position = call.arguments.args.iter().skip(1).position(|given| given.range() == shared.range());
    let name = match by_keyword {
        Some(keyword) => keyword.arg.as_ref()?.as_str(),
        None => super::method_body::parameter(def, position?)?,
    };
    if super::method_body::binds_locally(def, name) || READING.contains(&def.name.as_str()) {
        return None;
    }
    super::method_body::find_own(&def.body, |node| match node {
        AnyNodeRef::ExprCall(call) => {
            let method = call.func.as_attribute_expr()?;
            let is_change =
                super::method_body::is_name(&method.value, name) && CHANGING.contains(&method.attr.as_str());
            is_change.then_some(call.range())
        }
        AnyNodeRef::ExprSubscript(item) => {
            (!item.ctx.is_load() && super::method_body::is_name(&item.value, name)).then_some(item.range())
        }
        _ => None,
    })
}
