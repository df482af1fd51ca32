//! `@decorator` where the decorator is a function of the project: when it runs, and what it puts in place of the function.

use ruff_python_ast::{self as ast, AnyNodeRef, Decorator, Expr, NodeKind, Stmt};

use super::decorator_registry::kept_by;
use super::method_body::{is_name, own_nodes, parameter};
use super::nodes::with_def;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Function, Module, Origin, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["metaclasses/class-decorator", "metaclasses/decorator"],
    nodes: &[NodeKind::StmtClassDef, NodeKind::StmtFunctionDef],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    match site.node {
        AnyNodeRef::StmtFunctionDef(def) => {
            for (index, decorator) in def.decorator_list.iter().enumerate() {
                let finding = Finding::new("metaclasses/decorator", decorator.expression.range());
                findings.extend(of_function(site.module, decorator, def, finding).map(|finding| {
                    finding
                        .fact("function", Fact::from(def.name.as_str()))
                        .fact("turn", turn(index, def.decorator_list.len()))
                }));
            }
        }
        AnyNodeRef::StmtClassDef(class) => {
            for decorator in &class.decorator_list {
                let finding = Finding::new("metaclasses/class-decorator", decorator.expression.range());
                findings.extend(
                    of_class(site.module, decorator, finding)
                        .map(|finding| finding.fact("class", Fact::from(class.name.as_str()))),
                );
            }
        }
        _ => {}
    }
    Some(())
}

/// Where a decorator keeps what it gives back; `callee` is the decorator as it is written.
fn with_registry(module: &Module, function: &Function, callee: &Expr, is_factory: bool, finding: Finding) -> Finding {
    let kept = with_def(module, function, |home, def| kept_by(home, def, is_factory));
    let (registry, kept_at) = kept.unzip();
    // `self.handlers` of the method is `bus.handlers` here.
    let registry = registry.map(|registry: String| match (callee, registry.strip_prefix("self.")) {
        (Expr::Attribute(method), Some(rest)) => format!("{}.{rest}", module.source(&*method.value)),
        _ => registry,
    });
    finding.fact("registry", registry.map(Fact::from)).fact("kept_at", kept_at.flatten().map(Fact::from))
}

/// Decorators run from the bottom up.
fn turn(index: usize, count: usize) -> Option<Fact> {
    (count > 1).then(|| Fact::from(format!("{} of {count}", count - index)))
}

/// What a decorator gives back.
enum Result {
    /// The function it was given.
    Same,
    /// A function defined in it that stands in for the one it was given.
    Wrapper {
        name: String,
        is_wrapped: bool,
        /// It is no coroutine function and returns what the function returns.
        hands_on: bool,
    },
    Other,
}

fn of_function(
    module: &Module,
    decorator: &Decorator,
    decorated: &ast::StmtFunctionDef,
    finding: Finding,
) -> Option<Finding> {
    let is_factory = decorator.expression.is_call_expr();
    let function = module.function(ast::helpers::map_callable(&decorator.expression))?;
    if function.symbol.origin != Origin::Project || function.is_async || function.is_generator {
        return None;
    }
    let result = with_def(module, &function, |_, def| {
        let maker = if is_factory { inner(def)? } else { def };
        Some(result(maker))
    });
    let callee = ast::helpers::map_callable(&decorator.expression);
    let finding = with_registry(module, &function, callee, is_factory, finding)
        .fact("decorator", Fact::from(function.name.as_str()))
        .fact("decorator_at", function.place.clone().map(Fact::from))
        .fact("factory", is_factory.then(|| Fact::from(module.source(&decorator.expression))));
    Some(match result {
        Some(Result::Same) if is_factory => {
            finding.fact("given_back", Fact::from(module.source(&decorator.expression)))
        }
        Some(Result::Same) => finding.fact("same", Fact::from(function.name.as_str())),
        // That the name is bound to a wrapper is what most decorators mean.
        Some(Result::Wrapper { is_wrapped: true, hands_on, .. }) if !hands_on || !decorated.is_async => return None,
        Some(Result::Wrapper { name, is_wrapped, hands_on }) => finding
            .fact("sync", (hands_on && decorated.is_async).then(|| Fact::from(name.as_str())))
            .fact("unwrapped", (!is_wrapped).then(|| Fact::from(name.as_str())))
            .fact("wrapper", Fact::from(name)),
        // That the name is bound to the result is what every decorator means.
        _ => return None,
    })
}

