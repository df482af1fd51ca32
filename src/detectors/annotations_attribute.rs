//! `__annotations__` and `get_type_hints`: whose annotations they give, as what, and where the target Python keeps them.
//!
//! Silent where every Python gives what is written in the class or function that is named.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::class_reading::{is_built_plainly, is_own};
use super::metaclass_namespace::Hook;
use super::method_body::is_name;
use super::nodes::with_def;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Module, Site};
use crate::text::{Place, Ranged as _, TextRange};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["metaclasses/annotations-attribute"],
    nodes: &[NodeKind::ExprAttribute, NodeKind::ExprCall, NodeKind::ExprSubscript],
    detect,
};

const NAME: &str = "__annotations__";

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let finding = match site.node {
        AnyNodeRef::ExprAttribute(attribute) if attribute.attr.as_str() == NAME && attribute.ctx.is_load() => {
            let finding = start(site, attribute.range(), attribute.attr.range());
            match site.module.class_reference(&attribute.value) {
                Some(class) => of_class(&class, finding)?,
                None => of_object(site, &attribute.value, finding)?,
            }
        }
        AnyNodeRef::ExprSubscript(item) if item.ctx.is_load() && is_key(&item.slice) => {
            in_mapping(site, &item.value)?.fact("fails", Fact::from("KeyError"))
        }
        AnyNodeRef::ExprCall(call) => match last_name(&call.func)? {
            "get" => {
                let (key, default) = call.arguments.args.split_first()?;
                if !is_key(key) || !call.arguments.keywords.is_empty() {
                    return None;
                }
                let default = default.first().map_or("None", |default| site.module.source(default));
                in_mapping(site, &call.func.as_attribute_expr()?.value)?.fact("gives", Fact::from(default))
            }
            "get_type_hints" if site.module.calls(call, &["typing.get_type_hints"]) => hints(site, call)?,
            _ => return None,
        },
        _ => return None,
    };
    if site.is_type_checking() {
        return None;
    }
    findings.push(finding);
    Some(())
}

fn start(site: &Site, read: TextRange, range: TextRange) -> Finding {
    Finding::new("metaclasses/annotations-attribute", range).fact("read", Fact::from(site.module.source(read)))
}

fn last_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        _ => None,
    }
}

fn is_key(expr: &Expr) -> bool {
    expr.as_string_literal_expr().is_some_and(|key| key.value.to_str() == NAME)
}

/// `Class.__annotations__`.
fn of_class(class: &Class, finding: Finding) -> Option<Finding> {
    if !is_own(class) || !is_built_plainly(class) || class.binds(NAME) {
        return None;
    }
    let finding = finding.fact("class", Fact::from(class.name()));
    if class.with_statement(|_, statement| has_annotations(&statement.body)) {
        let future = future_import(&class.module())?;
        return Some(finding.fact("strings", Fact::from(class.name())).fact("future_at", Fact::from(future)));
    }
    let order = class.mro();
    let base = order.iter().skip(1).find(|base| base.with_statement(|_, statement| has_annotations(&statement.body)));
    let base = base.filter(|base| is_own(base))?;
    Some(finding.fact("base", Fact::from(base.name())).fact("base_at", base.place().map(Fact::from)))
}

/// `object.__annotations__`, where the object is a function or an instance.
fn of_object(site: &Site, object: &Expr, finding: Finding) -> Option<Finding> {
    if let Some(function) = site.module.function(object) {
        let (is_annotated, future) = with_def(site.module, &function, |home, def| {
            let mut parameters = def.parameters.iter();
            let is_annotated = def.returns.is_some() || parameters.any(|parameter| parameter.annotation().is_some());
            Some((is_annotated, future_import(home)?))
        })?;
        let name = Fact::from(site.module.source(object));
        return is_annotated.then(|| finding.fact("strings", name).fact("future_at", Fact::from(future)));
    }
    let class = site.module.class_of(object)?;
    let is_plain = is_own(&class) && is_built_plainly(&class) && !class.is_metaclass();
    let is_answered =
        class.definer("__getattr__").is_some() || class.definer("__getattribute__").is_some_and(|c| is_own(&c));
    let mut own = class.mro().into_iter().filter(is_own);
    let is_kept = own.any(|class| class.binds(NAME) || future_import(&class.module()).is_some());
    let has_any = class.mro().iter().any(|class| class.with_statement(|_, statement| has_annotations(&statement.body)));
    if !is_plain || is_answered || is_kept || !has_any {
        return None;
    }
    Some(finding.fact("instance_of", Fact::from(class.name())))
}

