//! `functools.lru_cache` and `functools.cache` as decorators: how long the cache holds what.

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Number};

use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Module, Site};
use crate::pages::Severity;
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["memory/cached-method", "memory/lru-cache"], nodes: &[NodeKind::StmtFunctionDef], detect };

/// How many results a cache keeps.
enum Limit {
    Entries(String),
    None,
}

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtFunctionDef(def) = site.node else { return None };
    let module = site.module;
    let (decorator, limit) = def.decorator_list.iter().find_map(|decorator| cache(module, &decorator.expression))?;
    let name = || Fact::from(def.name.as_str());
    let statement = match site.parent() {
        Some(AnyNodeRef::StmtClassDef(statement)) if takes_instance(module, def) => Some(statement),
        _ => None,
    };
    let mut finding = Finding::new("memory/lru-cache", decorator.range())
        .fact("function", name())
        .fact("mutable_result", mutable_result(def).map(Fact::from));
    let is_method = statement.is_some();
    if let Some(statement) = statement {
        finding = finding.fact("method", name()).fact("class", Fact::from(statement.name.as_str()));
    }
    let takes_nothing = def.parameters.iter().next().is_none();
    finding = match &limit {
        _ if takes_nothing => finding.fact("no_arguments", name()),
        Limit::Entries(limit) if is_method => finding.fact("shared_limit", Fact::from(limit.as_str())),
        Limit::Entries(limit) => finding.fact("maxsize", Fact::from(limit.as_str())),
        Limit::None => match maker(site).filter(|_| !is_method) {
            Some(maker) => finding.fact("nested", name()).fact("maker", Fact::from(maker)),
            None => finding.fact("unbounded", name()),
        },
    };
    let cleared = cleared(module, def);
    let owner = statement.and_then(|statement| module.class(statement));
    let filled = owner.map(|owner| filled(module, &owner, def)).unwrap_or_default();
    let is_nested = !is_method && maker(site).is_some();
    let uncleared = matches!(limit, Limit::None) && !takes_nothing && cleared.is_empty() && !is_nested;
    findings.push(
        finding
            .fact("takes", (!takes_nothing).then(name))
            .fact("uncleared", uncleared.then(name))
            .fact("cleared_at", Fact::from(cleared))
            .fact("filled_at", Fact::from(filled.clone())),
    );

    let class = module.class(statement?)?;
    if !matches!(limit, Limit::None) || class.is_metaclass() || class.inherits("enum.Enum") {
        return None;
    }
    // `method = classmethod(method)` further down: the instances never get to the cache.
    let is_rebound = |assign: &ast::StmtAssign| {
        assign.targets.iter().any(|target| target.as_name_expr().is_some_and(|target| target.id == def.name.id))
    };
    if statement?.body.iter().filter_map(ast::Stmt::as_assign_stmt).any(is_rebound) {
        return None;
    }
    let finding = Finding::new("memory/cached-method", decorator.range())
        .fact("method", name())
        .fact("class", Fact::from(class.name()))
        .fact("filled_at", Fact::from(filled))
        .fact("unbounded", Fact::from(class.name()));
    findings.push(match is_keyed_by_value(&class) {
        true => finding.severity(Severity::Hint),
        false => finding,
    });
    Some(())
}

/// The function each call of which makes the cached function anew.
fn maker<'a>(site: &Site<'a, '_>) -> Option<&'a str> {
    site.enclosing().find_map(|node| match node {
        AnyNodeRef::StmtFunctionDef(outer) => Some(outer.name.as_str()),
        _ => None,
    })
}

/// The most other files in which the cache may be emptied.
const FILES: usize = 20;

/// Where the cache is emptied.
fn cleared(module: &Module, def: &ast::StmtFunctionDef) -> Vec<Place> {
    let mut found = vec![];
    let mut look = |module: &Module| {
        for call in module.calls_of("cache_clear") {
            let cache = call.func.as_attribute_expr().map(|method| &*method.value);
            let name = match cache {
                Some(Expr::Name(name)) => module.imported_name(&name.id),
                Some(Expr::Attribute(attribute)) => attribute.attr.as_str(),
                _ => continue,
            };
            if name == def.name.as_str() {
                found.extend(module.place(call.range()));
            }
        }
    };
    look(module);
    let others = module.path().map(|path| module.snapshot().run_with("cache_clear", path)).unwrap_or_default();
    for path in others.into_iter().take(FILES) {
        if let Ok(other) = module.snapshot().module(&path) {
            look(&other);
        }
    }
    found
}

