//! `list(pool.map(work, items))` in `with ThreadPoolExecutor(3) as pool` → `gather` of `to_thread`, behind a semaphore.
//!
//! A plain function becomes a coroutine function, with its callers.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Number};

use super::awaiting::{TAKE_ALL, call_of, misplaced, parentheses, suspension_obstacle};
use super::imports::{Imported, Names, bindings, drop_unused, imported, line_after, taken};
use super::layout::{dedent, free_name, generated, lost_comment, own_lines, unit};
use super::make_async::{Plan, with_edits};
use super::{FileEdits, Offer, Rewrite, Target};
use crate::analysis::{Module, Site};
use crate::detectors::nodes::method;
use crate::detectors::suspension::{around, coroutine_function, frame};
use crate::text::{Edit, Ranged as _, TextRange, TextSize};

pub(super) const REWRITE: Rewrite = Rewrite { name: "executor_map", offer };

const POOL: &str = "concurrent.futures.ThreadPoolExecutor";

/// The threads that asyncio's own pool has in any case: `min(32, CPUs + 4)`.
const THREADS: u64 = 5;

fn offer(target: &Target) -> Option<Offer> {
    let (call, site) = call_of(&target.site)?;
    let (pool, _) = method(call).filter(|(_, name)| *name == "map")?;
    site.module.receiver_class(pool)?.inherits(POOL).then_some(())?;
    let title = "Run the calls with `asyncio.to_thread` and `gather`";
    match converted(target, &site, call) {
        Err(reason) => Offer::refused(title, reason),
        Ok((files, changes)) => {
            Some(Offer::Edit { title: format!("{title} ({})", changes.join("; ")), files, preserves_behaviour: false })
        }
    }
}

fn converted(target: &Target, site: &Site, call: &ast::ExprCall) -> Result<(Vec<FileEdits>, Vec<String>), String> {
    let module = site.module;
    let path = module.path().ok_or("this is no file")?;
    let function = site.function().ok_or("only a function can await; this is the top level of a module")?;
    let refused = generated(module).or_else(|| misplaced(site)).or_else(|| suspension_obstacle(site));
    if let Some(reason) = refused {
        return Err(reason);
    }
    let pool = Pool::around(site, call)?;
    let work = Work::of(module, call)?;
    let list = list_of(site)?;
    let asyncio = imported(site, "asyncio").ok_or_else(|| taken(module, "asyncio"))?;
    let mut edits = edits(site, &pool, &work, list.as_ref().unwrap_or(site), &asyncio)?;
    let callee = &*pool.made.func;
    let first = std::iter::successors(Some(callee), |expr| expr.as_attribute_expr().map(|part| &*part.value)).last();
    edits.extend(first.and_then(Expr::as_name_expr).and_then(|name| drop_unused(module, &name.id, callee.range())));
    edits.extend(asyncio.edit);

    let mut changes = vec![];
    let mut files = vec![];
    if !function.is_async {
        let mut plan = Plan::new(module.snapshot(), target.oldest_python);
        let own = [Some(call.range()), list.map(|list| list.node.range()), Some(pool.made.range())];
        plan.settle(own.into_iter().flatten().filter_map(|range| module.place(range)).collect());
        plan.make(module.place(function.name.range()).ok_or("this is no file")?, function.name.to_string());
        plan.complete();
        if !plan.blockers.is_empty() {
            return Err(plan.blockers.join("; "));
        }
        changes.push(format!("`{}` and its callers become coroutine functions", function.name));
        changes.extend(plan.changes());
        files = plan.files()?;
        let is_within =
            |edit: &Edit| edits.iter().any(|own| !own.text.is_empty() && own.range.contains_range(edit.range));
        let mut planned = files.iter().filter(|file| file.path == path).flat_map(|file| &file.edits);
        if let Some(waits) = planned.find(|edit| is_within(edit) && !edits.contains(edit)) {
            let line = module.lines().line(waits.range.start());
            return Err(format!("line {line} waits for something else as well"));
        }
    }
    changes.push("the error that comes first is raised, and the other calls go on".to_string());
    changes.push("context variables are visible in the threads".to_string());
    let is_below = |limit: &Expr| literal(limit).is_some_and(|limit| limit <= THREADS);
    if pool.limit.is_some_and(|limit| !is_below(limit)) {
        changes.push("never more than asyncio's `min(32, CPUs + 4)` threads".to_string());
    }
    Ok((with_edits(files, path, edits), changes))
}

