//! `await asyncio.gather(…)` → `async with asyncio.TaskGroup()`
//!
//! Equal if every child succeeds and nobody cancels, otherwise different: the title says in what, the page in all eight
//! points.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr};

use super::awaiting::{call_of, is_coroutine_call, obstacle, suspension_in};
use super::group_errors::{guarded, missed_by_callers};
use super::imports::{Names, imported_member, without_unread};
use super::layout::{free_name, generated, lost_comment, own_lines, remove, statement_of, unit};
use super::{Offer, Rewrite, Target};
use crate::analysis::{Module, Site};
use crate::detectors::nodes::block_around;
use crate::detectors::suspension::frame;
use crate::text::{Edit, Ranged as _, TextRange};

pub(super) const REWRITE: Rewrite = Rewrite { name: "task_group", offer };

const TITLE: &str = "Replace by a `TaskGroup` (errors become ExceptionGroup, siblings are cancelled)";

/// The longest list of tasks on one line.
const WIDTH: usize = 100;

fn offer(target: &Target) -> Option<Offer> {
    let (call, site) = call_of(&target.site)?;
    if target.oldest_python < (3, 11) {
        return None;
    }
    match edits(&site, call) {
        Ok(edits) => Offer::edit(site.module, title(&site), edits, false),
        Err(reason) => Offer::refused(TITLE, reason),
    }
}

/// The title, with the handlers of callers that will not catch the group.
fn title(site: &Site) -> String {
    match missed_by_callers(site) {
        None => TITLE.to_string(),
        Some(missed) => format!("{}; {missed})", TITLE.trim_end_matches(')')),
    }
}

fn edits(site: &Site, call: &ast::ExprCall) -> Result<Vec<Edit>, String> {
    let module = site.module;
    let line = |range: TextRange| module.lines().line(range.start());
    if let Some(reason) = generated(module).or_else(|| obstacle(site)) {
        return Err(reason);
    }
    let statement = statement_of(site).filter(|_| site.is_awaited());
    let Some(statement) = statement else {
        return Err(format!("it is not awaited where it stands, in line {}", line(call.range())));
    };
    let listed = listed(&statement, call);
    let children = children(module, listed.as_ref().map(|listed| listed.each), call)?;
    let gives = gives(&statement, site)?;
    if let Some(reason) = guarded(&statement) {
        return Err(reason);
    }
    let range = statement.node.range();
    own_lines(module, range)?;
    if let Some(reason) = lost_comment(module, range, &[]) {
        return Err(reason);
    }
    let group = free_name(site, &["tg", "group", "task_group"])?;
    let class = imported_member(site, "asyncio", "TaskGroup")?;
    let layout = Layout { site: &statement, group: &group, unit: unit(&statement) };
    if let (Some(listed), Children::Each(elt, clauses)) = (&listed, &children) {
        let mut edits = layout.around_list(&class.name, listed, elt, *clauses, &gives)?;
        edits.extend(class.edit);
        return Ok(without_unread(module, first_name(module, call), edits));
    }
    let text = layout.text(&class.name, &children, &gives)?;
    let mut edits = vec![Edit::replace(range, text)];
    edits.extend(class.edit);
    Ok(without_unread(module, first_name(module, call), edits))
}

/// `asyncio` for `asyncio.gather(…)`.
fn first_name<'m>(module: &'m Module, call: &ast::ExprCall) -> &'m str {
    let written = module.source(&*call.func);
    written.split('.').next().unwrap_or(written)
}

/// What is waited for.
enum Children<'a> {
    Calls(&'a [Expr]),
    /// `*(work(item) for item in items)`: the call, and the rest as written.
    Each(&'a Expr, TextRange),
}

/// The list of coroutines that the statement before makes for the `gather` alone.
struct Listed<'a> {
    statement: &'a ast::StmtAssign,
    name: &'a str,
    /// The comprehension.
    each: &'a Expr,
}

fn listed<'a>(statement: &Site<'a, '_>, call: &'a ast::ExprCall) -> Option<Listed<'a>> {
    let [Expr::Starred(starred)] = &*call.arguments.args else { return None };
    let read = starred.value.as_name_expr()?;
    let (block, index) = block_around(statement.module, statement.node.range())?;
    let before = block.get(index.checked_sub(1)?)?.as_assign_stmt()?;
    let [Expr::Name(name)] = before.targets.as_slice() else { return None };
    let names = Names::in_body(&read.id, frame(statement));
    let is_alone = names.bindings == [name.range()] && names.reads == [read.range()];
    (name.id == read.id && is_alone && before.value.is_list_comp_expr()).then_some(Listed {
        statement: before,
        name: &name.id,
        each: &before.value,
    })
}

