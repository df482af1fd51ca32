//! `for x in xs: out.append(await f(x))` → `gather` behind a semaphore.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr};

use super::awaiting::obstacle;
use super::imports::{Names, imported};
use super::independence::{effect, held_lock, objects, state};
use super::layout::{free_name, generated, lost_comment, own_lines, statement_of, unit};
use super::{Offer, Rewrite, Target};
use crate::analysis::{Module, Site};
use crate::detectors::awaits_in_loop::{Collecting, collecting};
use crate::detectors::suspension::{frame, is_in, path_to};
use crate::text::{Edit, Ranged as _, TextRange};

pub(super) const REWRITE: Rewrite = Rewrite { name: "bounded_gather", offer };

/// How many calls run at the same time; for the user to change.
const LIMIT: usize = 10;

/// What is there as a whole before the loop begins.
const COLLECTIONS: &[&str] = &[
    "builtins.bytes",
    "builtins.dict",
    "builtins.frozenset",
    "builtins.list",
    "builtins.range",
    "builtins.set",
    "builtins.sorted",
    "builtins.str",
    "builtins.tuple",
    "collections.deque",
];

fn offer(target: &Target) -> Option<Offer> {
    let site = statement_of(&target.site)?;
    let AnyNodeRef::StmtFor(statement) = site.node else { return None };
    let module = site.module;
    let parts = collecting(module, statement)?;
    let whole = TextRange::new(parts.made.start(), statement.end());
    if module.syntax_errors().iter().any(|error| error.intersect(whole).is_some()) {
        return None;
    }
    let title = format!(
        "Run the calls at the same time, at most {LIMIT} (their effects may come in another order; after an error the others go on)"
    );
    match edits(&site, statement, &parts, whole) {
        Ok(edits) => Offer::edit(module, title, edits, false),
        Err(reason) => Offer::refused(title, reason),
    }
}

fn edits(site: &Site, statement: &ast::StmtFor, parts: &Collecting, whole: TextRange) -> Result<Vec<Edit>, String> {
    let module = site.module;
    let refused = generated(module).or_else(|| obstacle(site)).or_else(|| held_lock(site));
    if let Some(reason) = refused.or_else(|| effect(module, parts.call)) {
        return Err(reason);
    }
    let items = items(&statement.target)?;
    dependent(site, statement, parts, &items)?;
    own_lines(module, parts.made.range())?;
    own_lines(module, statement.range())?;
    if let Some(reason) = lost_comment(module, whole, &[]) {
        return Err(reason);
    }
    let limit = free_name(site, &["limit", "bound"])?;
    let one = free_name(site, &["one", "run_one"])?;
    let Some(asyncio) = imported(site, "asyncio") else {
        return Err(super::imports::taken(module, "asyncio"));
    };
    let (newline, unit) = (module.lines().newline(), unit(site));
    let outer = module.lines().indentation(whole.start());
    let names = items.join(", ");
    let (call, iterable) = (module.source(parts.call), module.source(&*statement.iter));
    let target = module.source(&*statement.target);
    let head = match parts.annotation {
        Some(annotation) => format!("{}: {}", parts.list.id, module.source(annotation)),
        None => parts.list.id.to_string(),
    };
    let lines = [
        format!("{limit} = {}.Semaphore({LIMIT})", asyncio.name),
        String::new(),
        format!("{outer}async def {one}({names}):"),
        format!("{outer}{unit}async with {limit}:"),
        format!("{outer}{unit}{unit}return await {call}"),
        String::new(),
        format!("{outer}{head} = await {}.gather(*({one}({names}) for {target} in {iterable}))", asyncio.name),
    ];
    let mut edits = vec![Edit::replace(whole, lines.join(newline))];
    edits.extend(asyncio.edit);
    Ok(edits)
}

/// The names that the loop binds.
fn items(target: &Expr) -> Result<Vec<String>, String> {
    let name = |expr: &Expr| expr.as_name_expr().map(|name| name.id.to_string());
    let names = match target {
        Expr::Tuple(tuple) => tuple.elts.iter().map(name).collect(),
        single => name(single).map(|name| vec![name]),
    };
    names.ok_or_else(|| "the loop binds more than plain names".to_string())
}

/// Whether all items of an iterable are there before the loop begins.
fn is_there(module: &Module, iterable: &Expr) -> bool {
    if module.class_name(iterable).is_some_and(|class| class.is_any(COLLECTIONS)) {
        return true;
    }
    let Some(call) = iterable.as_call_expr() else { return false };
    let are_there = || call.arguments.args.iter().all(|argument| is_there(module, argument));
    let is_view = || {
        let view =
            call.func.as_attribute_expr().filter(|view| ["items", "keys", "values"].contains(&view.attr.as_str()));
        view.and_then(|view| module.class_name(&view.value)).is_some_and(|class| class.is("builtins.dict"))
    };
    module.calls(call, COLLECTIONS)
        || (module.calls(call, &["builtins.enumerate", "builtins.reversed", "builtins.zip"]) && are_there())
        || is_view()
}

/// Whether a read of `name` is of the value that another loop, or a comprehension, gives it.
fn is_of_other_loop(module: &Module, name: &str, read: TextRange) -> bool {
    let binds = |target: &Expr| items(target).is_ok_and(|names| names.iter().any(|bound| bound == name));
    path_to(module, read).iter().any(|node| match node {
        AnyNodeRef::StmtFor(other) => is_in(&other.body, read) && binds(&other.target),
        AnyNodeRef::ExprListComp(ast::ExprListComp { generators, .. })
        | AnyNodeRef::ExprSetComp(ast::ExprSetComp { generators, .. })
        | AnyNodeRef::ExprDictComp(ast::ExprDictComp { generators, .. })
        | AnyNodeRef::ExprGenerator(ast::ExprGenerator { generators, .. }) => {
            let is_first = generators.first().is_some_and(|first| first.iter.range().contains_range(read));
            !is_first && generators.iter().any(|clause| binds(&clause.target))
        }
        _ => false,
    })
}

/// Why one turn may depend on another, or on what comes after the loop.
fn dependent(site: &Site, statement: &ast::StmtFor, parts: &Collecting, items: &[String]) -> Result<(), String> {
    let module = site.module;
    let line = |range: TextRange| module.lines().line(range.start());
    let iterable = &*statement.iter;
    let written = module.source(iterable);
    if !is_there(module, iterable) {
        return Err(format!("`{written}` in line {} may be produced while the loop runs", line(iterable.range())));
    }
    for item in items {
        let names = Names::in_body(item, frame(site));
        let outside =
            |read: &&TextRange| !statement.range().contains_range(**read) && !is_of_other_loop(module, item, **read);
        if let Some(read) = names.reads.iter().find(outside) {
            return Err(format!("`{item}` is read in line {}, outside of the loop", line(*read)));
        }
    }
    let is_item = |name: &ast::ExprName| items.iter().any(|item| *item == name.id.as_str());
    if let Some(shared) = objects(module, parts.call).into_iter().find(|name| !is_item(name)) {
        return Err(format!("every call uses `{}` (line {})", shared.id, line(shared.range())));
    }
    match state(module, parts.call)?.into_iter().next() {
        Some(name) => Err(format!("every call uses `{name}`, through `{}`", module.source(&*parts.call.func))),
        None => Ok(()),
    }
}
