//! A large list made of float objects.
//!
//! Silent unless the item is certainly a float and the number of items is written as a literal.

use ruff_python_ast::{AnyNodeRef, Expr, NodeKind};

use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["memory/list-of-floats"], nodes: &[NodeKind::ExprListComp], detect };

/// Functions whose result is always a `float`.
const FLOATS: &[&str] =
    &["random.gauss", "random.random", "random.uniform", "time.monotonic", "time.perf_counter", "time.time"];

/// The fewest items worth a word.
const ITEMS: u64 = 10_000;

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprListComp(list) = site.node else { return None };
    let [generator] = list.generators.as_slice() else { return None };
    let range = generator.iter.as_call_expr().filter(|_| generator.ifs.is_empty())?;
    let [Expr::NumberLiteral(count)] = &*range.arguments.args else { return None };
    let count = count.value.as_int()?.as_u64().filter(|count| *count >= ITEMS)?;
    let module = site.module;
    if !module.calls(range, &["builtins.range"]) || !is_float(module, &list.elt) {
        return None;
    }
    findings.push(
        Finding::new("memory/list-of-floats", list.range())
            .fact("item", Fact::from(module.source(&*list.elt)))
            .fact("count", Fact::from(grouped(count)))
            .fact("megabytes", Fact::from(grouped((count * 32).div_ceil(1_000_000))))
            .fact("packed", Fact::from(grouped((count * 8).div_ceil(1_000_000)))),
    );
    Some(())
}

fn is_float(module: &Module, item: &Expr) -> bool {
    // A literal would be one object, however often it is in the list.
    item.as_call_expr().is_some_and(|call| module.calls(call, FLOATS))
}

/// `1000000` as `1,000,000`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