/// The pool, which is made for this one call.
struct Pool<'a> {
    with: &'a ast::StmtWith,
    made: &'a ast::ExprCall,
    /// `max_workers`, unless that is left to the pool.
    limit: Option<&'a Expr>,
}

impl<'a> Pool<'a> {
    fn around(site: &Site<'a, '_>, call: &'a ast::ExprCall) -> Result<Self, String> {
        let module = site.module;
        let line = |range: TextRange| module.lines().line(range.start());
        let elsewhere = |pool: &Expr| {
            format!("`{}` is not made by a `with` around line {}", module.source(pool), line(call.range()))
        };
        let Some((pool, _)) = method(call) else { return Err("the pool is not in sight".to_string()) };
        let name = pool.as_name_expr().ok_or_else(|| elsewhere(pool))?;
        let bound = |item: &ast::WithItem| {
            let target = item.optional_vars.as_deref().and_then(Expr::as_name_expr);
            target.is_some_and(|target| target.id == name.id)
        };
        let with = around(site).find_map(|node| match node {
            AnyNodeRef::StmtWith(with) if !with.is_async && with.items.iter().any(bound) => Some(with),
            _ => None,
        });
        let with = with.ok_or_else(|| elsewhere(pool))?;
        let [item] = with.items.as_slice() else {
            return Err(format!("the `with` in line {} enters more than the pool", line(with.range())));
        };
        let made = item.context_expr.as_call_expr().filter(|made| module.calls(made, &[POOL])).ok_or_else(|| {
            let written = module.source(&item.context_expr);
            format!("`{written}` in line {} is no plain `ThreadPoolExecutor`", line(item.range()))
        })?;
        let names = Names::in_body(&name.id, frame(site));
        let others = names.reads.iter().chain(names.bindings.iter().skip(1));
        if let Some(other) = others.into_iter().find(|other| **other != name.range()) {
            return Err(format!("`{}` is used in line {} as well", name.id, line(*other)));
        }
        let (args, keywords) = (&made.arguments.args, &made.arguments.keywords);
        let is_limit = |keyword: &&ast::Keyword| keyword.arg.as_deref() != Some("max_workers");
        let other = keywords.iter().find(is_limit).map(|keyword| keyword.range());
        let other = other.or_else(|| args.iter().skip(1).map(|argument| argument.range()).next());
        let other = other.or_else(|| args.first().filter(|first| first.is_starred_expr()).map(|first| first.range()));
        if let Some(other) = other {
            let written = module.source(other);
            return Err(format!("asyncio's threads have no counterpart of `{written}` (line {})", line(other)));
        }
        let limit = made.arguments.find_argument_value("max_workers", 0).filter(|limit| !limit.is_none_literal_expr());
        if let Some(limit) = limit.filter(|limit| !is_count(site, limit)) {
            let why = if literal(limit).is_some() { "is no number of threads" } else { "may be `None`, or no number" };
            return Err(format!("`{}` in line {} {why}", module.source(limit), line(limit.range())));
        }
        Ok(Self { with, made, limit })
    }
}

/// The value of a whole number as written.
fn literal(expr: &Expr) -> Option<u64> {
    match &expr.as_number_literal_expr()?.value {
        Number::Int(value) => value.as_u64(),
        _ => None,
    }
}

/// Whether a limit is a number: a positive literal, an `int` by its type, or a parameter that is one by default.
fn is_count(site: &Site, limit: &Expr) -> bool {
    if limit.is_number_literal_expr() {
        return literal(limit).is_some_and(|value| value > 0);
    }
    let is_default = limit.as_name_expr().is_some_and(|name| {
        let parameters = site.function().map(|function| &function.parameters);
        let parameter = parameters.and_then(|parameters| {
            parameters.iter_non_variadic_params().find(|parameter| parameter.name().as_str() == name.id.as_str())
        });
        let default = parameter.filter(|parameter| parameter.annotation().is_none()).and_then(|item| item.default());
        let is_bound = Names::in_body(&name.id, frame(site)).bindings.is_empty();
        default.and_then(literal).is_some_and(|value| value > 0 && is_bound)
    });
    is_default || site.module.class_name(limit).is_some_and(|class| class.is("builtins.int"))
}

/// What is called for each item.
struct Work<'a> {
    function: &'a Expr,
    iterables: &'a [Expr],
}

