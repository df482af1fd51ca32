//! Methods that are called by a name that is put together at run time: no reference to them is in sight.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr};

use super::checks::class_of;
use super::plan::{Plan, def_named_at};
use crate::analysis::{Class, Module, Origin, Symbol};
use crate::detectors::nodes::all_nodes;
use crate::detectors::suspension::path_to;
use crate::text::{Place, Ranged as _, TextRange};

/// Classes of the standard library that call methods of subclasses by names they put together.
const DISPATCHERS: &[&str] = &[
    "ast.NodeVisitor",
    "cmd.Cmd",
    "http.server.BaseHTTPRequestHandler",
    "unittest.TestCase",
    "xmlrpc.server.SimpleXMLRPCDispatcher",
];

/// Adds to the plan what may call the methods at `family` by the name.
pub(super) fn lookups(plan: &mut Plan, family: &[Place], name: &str, is_called: bool) {
    let snapshot = plan.snapshot;
    let class = |place: &Place| {
        let module = snapshot.module(&place.path).ok()?;
        class_of(&module, def_named_at(&module, place.range())?)
    };
    let classes: Vec<Class> = family.iter().filter_map(class).collect();
    anywhere(plan, &classes, name);
    for class in classes {
        for base in class.mro() {
            match base.symbol().origin {
                Origin::Project => in_project(plan, &base, name, is_called),
                _ if !is_called => of_library(plan, &class, &base, name),
                _ => {}
            }
        }
    }
}

/// How many of them are named.
const SHOWN: usize = 3;

/// `getattr(plugin, f"after_{event}")` in any file, where what is looked into may have the function.
fn anywhere(plan: &mut Plan, classes: &[Class], name: &str) {
    // Too large a workspace is said elsewhere.
    let lookups = plan.snapshot.lookups_of(name).unwrap_or_default();
    let mut shown = 0;
    for (path, range) in lookups {
        let Ok(module) = plan.snapshot.module(&path) else { continue };
        if shown < SHOWN && may_reach(&module, range, classes) {
            shown += 1;
            let at = plan.at_line(&path, module.lines().line(range.start()));
            plan.block(format!("`{}` may call `{name}` by its name ({at})", module.source(range)));
        }
    }
}

/// Whether what the code at `range` looks into may be an object of one of the classes, or of a class that has to do with one;
/// without classes, a module.
fn may_reach(module: &Module, range: TextRange, classes: &[Class]) -> bool {
    let path = path_to(module, range);
    let Some(AnyNodeRef::ExprCall(call)) = path.last() else { return classes.is_empty() };
    let is_getattr = last_name(&call.func) == Some("getattr");
    let Some(receiver) = call.arguments.args.first().filter(|_| is_getattr) else { return !classes.is_empty() };
    if let Some(owner) = module.class_of(receiver).or_else(|| module.class_reference(receiver)) {
        return classes.iter().any(|class| owner.is_subclass_of(class) || class.is_subclass_of(&owner));
    }
    let is_foreign = |symbol: Symbol| !matches!(symbol.origin, Origin::Project | Origin::Unresolved);
    !module.class_name(receiver).is_some_and(is_foreign) && !module.symbol(receiver).is_some_and(is_foreign)
}

fn last_name(callee: &Expr) -> Option<&str> {
    match callee {
        Expr::Name(name) => Some(&name.id),
        Expr::Attribute(attribute) => Some(&attribute.attr),
        _ => None,
    }
}

/// `getattr(self, "do_" + command)` in the file of a class that has the method.
fn in_project(plan: &mut Plan, class: &Class, name: &str, is_called: bool) {
    let found = class.with_statement(|module, _| {
        let nodes = all_nodes(&module.syntax().body);
        let line = nodes.iter().find_map(|node| match node {
            AnyNodeRef::ExprCall(call) => {
                let sought = looked_up(module, call)?;
                let fits = match beginning(module, sought) {
                    Some(text) => !text.is_empty() && name.starts_with(&text),
                    None => !is_called,
                };
                fits.then(|| (module.source(*call).to_string(), module.lines().line(call.start())))
            }
            _ => None,
        })?;
        Some((module.path()?.to_path_buf(), line))
    });
    if let Some((path, (written, line))) = found {
        let at = plan.at_line(&path, line);
        plan.block(format!("`{written}` may call `{name}` by its name ({at})"));
    }
}

/// What `getattr(self, sought)` looks for, where that is no literal.
fn looked_up<'a>(module: &Module, call: &'a ast::ExprCall) -> Option<&'a Expr> {
    if !module.calls(call, &["builtins.getattr"]) {
        return None;
    }
    let receiver = call.arguments.args.first()?.as_name_expr()?;
    let sought = call.arguments.args.get(1)?;
    let is_own = matches!(receiver.id.as_str(), "self" | "cls");
    (is_own && !sought.is_string_literal_expr()).then_some(sought)
}

/// The text that a name begins with which is put together; `None` where nothing is known of it.
fn beginning(module: &Module, sought: &Expr) -> Option<String> {
    let literal = |expr: &Expr| Some(expr.as_string_literal_expr()?.value.to_str().to_string());
    match sought {
        Expr::StringLiteral(_) => literal(sought),
        Expr::BinOp(sum) if sum.op == ast::Operator::Add => beginning(module, &sum.left),
        Expr::BinOp(filled) if filled.op == ast::Operator::Mod => {
            literal(&filled.left).map(|text| text.split('%').next().unwrap_or_default().to_string())
        }
        Expr::FString(string) => match string.value.elements().next()? {
            ast::InterpolatedStringElement::Literal(text) => Some(text.value.to_string()),
            ast::InterpolatedStringElement::Interpolation(_) => None,
        },
        Expr::Call(call) => {
            let method = call.func.as_attribute_expr().filter(|method| method.attr.as_str() == "format")?;
            literal(&method.value).map(|text| text.split('{').next().unwrap_or_default().to_string())
        }
        Expr::Name(_) => match module.origins(sought).as_slice() {
            [origin] if !origin.is_name_expr() => beginning(module, origin),
            _ => None,
        },
        _ => None,
    }
}

/// A class of a library that calls what its subclasses define.
fn of_library(plan: &mut Plan, class: &Class, base: &Class, name: &str) {
    let symbol = base.symbol();
    let may_call = match symbol.origin {
        Origin::StandardLibrary => symbol.is_any(DISPATCHERS),
        _ => true,
    };
    if may_call {
        let at = class.place().map(|place| format!(" ({})", plan.at(&place))).unwrap_or_default();
        plan.block(format!("nothing here calls `{name}`, so `{symbol}` may, by its name{at}"));
    }
}
