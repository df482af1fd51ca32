//! What is made asynchronous: the functions, the calls that get an `await`, the entry; and what stands in the way.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::body::Body;
use super::by_name;
use super::call::{self, Runner};
use super::checks;
use crate::analysis::{Module, Reference, ReferenceKind, Snapshot, Version};
use crate::detectors::nodes::around;
use crate::detectors::suspension::{path_to, qualified_name};
use crate::rewrites::FileEdits;
use crate::text::{Edit, Place, Ranged as _, TextRange};
use ruff_python_ast::{self as ast, AnyNodeRef};

/// The most functions that are made asynchronous together.
const FUNCTIONS: usize = 60;

pub(in crate::rewrites) struct Plan<'s> {
    pub(super) snapshot: &'s Snapshot,
    pub(super) oldest_python: Version,
    /// The names of the functions, in the order they were reached: first the one that waits.
    names: Vec<String>,
    waiting: Vec<(Place, String)>,
    /// The names in the `def`s.
    made: BTreeSet<Place>,
    /// The calls that get an `await`, and those that `asyncio.run` runs.
    awaited: BTreeSet<Place>,
    entries: BTreeSet<Place>,
    uncalled: Vec<String>,
    /// Calls that another rewrite changes.
    settled: BTreeSet<Place>,
    pub(in crate::rewrites) blockers: Vec<String>,
}

impl<'s> Plan<'s> {
    pub(in crate::rewrites) fn new(snapshot: &'s Snapshot, oldest_python: Version) -> Self {
        Self {
            snapshot,
            oldest_python,
            names: vec![],
            waiting: vec![],
            made: BTreeSet::new(),
            awaited: BTreeSet::new(),
            entries: BTreeSet::new(),
            uncalled: vec![],
            settled: BTreeSet::new(),
            blockers: vec![],
        }
    }

    /// Wants the function whose name stands at `place` to be made asynchronous.
    pub(in crate::rewrites) fn make(&mut self, place: Place, name: String) {
        if !self.made.contains(&place) && !self.waiting.iter().any(|(waiting, _)| *waiting == place) {
            self.waiting.push((place, name));
        }
    }

    /// Wants the call at `place` to be awaited.
    pub(super) fn await_call(&mut self, place: &Place) {
        self.awaited.insert(place.clone());
    }

    /// Leaves these calls to another rewrite.
    pub(in crate::rewrites) fn settle(&mut self, calls: Vec<Place>) {
        self.settled.extend(calls);
    }

    /// Adds something that stands in the way.
    pub(super) fn block(&mut self, blocker: String) {
        if !self.blockers.contains(&blocker) {
            self.blockers.push(blocker);
        }
    }

    /// `app/jobs.py:12`, below the workspace's root.
    pub(in crate::rewrites) fn at(&self, place: &Place) -> String {
        self.at_line(&place.path, place.line)
    }

    pub(super) fn at_line(&self, path: &Path, line: usize) -> String {
        let roots = self.snapshot.roots();
        let root = roots.iter().filter(|root| path.starts_with(root)).max_by_key(|root| root.as_os_str().len());
        let shown = root.and_then(|root| path.strip_prefix(root).ok()).unwrap_or(path);
        format!("{}:{line}", shown.display())
    }

    /// Follows the callers up to the entry.
    pub(in crate::rewrites) fn complete(&mut self) {
        while !self.waiting.is_empty() {
            let (place, name) = self.waiting.remove(0);
            if self.made.len() >= FUNCTIONS {
                self.block(format!("more than {FUNCTIONS} functions would have to change"));
                return;
            }
            let family = checks::family(self, &place, &name);
            for member in &family {
                if self.made.insert(member.clone()) {
                    checks::function(self, member);
                }
            }
            self.names.push(self.qualified(&place, &name));
            match self.snapshot.references(&name, &family) {
                Ok(references) => {
                    let is_called = self.follow(&name, &references);
                    by_name::lookups(self, &family, &name, is_called);
                }
                Err(reason) => self.block(reason.reason(&name)),
            }
        }
        if self.entries.len() > 1 {
            let entries: Vec<String> = self.entries.iter().map(|entry| self.at(entry)).collect();
            self.block(format!("{} would each start an event loop of its own", entries.join(" and ")));
        }
    }

