//! `@lru_cache` on a method → a cache that `__init__` makes for each object, on a weak proxy of it.
//!
//! The proxy stands for `self` in the method, so the method may use `self` for its attributes only.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use super::blocks::{at, comment_in, line_end, other_mention, own_lines};
use super::imports::{bindings, imported, line_after, taken};
use super::make_async::checks::is_protocol;
use super::{Offer, Rewrite, Target};
use crate::analysis::{Class, Module, Origin};
use crate::detectors::class_reading::subclasses;
use crate::detectors::nodes::{all_nodes, calls};
use crate::text::{Edit, Ranged as _, TextRange};

pub(super) const REWRITE: Rewrite = Rewrite { name: "cache_per_instance", offer };

/// What a refusal says.
type Reason = String;

fn offer(target: &Target) -> Option<Offer> {
    let module = target.site.module;
    let mut around = std::iter::once(target.site.node).chain(target.site.enclosing());
    let def = around.find_map(|node| match node {
        AnyNodeRef::StmtFunctionDef(def) => Some(def),
        _ => None,
    })?;
    let Some(AnyNodeRef::StmtClassDef(statement)) = around.next() else { return None };
    let cache = def
        .decorator_list
        .iter()
        .find(|decorator| decorator.expression.range().contains_range(target.finding.range))?;
    let own = def.parameters.iter_non_variadic_params().next()?.name().as_str();
    let title = format!(
        "Give each `{}` a cache of `{}` of its own (copying or pickling one no longer works, nor a call on one that nothing else holds)",
        statement.name, def.name
    );
    let plan = method_may_change(module, statement, def, cache, own)
        .and_then(|()| class_may_change(module, statement, def))
        .and_then(|()| edits(target, statement, def, cache));
    match plan {
        Ok(edits) => Offer::edit(module, title, edits, false),
        Err(reason) => Offer::refused(title, reason),
    }
}

/// Whether the method can be called on a proxy of the object.
fn method_may_change(
    module: &Module,
    statement: &ast::StmtClassDef,
    def: &ast::StmtFunctionDef,
    cache: &ast::Decorator,
    own: &str,
) -> Result<(), Reason> {
    let name = def.name.as_str();
    if let Some(other) = def.decorator_list.iter().find(|decorator| decorator.range() != cache.range()) {
        return Err(format!("`{name}` has another decorator ({})", at(module, other)));
    }
    if name.starts_with("__") || def.is_async {
        return Err(format!("`{name}` is a special or a private method, or a coroutine function"));
    }
    let nodes = all_nodes(&def.body);
    let receivers: Vec<TextRange> = nodes
        .iter()
        .filter_map(|node| match node {
            AnyNodeRef::ExprAttribute(attribute) => Some(attribute.value.range()),
            _ => None,
        })
        .collect();
    let use_of_self = nodes.iter().find(|node| match node {
        AnyNodeRef::ExprName(found) if found.id == own => !receivers.contains(&found.range()),
        AnyNodeRef::ExprName(found) => found.id == "super" || found.id == "__class__",
        AnyNodeRef::Parameter(parameter) => parameter.name.as_str() == own,
        AnyNodeRef::ExprAttribute(attribute) => attribute.attr.as_str() == "__class__",
        _ => false,
    });
    if let Some(found) = use_of_self {
        let line = at(module, *found);
        return Err(format!("`{name}` uses `{own}` in {line} for more than its attributes, and would get a proxy"));
    }
    let in_class = |range: TextRange| {
        statement.body.iter().any(|other| {
            !matches!(other, Stmt::FunctionDef(_) | Stmt::ClassDef(_)) && other.range().contains_range(range)
        })
    };
    let decorator = all_nodes(&statement.body).into_iter().find(|node| match node {
        AnyNodeRef::ExprName(found) => {
            (cache.range().contains_range(found.range()) && binds(statement, &found.id))
                || (in_class(found.range()) && found.id == name)
        }
        _ => false,
    });
    match decorator {
        Some(found) => Err(format!("`{}` in {} is a name of the class body", module.source(found), at(module, found))),
        None => Ok(()),
    }
}

