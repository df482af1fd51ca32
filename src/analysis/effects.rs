//! What a call leads to: the shortest way through functions of the project to a call that blocks.
//!
//! The search goes breadth first over the frames of [`super::calls`], so recursion is no matter. Each function's result is a
//! memo of its own; the frames it has looked at are what it depends on.

use std::collections::{HashSet, VecDeque};

use ruff_python_ast::{self as ast, Expr};
use ruff_text_size::TextRange;
use ty_python_core::definition::Definition;

use super::blocking::BlockingCall;
use super::calls::{Edge, Flag, Frame, Passed, Target, asks, frame, shown_name, with_function};
use super::database::Db;
use super::module::Module;
use crate::text::Place;

/// The longest way that is told.
const LENGTH: usize = 8;
/// The most functions that are looked at for one call.
const FUNCTIONS: usize = 2000;

/// A call of a coroutine function that reaches one that blocks.
pub struct BlockingPath<'s> {
    /// The called expression in the coroutine function.
    pub range: TextRange,
    /// The calls on the way; the last one blocks.
    pub steps: Vec<PathStep>,
    pub row: &'s BlockingCall,
    /// Whether the first call is one of a function by its name, instead of a loop over something, a `with` or an attribute.
    pub is_named: bool,
    /// Whether the way is taken only in some cases, of which the code does not say whether this is one.
    pub is_doubtful: bool,
}

/// A call on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathStep {
    /// The function that calls.
    pub caller: String,
    /// What it calls, as written.
    pub called: String,
    pub place: Place,
}

/// How many tests within tests are looked through for one that asks where it runs.
const ASKING: usize = 3;

/// The truth of some flags.
type Known = Vec<(String, Option<bool>)>;

/// Calls by the function that makes them and their number in its frame.
type Way<'db> = Vec<(Definition<'db>, usize)>;

impl<'s> Module<'s> {
    /// The calls in the body of `function` that reach a blocking call through functions of the project. Doubtful ones are looked
    /// for only if they are wanted.
    pub fn blocking_paths(&self, function: &ast::StmtFunctionDef, doubtful: bool) -> Vec<BlockingPath<'s>> {
        let db = self.snapshot();
        let Some(definition) = self.definition_of(function) else { return vec![] };
        let frame = frame(db, definition);
        let mut paths: Vec<BlockingPath> = vec![];
        for edge in &frame.calls {
            let Target::Function(target) = edge.target else { continue };
            let range = edge.range(function);
            if paths.iter().any(|path| path.range == range) {
                continue;
            }
            let known = known_to_target(edge, frame, &vec![]);
            let certain = self.blocking_path((range, edge.is_named), target, &known, false);
            paths.extend(certain.or_else(|| {
                if doubtful { self.blocking_path((range, edge.is_named), target, &known, true) } else { None }
            }));
        }
        paths
    }

    /// The calls by which the function that `start` names reaches `function` of this file, the shortest way; empty if it is that.
    pub fn way_to(&self, start: &Expr, function: &ast::StmtFunctionDef) -> Option<Vec<PathStep>> {
        let db = self.snapshot();
        let (start, goal) = (self.function_definition(start)?, self.definition_of(function)?);
        let mut seen = HashSet::from([start]);
        let mut queue: VecDeque<(Definition, Way)> = VecDeque::from([(start, vec![])]);
        while let Some((at, way)) = queue.pop_front() {
            if at == goal {
                return self.steps(&way);
            }
            for (number, edge) in frame(db, at).calls.iter().enumerate() {
                let Target::Function(target) = edge.target else { continue };
                if way.len() < LENGTH && seen.len() < FUNCTIONS && seen.insert(target) {
                    let mut longer = way.clone();
                    longer.push((at, number));
                    queue.push_back((target, longer));
                }
            }
        }
        None
    }

    pub(super) fn steps(&self, way: &[(Definition<'s>, usize)]) -> Option<Vec<PathStep>> {
        let db = self.snapshot();
        let step = |(caller, number): &(Definition<'s>, usize)| {
            let edge = frame(db, *caller).calls.get(*number)?;
            let home = Module::of_file(db, caller.program_file(db));
            let range = with_function(db, *caller, |def| edge.range(def))?;
            let (called, place) = (home.source(range).to_string(), home.place(range)?);
            Some(PathStep { caller: shown_name(db, *caller), called, place })
        };
        way.iter().map(step).collect()
    }

    fn blocking_path(
        &self,
        (range, is_named): (TextRange, bool),
        target: Definition<'s>,
        known: &Known,
        is_doubtful: bool,
    ) -> Option<BlockingPath<'s>> {
        let db = self.snapshot();
        let way = match (known.is_empty(), is_doubtful) {
            (true, false) => way(db, target).as_ref()?,
            (true, true) => doubtful_way(db, target).as_ref()?,
            (false, _) => &search(db, target, known.clone(), is_doubtful)?,
        };
        let steps = self.steps(way)?;
        let (last, number) = way.last()?;
        let Target::Blocking(row) = &frame(db, *last).calls.get(*number)?.target else { return None };
        Some(BlockingPath { range, steps, row: self.knowledge().blocking.row(row)?, is_named, is_doubtful })
    }
}

