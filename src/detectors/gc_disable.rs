//! `gc.disable()`: whether the function that calls it switches collection on again on every way out. `gc.collect()`: which
//! cycles of the file there are to free.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Number};

use super::from_pages::with_facts;
use super::nodes::{around, body_around, calls, holds, is_test_file, own_nodes};
use super::reference_cycle::cycles;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["memory/gc-collect", "memory/gc-disable"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    let symbol = site.callee_among(call, &["gc.collect", "gc.disable"])?;
    if symbol.is("gc.collect") {
        let finding = with_facts(site, Finding::new("memory/gc-collect", call.func.range()));
        findings.push(finding.fact("cycles_at", Fact::from(cycles(module))));
        return Some(());
    }
    let function = site.function().map(|function| Fact::from(function.name.as_str()));
    let enabled = enabled_again(module, call);
    let finding = Finding::new("memory/gc-disable", call.func.range()).fact("function", function.clone());
    let finding = finding.fact("cycles_at", Fact::from(cycles(module)));
    let place = |call: &ast::ExprCall| module.place(call.range()).map(Fact::from);
    findings.push(match enabled.iter().find(|enable| is_in_finally(module, enable)) {
        Some(enable) => finding.fact("restored_at", place(enable)),
        None => match enabled.first() {
            Some(enable) => finding.fact("enabled_at", place(enable)),
            None => finding.fact("never", function),
        },
    });
    Some(())
}

/// The calls of `gc.enable` behind `gc.disable()` that run together with it.
fn enabled_again<'m>(module: &'m Module, call: &ast::ExprCall) -> Vec<&'m ast::ExprCall> {
    let nodes = own_nodes(body_around(module, call.range()));
    let later = calls(&nodes).into_iter().filter(|later| later.start() > call.end());
    later.filter(|later| module.callee(later).is_some_and(|symbol| symbol.is("gc.enable"))).collect()
}

/// What the project does to the collector for good, outside of its tests.
#[derive(Default)]
pub(super) struct Collector {
    /// Where automatic collection is switched off and not on again.
    pub off_at: Option<Place>,
    /// Where objects are hidden from it.
    pub frozen_at: Option<Place>,
}

/// The most files that are looked through.
const FILES: usize = 50;

impl Collector {
    pub(super) fn of(module: &Module) -> Self {
        let mut found = Self::default();
        if !is_test_file(module) {
            found.look_through(module);
        }
        let files = module.path().map(|path| module.snapshot().run_with("gc", path)).unwrap_or_default();
        for path in files.into_iter().take(FILES) {
            if let Ok(other) = module.snapshot().module(&path)
                && !is_test_file(&other)
            {
                found.look_through(&other);
            }
        }
        found
    }

    fn look_through(&mut self, module: &Module) {
        let is_zero = |call: &ast::ExprCall| match call.arguments.args.first() {
            Some(Expr::NumberLiteral(number)) => matches!(&number.value, Number::Int(int) if int.as_u8() == Some(0)),
            _ => false,
        };
        let place = |call: &ast::ExprCall| module.place(call.range());
        let disables = module.calls_of("disable").into_iter();
        let disable = disables
            .filter(|call| module.calls(call, &["gc.disable"]))
            .find(|call| enabled_again(module, call).is_empty());
        let mut thresholds =
            module.calls_of("set_threshold").into_iter().filter(|call| module.calls(call, &["gc.set_threshold"]));
        let off = disable.or_else(|| thresholds.find(|call| is_zero(call)));
        let frozen = module.calls_of("freeze").into_iter().find(|call| module.calls(call, &["gc.freeze"]));
        self.off_at = self.off_at.take().or_else(|| off.and_then(place));
        self.frozen_at = self.frozen_at.take().or_else(|| frozen.and_then(place));
    }
}

fn is_in_finally(module: &Module, call: &ast::ExprCall) -> bool {
    around(module, call.range()).iter().any(|node| match node {
        AnyNodeRef::StmtTry(statement) => holds(&statement.finalbody, call.range()),
        _ => false,
    })
}