fn children<'a>(module: &Module, listed: Option<&'a Expr>, call: &'a ast::ExprCall) -> Result<Children<'a>, String> {
    let line = |range: TextRange| module.lines().line(range.start());
    for keyword in &call.arguments.keywords {
        let is_default = keyword.arg.as_ref().is_some_and(|name| name == "return_exceptions")
            && keyword.value.as_boolean_literal_expr().is_some_and(|flag| !flag.value);
        if !is_default {
            let written = module.source(keyword);
            return Err(format!("a `TaskGroup` has no counterpart of `{written}` (line {})", line(keyword.range())));
        }
    }
    let is_child = |expr: &Expr| match suspension_in(expr) {
        Some(at) => Err(format!("an argument awaits in line {}, before the tasks start", line(at))),
        None if is_coroutine_call(module, expr) => Ok(()),
        None => {
            let written = module.source(expr);
            Err(format!("`{written}` in line {} is not known to be a coroutine", line(expr.range())))
        }
    };
    match &*call.arguments.args {
        [] => Err("`gather()` of nothing gives `[]`".to_string()),
        [Expr::Starred(starred)] => {
            let (elt, generators) = match listed.unwrap_or(&starred.value) {
                Expr::Generator(each) => (&each.elt, &each.generators),
                Expr::ListComp(each) => (&each.elt, &each.generators),
                other => return Err(unknown(module, other)),
            };
            is_child(elt)?;
            let clauses = match (generators.first(), generators.last()) {
                (Some(first), Some(last)) => TextRange::new(first.start(), last.end()),
                _ => return Err(unknown(module, &starred.value)),
            };
            let parts = generators.iter().flat_map(|clause| std::iter::once(&clause.iter).chain(&clause.ifs));
            if let Some(at) = parts.filter_map(suspension_in).next() {
                return Err(format!("an argument awaits in line {}, before the tasks start", line(at)));
            }
            match generators.iter().find(|clause| clause.is_async) {
                Some(clause) => {
                    Err(format!("the `async for` in line {} takes turns with the tasks", line(clause.range())))
                }
                None => Ok(Children::Each(elt, clauses)),
            }
        }
        several => {
            if let Some(starred) = several.iter().find(|argument| argument.is_starred_expr()) {
                return Err(format!(
                    "`{}` stands beside others, in line {}",
                    module.source(starred),
                    line(starred.range())
                ));
            }
            several.iter().try_for_each(is_child)?;
            Ok(Children::Calls(several))
        }
    }
}

fn unknown(module: &Module, expr: &Expr) -> String {
    let line = module.lines().line(expr.start());
    if let [Expr::ListComp(list)] = module.origins(expr).as_slice()
        && is_coroutine_call(module, &list.elt)
    {
        let (written, made) = (module.source(expr), module.lines().line(list.start()));
        return format!("`{written}` (made in line {made}) is not made in the statement before for this alone");
    }
    format!("`{}` in line {line} may hold tasks or futures", module.source(expr))
}

/// What becomes of the results.
enum Gives<'a> {
    Nothing,
    /// `a, b =`, names only.
    Names(&'a Expr, &'a [Expr]),
    /// `results = ` or `return `.
    Head(String),
}

fn gives<'a>(statement: &Site<'a, '_>, site: &Site) -> Result<Gives<'a>, String> {
    let module = site.module;
    let awaited = site.parent().map(|awaited| awaited.range());
    let is_it = |value: &Expr| Some(value.range()) == awaited;
    match statement.node {
        AnyNodeRef::StmtExpr(node) if is_it(&node.value) => Ok(Gives::Nothing),
        AnyNodeRef::StmtReturn(node) if node.value.as_deref().is_some_and(is_it) => {
            Ok(Gives::Head("return ".to_string()))
        }
        AnyNodeRef::StmtAnnAssign(node) if node.value.as_deref().is_some_and(is_it) => {
            let (target, annotation) = (module.source(&*node.target), module.source(&*node.annotation));
            Ok(Gives::Head(format!("{target}: {annotation} = ")))
        }
        AnyNodeRef::StmtAssign(node) if is_it(&node.value) => match node.targets.as_slice() {
            [target @ (Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }))]
                if elts.iter().all(Expr::is_name_expr) =>
            {
                Ok(Gives::Names(target, elts))
            }
            targets => {
                let written: String = targets.iter().map(|target| format!("{} = ", module.source(target))).collect();
                Ok(Gives::Head(written))
            }
        },
        node => {
            let line = module.lines().line(node.start());
            Err(format!("line {line} uses the result in a larger expression"))
        }
    }
}

/// Where and how the new statements are written.
struct Layout<'a, 's, 'n> {
    site: &'n Site<'a, 's>,
    group: &'n str,
    unit: String,
}