    fn is_import(&self, place: &Place) -> bool {
        let Ok(module) = self.snapshot.module(&place.path) else { return false };
        path_to(&module, place.range()).iter().any(|node| matches!(node, AnyNodeRef::Alias(_)))
    }

    fn written(&self, place: &Place) -> String {
        let module = self.snapshot.module(&place.path);
        module.map(|module| module.source(place.range()).to_string()).unwrap_or_default()
    }

    /// The name of a function with its class's.
    fn qualified(&self, place: &Place, name: &str) -> String {
        let Ok(module) = self.snapshot.module(&place.path) else { return name.to_string() };
        def_named_at(&module, place.range()).map_or(name.to_string(), |def| qualified_name(&module, def))
    }

    /// Looks at all references; whether one of them is a call from somewhere else.
    fn follow(&mut self, name: &str, references: &[Reference]) -> bool {
        let mut is_called = false;
        // What is written alike is in the way for one reason.
        let mut unknown: Vec<(String, String, usize, bool)> = vec![];
        for reference in references {
            let at = self.at(&reference.place);
            match reference.kind {
                ReferenceKind::Text if self.written(&reference.place).contains(">>>") => {
                    self.block(format!("a doctest calls `{name}` ({at})"));
                }
                ReferenceKind::Text => self.block(format!("`{name}` is exported, or looked up, by its name ({at})")),
                ReferenceKind::Unknown => {
                    let written = self.written(&reference.place);
                    match unknown.iter_mut().find(|(known, ..)| *known == written) {
                        Some((_, _, others, _)) => *others += 1,
                        None => unknown.push((written, at, 0, self.is_import(&reference.place))),
                    }
                }
                ReferenceKind::Import => {
                    if reference.place.path.file_name().is_some_and(|file| file == "__init__.py") {
                        self.block(format!(
                            "`{name}` is public ({at}): keep it, and put an asynchronous twin beneath it"
                        ));
                    }
                }
                ReferenceKind::Value => is_called |= self.value(name, &reference.place),
            }
        }
        for (written, at, others, is_import) in unknown {
            let others = match others {
                0 => String::new(),
                1 => ", and in another place".to_string(),
                more => format!(", and in {more} other places"),
            };
            self.block(match (is_import, written == name) {
                (true, _) => format!("`{written}` is imported from a module that is not found ({at}{others})"),
                (false, true) => format!("`{name}` has several definitions ({at}{others})"),
                (false, false) => format!("`{written}` may mean this `{name}` ({at}{others})"),
            });
        }
        if !is_called {
            self.uncalled.push(name.to_string());
        }
        is_called
    }

    /// Looks at a place that evaluates to the function; whether it is a call from somewhere else.
    fn value(&mut self, name: &str, place: &Place) -> bool {
        let Ok(module) = self.snapshot.module(&place.path) else { return true };
        let path = path_to(&module, place.range());
        let Some(called) = call::of(&module, &path) else {
            let what = call::use_of(&module, &path);
            self.block(format!("`{name}` {what} ({})", self.at(place)));
            return true;
        };
        if called.is_awaited() {
            return true;
        }
        let Some(at) = module.place(called.node.range()) else { return true };
        match call::runner(self, &called) {
            Err(reason) => self.block(format!("`{name}` {reason} ({})", self.at(place))),
            Ok(Runner::Coroutine) => {
                self.awaited.insert(at);
            }
            Ok(Runner::Entry) => {
                self.entries.insert(at);
            }
            Ok(Runner::Function(def)) => {
                self.awaited.insert(at);
                let Some(runner) = module.place(def.name.range()) else { return true };
                let is_own = self.made.contains(&runner) && def.name.as_str() == name;
                self.make(runner, def.name.to_string());
                return !is_own;
            }
        }
        true
    }

    /// Whether a function that is made asynchronous gives its thread away where it waited.
    pub(super) fn frees_the_thread(&self) -> bool {
        self.bodies(|_, body| !body.edits.is_empty()).into_iter().any(|frees| frees)
    }

    /// Asks about the body of each function that is made asynchronous.
    fn bodies<T>(&self, ask: impl Fn(&Module, Body) -> T) -> Vec<T> {
        let mut answers = vec![];
        for place in &self.made {
            let Ok(module) = self.snapshot.module(&place.path) else { continue };
            let Some(def) = def_named_at(&module, place.range()) else { continue };
            let mut awaited = self.ranges(&self.awaited, &place.path);
            awaited.extend(self.ranges(&self.settled, &place.path));
            answers.push(ask(&module, Body::new(&module, def, &awaited)));
        }
        answers
    }