fn binds(statement: &ast::StmtClassDef, name: &str) -> bool {
    statement.body.iter().any(|statement| match statement {
        Stmt::FunctionDef(def) => def.name.as_str() == name,
        Stmt::Assign(assign) => assign.targets.iter().any(|target| target.as_name_expr().is_some_and(|t| t.id == name)),
        Stmt::AnnAssign(assign) => assign.target.as_name_expr().is_some_and(|target| target.id == name),
        _ => false,
    })
}

/// Whether the objects can hold a cache of their own, and nobody asks the class for it.
fn class_may_change(module: &Module, statement: &ast::StmtClassDef, def: &ast::StmtFunctionDef) -> Result<(), Reason> {
    let (name, method) = (statement.name.as_str(), def.name.as_str());
    let Some(class) = module.class(statement) else { return Err(format!("`{name}` is not known")) };
    if !module.syntax().body.iter().any(|top| top.range() == statement.range()) {
        return Err(format!("`{name}` is not at the top level of the file"));
    }
    if let Some(decorator) = statement.decorator_list.first() {
        return Err(format!("the decorator of `{name}` in {} may use its methods", at(module, decorator)));
    }
    if !class.mro_is_complete() || class.metaclass().is_some() || is_protocol(&class) {
        return Err(format!("a base or the metaclass of `{name}` may do more than is known here"));
    }
    for base in class.mro().iter().filter(|base| !base.is("builtins.object")) {
        let base_name = base.name();
        if base.symbol().origin != Origin::Project {
            return Err(format!("objects of `{base_name}` may not be referred to weakly"));
        }
        for special in ["__slots__", "__setattr__", "__getstate__", "__reduce__", "__reduce_ex__", "__copy__"] {
            if base.binds(special) {
                return Err(format!("`{base_name}` has `{special}`"));
            }
        }
        if *base != class && base.binds(method) {
            return Err(format!("`{base_name}` has a `{method}` too, which this one overrides"));
        }
    }
    for subclass in subclasses(module, &class) {
        for bound in [method, "__init__", "__slots__"] {
            if subclass.binds(bound) {
                return Err(format!("`{}`, which derives from `{name}`, has `{bound}` as well", subclass.name()));
            }
        }
    }
    for copying in ["copy", "pickle", "multiprocessing"] {
        let import = all_nodes(&module.syntax().body).into_iter().find(|node| match node {
            AnyNodeRef::StmtImport(import) => import.names.iter().any(|alias| alias.name.as_str() == copying),
            AnyNodeRef::StmtImportFrom(import) => import.module.as_deref() == Some(copying),
            _ => false,
        });
        if let Some(import) = import {
            return Err(format!(
                "the file imports `{copying}` ({}), and the cache cannot be copied",
                at(module, import)
            ));
        }
    }
    let on_class = all_nodes(&module.syntax().body).into_iter().find(|node| match node {
        AnyNodeRef::ExprAttribute(attribute) => {
            attribute.attr.as_str() == method && module.class_reference(&attribute.value).is_some()
        }
        AnyNodeRef::StringLiteral(string) => &*string.value == method,
        _ => false,
    });
    if let Some(found) = on_class {
        return Err(format!("`{}` in {} asks the class for `{method}`", module.source(found), at(module, found)));
    }
    if let Some((found, why)) = unheld(module, &class, method) {
        return Err(format!("`{}` in {} {why}", module.source(found), at(module, found)));
    }
    let elsewhere = module.snapshot().mentioned_elsewhere(&[name, method], module.path());
    match elsewhere {
        Some((path, line)) => Err(format!("{path} line {line} mentions `{name}` and `{method}`")),
        None => Ok(()),
    }
}

/// What a function that `lru_cache` has wrapped can be asked.
const CACHE_METHODS: &[&str] = &["cache_clear", "cache_info", "cache_parameters"];