impl<'a> Work<'a> {
    fn of(module: &Module, call: &'a ast::ExprCall) -> Result<Self, String> {
        let line = |range: TextRange| module.lines().line(range.start());
        if let Some(keyword) = call.arguments.keywords.first() {
            let written = module.source(keyword);
            return Err(format!("`gather` has no counterpart of `{written}` (line {})", line(keyword.range())));
        }
        let [function, iterables @ ..] = &*call.arguments.args else {
            return Err(format!("the function is not in sight in line {}", line(call.range())));
        };
        if iterables.is_empty() || function.is_starred_expr() {
            return Err(format!("the items are not in sight in line {}", line(call.range())));
        }
        let written = module.source(function);
        if coroutine_function(module, function).is_some() {
            return Err(format!("`{written}` in line {} is a coroutine function", line(function.range())));
        }
        if module.is_symbol(function, "builtins.next") {
            return Err("the `StopIteration` at the end cannot cross threads".to_string());
        }
        match is_plain(module, function) {
            true => Ok(Self { function, iterables }),
            false => Err(format!("`{written}` in line {} would be evaluated for every item", line(function.range()))),
        }
    }

    /// Whether each item comes from one iterable.
    fn is_single(&self) -> bool {
        self.iterables.len() == 1 && !self.iterables.iter().any(Expr::is_starred_expr)
    }
}

/// Whether an expression means the same, and costs nothing, each time.
fn is_plain(module: &Module, function: &Expr) -> bool {
    match function {
        Expr::Name(_) | Expr::Lambda(_) => true,
        Expr::Attribute(attribute) => is_plain(module, &attribute.value),
        Expr::Call(partial) => {
            let is_value = |expr: &Expr| matches!(expr, Expr::Name(_) | Expr::Attribute(_)) || expr.is_literal_expr();
            module.calls(partial, &["functools.partial"])
                && partial.arguments.iter_source_order().all(|argument| is_value(argument.value()))
        }
        _ => false,
    }
}

/// Where the results are all taken at once: the call of `list` that becomes needless, or none for something else.
fn list_of<'a, 's>(site: &Site<'a, 's>) -> Result<Option<Site<'a, 's>>, String> {
    let module = site.module;
    let line = |range: TextRange| module.lines().line(range.start());
    let mut at = *site;
    loop {
        let Some(parent) = at.up() else { return Ok(None) };
        match (parent.node, parent.up()) {
            (AnyNodeRef::Arguments(arguments), Some(outer)) => {
                let symbol = match outer.node {
                    AnyNodeRef::ExprCall(call) => module.callee(call),
                    _ => None,
                };
                match symbol {
                    Some(symbol) if symbol.is("builtins.list") && at.node.range() == site.node.range() => {
                        return Ok(Some(outer).filter(|_| arguments.len() == 1));
                    }
                    Some(symbol) if symbol.is_any(TAKE_ALL) => return Ok(None),
                    Some(symbol) if symbol.is_any(&["builtins.enumerate", "builtins.zip"]) => at = outer,
                    _ => {
                        return Err(format!(
                            "what takes the results in line {} may stop early",
                            line(outer.node.range())
                        ));
                    }
                }
            }
            (AnyNodeRef::ExprStarred(_), Some(_)) => return Ok(None),
            (AnyNodeRef::Comprehension(clause), Some(outer)) => {
                let parts = match outer.node {
                    AnyNodeRef::ExprListComp(made) => vec![&*made.elt],
                    AnyNodeRef::ExprSetComp(made) => vec![&*made.elt],
                    AnyNodeRef::ExprDictComp(made) => {
                        vec![&*made.value].into_iter().chain(made.key.as_deref()).collect()
                    }
                    _ => return Err(format!("the results in line {} are taken one by one", line(clause.range()))),
                };
                let mut parts = parts.into_iter().chain(&clause.ifs);
                return match parts.find(|part| ast::helpers::any_over_expr(part, acts)) {
                    Some(part) => Err(format!(
                        "`{}` in line {} takes the results one by one",
                        module.source(part),
                        line(part.range())
                    )),
                    None => Ok(None),
                };
            }
            (AnyNodeRef::StmtFor(turns), _) if turns.iter.range() == at.node.range() => {
                return Err(format!("the loop in line {} takes the results one by one", line(turns.range())));
            }
            (AnyNodeRef::StmtExpr(alone), _) => {
                return Err(format!("nothing takes the results in line {}", line(alone.range())));
            }
            _ => return Err(format!("the results in line {} are not taken all at once", line(site.node.range()))),
        }
    }
}

/// Whether evaluating a node may do more than give a value.
fn acts(expr: &Expr) -> bool {
    matches!(expr, Expr::Await(_) | Expr::Call(_) | Expr::Named(_) | Expr::Yield(_) | Expr::YieldFrom(_))
}

