//! Whether one event loop runs all coroutines that use the object.
//!
//! From each of them the calls are followed up: to the coroutine that makes the object, or to the one call of `asyncio.run`
//! from which all of them are reached, and which runs once.

use std::collections::BTreeSet;

use ruff_python_ast::{self as ast, AnyNodeRef};

use super::uses::too_large;
use super::{Home, LoopObject};
use crate::analysis::{Module, ReferenceKind, Site};
use crate::detectors::nodes::all_nodes;
use crate::detectors::suspension::path_to;
use crate::rewrites::make_async::{call, checks, def_named_at};
use crate::text::{Place, Ranged as _};

/// What carries a coroutine to a loop in another thread, or makes a loop.
const OTHER_LOOPS: &[&str] = &[
    "asyncio.AbstractEventLoop.run_until_complete",
    "asyncio.Runner",
    "asyncio.new_event_loop",
    "asyncio.run_coroutine_threadsafe",
];

/// Decorators behind which a coroutine function is still called by the one who wants it.
const TRANSPARENT: &[&str] = &[
    "abc.abstractmethod",
    "builtins.classmethod",
    "builtins.staticmethod",
    "contextlib.asynccontextmanager",
    "typing.final",
    "typing.override",
    "typing_extensions.override",
];

/// The most coroutine functions that are followed.
const FUNCTIONS: usize = 60;

/// What runs a call of a coroutine function.
enum Runs {
    /// Another coroutine function.
    In(Place, String),
    /// `asyncio.run(…)`, here.
    Entry(Place),
}

