//! `gc.set_threshold` and `gc.get_threshold`: what the numbers given mean, and which numbers come back.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Number};

use super::nodes::{calls, own_nodes};
use super::reference_count::{Path, PathStep};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Origin, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["memory/gc-thresholds"], nodes: &[NodeKind::ExprCall], detect };

const GET: &str = "gc.get_threshold";
const SET: &str = "gc.set_threshold";
/// The most files in which the thresholds may be set.
const FILES: usize = 20;

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let symbol = site.callee_among(call, &[GET, SET])?;
    let finding = Finding::new("memory/gc-thresholds", call.func.range());
    let finding = if symbol.is(SET) { set(call, finding) } else { read(site, finding) };
    let is_on = ["off", "result"].iter().all(|name| finding.facts.get(name).is_none());
    findings.push(
        finding
            .fact("waits", is_on.then(|| Fact::from("waits")))
            .fact("counted", is_on.then(|| Fact::from("lists, dicts, instances"))),
    );
    Some(())
}

/// What the numbers given mean.
fn set(call: &ast::ExprCall, finding: Finding) -> Finding {
    let Some(given) = numbers(call) else { return unsaid(finding) };
    let number = |index: usize| given.get(index).copied().flatten().map(|number| Fact::from(number.to_string()));
    if given.first() == Some(&Some(0)) {
        return finding.fact("off", number(0));
    }
    let all: Option<Vec<u64>> = given.iter().copied().collect();
    finding
        .fact("first", number(0))
        .fact("second", number(1))
        .fact("third", number(2))
        .fact("kept", (given.len() == 1).then(|| Fact::from("second and third")))
        .fact("kept_third", (given.len() == 2).then(|| Fact::from("third")))
        .fact("gives", all.filter(|all| all.len() == 3).map(|all| Fact::from(shown(&all))))
}

/// Which numbers come back.
fn read(site: &Site, finding: Finding) -> Finding {
    if let Some((numbers, place)) = set_before(site) {
        let number = |index: usize| numbers.get(index).map(|number| Fact::from(number.to_string()));
        let finding = finding.fact("result", Fact::from(shown(&numbers))).fact("made_at", place.map(Fact::from));
        return finding.fact("second", number(1)).fact("third", number(2));
    }
    unsaid(finding).fact("set_at", Fact::from(sets(site.module).unwrap_or_default()))
}

/// The numbers as a page without the code explains them.
fn unsaid(finding: Finding) -> Finding {
    finding.fact("unsaid", Fact::from("says"))
}

fn shown(numbers: &[u64]) -> String {
    let numbers: Vec<_> = numbers.iter().map(u64::to_string).collect();
    format!("({})", numbers.join(", "))
}

/// The numbers of a call, as far as they are written out.
fn numbers(call: &ast::ExprCall) -> Option<Vec<Option<u64>>> {
    let args = &call.arguments.args;
    if !call.arguments.keywords.is_empty() || args.is_empty() || args.iter().any(Expr::is_starred_expr) {
        return None;
    }
    let number = |argument: &Expr| match &argument.as_number_literal_expr()?.value {
        Number::Int(int) => int.as_u64(),
        _ => None,
    };
    Some(args.iter().map(number).collect())
}

/// Where the workspace sets the thresholds; `None` where that is not known.
fn sets(module: &Module) -> Option<Vec<Place>> {
    let mut found = vec![];
    let mut look = |module: &Module| {
        let calls = module.calls_of("set_threshold").into_iter().filter(|call| module.calls(call, &[SET]));
        found.extend(calls.filter_map(|call| module.place(call.range())));
    };
    look(module);
    for path in module.snapshot().run_with("set_threshold", module.path()?).into_iter().take(FILES) {
        look(&module.snapshot().module(&path).ok()?);
    }
    Some(found)
}

/// The numbers that are set last on the way to the site, where nothing in between may set others.
fn set_before(site: &Site) -> Option<(Vec<u64>, Option<Place>)> {
    let path = Path::to(site)?;
    let mut numbers_set: Option<(Vec<u64>, Option<Place>)> = None;
    for step in &path.steps {
        let statements: &[ast::Stmt] = match step {
            PathStep::Ran(statement) => std::slice::from_ref(*statement),
            PathStep::Perhaps(block) => block,
            PathStep::Head(_) => continue,
        };
        let nodes = own_nodes(statements);
        for call in calls(&nodes) {
            if !site.module.calls(call, &[SET]) {
                // A function of the project may set them too.
                let is_ours =
                    site.module.called_function(call).is_some_and(|found| found.symbol.origin == Origin::Project);
                if is_ours {
                    numbers_set = None;
                }
                continue;
            }
            let known = numbers(call).and_then(|numbers| merged(&numbers, numbers_set.as_ref().map(|set| &set.0)));
            let is_sure = matches!(step, PathStep::Ran(ast::Stmt::Expr(_)));
            numbers_set = known.filter(|_| is_sure).map(|known| (known, site.module.place(call.range())));
        }
    }
    numbers_set
}

/// All three numbers: those not given stay as they were.
fn merged(given: &[Option<u64>], before: Option<&Vec<u64>>) -> Option<Vec<u64>> {
    let given: Option<Vec<u64>> = given.iter().copied().collect();
    let mut all = given?;
    all.extend(before.into_iter().flat_map(|before| before.iter().skip(all.len())).copied().collect::<Vec<_>>());
    (all.len() == 3).then_some(all)
}