/// A use of the method after which nothing may hold the object: the cache has only a weak proxy of it.
fn unheld(module: &Module, class: &Class, method: &str) -> Option<(TextRange, &'static str)> {
    let nodes = all_nodes(&module.syntax().body);
    let called: Vec<TextRange> = calls(&nodes)
        .into_iter()
        .map(|call| match &*call.func {
            // `obj.method.cache_info()` holds nothing either.
            Expr::Attribute(asked) if CACHE_METHODS.contains(&asked.attr.as_str()) => asked.value.range(),
            called => called.range(),
        })
        .collect();
    nodes.into_iter().find_map(|node| {
        let AnyNodeRef::ExprAttribute(read) = node else { return None };
        if read.attr.as_str() != method || !read.ctx.is_load() {
            return None;
        }
        let why = match (read.value.is_call_expr(), called.contains(&read.range())) {
            (true, _) => "may be the last use of its object, which would be gone before the call",
            (false, false) => "would no longer keep its object alive",
            (false, true) => return None,
        };
        module.class_of(&*read.value).filter(|owner| owner.is_subclass_of(class)).map(|_| (read.range(), why))
    })
}

fn edits(
    target: &Target,
    statement: &ast::StmtClassDef,
    def: &ast::StmtFunctionDef,
    cache: &ast::Decorator,
) -> Result<Vec<Edit>, Reason> {
    let module = target.site.module;
    let (lines, newline) = (module.lines(), module.lines().newline());
    let new = format!("_{}", def.name);
    if let Some(other) = other_mention(module, &new, |_| false) {
        return Err(format!("the name `{new}` is taken in {}", at(module, other)));
    }
    let (Some(functools), Some(weakref)) = (imported(&target.site, "functools"), imported(&target.site, "weakref"))
    else {
        let name = if bindings(module, "weakref").is_empty() { "functools" } else { "weakref" };
        return Err(taken(module, name));
    };
    let decorator = own_lines(module, cache.range()).unwrap_or(cache.range());
    if let Some(line) = comment_in(module, decorator) {
        return Err(format!("the comment in line {line} would be lost"));
    }
    let inner = lines.indentation(def.body.first().map_or(def.start(), |first| first.start()));
    let outer = lines.indentation(def.start());
    let init = statement.body.iter().filter_map(Stmt::as_function_def_stmt).find(|def| def.name.as_str() == "__init__");
    let own = init.and_then(|init| init.parameters.iter_non_variadic_params().next());
    let own = own.map_or("self", |own| own.name().as_str());
    let made = format!(
        "{own}.{} = {}({}.partial({}.{new}, {}.proxy({own})))",
        def.name,
        module.source(&cache.expression),
        functools.name,
        statement.name,
        weakref.name
    );
    let delete = Edit::delete(TextRange::new(decorator.start(), line_after(module, decorator.end())));
    let mut edits = vec![delete, Edit::insert(def.name.start(), "_")];
    match init {
        Some(init) => {
            let is_docstring = |statement: &&Stmt| ast::helpers::is_docstring_stmt(statement);
            let (docstring, first) = (init.body.first().filter(is_docstring), init.body.first());
            let alone = first.and_then(|first| own_lines(module, first.range()));
            if !init.decorator_list.is_empty() || alone.is_none() {
                return Err("`__init__` is decorated, or its body stands on one line".to_string());
            }
            let inner = first.map_or(inner, |first| lines.indentation(first.start()));
            match docstring {
                Some(docstring) => {
                    edits.push(Edit::insert(line_end(module, docstring.end()), format!("{newline}{inner}{made}")));
                }
                None => {
                    let start = first.map_or(init.end(), |first| first.start());
                    edits.push(Edit::insert(start, format!("{made}{newline}{inner}")));
                }
            }
        }
        None => {
            let inherits = module.class(statement).and_then(|class| class.definer("__init__"));
            if let Some(base) = inherits {
                return Err(format!("`{}` inherits `__init__` from `{}`", statement.name, base.name()));
            }
            let first_line = own_lines(module, def.body.first().map_or(def.range(), |first| first.range()));
            if first_line.is_none() {
                return Err(format!("the body of `{}` stands on the line of its `def`", def.name));
            }
            let init = format!("{outer}def __init__(self):{newline}{inner}{made}{newline}{newline}");
            edits[0].text = init;
        }
    }
    edits.extend(functools.edit.into_iter().chain(weakref.edit));
    Ok(edits)
}
