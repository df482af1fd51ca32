//! `asyncio.create_task(work())` → the task is kept in a set, which it leaves when it is done.
//!
//! For a statement of its own in a coroutine function. A set of tasks that is there already is used.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use super::awaiting::call_of;
use super::imports::{bindings, end_of_head, taken};
use super::layout::{free_name, generated, own_lines};
use super::{Offer, Rewrite, Target};
use crate::analysis::{Module, Site};
use crate::text::{Edit, Ranged as _, TextRange, TextSize};

pub(super) const REWRITE: Rewrite = Rewrite { name: "keep_task", offer };

const SET: &str = "background_tasks";

fn offer(target: &Target) -> Option<Offer> {
    let title = "Keep the task in a set until it is done";
    let (site, kept) = kept(target)?;
    match kept {
        Ok(kept) => Offer::edit(site.module, title, kept.edits(site.module, &[]), true),
        Err(reason) => Offer::refused(title, reason),
    }
}

/// What it takes to keep a task.
pub(super) struct Kept {
    /// The name of the task and that of the set.
    task: String,
    tasks: String,
    /// Binds the task, and makes the set.
    edits: Vec<Edit>,
    /// Where the lines behind the statement go, and their indentation.
    behind: TextSize,
    indent: String,
}

impl Kept {
    /// The edits, with more callbacks for the end of the task.
    pub(super) fn edits(self, module: &Module, callbacks: &[&str]) -> Vec<Edit> {
        let Self { task, tasks, mut edits, behind, indent } = self;
        let newline = module.lines().newline();
        let mut lines = vec![format!("{tasks}.add({task})"), format!("{task}.add_done_callback({tasks}.discard)")];
        lines.extend(callbacks.iter().map(|callback| format!("{task}.add_done_callback({callback})")));
        let text: String = lines.iter().map(|line| format!("{newline}{indent}{line}")).collect();
        edits.push(Edit::insert(behind, text));
        edits
    }
}

/// How the task of the finding is kept, or why it is not; `None` where that is not the question.
pub(super) fn kept<'a, 's>(target: &Target<'a, 's>) -> Option<(Site<'a, 's>, Result<Kept, String>)> {
    let (call, site) = call_of(&target.site)?;
    let statement = site.statement()?;
    let bound = match statement {
        AnyNodeRef::StmtAssign(assign) => match assign.targets.as_slice() {
            [Expr::Name(name)] => Some(name.id.to_string()),
            _ => return None,
        },
        _ => None,
    };
    let kept = how(&site, call.range(), statement.range(), bound);
    Some((site, kept))
}

fn how(site: &Site, call: TextRange, statement: TextRange, bound: Option<String>) -> Result<Kept, String> {
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
    let lines = own_lines(module, statement)?;
    let mut edits = vec![];
    let task = match bound {
        Some(name) => name,
        None => {
            let name = free_name(site, &["task", "background_task"])?;
            edits.push(Edit::insert(call.start(), format!("{name} = ")));
            name
        }
    };
    let tasks = match existing_set(site) {
        Some(tasks) => tasks,
        None if !bindings(module, SET).is_empty() => return Err(taken(module, SET)),
        None => {
            let newline = module.lines().newline();
            edits.push(Edit::insert(end_of_head(module), format!("{newline}{SET} = set(){newline}")));
            SET.to_string()
        }
    };
    let indent = module.lines().indentation(statement.start()).to_string();
    Ok(Kept { task, tasks, edits, behind: lines.end(), indent })
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
