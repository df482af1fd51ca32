//! `asyncio.create_task(work())` → the task is kept in a set, which it leaves when it is done.
//!
//! For a statement of its own in a coroutine function. A set of tasks that is there already is used.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use super::awaiting::call_of;
use super::imports::{bindings, end_of_head, taken};
use super::{Offer, Rewrite, Target};
use crate::analysis::Site;
use crate::text::{Edit, Ranged as _, TextRange};

pub(super) const REWRITE: Rewrite = Rewrite { name: "keep_task", offer };

const SET: &str = "background_tasks";

fn offer(target: &Target) -> Option<Offer> {
    let (call, site) = call_of(&target.site)?;
    let module = site.module;
    site.async_function()?;
    let title = "Keep the task in a set until it is done";
    let statement = site.statement()?;
    let number = module.lines().line(statement.start());
    let line = module.lines().line_range(number);
    let last_line = module.lines().line_range(module.lines().line(statement.end()));
    let before = module.source(TextRange::new(line.start(), statement.start()));
    let behind = module.source(TextRange::new(statement.end(), last_line.end())).trim_start();
    if !before.trim().is_empty() || !(behind.is_empty() || behind.starts_with('#')) {
        return Offer::refused(title, format!("line {number} holds more than this statement"));
    }
    let mut edits = vec![];
    let task = match statement {
        AnyNodeRef::StmtAssign(assign) => match assign.targets.as_slice() {
            [Expr::Name(name)] => name.id.to_string(),
            _ => return None,
        },
        _ => {
            let name = ["task", "background_task"].into_iter().find(|name| bindings(module, name).is_empty());
            let Some(name) = name else {
                return Offer::refused(title, taken(module, "background_task"));
            };
            edits.push(Edit::insert(call.start(), format!("{name} = ")));
            name.to_string()
        }
    };
    let tasks = match existing_set(&site) {
        Some(tasks) => tasks,
        None if !bindings(module, SET).is_empty() => {
            return Offer::refused(title, taken(module, SET));
        }
        None => {
            let newline = module.lines().newline();
            edits.push(Edit::insert(end_of_head(module), format!("{newline}{SET} = set(){newline}")));
            SET.to_string()
        }
    };
    let (newline, indent) = (module.lines().newline(), module.lines().indentation(statement.start()));
    let keep =
        format!("{newline}{indent}{tasks}.add({task}){newline}{indent}{task}.add_done_callback({tasks}.discard)");
    edits.push(Edit::insert(last_line.end(), keep));
    Offer::edit(module, title, edits, true)
}

/// A set whose name ends in `tasks`: of the module, or of the instance in the class's `__init__`.
fn existing_set(site: &Site) -> Option<String> {
    let module = site.module;
    let of_module = module.syntax().body.iter().find_map(|statement| {
        let (target, value) = assignment(statement)?;
        let name = target.as_name_expr()?.id.as_str();
        (name.ends_with("tasks") && is_set(value) && bindings(module, name).len() == 1).then(|| name.to_string())
    });
    of_module.or_else(|| {
        let function = site.function()?;
        let own = function.parameters.iter_non_variadic_params().next()?.name().as_str();
        let is_method = site.class()?.body.iter().any(|statement| statement.range() == function.range());
        let init = site.class().filter(|_| is_method)?.body.iter().find_map(|statement| match statement {
            Stmt::FunctionDef(init) if init.name.as_str() == "__init__" => Some(init),
            _ => None,
        })?;
        let its_own = init.parameters.iter_non_variadic_params().next()?.name().as_str();
        init.body.iter().find_map(|statement| {
            let (target, value) = assignment(statement)?;
            let attribute = target.as_attribute_expr()?;
            let is_own = attribute.value.as_name_expr().is_some_and(|name| name.id.as_str() == its_own);
            let is_tasks = is_own && attribute.attr.as_str().ends_with("tasks") && is_set(value);
            is_tasks.then(|| format!("{own}.{}", attribute.attr))
        })
    })
}

fn assignment(statement: &Stmt) -> Option<(&Expr, &Expr)> {
    match statement {
        Stmt::Assign(assign) => match assign.targets.as_slice() {
            [target] => Some((target, &assign.value)),
            _ => None,
        },
        Stmt::AnnAssign(assign) => Some((&assign.target, assign.value.as_deref()?)),
        _ => None,
    }
}

/// `set()` or `set[Task]()`.
fn is_set(value: &Expr) -> bool {
    let Expr::Call(ast::ExprCall { func, arguments, .. }) = value else { return false };
    let func = ast::helpers::map_subscript(func);
    arguments.is_empty() && func.as_name_expr().is_some_and(|name| name.id.as_str() == "set")
}