/// The shortest way from a call of `function` to one that blocks.
#[salsa::tracked(returns(ref))]
fn way<'db>(db: &'db dyn Db, function: Definition<'db>) -> Option<Way<'db>> {
    search(db, function, vec![], false)
}

/// The shortest way, whatever has to hold for it.
#[salsa::tracked(returns(ref))]
fn doubtful_way<'db>(db: &'db dyn Db, function: Definition<'db>) -> Option<Way<'db>> {
    search(db, function, vec![], true)
}

/// A function on the way that is still to be looked at.
struct Open<'db> {
    function: Definition<'db>,
    known: Known,
    way: Way<'db>,
    /// The tests of data that had to hold so far.
    doubts: u32,
}

fn search<'db>(db: &'db dyn Db, start: Definition<'db>, known: Known, is_doubtful: bool) -> Option<Way<'db>> {
    let mut seen = HashSet::from([(start, known.clone(), 0)]);
    let mut queue = VecDeque::from([Open { function: start, known, way: vec![], doubts: 0 }]);
    while let Some(open) = queue.pop_front() {
        salsa::Database::unwind_if_revision_cancelled(db);
        let frame = frame(db, open.function);
        if asks_where_it_runs(db, frame, ASKING) {
            continue;
        }
        for (number, edge) in frame.calls.iter().enumerate() {
            let doubts = open.doubts + edge.doubts.data;
            let holds = |(flag, truth): &(String, bool)| truth_of(flag, &frame.flags, &open.known) == Some(*truth);
            // A test or two near the coroutine is its own affair; far from it, nobody knows what was decided.
            let is_certain = edge.doubts.settings == 0 && (doubts == 0 || (doubts == 1 && open.way.len() <= 1));
            if !edge.needs.iter().all(holds) || !(is_certain || is_doubtful) {
                continue;
            }
            let mut longer = open.way.clone();
            longer.push((open.function, number));
            match &edge.target {
                Target::Blocking(row) => {
                    let is_tested = doubts > 0 && !is_doubtful;
                    let is_reported = |row: &BlockingCall| !(row.file || row.brief || (row.unless_ready && is_tested));
                    if db.knowledge().blocking.row(row).is_some_and(is_reported) {
                        return Some(longer);
                    }
                }
                Target::Function(target) => {
                    let known = known_to_target(edge, frame, &open.known);
                    let doubts = if is_doubtful { 0 } else { doubts };
                    let is_new = longer.len() < LENGTH && seen.len() < FUNCTIONS;
                    if is_new && seen.insert((*target, known.clone(), doubts)) {
                        queue.push_back(Open { function: *target, known, way: longer, doubts });
                    }
                }
            }
        }
    }
    None
}

/// Whether the frame asks where it runs: itself, or through a test, a wrapper or a check that it calls.
fn asks_where_it_runs(db: &dyn Db, of: &Frame, depth: usize) -> bool {
    let asks_in = |edge: &Edge| match edge.target {
        Target::Function(target) if edge.decides => asks_where_it_runs(db, frame(db, target), depth - 1),
        // Most calls are of no interest: what the syntax says of them is enough.
        Target::Function(target) => asks(db, target).for_loop,
        Target::Blocking(_) => false,
    };
    of.asks.for_loop || of.asks.for_thread || (depth > 0 && of.calls.iter().any(asks_in))
}

/// What the target of a call knows of its flags.
fn known_to_target(edge: &Edge, caller: &Frame, known: &Known) -> Known {
    let truth = |passed: &Passed| match passed {
        Passed::Truth(truth) => Some(*truth),
        Passed::Flag(flag) => truth_of(flag, &caller.flags, known),
        Passed::Unknown => None,
    };
    edge.passes.iter().map(|(flag, passed)| (flag.clone(), truth(passed))).collect()
}

/// The truth of a flag: what was passed, else its default.
fn truth_of(flag: &str, flags: &[Flag], known: &Known) -> Option<bool> {
    match known.iter().find(|(name, _)| name == flag) {
        Some((_, truth)) => *truth,
        None => flags.iter().find(|known| known.name == flag)?.default,
    }
}
