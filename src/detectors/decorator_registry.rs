//! A decorator that keeps what it decorates: in which registry, and what the workspace puts there.

use ruff_python_ast::{self as ast, AnyNodeRef, Decorator, Expr, NodeKind, Stmt};

use super::method_body::{each_node, find_own, is_name, parameter, runs_before_return};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Place, Ranged as _, TextRange};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["metaclasses/decorator-registry"],
    nodes: &[NodeKind::ExprCall, NodeKind::StmtAssign],
    detect,
};

/// The most files that are looked through for uses of a decorator.
const FILES: usize = 50;

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    if !matches!(site.node, AnyNodeRef::ExprCall(_) | AnyNodeRef::StmtAssign(_)) || site.is_type_checking() {
        return None;
    }
    let inner = site.function()?;
    let kept = kept(inner)?;
    if kept.range != site.node.range() {
        return None;
    }
    // The decorator itself, or the function around it that makes it.
    let mut outer = site.enclosing().filter_map(|node| match node {
        AnyNodeRef::StmtFunctionDef(def) => Some(def),
        _ => None,
    });
    let def = outer.find(|def| def.range() == inner.range())?;
    let maker = outer.next().filter(|maker| returns(maker, def.name.as_str()));
    let (decorator, is_factory) = match maker {
        Some(maker) => (maker, true),
        None => (def, false),
    };
    if is_bound_in(def, kept.registry) || maker.is_some_and(|maker| is_bound_in(maker, kept.registry)) {
        return None;
    }
    let entries = decorated(site.module, decorator, is_factory);
    // A function that stores its argument is a decorator where something is decorated by it.
    if entries.is_empty() {
        return None;
    }
    let finding = Finding::new("metaclasses/decorator-registry", site.node.range())
        .fact("decorator", Fact::from(decorator.name.as_str()))
        .fact("replaced", (!returns(def, kept.given)).then(|| Fact::from(decorator.name.as_str())));
    let registry = Fact::from(site.module.source(kept.registry));
    findings.push(match runs_before_return(&def.body, kept.range) {
        true => finding.fact("registry", registry).fact("entries", Fact::from(entries)),
        false => finding.fact("some", registry).fact("candidates", Fact::from(entries)),
    });
    Some(())
}

/// Where a decorator keeps what it is given.
pub(super) struct Kept<'a> {
    pub registry: &'a Expr,
    pub range: TextRange,
    /// The parameter that is kept.
    pub given: &'a str,
}

/// `registry[…] = f`, `registry.append(f)`, `.add(f)` or `registry.setdefault(…).append(f)`, for what the function is given.
pub(super) fn kept(def: &ast::StmtFunctionDef) -> Option<Kept<'_>> {
    let given = match (parameter(def, 0)?, parameter(def, 1)) {
        ("self" | "cls", Some(second)) => second,
        (first, _) => first,
    };
    find_own(&def.body, |node| {
        let (registry, range) = match node {
            AnyNodeRef::StmtAssign(assign) if is_name(&assign.value, given) => match assign.targets.as_slice() {
                [Expr::Subscript(target)] => (&*target.value, assign.range()),
                _ => return None,
            },
            AnyNodeRef::ExprCall(call) => (added(call, given)?, call.range()),
            _ => return None,
        };
        let lasts = match registry {
            Expr::Name(name) => name.id.as_str() != given,
            Expr::Attribute(attribute) => !is_name(&attribute.value, given),
            _ => false,
        };
        lasts.then_some(Kept { registry, range, given })
    })
}

fn added<'a>(call: &'a ast::ExprCall, given: &str) -> Option<&'a Expr> {
    let function = call.func.as_attribute_expr()?;
    let [argument] = &*call.arguments.args else { return None };
    if !matches!(function.attr.as_str(), "append" | "add") || !is_name(argument, given) {
        return None;
    }
    match &*function.value {
        Expr::Call(inner) => {
            let inner = inner.func.as_attribute_expr()?;
            (inner.attr.as_str() == "setdefault").then_some(&inner.value)
        }
        Expr::Subscript(item) => Some(&item.value),
        other => Some(other),
    }
}

/// Whether a plain name is bound in the function: then it does not outlive the call.
fn is_bound_in(def: &ast::StmtFunctionDef, registry: &Expr) -> bool {
    let Expr::Name(name) = registry else { return false };
    let is_parameter = def.parameters.iter().any(|parameter| parameter.name() == name.id.as_str());
    is_parameter
        || find_own(&def.body, |node| match node {
            AnyNodeRef::ExprName(other) => (other.id == name.id && !other.ctx.is_load()).then_some(()),
            _ => None,
        })
        .is_some()
}

/// Whether all that the function returns is the name.
fn returns(def: &ast::StmtFunctionDef, name: &str) -> bool {
    let values = super::method_shape::returned(def);
    !values.is_empty() && values.iter().all(|value| is_name(value, name))
}

/// The functions and classes of the workspace below the decorator.
fn decorated(module: &Module, decorator: &ast::StmtFunctionDef, is_factory: bool) -> Vec<String> {
    let Some(place) = module.place(decorator.name.range()) else { return vec![] };
    let name = decorator.name.as_str();
    let mut found = below(module, name, &place, is_factory);
    let files = module.snapshot().files_with_word(name).unwrap_or_default();
    for path in files.into_iter().filter(|path| Some(path.as_path()) != module.path()).take(FILES) {
        if let Ok(other) = module.snapshot().module(&path) {
            found.extend(below(&other, name, &place, is_factory));
        }
    }
    found
}

fn below(module: &Module, name: &str, place: &Place, is_factory: bool) -> Vec<String> {
    let mut found = vec![];
    each_node(&module.syntax().body, |node| {
        let (decorators, decorated) = match node {
            AnyNodeRef::StmtFunctionDef(def) => (&def.decorator_list, def.name.as_str()),
            AnyNodeRef::StmtClassDef(class) => (&class.decorator_list, class.name.as_str()),
            _ => return,
        };
        if decorators.iter().any(|decorator| is_use(module, decorator, name, place, is_factory)) {
            found.push(decorated.to_string());
        }
    });
    found
}

fn is_use(module: &Module, decorator: &Decorator, name: &str, place: &Place, is_factory: bool) -> bool {
    let callee = ast::helpers::map_callable(&decorator.expression);
    let last = match callee {
        Expr::Name(found) => module.imported_name(&found.id),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return false,
    };
    last == name
        && decorator.expression.is_call_expr() == is_factory
        && module.function(callee).and_then(|function| function.place).as_ref() == Some(place)
}

/// The registry of a decorator that gives back what it keeps, and where it does so: `def` is the decorator or what makes it.
pub(super) fn kept_by(
    module: &Module,
    def: &ast::StmtFunctionDef,
    is_factory: bool,
) -> Option<(String, Option<Place>)> {
    let decorator = match is_factory {
        true => {
            def.body.iter().filter_map(Stmt::as_function_def_stmt).find(|inner| returns(def, inner.name.as_str()))?
        }
        false => def,
    };
    let kept = kept(decorator)?;
    if !runs_before_return(&decorator.body, kept.range) {
        return None;
    }
    if is_bound_in(decorator, kept.registry) || is_factory && is_bound_in(def, kept.registry) {
        return None;
    }
    Some((module.source(kept.registry).to_string(), module.place(kept.range)))
}
