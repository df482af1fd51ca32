//! `def __call__`: what an object that is called is not, though a function would be.

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind, Stmt};

use super::method_body::{attribute_of, find_own, method as method_named, parameter};
use super::method_shape::SpecialMethod;
use super::nodes::is_generator;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["datamodel/special-construction"], nodes: &[NodeKind::StmtFunctionDef], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let method = SpecialMethod::at(site, &["__call__"])?;
    if method.class.is_metaclass() {
        return None;
    }
    let name = || Fact::from(method.statement.name.as_str());
    let is_coroutine = method.def.is_async && !is_generator(method.def);
    let wrapped = wrapped(&method).filter(|_| method.lacks("__get__"));
    if !is_coroutine && wrapped.is_none() {
        return None;
    }
    findings.push(
        Finding::new("datamodel/special-construction", method.def.name.range())
            .fact("class", name())
            .fact("coroutine", is_coroutine.then(name))
            .fact("asked_at", is_coroutine.then(|| asked_at(site)).flatten().map(Fact::from))
            .fact("wrapped", wrapped.map(|wrapped| Fact::from(format!("self.{wrapped}")))),
    );
    Some(())
}

/// Where this file asks of something whether it is a coroutine function.
fn asked_at(site: &Site) -> Option<Place> {
    let calls = site.module.calls_of("iscoroutinefunction");
    site.module.place(calls.first()?.range())
}

/// The attribute that holds the only argument of `__init__`, where calling the object calls that: the object stands in for a
/// function.
fn wrapped<'a>(method: &SpecialMethod<'a, '_>) -> Option<&'a str> {
    let init = method_named(&method.statement.body, "__init__")?;
    let parameters = &init.parameters;
    let own = parameter(init, 0)?;
    let given = parameter(init, 1)?;
    if parameters.posonlyargs.len() + parameters.args.len() != 2 || !parameters.kwonlyargs.is_empty() {
        return None;
    }
    let kept = init.body.iter().find_map(|statement| match statement {
        Stmt::Assign(ast::StmtAssign { targets, value, .. }) => match targets.as_slice() {
            [target] if super::method_body::is_name(value, given) => attribute_of(target, own),
            _ => None,
        },
        _ => None,
    })?;
    let caller = method.own()?;
    find_own(&method.def.body, |node| match node {
        AnyNodeRef::ExprCall(call) => (attribute_of(&call.func, caller) == Some(kept)).then_some(kept),
        _ => None,
    })
}
