//! `def load(n)` → `async def load_async(n)`, and `def load(n): return asyncio.run(load_async(n))` on top of it
//!
//! The first step of a migration: the callers stay as they are. For a function that waits itself.

use std::collections::BTreeSet;

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt, helpers::is_docstring_stmt};

use super::imports::{bindings, drop_unused_all, imported, taken};
use super::make_async::body::{Body, keyword};
use super::make_async::checks;
use super::make_async::{Plan, call};
use super::{Offer, Rewrite, Target};
use crate::analysis::{Module, ReferenceKind, Site};
use crate::detectors::nodes::own_nodes;
use crate::detectors::suspension::path_to;
use crate::detectors::threads::created;
use crate::detectors::waiting_function::wait_of;
use crate::text::{Edit, Place, Ranged as _, TextRange};

pub(super) const REWRITE: Rewrite = Rewrite { name: "sync_facade", offer };

fn offer(target: &Target) -> Option<Offer> {
    let module = target.site.module;
    let path = path_to(module, target.finding.range);
    let at = path.iter().rposition(|node| match node {
        AnyNodeRef::StmtFunctionDef(def) => target.finding.range.contains_range(def.name.range()),
        _ => false,
    })?;
    let site = Site::at(module, path[at], &path[..at]);
    let AnyNodeRef::StmtFunctionDef(def) = site.node else { return None };
    // Where the wait is in another function, that one comes first.
    if !wait_of(module, def)?.through.is_empty() {
        return None;
    }
    // A thread has no use for a loop of its own in `run`: its pool has a rewrite.
    let is_thread = checks::class_of(module, def).is_some_and(|class| class.inherits("threading.Thread"));
    if is_thread && def.name.as_str() == "run" {
        return None;
    }
    let twin = format!("{}_async", def.name);
    let title = format!(
        "Put `{}` on top of an asynchronous twin `{twin}` (a new event loop for each call; not for calls from coroutines)",
        def.name
    );
    match edits(target, &site, def, &twin) {
        Ok(edits) => Offer::edit(module, title, edits, false),
        Err(reason) => Offer::refused(title, reason),
    }
}

fn edits(target: &Target, site: &Site, def: &ast::StmtFunctionDef, twin: &str) -> Result<Vec<Edit>, String> {
    let module = site.module;
    let line = |range: TextRange| module.lines().line(range.start());
    let place = module.place(def.name.range()).ok_or("this is no file")?;
    let is_method = matches!(site.parent(), Some(AnyNodeRef::StmtClassDef(_)));
    if !is_method && !matches!(site.parent(), Some(AnyNodeRef::ModModule(_))) {
        return Err(format!("`{}` is defined inside a block", def.name));
    }
    if let Some(taken) = bindings(module, twin).first() {
        return Err(format!("line {} binds `{twin}` already", line(*taken)));
    }
    let mut plan = Plan::new(module.snapshot(), target.oldest_python);
    checks::function(&mut plan, &place);
    if !plan.blockers.is_empty() {
        return Err(plan.blockers.join("; "));
    }
    let binding = Binding::of(site, def)?;
    let own = own_nodes(&def.body).into_iter().find(|node| match node {
        AnyNodeRef::ExprName(name) => !is_method && name.id == def.name.id,
        AnyNodeRef::ExprAttribute(attribute) => is_method && attribute.attr == def.name,
        _ => false,
    });
    if let Some(own) = own {
        return Err(format!(
            "`{}` calls itself (line {}), which would start a loop in the loop",
            def.name,
            line(own.range())
        ));
    }
    called_in_coroutine(module, def, &place)?;
    let body = Body::new(module, def, &[]);
    if body.edits.is_empty() {
        return Err("nothing in it can be awaited or run in a thread".to_string());
    }
    let asyncio = imported(site, "asyncio").ok_or_else(|| taken(module, "asyncio"))?;
    let mut edits = vec![Edit::insert(keyword(module, def), "async "), Edit::replace(def.name.range(), twin)];
    edits.extend(body.edits.into_iter().flat_map(|(_, edits)| edits));
    let end = module.lines().line_range(module.lines().line(def.end())).end();
    edits.push(Edit::insert(end, facade(module, def, twin, &binding, &asyncio.name)?));
    edits.extend(asyncio.edit);
    let mut deduplicated: Vec<Edit> = vec![];
    for edit in edits {
        if !(edit.text.contains("import ") && deduplicated.contains(&edit)) {
            deduplicated.push(edit);
        }
    }
    for name in body.gone.iter().map(|(name, _)| name).collect::<BTreeSet<_>>() {
        let gone: Vec<TextRange> =
            body.gone.iter().filter(|(other, _)| other == name).map(|(_, range)| *range).collect();
        deduplicated.extend(drop_unused_all(module, name, &gone));
    }
    Ok(deduplicated)
}

