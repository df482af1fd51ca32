//! Who runs a function: the calls of the whole workspace that hand it to another thread or process, and what a function that
//! was handed over calls.
//!
//! Each file's hand-overs are a memo of their own, found by the names of the calls first; so is what each of the functions
//! handed over reaches. A keystroke makes those of its own file anew.

use std::collections::{HashMap, VecDeque};

use ruff_db::files::{File, system_path_to_file};
use ruff_db::parsed::parsed_module;
use ruff_python_ast::{self as ast, Expr, Stmt};
use ruff_text_size::{Ranged as _, TextRange, TextSize};
use ty_python_core::definition::Definition;
use ty_python_semantic::Db as _;

use super::calls::{Target, frame, shown_name};
use super::database::{Db, Workspace};
use super::effects::PathStep;
use super::environment::system_path;
use super::module::Module;
use super::syntax_index::{calls_by_name, class_statements};
use crate::text::Place;

/// What another than the caller's own thread is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, salsa::SalsaValue)]
pub enum Runner {
    Thread,
    Process,
}

/// A function that a call hands over.
pub struct Given<'m> {
    pub function: &'m Expr,
    pub runner: Runner,
    /// An event loop hands it over, and waits for it.
    pub by_loop: bool,
}

/// That a function of the project runs on another thread or in another process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunElsewhere {
    pub runner: Runner,
    /// What hands it over, as written: `pool.submit`; or the class whose `run` it is.
    pub callee: String,
    pub place: Place,
    /// The function that is handed over, as a reader knows it.
    pub entry: String,
    /// It is the method that a thread or process object runs by itself.
    pub by_class: bool,
    /// The calls from there; empty if the function itself is handed over.
    pub steps: Vec<PathStep>,
}

/// The names of calls that hand a function over, `Thread(…)` and the like by their keyword.
const CALLS: &[&str] = &[
    "Process",
    "Thread",
    "Timer",
    "apply",
    "apply_async",
    "imap",
    "imap_unordered",
    "map",
    "map_async",
    "run_in_executor",
    "starmap",
    "starmap_async",
    "submit",
    "target=",
    "to_thread",
];

/// One of these stands in every file that hands something over: what makes a runner, or what is called on one.
const WORDS: &[&str] = &["Process", "Thread", "Timer", "run_in_executor", "submit", "to_thread", "Pool", "_async"];

/// Methods of a pool of processes that are given a function.
const POOL_METHODS: &[&str] =
    &["apply", "apply_async", "imap", "imap_unordered", "map", "map_async", "starmap", "starmap_async"];

/// The most functions handed over that are looked at for one that they call.
const ENTRIES: usize = 50;
/// The most functions that are looked at for one handed over.
const FUNCTIONS: usize = 300;
/// The longest way that is told.
const LENGTH: usize = 8;

/// A function of the project that a file hands over.
#[derive(Clone, Debug, PartialEq, Eq, salsa::SalsaValue)]
pub(super) struct HandOver<'db> {
    function: Definition<'db>,
    runner: Runner,
    file: File,
    /// Where the called expression stands, or the name of the class.
    start: u32,
    end: u32,
    /// The function is a method that a thread or process object runs by itself.
    by_class: bool,
}