/// `namespace["__annotations__"]` in a metaclass, `cls.__dict__["__annotations__"]`, and the same with `get`.
fn in_mapping(site: &Site, mapping: &Expr) -> Option<Finding> {
    let finding = start(site, site.node.range(), site.node.range());
    if let Some(hook) = Hook::around(site).filter(|hook| is_name(mapping, hook.namespace)) {
        let names = hook.built(site).iter().map(Class::name).collect::<Vec<_>>();
        return Some(finding.fact("mapping", Fact::from(site.module.source(mapping))).fact("built", Fact::from(names)));
    }
    let object = match mapping {
        Expr::Attribute(attribute) if attribute.attr.as_str() == "__dict__" => &*attribute.value,
        Expr::Call(call) if is_name(&call.func, "vars") => call.arguments.args.first()?,
        _ => return None,
    };
    let class = site.module.class_reference(object).filter(is_own);
    if class.is_some_and(|class| !class.with_statement(|_, statement| has_annotations(&statement.body))) {
        return None;
    }
    // What is called `cls` is a class by a convention that everybody keeps.
    let is_class = is_name(object, "cls") || site.module.class_reference(object).is_some();
    is_class.then(|| finding.fact("mapping", Fact::from(site.module.source(mapping))))
}

/// `get_type_hints(…)`, with nothing but what it is asked about.
fn hints(site: &Site, call: &ast::ExprCall) -> Option<Finding> {
    let [object] = &*call.arguments.args else { return None };
    let is_plain = call.arguments.keywords.iter().all(|keyword| keyword.arg.as_deref() == Some("include_extras"));
    if !is_plain {
        return None;
    }
    let finding = start(site, call.range(), call.func.range());
    if let Some(class) = site.module.class_reference(object) {
        let order = class.mro();
        let missing = order.iter().filter(|class| is_own(class)).find_map(|class| {
            class.with_statement(|home, statement| {
                let hidden = for_checkers_only(home);
                let mut fields = statement.body.iter().filter_map(Stmt::as_ann_assign_stmt);
                fields.find_map(|field| {
                    let name = field.target.as_name_expr()?.id.to_string();
                    Some((format!("{}.{name}", class.name()), unknown(home, &hidden, &field.annotation)?))
                })
            })
        });
        if let Some((member, name)) = missing {
            return Some(with_missing(finding, member, name));
        }
        return string_fields(&order, finding);
    }
    let function = site.module.function(object).filter(|function| !function.is_decorated)?;
    with_def(site.module, &function, |home, def| {
        let hidden = for_checkers_only(home);
        let mut annotated =
            def.parameters.iter().filter_map(|parameter| Some((parameter.name(), parameter.annotation()?)));
        let missing = annotated
            .find_map(|(name, annotation)| Some((name.to_string(), unknown(home, &hidden, annotation)?)))
            .or_else(|| Some(("return".to_string(), unknown(home, &hidden, def.returns.as_deref()?)?)));
        if let Some((member, name)) = missing {
            return Some(with_missing(finding.clone(), member, name));
        }
        let parameter = def.parameters.iter_non_variadic_params().find(|parameter| {
            let annotation = parameter.annotation().map_or("", |annotation| home.source(annotation));
            let allows = ["None", "Optional", "Any", "object"].iter().any(|word| annotation.contains(word));
            !annotation.is_empty() && !allows && parameter.default().is_some_and(Expr::is_none_literal_expr)
        })?;
        let annotation = home.source(parameter.annotation()?).trim_matches(['"', '\'']).to_string();
        let parameter = Fact::from(parameter.name().as_str());
        Some(finding.clone().fact("optional", parameter).fact("annotation", Fact::from(annotation)))
    })
}