impl LoopObject<'_> {
    /// # Errors
    /// Why it is not known that one loop runs them all.
    pub(super) fn one_loop(&mut self) -> Result<(), String> {
        let maker = match self.home {
            Home::Function(def) => self.place(0, def),
            _ => None,
        };
        let made_by_coroutine = matches!(self.home, Home::Function(def) if self.is_async_def(def));
        let mut waiting: Vec<(Place, String)> = vec![];
        for used in &self.uses {
            let Some(range) = self.coroutine_of(*used) else { continue };
            let name = self.modules[used.file].source(range).to_string();
            waiting.extend(self.place(used.file, range).map(|place| (place, name)));
        }
        let mut seen: BTreeSet<Place> = BTreeSet::new();
        let mut entries: BTreeSet<Place> = BTreeSet::new();
        while let Some((place, name)) = waiting.pop() {
            if (made_by_coroutine && maker.as_ref() == Some(&place)) || !seen.insert(place.clone()) {
                continue;
            }
            if seen.len() > FUNCTIONS {
                return Err(format!("more than {FUNCTIONS} coroutine functions lead to its uses"));
            }
            for runs in self.runs(&place, &name)? {
                match runs {
                    Runs::In(place, name) => waiting.push((place, name)),
                    Runs::Entry(entry) => {
                        entries.insert(entry);
                    }
                }
            }
        }
        self.no_other_loop()?;
        let mut entries = entries.into_iter();
        match (entries.next(), entries.next(), made_by_coroutine) {
            (None, _, true) => Ok(()),
            (Some(entry), _, true) => Err(format!("a loop of its own is started in {}", self.shown(&entry))),
            (Some(entry), None, false) => self.runs_once(&entry, maker.as_ref()),
            (Some(one), Some(other), false) => {
                Err(format!("{} and {} start a loop each", self.shown(&one), self.shown(&other)))
            }
            (None, _, false) => Err("no `asyncio.run` that leads to its uses is in sight".to_string()),
        }
    }

    fn shown(&mut self, place: &Place) -> String {
        match self.file(&place.path) {
            Some(file) => self.at(file, place.range()),
            None => place.path.display().to_string(),
        }
    }

    /// What runs the calls of a coroutine function.
    fn runs(&mut self, place: &Place, name: &str) -> Result<Vec<Runs>, String> {
        let file = self.file(&place.path).ok_or_else(|| format!("{} cannot be read", place.path.display()))?;
        let module = &self.modules[file];
        let def = def_named_at(module, place.range()).ok_or_else(|| format!("`{name}` is no function"))?;
        let is_other = |decorator: &&ast::Decorator| {
            !module.symbol(&decorator.expression).is_some_and(|symbol| symbol.is_any(TRANSPARENT))
        };
        if let Some(decorator) = def.decorator_list.iter().find(is_other) {
            let written = module.source(decorator);
            let at = self.at(file, decorator.range());
            return Err(format!("which loop runs `{name}` is up to `{written}` ({at})"));
        }
        let mut plan = self.plan();
        let family = checks::family(&mut plan, place, name);
        if let Some(blocker) = plan.blockers.first() {
            return Err(blocker.clone());
        }
        let references = module.snapshot().references(name, &family).map_err(|reason| reason.reason(name))?;
        let mut found = vec![];
        for reference in references {
            let at = self.shown(&reference.place);
            match reference.kind {
                ReferenceKind::Import => {}
                ReferenceKind::Text => return Err(format!("`{name}` is looked up by its name ({at})")),
                ReferenceKind::Unknown => return Err(format!("this `{name}` may be called in {at}")),
                ReferenceKind::Value => {
                    let file = self.file(&reference.place.path).ok_or_else(too_large)?;
                    let module = &self.modules[file];
                    let path = path_to(module, reference.place.range());
                    let Some(called) = call::of(module, &path) else {
                        return Err(format!("`{name}` {} ({at})", call::use_of(module, &path)));
                    };
                    found.push(run_by(&called, name).map_err(|reason| format!("{reason} ({at})"))?);
                }
            }
        }
        match found.is_empty() {
            true => Err(format!("nothing in this workspace calls `{name}`, so that its loop is not known")),
            false => Ok(found),
        }
    }

    /// Whether another loop may get a coroutine of one of the files.
    fn no_other_loop(&self) -> Result<(), String> {
        for (file, module) in self.modules.iter().enumerate() {
            for node in all_nodes(&module.syntax().body) {
                let found = match node {
                    AnyNodeRef::ExprCall(call) if module.calls(call, OTHER_LOOPS) => Some(&*call.func),
                    AnyNodeRef::Arguments(arguments) => {
                        arguments.args.iter().find(|argument| module.is_symbol(argument, "asyncio.run"))
                    }
                    _ => None,
                };
                let Some(found) = found else { continue };
                let at = self.at(file, found.range());
                return Err(format!("`{}` ({at}) may run a coroutine on another loop", module.source(found)));
            }
        }
        Ok(())
    }

    /// Whether the call of `asyncio.run` at `entry` happens once in the life of the object.
    fn runs_once(&mut self, entry: &Place, maker: Option<&Place>) -> Result<(), String> {
        let mut place = entry.clone();
        let shown = self.shown(entry);
        let again = || Err(format!("`asyncio.run` ({shown}) may run several times, with a new loop each time"));
        for _ in 0..FUNCTIONS {
            let Some(file) = self.file(&place.path) else { return again() };
            let module = &self.modules[file];
            let path = path_to(module, place.range());
            let mut runner = None;
            for node in path.iter().rev() {
                match node {
                    AnyNodeRef::StmtFor(_)
                    | AnyNodeRef::StmtWhile(_)
                    | AnyNodeRef::ExprLambda(_)
                    | AnyNodeRef::Comprehension(_) => return again(),
                    AnyNodeRef::StmtFunctionDef(def) => {
                        runner = Some((module.place(def.name.range()), def.name.to_string()));
                        break;
                    }
                    _ => {}
                }
            }
            let Some((Some(runner), name)) = runner else { return Ok(()) };
            if Some(&runner) == maker {
                return Ok(());
            }
            let references = module.snapshot().references(&name, &[runner]).map_err(|reason| reason.reason(&name))?;
            let mut calls = references.into_iter().filter(|reference| reference.kind != ReferenceKind::Import);
            let (Some(only), None) = (calls.next(), calls.next()) else { return again() };
            match only.kind {
                // A script's entry point.
                ReferenceKind::Text if only.place.path.extension().is_some_and(|end| end == "toml" || end == "cfg") => {
                    return Ok(());
                }
                ReferenceKind::Value => {
                    let Some(file) = self.file(&only.place.path) else { return again() };
                    let module = &self.modules[file];
                    let path = path_to(module, only.place.range());
                    let Some(called) = call::of(module, &path) else { return again() };
                    let Some(called) = module.place(called.node.range()) else { return again() };
                    place = called;
                }
                _ => return again(),
            }
        }
        again()
    }
}

/// What runs the call of a coroutine function at `site`.
fn run_by(site: &Site, name: &str) -> Result<Runs, String> {
    let module: &Module = site.module;
    if let Some(def) = site.async_function() {
        let place = module.place(def.name.range()).ok_or_else(too_large)?;
        return Ok(Runs::In(place, def.name.to_string()));
    }
    let mut outer = site.enclosing();
    if let (Some(AnyNodeRef::Arguments(_)), Some(AnyNodeRef::ExprCall(runner))) = (outer.next(), outer.next())
        && module.calls(runner, &["asyncio.run"])
    {
        return module.place(runner.range()).map(Runs::Entry).ok_or_else(too_large);
    }
    Err(format!("what runs the coroutine that `{name}` makes is not known"))
}
