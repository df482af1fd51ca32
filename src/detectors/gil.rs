//! A function of pure Python computing that is given to threads: they take turns instead of running at the same time.
//!
//! Says so only when every call the function makes, directly or through other functions of the project, is known to compute.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::nodes::{is_generator, own_nodes, with_def};
use super::threads::handed_over;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Function, Module, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector = Detector { concepts: &["threads/gil"], nodes: &[NodeKind::ExprCall], detect };

/// Built-in functions that compute and hold the interpreter lock meanwhile.
const COMPUTE: &[&str] = &[
    "abs",
    "all",
    "any",
    "bool",
    "chr",
    "dict",
    "divmod",
    "enumerate",
    "float",
    "frozenset",
    "hash",
    "int",
    "isinstance",
    "len",
    "list",
    "max",
    "min",
    "ord",
    "pow",
    "range",
    "reversed",
    "round",
    "set",
    "sorted",
    "str",
    "sum",
    "tuple",
    "zip",
];
/// How many calls deep the judgement goes.
const DEPTH: usize = 4;

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    let target = handed_over(module, call)?;
    let function = module.function(target)?;
    let loop_at = computing_loop(module, &function, DEPTH)??;
    findings.push(
        Finding::new("threads/gil", target.range())
            .fact("work", Fact::from(module.source(target)))
            .fact("loop_at", Fact::from(loop_at)),
    );
    Some(())
}

/// `None` when the function may do anything but compute; otherwise the loop it computes in, if it or a function it calls
/// has one.
fn computing_loop(module: &Module, function: &Function, depth: usize) -> Option<Option<Place>> {
    let depth = depth.checked_sub(1)?;
    if function.is_async || function.is_generator || function.is_decorated {
        return None;
    }
    with_def(module, function, |home, def| {
        if is_generator(def) {
            return None;
        }
        let mut found = None;
        for node in own_nodes(&def.body) {
            match node {
                AnyNodeRef::StmtWhile(_) | AnyNodeRef::StmtFor(_) if found.is_none() && computes(node) => {
                    found = home.place(node.range());
                }
                AnyNodeRef::ExprCall(call) => match computing_call(home, call, depth)? {
                    Some(place) if found.is_none() => found = Some(place),
                    _ => {}
                },
                AnyNodeRef::StmtWith(_)
                | AnyNodeRef::StmtImport(_)
                | AnyNodeRef::StmtImportFrom(_)
                | AnyNodeRef::StmtClassDef(_)
                | AnyNodeRef::StmtFunctionDef(_)
                | AnyNodeRef::ExprLambda(_) => return None,
                _ => {}
            }
        }
        Some(found)
    })
}

fn computing_call(module: &Module, call: &ast::ExprCall, depth: usize) -> Option<Option<Place>> {
    if let Some(function) = module.called_function(call)
        && function.symbol.origin == crate::analysis::Origin::Project
    {
        return computing_loop(module, &function, depth);
    }
    if let Expr::Attribute(attribute) = &*call.func
        && module.class_of(&attribute.value).is_some_and(|class| {
            [
                "builtins.bytes",
                "builtins.dict",
                "builtins.float",
                "builtins.int",
                "builtins.list",
                "builtins.set",
                "builtins.str",
            ]
            .iter()
            .any(|name| class.is(name))
        })
    {
        return Some(None);
    }
    let symbol = module.callee(call)?;
    let is_builtin = symbol.module == "builtins" && COMPUTE.contains(&symbol.name.as_str());
    let is_known = symbol.is(&symbol.to_string()) && (is_builtin || symbol.module == "math");
    is_known.then_some(None)
}

/// Whether a loop does arithmetic or compares.
fn computes(node: AnyNodeRef) -> bool {
    let body = match node {
        AnyNodeRef::StmtWhile(node) => &node.body,
        AnyNodeRef::StmtFor(node) => &node.body,
        _ => return false,
    };
    let mut nodes = own_nodes(body).into_iter();
    nodes.any(|node| matches!(node, AnyNodeRef::ExprBinOp(_) | AnyNodeRef::StmtAugAssign(_)))
}