impl<'s> Module<'s> {
    /// The function that a call gives to another thread or process to run.
    pub fn given<'m>(&self, call: &'m ast::ExprCall) -> Option<Given<'m>> {
        let arguments = &call.arguments;
        let by_loop = true;
        if self.calls(call, &["asyncio.to_thread"]) {
            let function = arguments.find_argument_value("func", 0)?;
            return Some(Given { function, runner: Runner::Thread, by_loop });
        }
        if let Expr::Attribute(method) = &*call.func {
            let name = method.attr.as_str();
            if name == "run_in_executor" {
                let executor = arguments.find_argument_value("executor", 0)?;
                let runner = match executor.is_none_literal_expr() {
                    true => Runner::Thread,
                    false => self.executor(executor)?,
                };
                let function = arguments.find_argument_value("func", 1)?;
                return Some(Given { function, runner, by_loop });
            }
            if matches!(name, "submit" | "map") || POOL_METHODS.contains(&name) {
                let function = arguments.find_positional(0)?;
                let runner = match name {
                    "submit" => self.executor(&method.value),
                    "map" => self.executor(&method.value).or_else(|| self.pool(&method.value)),
                    _ => self.pool(&method.value),
                }?;
                return Some(Given { function, runner, by_loop: false });
            }
        }
        self.given_to_object(call)
    }

    /// What `Thread(target=…)`, `Timer(…, …)` or `Process(target=…)` will run.
    fn given_to_object<'m>(&self, call: &'m ast::ExprCall) -> Option<Given<'m>> {
        let arguments = &call.arguments;
        if arguments.find_keyword("target").is_none() && arguments.args.len() < 2 {
            return None;
        }
        if !self.is_named_like_a_class(&call.func) {
            return None;
        }
        let class = self.class_reference(&call.func)?;
        let by_loop = false;
        if class.inherits("threading.Timer") {
            let function = arguments.find_argument_value("function", 1)?;
            return Some(Given { function, runner: Runner::Thread, by_loop });
        }
        let runner = [("threading.Thread", Runner::Thread), ("multiprocessing.Process", Runner::Process)];
        let (base, runner) = runner.into_iter().find(|(base, _)| class.inherits(base))?;
        let takes_it = class.definer("__init__")?.is(base);
        let function = arguments.find_argument_value("target", 1)?;
        (takes_it && !function.is_none_literal_expr()).then_some(Given { function, runner, by_loop })
    }

    /// What an executor runs its functions on.
    fn executor(&self, expr: &Expr) -> Option<Runner> {
        let class = self.receiver_class(expr)?;
        let known = [
            ("concurrent.futures.ThreadPoolExecutor", Runner::Thread),
            ("concurrent.futures.ProcessPoolExecutor", Runner::Process),
        ];
        known.into_iter().find(|(name, _)| class.inherits(name)).map(|(_, runner)| runner)
    }

    /// What a pool of `multiprocessing` runs its functions on.
    fn pool(&self, expr: &Expr) -> Option<Runner> {
        let class = self.receiver_class(expr)?;
        let known = [("multiprocessing.pool.ThreadPool", Runner::Thread), ("multiprocessing.Pool", Runner::Process)];
        known.into_iter().find(|(name, _)| class.inherits(name)).map(|(_, runner)| runner)
    }

    /// Which thread or process, other than its caller's, runs `function` of this file: of those that any file of the
    /// workspace makes, or only of this file's own where the workspace has not been looked through.
    pub fn runs_elsewhere(&self, function: &ast::StmtFunctionDef) -> Option<RunElsewhere> {
        let db = self.snapshot();
        let definition = self.definition_of(function)?;
        let all = self.known_hand_overs();
        if let Some(found) = all.iter().find(|found| found.function == definition) {
            return self.told(found, vec![]);
        }
        let mut seen: Vec<Definition> = vec![];
        for found in all {
            if seen.contains(&found.function) {
                continue;
            }
            seen.push(found.function);
            if seen.len() > ENTRIES {
                return None;
            }
            if let Some(way) = way_from(db, found.function, definition) {
                return self.told(found, self.steps(&way)?);
            }
        }
        None
    }

    /// Whether a file hands over `function` itself: then to what, and where. Which files count is as in
    /// [`Module::runs_elsewhere`].
    pub fn handed_over(&self, function: &ast::StmtFunctionDef) -> Option<RunElsewhere> {
        let definition = self.definition_of(function)?;
        let found = self.known_hand_overs().iter().find(|found| found.function == definition && !found.by_class)?;
        self.told(found, vec![])
    }

    fn known_hand_overs(&self) -> &'s [HandOver<'s>] {
        let db = self.snapshot();
        hand_overs(db, Workspace::get(db)).unwrap_or_else(|| hand_overs_of(db, self.model().file()))
    }

    fn told(&self, found: &HandOver<'s>, steps: Vec<PathStep>) -> Option<RunElsewhere> {
        let db = self.snapshot();
        let home = Module::of_file(db, db.program_file(found.file));
        let range = TextRange::new(TextSize::new(found.start), TextSize::new(found.end));
        let (callee, place) = (home.source(range).to_string(), home.place(range)?);
        let (runner, by_class, entry) = (found.runner, found.by_class, shown_name(db, found.function));
        Some(RunElsewhere { runner, callee, place, entry, by_class, steps })
    }
}

/// The hand-overs of the whole workspace, in the order of its files; none where it has not been looked through.
#[salsa::tracked(returns(as_deref))]
pub(super) fn hand_overs<'db>(db: &'db dyn Db, workspace: Workspace) -> Option<Vec<HandOver<'db>>> {
    let mut found = vec![];
    for path in workspace.files(db).as_deref()? {
        salsa::Database::unwind_if_revision_cancelled(db);
        let Some(file) = system_path(path).ok().and_then(|path| system_path_to_file(db, &path).ok()) else { continue };
        found.extend(hand_overs_of(db, file).iter().cloned());
    }
    Some(found)
}

