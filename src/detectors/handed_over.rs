//! What a function of the project does with an object that it is handed: it keeps it, holds it weakly, or lets go of it.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use super::method_body::{is_name, own_nodes};
use super::nodes::with_def;
use crate::analysis::Module;
use crate::text::{Place, Ranged as _, TextRange};

/// Containers that hold what is put into them.
pub(super) const CONTAINERS: &[&str] = &[
    "builtins.dict",
    "builtins.list",
    "builtins.set",
    "collections.OrderedDict",
    "collections.defaultdict",
    "collections.deque",
];

/// What becomes of the object behind the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Keeping {
    /// In what, as the function writes it, and where.
    Strongly { container: String, at: Option<Place> },
    /// By weak references alone, on every path: the function's name, and where the first is made.
    Weakly { function: String, at: Option<Place> },
    /// The function only uses it while it runs.
    Not,
    /// The function's body does not tell.
    Unclear,
}

/// What the function that `call` calls does with `argument`; `None` where the function is not one of the project.
pub(super) fn keeping(module: &Module, call: &ast::ExprCall, argument: TextRange) -> Option<Keeping> {
    let function = module.called_function(call)?;
    with_def(module, &function, |home, def| {
        let is_plain = def.decorator_list.is_empty() && !def.is_async;
        let name = parameter_of(call, def, argument).filter(|_| is_plain);
        Some(name.and_then(|name| read(home, def, name)).unwrap_or(Keeping::Unclear))
    })
}

/// The parameter that takes the argument at `range`.
fn parameter_of<'d>(call: &ast::ExprCall, def: &'d ast::StmtFunctionDef, range: TextRange) -> Option<&'d str> {
    let parameters = &def.parameters;
    if let Some(keyword) = call.arguments.keywords.iter().find(|keyword| keyword.value.range() == range) {
        let name = keyword.arg.as_ref()?;
        let named = parameters.args.iter().chain(&parameters.kwonlyargs);
        return named.map(|parameter| parameter.parameter.name.as_str()).find(|parameter| *parameter == name.as_str());
    }
    let index = call.arguments.args.iter().position(|argument| argument.range() == range)?;
    if call.arguments.args[..index].iter().any(Expr::is_starred_expr) {
        return None;
    }
    let mut positional = parameters.posonlyargs.iter().chain(&parameters.args).map(|one| one.parameter.name.as_str());
    let first = positional.clone().next()?;
    let is_bound = call.func.is_attribute_expr() && matches!(first, "self" | "cls");
    positional.nth(index + usize::from(is_bound))
}

fn read(home: &Module, def: &ast::StmtFunctionDef, name: &str) -> Option<Keeping> {
    let (mut mentions, mut harmless, mut weak, mut strong, mut is_rebound) = (0, 0, vec![], None, false);
    own_nodes(&def.body, |node| match node {
        AnyNodeRef::ExprName(found) if found.id == name => {
            mentions += 1;
            is_rebound |= !found.ctx.is_load();
        }
        AnyNodeRef::StmtReturn(returned) => {
            harmless += usize::from(returned.value.as_deref().is_some_and(|value| is_name(value, name)));
        }
        AnyNodeRef::StmtAssign(assign) if is_name(&assign.value, name) => {
            let lasting = assign.targets.iter().find(|target| match target {
                Expr::Subscript(entry) => holds_strongly(home, &entry.value),
                other => other.is_attribute_expr(),
            });
            strong = strong.take().or(lasting.map(Expr::range));
        }
        AnyNodeRef::ExprCall(call) if is_name(&call.func, name) => harmless += 1,
        AnyNodeRef::ExprCall(call) => match call.arguments.args.iter().position(|argument| is_name(argument, name)) {
            Some(0) if is_weak(home, call) => weak.push(call),
            Some(_) => strong = strong.take().or(added_to(home, call)),
            None => {}
        },
        // A nested function may do anything with it, later.
        AnyNodeRef::StmtFunctionDef(_) | AnyNodeRef::ExprLambda(_) | AnyNodeRef::StmtClassDef(_) => is_rebound = true,
        _ => {}
    });
    if let Some(range) = strong {
        let container = home.source(range).to_string();
        return Some(Keeping::Strongly { container, at: home.place(range) });
    }
    if is_rebound || mentions != harmless + weak.len() {
        return None;
    }
    let Some(first) = weak.first() else { return Some(Keeping::Not) };
    let is_on_every_path = weak.iter().any(|call| runs_always(&def.body, call.range()));
    let function = def.name.to_string();
    is_on_every_path.then(|| Keeping::Weakly { function, at: home.place(first.func.range()) })
}

/// `weakref.ref(x)`, `weakref.proxy(x)`, `weak_set.add(x)`.
fn is_weak(home: &Module, call: &ast::ExprCall) -> bool {
    const HOLDERS: &[&str] = &["weakref.WeakSet.add", "weakref.proxy", "weakref.ref"];
    home.may_be(&call.func, HOLDERS) && home.callee(call).is_some_and(|symbol| symbol.is_any(HOLDERS))
}

/// The container of `container.append(x)` and its like.
fn added_to(home: &Module, call: &ast::ExprCall) -> Option<TextRange> {
    let method = call.func.as_attribute_expr()?;
    let adds = matches!(method.attr.as_str(), "add" | "append" | "appendleft" | "insert" | "setdefault");
    let lasts = method.value.is_attribute_expr() || method.value.is_subscript_expr();
    (adds && lasts && holds_strongly(home, &method.value)).then(|| method.value.range())
}

/// Whether it is a container of the kinds that hold what is in them: one of `weakref` does not, and others may do anything.
fn holds_strongly(home: &Module, container: &Expr) -> bool {
    home.receiver_class(container).is_some_and(|class| class.symbol().is_any(CONTAINERS))
}

/// Whether the statement around `range` stands in the body itself, or in a `with` there.
fn runs_always(body: &[Stmt], range: TextRange) -> bool {
    body.iter().filter(|statement| statement.range().contains_range(range)).any(|statement| match statement {
        Stmt::With(with) => {
            runs_always(&with.body, range) || with.items.iter().any(|item| item.range().contains_range(range))
        }
        Stmt::Expr(_) | Stmt::Assign(_) | Stmt::AnnAssign(_) => true,
        _ => false,
    })
}