    fn ranges(&self, places: &BTreeSet<Place>, path: &Path) -> Vec<TextRange> {
        places.iter().filter(|place| place.path == path).map(Place::range).collect()
    }

    /// ``Make `load` async, with its callers `total` and `main` ``
    pub(super) fn title(&self, most: usize) -> String {
        let Some((first, callers)) = self.names.split_first() else { return "Make it async".to_string() };
        let mut title = format!("Make `{first}` async");
        let mut shown: Vec<String> = callers.iter().take(most).map(|name| format!("`{name}`")).collect();
        shown.dedup();
        if callers.len() > most {
            shown.push(format!("{} more", callers.len() - most));
        }
        let last = shown.pop();
        match (shown.as_slice(), last) {
            (_, None) => {}
            ([], Some(last)) => title.push_str(&format!(", with its caller {last}")),
            (others, Some(last)) => {
                title.push_str(&format!(", with its callers {} and {last}", others.join(", ")));
            }
        }
        let files: BTreeSet<&PathBuf> =
            [&self.made, &self.awaited, &self.entries].into_iter().flatten().map(|place| &place.path).collect();
        if files.len() > 1 {
            title.push_str(&format!(", in {} files", files.len()));
        }
        title
    }

    /// What changes beside the colour.
    pub(in crate::rewrites) fn changes(&self) -> Vec<String> {
        let mut changes = vec!["other tasks run at each `await`".to_string()];
        if let Some(name) = self.uncalled.last() {
            changes.push(format!("nothing in this workspace calls `{name}`"));
        }
        let still: BTreeSet<String> =
            self.bodies(|_, body| [body.still_waits, body.waits_through].concat()).into_iter().flatten().collect();
        if !still.is_empty() {
            let verb = if still.len() == 1 { "waits" } else { "wait" };
            let still: Vec<String> = still.into_iter().map(|callee| format!("`{callee}`")).collect();
            changes.push(format!("{} still {verb} in the loop's thread", still.join(", ")));
        }
        changes
    }

    /// The edits of each file.
    ///
    /// # Errors
    /// The reason of a refusal.
    pub(in crate::rewrites) fn files(&self) -> Result<Vec<FileEdits>, String> {
        let mut paths: BTreeMap<&PathBuf, Vec<TextRange>> = BTreeMap::new();
        for place in [&self.made, &self.awaited, &self.entries].into_iter().flatten() {
            paths.entry(&place.path).or_default();
        }
        for place in &self.made {
            paths.entry(&place.path).or_default().push(place.range());
        }
        let mut files = vec![];
        for (path, made) in paths {
            let Ok(module) = self.snapshot.module(path) else {
                return Err(format!("{} cannot be read", path.display()));
            };
            let defs: Vec<&ast::StmtFunctionDef> =
                made.iter().filter_map(|range| def_named_at(&module, *range)).collect();
            let awaited = self.ranges(&self.awaited, path);
            let entries = self.ranges(&self.entries, path);
            let settled = self.ranges(&self.settled, path);
            let edits = super::body::file_edits(&module, &defs, [&awaited, &entries, &settled])?;
            files.push(FileEdits { path: path.clone(), edits });
        }
        Ok(files)
    }
}

/// Adds edits of the file at `path` to those that the plan has for it.
pub(in crate::rewrites) fn with_edits(mut files: Vec<FileEdits>, path: &Path, edits: Vec<Edit>) -> Vec<FileEdits> {
    if !files.iter().any(|file| file.path == path) {
        files.push(FileEdits { path: path.to_path_buf(), edits: vec![] });
    }
    let Some(own) = files.iter_mut().find(|file| file.path == path) else { return files };
    // Both may want the same import.
    own.edits.retain(|edit| !edits.contains(edit));
    for edit in edits {
        let is_known = edit.text.contains("import ") && own.edits.contains(&edit);
        if !is_known {
            own.edits.push(edit);
        }
    }
    files
}

/// The `def` whose name stands at `range`.
pub(in crate::rewrites) fn def_named_at<'m>(module: &'m Module, range: TextRange) -> Option<&'m ast::StmtFunctionDef> {
    around(module, range).into_iter().find_map(|node| match node {
        AnyNodeRef::StmtFunctionDef(def) if def.name.range() == range => Some(def),
        _ => None,
    })
}
