//! The event loops that a file starts, in the order in which one process starts them.

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, walk_expr};
use ruff_python_ast::{self as ast, Expr, Stmt};

use super::methods;
use crate::analysis::Module;
use crate::detectors::nodes::{around, calls, is_test_file, own_nodes};
use crate::text::{Ranged as _, TextRange};

/// How many functions that call each other are followed.
const DEPTH: usize = 4;

/// The most functions that are looked through for a wait.
const FUNCTIONS: usize = 200;

/// The branches that lead to a place: the statement, and which of its branches.
type Path = Vec<(TextRange, usize)>;

/// The number of what follows a branch that leaves its block.
const REST: usize = usize::MAX;

/// One call of `asyncio.run`, or a test with a loop of its own.
pub(super) struct Run {
    pub(super) range: TextRange,
    /// The functions that its argument names: where they stand.
    functions: Vec<TextRange>,
    /// The call that makes the object whose method is run.
    pub(super) instance: Option<TextRange>,
    /// It is in a loop that does not leave early.
    pub(super) is_repeated: bool,
    path: Path,
}

impl Run {
    /// Whether nothing keeps the other from coming after this one.
    pub(super) fn may_precede(&self, other: &Run) -> bool {
        let excludes = |(at, branch): &(TextRange, usize)| {
            other.path.iter().any(|(elsewhere, taken)| elsewhere == at && taken != branch)
        };
        !self.path.iter().any(excludes)
    }

    /// Whether it runs, through functions of this file, one of the places.
    pub(super) fn reaches(&self, module: &Module, places: &[TextRange]) -> bool {
        let mut open = self.functions.clone();
        let mut seen: Vec<TextRange> = vec![];
        while let Some(function) = open.pop() {
            if seen.contains(&function) || seen.len() >= FUNCTIONS {
                continue;
            }
            seen.push(function);
            let Some(def) = def_at(module, function) else { continue };
            if places.iter().any(|place| def.range().contains_range(*place)) {
                return true;
            }
            let mut named = Named { module, found: vec![] };
            named.visit_body(&def.body);
            open.extend(named.found);
        }
        false
    }
}

/// The runs of each place where a process may begin: the module, its functions, its tests together.
pub(super) fn runs(module: &Module) -> Vec<Vec<Run>> {
    let body = &module.syntax().body;
    let mut starts = vec![];
    let mut tests = Walk { module, found: vec![] };
    let mut walk = Walk { module, found: vec![] };
    walk.block(body, &vec![], false, DEPTH);
    starts.push(walk.found);
    for statement in body {
        match statement {
            Stmt::FunctionDef(def) if !def.is_async => {
                let is_test = is_test_file(module) && def.name.starts_with("test");
                if is_test {
                    tests.block(&def.body, &vec![], false, DEPTH);
                } else {
                    let mut walk = Walk { module, found: vec![] };
                    walk.block(&def.body, &vec![], false, DEPTH);
                    starts.push(walk.found);
                }
            }
            Stmt::ClassDef(class) => {
                let inherits = |name: &str| module.class(class).is_some_and(|class| class.inherits(name));
                for def in methods(class).filter(|def| def.name.starts_with("test")) {
                    let has_loop = || {
                        inherits("unittest.IsolatedAsyncioTestCase")
                            || inherits("unittest.async_case.IsolatedAsyncioTestCase")
                    };
                    if def.is_async && has_loop() {
                        let functions = vec![def.name.range()];
                        let range = def.name.range();
                        tests.found.push(Run { range, functions, instance: None, is_repeated: false, path: vec![] });
                    } else if !def.is_async && (inherits("unittest.TestCase") || inherits("unittest.case.TestCase")) {
                        tests.block(&def.body, &vec![], false, DEPTH);
                    }
                }
            }
            _ => {}
        }
    }
    starts.push(tests.found);
    starts
}

struct Walk<'m, 's> {
    module: &'m Module<'s>,
    found: Vec<Run>,
}