/// The fields along the order whose annotations are strings, which are evaluated here.
fn string_fields(order: &[Class], finding: Finding) -> Option<Finding> {
    let mut found = vec![];
    let mut future = None;
    for class in order.iter().filter(|class| is_own(class)) {
        let import = future_import(&class.module());
        class.with_statement(|_, statement| {
            for field in statement.body.iter().filter_map(Stmt::as_ann_assign_stmt) {
                let is_string = field.annotation.is_string_literal_expr() || import.is_some();
                if let Some(name) = field.target.as_name_expr().filter(|_| is_string) {
                    found.push(format!("{}.{}", class.name(), name.id));
                }
            }
        });
        future = future.or(import.filter(|_| !found.is_empty()));
    }
    (!found.is_empty()).then(|| finding.fact("evaluated", Fact::from(found)).fact("future_at", future.map(Fact::from)))
}

fn with_missing(finding: Finding, member: String, (name, at): (String, Option<Place>)) -> Finding {
    finding.fact("member", Fact::from(member)).fact("unknown", Fact::from(name)).fact("imported_at", at.map(Fact::from))
}

/// Whether the body of a class has an annotation of its own.
fn has_annotations(body: &[Stmt]) -> bool {
    super::method_body::find_own(body, |node| match node {
        AnyNodeRef::StmtAnnAssign(field) => field.target.is_name_expr().then_some(()),
        _ => None,
    })
    .is_some()
}

/// Where a file says `from __future__ import annotations`.
fn future_import(module: &Module) -> Option<Place> {
    module
        .syntax()
        .body
        .iter()
        .take_while(|statement| !matches!(statement, Stmt::ClassDef(_) | Stmt::FunctionDef(_)))
        .find_map(|statement| {
            let Stmt::ImportFrom(import) = statement else { return None };
            let is_future = import.module.as_deref() == Some("__future__");
            let asks = import.names.iter().any(|alias| alias.name.as_str() == "annotations");
            if is_future && asks { module.place(import.range()) } else { None }
        })
}

/// The names that a file imports below `if TYPE_CHECKING:` and binds nowhere else at its top level.
fn for_checkers_only(module: &Module) -> Vec<(String, TextRange)> {
    let body = &module.syntax().body;
    let is_checking = |test: &Expr| last_name(test) == Some("TYPE_CHECKING");
    let mut found = vec![];
    for statement in body {
        let Stmt::If(branches) = statement else { continue };
        if !is_checking(&branches.test) || !branches.elif_else_clauses.is_empty() {
            continue;
        }
        for inner in &branches.body {
            let names = match inner {
                Stmt::Import(import) => &import.names,
                Stmt::ImportFrom(import) => &import.names,
                _ => continue,
            };
            found.extend(names.iter().map(|alias| {
                let name = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
                (name.split('.').next().unwrap_or(name).to_string(), alias.range())
            }));
        }
    }
    found.retain(|(name, range)| name != "*" && !is_bound_elsewhere(body, name, *range));
    found
}

fn is_bound_elsewhere(body: &[Stmt], name: &str, import: TextRange) -> bool {
    super::method_body::find_own(body, |node| {
        let binds = match node {
            AnyNodeRef::ExprName(found) => found.id == name && !found.ctx.is_load(),
            AnyNodeRef::StmtClassDef(class) => class.name.as_str() == name,
            AnyNodeRef::StmtFunctionDef(def) => def.name.as_str() == name,
            AnyNodeRef::Alias(alias) => {
                alias.range() != import && alias.asname.as_ref().unwrap_or(&alias.name).as_str() == name
            }
            _ => false,
        };
        binds.then_some(())
    })
    .is_some()
}

/// The first name of an annotation that is known to type checkers only.
fn unknown(module: &Module, hidden: &[(String, TextRange)], annotation: &Expr) -> Option<(String, Option<Place>)> {
    let source = module.source(annotation);
    let (name, range) = hidden.iter().find(|(name, _)| {
        let is_of_word = |char: char| char.is_alphanumeric() || char == '_';
        source.match_indices(name.as_str()).any(|(at, _)| {
            let before = source[..at].chars().next_back();
            let behind = source[at + name.len()..].chars().next();
            !before.is_some_and(|char| is_of_word(char) || char == '.') && !behind.is_some_and(is_of_word)
        })
    })?;
    Some((name.clone(), module.place(*range)))
}