/// The calls of a method in its file.
fn filled(module: &Module, owner: &Class, def: &ast::StmtFunctionDef) -> Vec<Place> {
    let mut calls = module.calls_of(&def.name);
    calls.sort_by_key(|call| call.start());
    let is_of_object = |call: &&ast::ExprCall| {
        let receiver = call.func.as_attribute_expr().map(|method| &*method.value);
        let receiver = receiver.filter(|receiver| module.class_reference(receiver).is_none());
        let class = receiver.and_then(|receiver| module.receiver_class(receiver));
        class.and_then(|class| class.definer(&def.name)).as_ref() == Some(owner)
    };
    calls.into_iter().filter(is_of_object).filter_map(|call| module.place(call.range())).collect()
}

/// The name of the cache in a decorator, and its limit.
fn cache<'a>(module: &Module, decorator: &'a Expr) -> Option<(&'a Expr, Limit)> {
    let (name, call) = match decorator {
        Expr::Call(call) => (&*call.func, Some(call)),
        other => (other, None),
    };
    if !module.may_be(name, &["functools.cache", "functools.lru_cache"]) {
        return None;
    }
    let symbol = module.symbol(name)?;
    if symbol.is("functools.cache") {
        return Some((name, Limit::None));
    }
    if !symbol.is("functools.lru_cache") {
        return None;
    }
    let given = call.and_then(|call| {
        let keyword = call.arguments.find_keyword("maxsize").map(|keyword| &keyword.value);
        keyword.or_else(|| call.arguments.args.first())
    });
    let limit = match given {
        None => Limit::Entries("128".to_string()),
        Some(Expr::NoneLiteral(_)) => Limit::None,
        Some(Expr::NumberLiteral(number)) => match &number.value {
            Number::Int(int) if int.as_u64().is_some_and(|int| int > 0) => Limit::Entries(int.to_string()),
            _ => return None,
        },
        Some(other) => Limit::Entries(module.source(other).to_string()),
    };
    Some((name, limit))
}

/// Whether the first argument of a function in a class body is the instance.
fn takes_instance(module: &Module, def: &ast::StmtFunctionDef) -> bool {
    let has_first = def.parameters.posonlyargs.first().or(def.parameters.args.first()).is_some();
    let is_implicit = ["__new__", "__init_subclass__", "__class_getitem__"].contains(&def.name.as_str());
    let binds_otherwise = def.decorator_list.iter().any(|decorator| {
        let symbol = module.symbol(&decorator.expression);
        symbol.is_some_and(|symbol| symbol.is_any(&["builtins.classmethod", "builtins.staticmethod"]))
    });
    has_first && !is_implicit && !binds_otherwise
}

/// Whether equal instances share entries by intent.
fn is_keyed_by_value(class: &Class) -> bool {
    let is_frozen = class.with_statement(|module, statement| {
        statement.decorator_list.iter().any(|decorator| match &decorator.expression {
            Expr::Call(call) => {
                let is_dataclass = module.callee(call).is_some_and(|symbol| symbol.is("dataclasses.dataclass"));
                is_dataclass && call.arguments.find_keyword("frozen").is_some()
            }
            _ => false,
        })
    });
    is_frozen || (class.definer("__eq__").is_some() && class.definer("__hash__").is_some())
}

/// The kind of container that every `return` of the function makes anew.
fn mutable_result(def: &ast::StmtFunctionDef) -> Option<Vec<String>> {
    struct Returns(Vec<Option<&'static str>>);
    impl<'a> SourceOrderVisitor<'a> for Returns {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            match node {
                AnyNodeRef::StmtReturn(returned) => self.0.push(match returned.value.as_deref() {
                    Some(Expr::List(_) | Expr::ListComp(_)) => Some("list"),
                    Some(Expr::Dict(_) | Expr::DictComp(_)) => Some("dict"),
                    Some(Expr::Set(_) | Expr::SetComp(_)) => Some("set"),
                    _ => None,
                }),
                AnyNodeRef::StmtFunctionDef(_) | AnyNodeRef::ExprLambda(_) => return TraversalSignal::Skip,
                _ => {}
            }
            TraversalSignal::Traverse
        }
    }
    let mut finder = Returns(vec![]);
    finder.visit_body(&def.body);
    let first = (*finder.0.first()?)?;
    finder.0.iter().all(|kind| *kind == Some(first)).then(|| vec![first.to_string()])
}