fn edits(site: &Site, pool: &Pool, work: &Work, whole: &Site, asyncio: &Imported) -> Result<Vec<Edit>, String> {
    let module = site.module;
    let asyncio = asyncio.name.as_str();
    let mut written: Vec<&str> = work.iterables.iter().map(|iterable| module.source(iterable)).collect();
    let function = module.source(work.function);
    let item = match work.is_single() {
        true => free_name(site, &["item", "each_item"])?,
        false => format!("*{}", free_name(site, &["items", "each_items"])?),
    };
    let mut edits = vec![];
    let results = match pool.limit {
        Some(limit) => {
            unshadowed(module, "map")?;
            let (bound, one) = (free_name(site, &["limit", "bound"])?, free_name(site, &["one", "run_one"])?);
            let (newline, outer) = (module.lines().newline(), module.lines().indentation(pool.with.start()));
            let unit = unit(site);
            let lines = [
                format!("{bound} = {asyncio}.Semaphore({})", module.source(limit)),
                String::new(),
                format!("{outer}async def {one}({item}):"),
                format!("{outer}{unit}async with {bound}:"),
                format!("{outer}{unit}{unit}return await {asyncio}.to_thread({function}, {item})"),
                String::new(),
            ];
            edits.extend(without_head(module, pool.with, &lines.join(newline))?);
            written.insert(0, &one);
            format!("map({})", written.join(", "))
        }
        None => {
            edits.extend(without_head(module, pool.with, "")?);
            let iterable = match work.iterables {
                [only @ (Expr::If(_) | Expr::Lambda(_) | Expr::Named(_) | Expr::BoolOp(_))] if work.is_single() => {
                    format!("({})", module.source(only))
                }
                _ if work.is_single() => written.join(", "),
                _ => {
                    unshadowed(module, "zip")?;
                    format!("zip({})", written.join(", "))
                }
            };
            format!("({asyncio}.to_thread({function}, {item}) for {} in {iterable})", item.trim_start_matches('*'))
        }
    };
    let range = whole.node.range();
    if let Some(reason) = lost_comment(module, range, &[]) {
        return Err(reason);
    }
    let gathered = format!("await {asyncio}.gather(*{results})");
    edits.push(match parentheses(whole).is_empty() {
        true => Edit::replace(range, gathered),
        false => Edit::replace(range, format!("({gathered})")),
    });
    Ok(edits)
}

fn unshadowed(module: &Module, name: &str) -> Result<(), String> {
    match bindings(module, name).is_empty() {
        true => Ok(()),
        false => Err(taken(module, name)),
    }
}

/// Puts `lines` in the place of the head of a `with`, and its block at the depth of the head.
fn without_head(module: &Module, with: &ast::StmtWith, lines: &str) -> Result<Vec<Edit>, String> {
    let (Some(item), Some(first)) = (with.items.last(), with.body.first()) else { return Ok(vec![]) };
    let newline = module.lines().newline();
    let whole = own_lines(module, with.range())?;
    let outer = module.lines().indentation(with.start());
    let gap = module.source(TextRange::new(item.end(), first.start()));
    let colon =
        gap.find(':').and_then(|at| TextSize::try_from(at).ok()).ok_or("the head of the `with` is not plain")?;
    let line = module.lines().line(item.end() + colon);
    let end = module.lines().line_range(line).end();
    if first.start() < end {
        // `with … as pool: return list(…)`
        let head = TextRange::new(with.start(), first.start());
        if let Some(reason) = lost_comment(module, head, &[]) {
            return Err(reason);
        }
        let text = if lines.is_empty() { String::new() } else { format!("{lines}{newline}{outer}") };
        return Ok(vec![Edit::replace(head, text)]);
    }
    let head = TextRange::new(with.start(), end);
    if let Some(reason) = lost_comment(module, head, &[]) {
        return Err(reason);
    }
    let block = TextRange::new(line_after(module, end), whole.end());
    let unit = module.lines().indentation(first.start()).strip_prefix(outer).unwrap_or("");
    let dedented = dedent(module, block, unit);
    let mut edits =
        dedented.ok_or_else(|| format!("a line of the `with` in line {line} is indented less than its block"))?;
    edits.push(match lines.is_empty() {
        true => Edit::delete(TextRange::new(whole.start(), block.start())),
        false => Edit::replace(head, lines),
    });
    Ok(edits)
}
