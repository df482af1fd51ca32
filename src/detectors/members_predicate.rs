//! `inspect.getmembers(x, predicate)`: what the predicate lets through or leaves out, of a module, a class, an instance.
//!
//! Silent where the code looks at `__module__` or compares the class.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::class_reading::is_own;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["attributes/members-predicate"], nodes: &[NodeKind::ExprCall], detect };

const PREDICATES: &[&str] = &[
    "inspect.isabstract",
    "inspect.isclass",
    "inspect.isfunction",
    "inspect.ismethod",
    "inspect.ismodule",
    "inspect.isroutine",
];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let [object, predicate] = &*call.arguments.args else { return None };
    let module = site.module;
    if !site.is_asked(predicate.range()) || !module.may_be(predicate, PREDICATES) {
        return None;
    }
    let asked = module.symbol(predicate).filter(|symbol| symbol.is_any(PREDICATES))?;
    site.callee_among(call, &["inspect.getmembers"])?;
    let finding = Finding::new("attributes/members-predicate", predicate.range())
        .fact("predicate", Fact::from(module.source(predicate)))
        .fact("object", Fact::from(module.source(object)));
    findings.push(match asked.last() {
        kind @ ("isabstract" | "isclass" | "isfunction") if is_module(module, object) => {
            let around = site.function().map_or(module.text(), |function| module.source(function));
            if ["__module__", "getmodule", "issubclass", "__all__"].iter().any(|word| around.contains(word)) {
                return None;
            }
            let what = match kind {
                "isfunction" => "functions",
                "isclass" => "classes",
                _ => "abstract classes",
            };
            finding.fact("imported", Fact::from(what))
        }
        "ismodule" if is_module(module, object) => finding.fact("submodules", Fact::from(module.source(object))),
        "isroutine" => {
            let class = module.class_reference(object).or_else(|| module.class_of(object)).filter(is_own)?;
            finding.fact("inherited", Fact::from(class.name()))
        }
        "ismethod" => {
            let class = module.class_reference(object).filter(is_own).filter(|class| !class.is_metaclass())?;
            finding.fact("plain", Fact::from(class.name()))
        }
        "isfunction" => {
            let class = module.class_of(object).filter(is_own)?;
            finding.fact("bound", Fact::from(class.name()))
        }
        _ => return None,
    });
    Some(())
}

/// A module by its name, or `sys.modules[__name__]`.
fn is_module(module: &Module, expr: &Expr) -> bool {
    match expr {
        Expr::Subscript(ast::ExprSubscript { value, .. }) => module.is_symbol(value, "sys.modules"),
        _ => module.symbol(expr).is_some_and(|symbol| symbol.name.is_empty()),
    }
}