impl Walk<'_, '_> {
    /// Follows the statements; whether they never come to their end.
    fn block(&mut self, statements: &[Stmt], path: &Path, is_repeated: bool, depth: usize) -> bool {
        let mut path = path.clone();
        for statement in statements {
            let range = statement.range();
            let inside = |branch: usize| {
                let mut inner = path.clone();
                inner.push((range, branch));
                inner
            };
            let mut leaves = false;
            match statement {
                Stmt::If(node) => {
                    leaves |= self.block(&node.body, &inside(0), is_repeated, depth);
                    for (branch, clause) in node.elif_else_clauses.iter().enumerate() {
                        leaves |= self.block(&clause.body, &inside(branch + 1), is_repeated, depth);
                    }
                }
                Stmt::Match(node) => {
                    for (branch, case) in node.cases.iter().enumerate() {
                        leaves |= self.block(&case.body, &inside(branch), is_repeated, depth);
                    }
                }
                Stmt::Try(node) => {
                    leaves |= self.block(&node.body, &inside(0), is_repeated, depth);
                    for (branch, handler) in node.handlers.iter().enumerate() {
                        let Some(handler) = handler.as_except_handler() else { continue };
                        leaves |= self.block(&handler.body, &inside(branch + 1), is_repeated, depth);
                    }
                    self.block(&node.orelse, &inside(0), is_repeated, depth);
                    self.block(&node.finalbody, &path, is_repeated, depth);
                }
                Stmt::With(node) => leaves |= self.block(&node.body, &path, is_repeated, depth),
                Stmt::For(node) => {
                    self.block(&node.body, &inside(0), is_repeated || goes_round(&node.body), depth);
                }
                Stmt::While(node) => {
                    self.block(&node.body, &inside(0), is_repeated || goes_round(&node.body), depth);
                }
                Stmt::FunctionDef(_) | Stmt::ClassDef(_) => {}
                Stmt::Return(_) | Stmt::Raise(_) => {
                    self.calls(statement, &path, is_repeated, depth);
                    return true;
                }
                Stmt::Break(_) | Stmt::Continue(_) => return true,
                _ if self.calls(statement, &path, is_repeated, depth) => return true,
                _ => {}
            }
            if leaves {
                path.push((range, REST));
            }
        }
        false
    }

    /// Follows the calls of a plain statement; whether one of them ends the process.
    fn calls(&mut self, statement: &Stmt, path: &Path, is_repeated: bool, depth: usize) -> bool {
        let module = self.module;
        let mut ends = false;
        for call in calls(&own_nodes(std::slice::from_ref(statement))) {
            if module.calls(call, &["asyncio.run"]) {
                self.found.extend(run(module, call, path, is_repeated));
            } else if module.calls(call, &["sys.exit", "os._exit", "builtins.exit", "builtins.quit"]) {
                ends = true;
            } else if let Some(depth) = depth.checked_sub(1)
                && let Some(function) = module.called_function(call)
                && let Some(place) = function.place.filter(|place| Some(place.path.as_path()) == module.path())
                && let Some(def) = def_at(module, place.range()).filter(|def| !def.is_async)
            {
                self.block(&def.body, path, is_repeated, depth);
            }
        }
        ends
    }
}

/// Whether the body of a loop never leaves it, so that it runs more than once.
fn goes_round(body: &[Stmt]) -> bool {
    !own_nodes(body).into_iter().any(|node| {
        matches!(node, ast::AnyNodeRef::StmtBreak(_) | ast::AnyNodeRef::StmtReturn(_) | ast::AnyNodeRef::StmtRaise(_))
    })
}

fn run(module: &Module, call: &ast::ExprCall, path: &Path, is_repeated: bool) -> Option<Run> {
    let argument = call.arguments.find_argument_value("main", 0)?;
    let mut named = Named { module, found: vec![] };
    named.visit_expr(argument);
    let receiver = argument.as_call_expr().and_then(crate::detectors::nodes::method).map(|(receiver, _)| receiver);
    let instance = receiver.and_then(|receiver| match module.origins(receiver).as_slice() {
        [only @ Expr::Call(_)] if only.range() != receiver.range() => Some(only.range()),
        _ => None,
    });
    Some(Run { range: call.range(), functions: named.found, instance, is_repeated, path: path.clone() })
}

/// The functions of this file that are named.
struct Named<'m, 's> {
    module: &'m Module<'s>,
    found: Vec<TextRange>,
}

impl<'a> SourceOrderVisitor<'a> for Named<'_, '_> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        if matches!(expr, Expr::Name(_) | Expr::Attribute(_)) {
            let place = self.module.function(expr).and_then(|function| function.place);
            let own = place.filter(|place| Some(place.path.as_path()) == self.module.path());
            self.found.extend(own.map(|place| place.range()));
        }
        walk_expr(self, expr);
    }
}

/// The `def` whose name stands at `range`.
fn def_at<'m>(module: &'m Module, range: TextRange) -> Option<&'m ast::StmtFunctionDef> {
    around(module, range).into_iter().find_map(|node| match node {
        ast::AnyNodeRef::StmtFunctionDef(def) if def.name.range() == range => Some(def),
        _ => None,
    })
}