impl Layout<'_, '_, '_> {
    /// The group around the list that the statement before makes, and the results after it.
    fn around_list(
        &self,
        class: &str,
        listed: &Listed,
        elt: &Expr,
        clauses: TextRange,
        gives: &Gives,
    ) -> Result<Vec<Edit>, String> {
        let module = self.site.module;
        let range = listed.statement.range();
        own_lines(module, range)?;
        if let Some(reason) = lost_comment(module, range, &[]) {
            return Err(reason);
        }
        let (newline, outer) = (module.lines().newline(), module.lines().indentation(range.start()));
        let (unit, name) = (&self.unit, listed.name);
        let list = format!("[{} {}]", self.create(elt), module.source(clauses));
        let head = format!("async with {class}() as {}:{newline}{outer}{unit}{name} = {list}", self.group);
        let results = match gives {
            Gives::Nothing => remove(module, self.site.node.range())?,
            _ => {
                let results = format!("{}[task.result() for task in {name}]", self.head(gives));
                Edit::replace(self.site.node.range(), results)
            }
        };
        Ok(vec![Edit::replace(range, head), results])
    }

    fn text(&self, class: &str, children: &Children, gives: &Gives) -> Result<String, String> {
        let mut body = vec![];
        let mut after = None;
        match (gives, children) {
            (Gives::Nothing, Children::Calls(calls)) => body.extend(calls.iter().map(|call| self.create(call))),
            (Gives::Names(target, names), Children::Calls(calls)) if names.len() == calls.len() => {
                match self.task_names(names) {
                    Some(tasks) => {
                        let created =
                            tasks.iter().zip(*calls).map(|(task, call)| format!("{task} = {}", self.create(call)));
                        body.extend(created);
                        let results: Vec<_> = tasks.iter().map(|task| format!("{task}.result()")).collect();
                        after = Some(format!("{} = {}", self.site.module.source(*target), results.join(", ")));
                    }
                    None => after = Some(self.list(children, &mut body, &self.head(gives))?),
                }
            }
            (Gives::Nothing, Children::Each(..)) => {
                self.list(children, &mut body, "")?;
            }
            _ => after = Some(self.list(children, &mut body, &self.head(gives))?),
        }
        let module = self.site.module;
        let (newline, outer) = (module.lines().newline(), module.lines().indentation(self.site.node.start()));
        let mut text = format!("async with {class}() as {}:", self.group);
        for line in body {
            text.push_str(&format!("{newline}{outer}{}{line}", self.unit));
        }
        if let Some(line) = after {
            text.push_str(&format!("{newline}{outer}{line}"));
        }
        Ok(text)
    }

    fn head(&self, gives: &Gives) -> String {
        match gives {
            Gives::Nothing => String::new(),
            Gives::Names(target, _) => format!("{} = ", self.site.module.source(*target)),
            Gives::Head(head) => head.clone(),
        }
    }

    fn create(&self, call: &Expr) -> String {
        format!("{}.create_task({})", self.group, self.site.module.source(call))
    }

    /// A name for the task of each result, if they are all free.
    fn task_names(&self, names: &[Expr]) -> Option<Vec<String>> {
        let mut found: Vec<String> = vec![];
        for name in names {
            let task = format!("{}_task", name.as_name_expr()?.id.trim_start_matches('_'));
            let is_new = !task.starts_with('_') && !found.contains(&task);
            found.push(free_name(self.site, &[&task]).ok().filter(|_| is_new)?);
        }
        Some(found)
    }

    /// Puts the list of tasks into `body`; gives the line that takes their results.
    fn list(&self, children: &Children, body: &mut Vec<String>, head: &str) -> Result<String, String> {
        let module = self.site.module;
        let tasks = free_name(self.site, &["tasks", "all_tasks"])?;
        let list = match children {
            Children::Each(elt, clauses) => format!("[{} {}]", self.create(elt), module.source(*clauses)),
            Children::Calls(calls) => {
                let created: Vec<_> = calls.iter().map(|call| self.create(call)).collect();
                let line = created.join(", ");
                if line.len() <= WIDTH - 20 && !line.contains('\n') {
                    format!("[{line}]")
                } else {
                    let (newline, outer) =
                        (module.lines().newline(), module.lines().indentation(self.site.node.start()));
                    let inner = format!("{newline}{outer}{}{}", self.unit, self.unit);
                    let items: String = created.iter().map(|item| format!("{inner}{item},")).collect();
                    format!("[{items}{newline}{outer}{}]", self.unit)
                }
            }
        };
        body.push(format!("{tasks} = {list}"));
        Ok(format!("{head}[task.result() for task in {tasks}]"))
    }
}