/// The decorator inside of a decorator factory: the nested function that it returns.
fn inner(def: &ast::StmtFunctionDef) -> Option<&ast::StmtFunctionDef> {
    let returned = returned(def);
    let [Expr::Name(name)] = returned.as_slice() else { return None };
    nested(def, name.id.as_str())
}

fn nested<'a>(def: &'a ast::StmtFunctionDef, name: &str) -> Option<&'a ast::StmtFunctionDef> {
    def.body.iter().filter_map(Stmt::as_function_def_stmt).find(|inner| inner.name.as_str() == name)
}

fn returned(def: &ast::StmtFunctionDef) -> Vec<&Expr> {
    let mut values = vec![];
    own_nodes(&def.body, |node| {
        if let AnyNodeRef::StmtReturn(ast::StmtReturn { value: Some(value), .. }) = node {
            values.push(&**value);
        }
    });
    values
}

fn result(def: &ast::StmtFunctionDef) -> Result {
    let given = match (parameter(def, 0), parameter(def, 1)) {
        (Some("self" | "cls"), Some(second)) => second,
        (Some(first), _) => first,
        (None, _) => return Result::Other,
    };
    let values = returned(def);
    if !values.is_empty() && values.iter().all(|value| is_name(value, given)) {
        return Result::Same;
    }
    let [Expr::Name(name)] = values.as_slice() else { return Result::Other };
    let Some(wrapper) = nested(def, name.id.as_str()) else { return Result::Other };
    let keeps_name = wrapper.decorator_list.iter().any(|decorator| {
        let callable = ast::helpers::map_callable(&decorator.expression);
        let last = callable.as_attribute_expr().map(|attribute| attribute.attr.as_str());
        last.or_else(|| callable.as_name_expr().map(|name| name.id.as_str())) == Some("wraps")
    });
    let mut mentions_update = false;
    own_nodes(&def.body, |node| {
        let name = match node {
            AnyNodeRef::ExprName(name) => name.id.as_str(),
            AnyNodeRef::ExprAttribute(attribute) => attribute.attr.as_str(),
            _ => return,
        };
        mentions_update |= matches!(name, "update_wrapper" | "__wrapped__" | "__name__");
    });
    Result::Wrapper {
        name: wrapper.name.to_string(),
        is_wrapped: keeps_name || mentions_update || !wrapper.decorator_list.is_empty(),
        hands_on: !wrapper.is_async && returned(wrapper).iter().any(|value| is_call_of(value, given)),
    }
}

/// `given(…)`.
fn is_call_of(value: &Expr, given: &str) -> bool {
    value.as_call_expr().is_some_and(|call| is_name(&call.func, given))
}

fn of_class(module: &Module, decorator: &Decorator, finding: Finding) -> Option<Finding> {
    let is_factory = decorator.expression.is_call_expr();
    let function = module.function(ast::helpers::map_callable(&decorator.expression))?;
    if function.symbol.origin != Origin::Project || function.is_async || function.is_generator {
        return None;
    }
    let is_same = with_def(module, &function, |_, def| {
        let maker = if is_factory { inner(def)? } else { def };
        Some(matches!(result(maker), Result::Same))
    });
    let written = if is_factory { module.source(&decorator.expression) } else { function.name.as_str() };
    Some(
        with_registry(module, &function, ast::helpers::map_callable(&decorator.expression), is_factory, finding)
            .fact("decorator", Fact::from(function.name.as_str()))
            .fact("same", is_same.filter(|is_same| *is_same && !is_factory).map(|_| Fact::from(written)))
            .fact("factory", is_factory.then(|| Fact::from(written)))
            .fact("decorator_at", function.place.map(Fact::from)),
    )
}
