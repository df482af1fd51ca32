//! Metaclasses: the class statement, the `metaclass=` keyword, and the methods that only a metaclass gives a meaning.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::abstract_class::abstract_class;
use super::metaclass_hooks::{given, is_built_by, names_of_classes, namespace_parameter, provided, super_call};
use super::method_body::{find_own, own_nodes};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Module, Site};
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &[
        "metaclasses/abstract-base-class",
        "metaclasses/metaclass",
        "metaclasses/metaclass-call",
        "metaclasses/metaclass-new",
        "metaclasses/prepare",
    ],
    nodes: &[NodeKind::Keyword, NodeKind::StmtClassDef, NodeKind::StmtFunctionDef],
    detect,
};

/// The methods by which a metaclass takes part in what its classes do.
const HOOKS: [&str; 10] = [
    "__prepare__",
    "__new__",
    "__init__",
    "__call__",
    "__instancecheck__",
    "__subclasscheck__",
    "__getattr__",
    "__iter__",
    "__len__",
    "__getitem__",
];

/// The position of the namespace among the parameters of a metaclass's `__new__`.
const NAMESPACE: usize = 3;

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let finding = match site.node {
        AnyNodeRef::StmtClassDef(statement) => {
            let class = site.module.class(statement).filter(Class::is_metaclass)?;
            class_statement(site.module, &class, statement.name.range())
        }
        AnyNodeRef::Keyword(keyword) if keyword.arg.as_deref() == Some("metaclass") => {
            let AnyNodeRef::StmtClassDef(statement) = site.up()?.up()?.node else { return None };
            keyword_use(site, statement, keyword)?
        }
        AnyNodeRef::StmtFunctionDef(def) => {
            let AnyNodeRef::StmtClassDef(statement) = site.parent()? else { return None };
            let class = site.module.class(statement).filter(Class::is_metaclass)?;
            hook(site.module, &class, def)?
        }
        _ => return None,
    };
    findings.push(finding);
    Some(())
}

fn class_statement(module: &Module, class: &Class, range: TextRange) -> Finding {
    let hooks: Vec<_> = HOOKS.iter().filter(|name| class.definer(name).is_some()).map(ToString::to_string).collect();
    let builds = names_of_classes(module, |built| is_built_by(built, class));
    let (adds, may_add) = given(provided(class));
    Finding::new("metaclasses/metaclass", range)
        .fact("class", Fact::from(class.name()))
        .fact("hooks", Fact::from(hooks))
        .fact("builds", Fact::from(builds))
        .fact("adds", Fact::from(adds))
        .fact("may_add", Fact::from(may_add))
}

fn keyword_use(site: &Site, statement: &ast::StmtClassDef, keyword: &ast::Keyword) -> Option<Finding> {
    let metaclass = site.module.class_reference(&keyword.value)?;
    let built = site.module.class(statement)?;
    if metaclass.is("abc.ABCMeta") {
        // All it does to a class is to know what is abstract in it.
        let finding = abstract_class(statement, &built, built.metaclass().as_ref())?;
        return Some(Finding { range: keyword.range(), ..finding });
    }
    let heirs = names_of_classes(site.module, |class| *class != built && class.is_subclass_of(&built));
    if !super::class_reading::is_own(&metaclass) {
        return None;
    }
    let hook = |name: &str| {
        let definer = metaclass.definer(name).filter(super::class_reading::is_own)?;
        let place = definer.own_member(name).and_then(|member| member.place);
        Some((Fact::from(format!("{}.{name}", definer.name())), place.map(Fact::from)))
    };
    let (check, check_at) = hook("__instancecheck__").unzip();
    let (call, call_at) = hook("__call__").unzip();
    let is_hooked = check.is_some() || call.is_some();
    let adds: Vec<_> = provided(&metaclass).into_iter().map(|provided| provided.name).collect();
    Some(
        Finding::new("metaclasses/metaclass", keyword.range())
            .fact("class", Fact::from(metaclass.name()))
            .fact("adds", Fact::from(adds))
            .fact("check", check)
            .fact("check_at", check_at.flatten())
            .fact("call", call)
            .fact("call_at", call_at.flatten())
            .fact("built", Fact::from(statement.name.as_str()))
            .fact("metaclass_at", metaclass.place().map(Fact::from))
            .fact(if is_hooked { "also_heirs" } else { "heirs" }, Fact::from(heirs)),
    )
}

fn hook(module: &Module, class: &Class, def: &ast::StmtFunctionDef) -> Option<Finding> {
    let concept = match def.name.as_str() {
        "__new__" | "__init__" => "metaclasses/metaclass-new",
        "__call__" => "metaclasses/metaclass-call",
        "__prepare__" => "metaclasses/prepare",
        _ => return None,
    };
    let builds = names_of_classes(module, |built| is_built_by(built, class));
    let finding = Finding::new(concept, def.name.range());
    if def.name.as_str() == "__init__" {
        return Some(finding.fact("finishes", Fact::from(builds)).fact("fills", Fact::from(class.name())));
    }
    let finding = finding.fact("class", Fact::from(class.name())).fact("builds", Fact::from(builds));
    Some(match def.name.as_str() {
        "__new__" => {
            let own =
                provided(class).into_iter().filter(|provided| provided.hook == format!("{}.__new__", class.name()));
            let positional = def.parameters.posonlyargs.len() + def.parameters.args.len();
            let takes_keywords =
                def.parameters.kwarg.is_some() || !def.parameters.kwonlyargs.is_empty() || positional > NAMESPACE + 1;
            let (adds, may_add) = given(own);
            finding
                .fact("adds", Fact::from(adds))
                .fact("may_add", Fact::from(may_add))
                .fact("namespace", namespace_parameter(def).map(Fact::from))
                .fact(
                    "no_keywords",
                    (!takes_keywords && namespace_parameter(def).is_some()).then(|| Fact::from(class.name())),
                )
        }
        "__call__" => {
            let stored =
                returned(def).into_iter().find(|value| matches!(value, Expr::Subscript(_) | Expr::Attribute(_)));
            let makes = super_call(def).and_then(|range| module.place(range));
            let calls_new = find_own(&def.body, |node| match node {
                AnyNodeRef::ExprAttribute(function) => (function.attr.as_str() == "__new__").then_some(()),
                _ => None,
            });
            let never = (makes.is_none() && calls_new.is_none()).then(|| Fact::from(class.name()));
            finding
                .fact("makes_at", makes.map(Fact::from))
                .fact("never_makes", never)
                .fact("stored", stored.map(|value| Fact::from(module.source(value))))
        }
        _ => {
            let mapping = match returned(def).as_slice() {
                [only] => Some(module.source(*only).to_string()),
                _ => None,
            };
            // Called as `Meta.__prepare__(name, bases)`: a plain function gets no `mcs`.
            let positional = def.parameters.posonlyargs.iter().chain(&def.parameters.args);
            let required = positional.filter(|parameter| parameter.default.is_none()).count();
            let misses_one = def.decorator_list.is_empty() && required > 2;
            finding
                .fact("mapping", mapping.map(Fact::from))
                .fact("not_classmethod", misses_one.then(|| Fact::from(class.name())))
        }
    })
}

/// The values that a function returns.
pub(super) fn returned(def: &ast::StmtFunctionDef) -> Vec<&Expr> {
    let mut values = vec![];
    own_nodes(&def.body, |node| {
        if let AnyNodeRef::StmtReturn(statement) = node {
            values.extend(statement.value.as_deref());
        }
    });
    values
}