/// What the function is bound to when it is called.
enum Binding<'a> {
    Nothing,
    /// Its first parameter; of a class method, the class, with the decorator.
    First(Option<&'a ast::Decorator>),
    /// Nothing, though it is in the class of this name: a static method, with the decorator.
    Static(&'a str, &'a ast::Decorator),
}

impl<'a> Binding<'a> {
    fn of(site: &Site<'a, '_>, def: &'a ast::StmtFunctionDef) -> Result<Self, String> {
        let module = site.module;
        let Some(AnyNodeRef::StmtClassDef(class)) = site.parent() else {
            return match def.decorator_list.first() {
                Some(decorator) => Err(other_decorator(module, def, decorator)),
                None => Ok(Self::Nothing),
            };
        };
        match def.decorator_list.as_slice() {
            [] => Ok(Self::First(None)),
            [only] if module.is_symbol(&only.expression, "builtins.classmethod") => Ok(Self::First(Some(only))),
            [only] if module.is_symbol(&only.expression, "builtins.staticmethod") => {
                // Only from the module its name is read like this.
                let is_at_top = module.syntax().body.iter().any(|statement| statement.range() == class.range());
                match is_at_top {
                    true => Ok(Self::Static(&class.name, only)),
                    false => Err(format!("the static method cannot name its class `{}`", class.name)),
                }
            }
            [first, ..] => Err(other_decorator(module, def, first)),
        }
    }

    fn decorator(&self) -> Option<&'a ast::Decorator> {
        match self {
            Self::Nothing => None,
            Self::First(decorator) => *decorator,
            Self::Static(_, decorator) => Some(decorator),
        }
    }
}

fn other_decorator(module: &Module, def: &ast::StmtFunctionDef, decorator: &ast::Decorator) -> String {
    let line = module.lines().line(decorator.start());
    format!("`{}` (line {line}) would have to hold for `{}` and for its twin", module.source(decorator), def.name)
}

/// The function of the old name.
fn facade(
    module: &Module,
    def: &ast::StmtFunctionDef,
    twin: &str,
    binding: &Binding,
    asyncio: &str,
) -> Result<String, String> {
    let lines = module.lines();
    let newline = lines.newline();
    let outer = lines.indentation(keyword(module, def)).to_string();
    let first = def.body.first().ok_or("it has no body")?;
    let inner = match lines.line(first.start()) == lines.line(def.name.start()) {
        true => format!("{outer}    "),
        false => lines.indentation(first.start()).to_string(),
    };
    let head = module.source(TextRange::new(keyword(module, def), colon(module, def, first)));
    let docstring = match first {
        Stmt::Expr(_) if is_docstring_stmt(first) => format!("{inner}{}{newline}", module.source(first)),
        _ => String::new(),
    };
    let mut arguments: Vec<String> = vec![];
    let parameters = &def.parameters;
    let mut positional = parameters.posonlyargs.iter().chain(&parameters.args);
    let receiver = match binding {
        Binding::Nothing => String::new(),
        Binding::Static(class, _) => format!("{class}."),
        Binding::First(_) => {
            let own = positional.next().ok_or("the method has no parameter for its object")?;
            format!("{}.", own.parameter.name)
        }
    };
    arguments.extend(positional.map(|parameter| parameter.parameter.name.to_string()));
    arguments.extend(parameters.vararg.iter().map(|parameter| format!("*{}", parameter.name)));
    arguments.extend(parameters.kwonlyargs.iter().map(|parameter| {
        let name = &parameter.parameter.name;
        format!("{name}={name}")
    }));
    arguments.extend(parameters.kwarg.iter().map(|parameter| format!("**{}", parameter.name)));
    let call = format!("{receiver}{twin}({})", arguments.join(", "));
    let gap = newline.repeat(if matches!(binding, Binding::Nothing) { 3 } else { 2 });
    let decorator = match binding.decorator() {
        Some(decorator) => format!("{outer}{}{newline}", module.source(decorator)),
        None => String::new(),
    };
    Ok(format!("{gap}{decorator}{outer}{head}:{newline}{docstring}{inner}return {asyncio}.run({call})"))
}