/// The hand-overs of one file.
#[salsa::tracked(returns(deref))]
pub(super) fn hand_overs_of<'db>(db: &'db dyn Db, file: File) -> Vec<HandOver<'db>> {
    file.revision(db); // A change of the file is noticed from here on.
    let Some(path) = file.path(db).as_system_path() else { return vec![] };
    if file.is_stub(db) || !db.mentions(path, WORDS) {
        return vec![];
    }
    let module = Module::of_file(db.snapshot(), db.program_file(file));
    let mut found = vec![];
    let mut push = |function: Definition<'db>, runner: Runner, range: TextRange, by_class: bool| {
        let (start, end) = (range.start().to_u32(), range.end().to_u32());
        found.push(HandOver { function, runner, file, start, end, by_class });
    };
    let parsed = parsed_module(db, module.model().program_file().python_file(db)).load(db);
    let mut numbers: Vec<u32> = vec![];
    let calls = calls_by_name(db, module.model().program_file());
    numbers.extend(CALLS.iter().flat_map(|name| calls.of(name)));
    numbers.sort_unstable();
    numbers.dedup();
    for call in numbers.into_iter().filter_map(|number| module.call_at(number.into())) {
        let Some(given) = module.given(call) else { continue };
        let Some(function) = module.function_definition(given.function) else { continue };
        push(function, given.runner, call.func.range(), false);
    }
    for statement in class_statements(&parsed.syntax().body) {
        let is_run = |statement: &&ast::StmtFunctionDef| statement.name.as_str() == "run";
        let run = statement.body.iter().filter_map(Stmt::as_function_def_stmt).find(is_run);
        let Some(run) = run.filter(|_| !statement.bases().is_empty()) else { continue };
        let Some(class) = module.class(statement) else { continue };
        let runner = match () {
            () if class.inherits("threading.Thread") => Runner::Thread,
            () if class.inherits("multiprocessing.Process") => Runner::Process,
            () => continue,
        };
        if let Some(definition) = module.definition_of(run) {
            push(definition, runner, statement.name.range(), true);
        }
    }
    found
}

/// What a function calls, directly or through others.
#[derive(Debug, Default, PartialEq, Eq, salsa::SalsaValue)]
pub(super) struct Reached<'db> {
    /// The functions, the nearest first.
    pub(super) order: Vec<Definition<'db>>,
    /// For each the call that leads to it, by its number in the frame of the function that makes it.
    led: HashMap<Definition<'db>, (Definition<'db>, usize)>,
}

/// What a function calls, directly or through others.
#[salsa::tracked(returns(ref))]
pub(super) fn reached<'db>(db: &'db dyn Db, from: Definition<'db>) -> Reached<'db> {
    let mut reached = Reached::default();
    let mut queue = VecDeque::from([(from, 0)]);
    while let Some((at, length)) = queue.pop_front() {
        salsa::Database::unwind_if_revision_cancelled(db);
        for (number, edge) in frame(db, at).calls.iter().enumerate() {
            let Target::Function(target) = edge.target else { continue };
            let is_new = target != from && !reached.led.contains_key(&target);
            if is_new && length < LENGTH && reached.order.len() < FUNCTIONS {
                reached.led.insert(target, (at, number));
                reached.order.push(target);
                queue.push_back((target, length + 1));
            }
        }
    }
    reached
}

/// The calls by which `from` reaches `to`.
pub(super) fn way_from<'db>(
    db: &'db dyn Db,
    from: Definition<'db>,
    to: Definition<'db>,
) -> Option<Vec<(Definition<'db>, usize)>> {
    let led = &reached(db, from).led;
    let mut way = vec![];
    let mut at = to;
    while at != from {
        let (caller, number) = led.get(&at)?;
        way.push((*caller, *number));
        at = *caller;
    }
    way.reverse();
    Some(way)
}

/// Makes ready what is asked about the functions that are handed over; says whether there are any.
pub(super) fn prepare(db: &dyn Db) -> bool {
    let Some(all) = hand_overs(db, Workspace::get(db)) else { return false };
    for found in all.iter().take(ENTRIES) {
        reached(db, found.function);
    }
    !all.is_empty()
}