/// Where the colon behind the head stands.
fn colon(module: &Module, def: &ast::StmtFunctionDef, first: &Stmt) -> crate::text::TextSize {
    let end = def.returns.as_ref().map_or(def.parameters.end(), |returns| Expr::end(returns));
    let rest = module.source(TextRange::new(end, first.start()));
    let offset = rest.find(':').and_then(|at| crate::text::TextSize::try_from(at).ok()).unwrap_or_default();
    end + offset
}

/// Whether a thread is made to run what the last node of `path` refers to.
fn is_target(module: &Module, path: &[AnyNodeRef]) -> bool {
    let Some(range) = path.last().map(|node| node.range()) else { return false };
    path.iter().any(|node| {
        let AnyNodeRef::ExprCall(call) = node else { return false };
        created(module, call).and_then(|made| made.target()).is_some_and(|target| target.range() == range)
    })
}

/// How many plain functions are looked at for a coroutine that calls them.
const CALLERS: usize = 60;

/// Refuses where a coroutine calls it, itself or through plain functions: a loop runs in that thread already.
fn called_in_coroutine(module: &Module, def: &ast::StmtFunctionDef, place: &Place) -> Result<(), String> {
    let snapshot = module.snapshot();
    let mut waiting: Vec<(Place, String, Option<String>)> = vec![(place.clone(), def.name.to_string(), None)];
    let mut seen: BTreeSet<Place> = BTreeSet::new();
    while let Some((place, name, through)) = waiting.pop() {
        // A method that overrides it may call it.
        let family = checks::family(&mut Plan::new(snapshot, module.version()), &place, &name);
        seen.extend(family.iter().cloned());
        let references = snapshot.references(&name, &family);
        let references = references.map_err(|reason| reason.reason(&name))?;
        for reference in references.iter().filter(|reference| reference.kind == ReferenceKind::Value) {
            let Ok(home) = snapshot.module(&reference.place.path) else { continue };
            let path = path_to(&home, reference.place.range());
            let Some((node, ancestors)) = path.split_last() else { continue };
            let site = Site::at(&home, *node, ancestors);
            let file = reference.place.path.file_name().unwrap_or_default().to_string_lossy();
            let at = format!("{file}:{}", reference.place.line);
            // A function that is passed on from a coroutine runs in a thread, as a rule.
            let is_call = call::of(&home, &path).is_some();
            if through.is_none() && is_target(&home, &path) {
                return Err(format!("a thread runs it ({at}), where it holds up no loop"));
            }
            match site.function() {
                Some(caller) if caller.is_async && (is_call || through.is_none()) => {
                    return Err(match &through {
                        None => format!("the coroutine `{}` calls it ({at}), where `asyncio.run` refuses", caller.name),
                        Some(through) => format!(
                            "the coroutine `{}` calls it through `{through}` ({at}), where `asyncio.run` refuses",
                            caller.name
                        ),
                    });
                }
                Some(caller) if is_call && !caller.is_async => {
                    let Some(caller_at) = home.place(caller.name.range()).filter(|place| !seen.contains(place)) else {
                        continue;
                    };
                    if seen.len() >= CALLERS {
                        return Err(format!(
                            "more than {CALLERS} functions lead to it, and a coroutine may be behind them"
                        ));
                    }
                    let through = through.clone().or_else(|| Some(caller.name.to_string()));
                    seen.insert(caller_at.clone());
                    waiting.push((caller_at, caller.name.to_string(), through));
                }
                _ => {}
            }
        }
    }
    Ok(())
}
