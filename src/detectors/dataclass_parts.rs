//! What is a field and what is not: `fields(x)`, `is_dataclass(x)`, `InitVar`, `KW_ONLY`, `MISSING`, where the code around them
//! shows that a reader may take one for the other.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::class_reading::{is_dataclass, is_own, subclasses};
use super::method_body::{attribute_of, method, own_nodes, parameter};
use super::nodes::{all_nodes, calls};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Module, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["metaclasses/dataclass-parts"],
    nodes: &[NodeKind::ExprCall, NodeKind::ExprCompare, NodeKind::StmtAnnAssign],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    findings.extend(match site.node {
        AnyNodeRef::ExprCall(call) => of_call(site, call),
        AnyNodeRef::ExprCompare(compare) => missing(site, compare),
        AnyNodeRef::StmtAnnAssign(assign) => of_annotation(site, assign),
        _ => None,
    });
    Some(())
}

fn new(module: &Module, named: &Expr) -> Finding {
    Finding::new("metaclasses/dataclass-parts", named.range()).fact("callee", Fact::from(module.source(named)))
}

fn of_call(site: &Site, call: &ast::ExprCall) -> Option<Finding> {
    let [argument] = &*call.arguments.args else { return None };
    let symbol = site.callee_among(call, &["dataclasses.fields", "dataclasses.is_dataclass"])?;
    let module = site.module;
    let finding = new(module, &call.func).fact("argument", Fact::from(module.source(argument)));
    match symbol.last() {
        "fields" => {
            let class = module.class_of(argument).or_else(|| module.class_reference(argument))?;
            let left_out = left_out(&class)?;
            Some(finding.fact("left_out", Fact::from(left_out)).fact("class", Fact::from(class.name())))
        }
        _ => refused(site, argument, finding),
    }
}

/// What looks like a field of a dataclass of the project and is none.
fn left_out(class: &Class) -> Option<Vec<String>> {
    if !is_own(class) || !class.mro_is_complete() {
        return None;
    }
    if !is_dataclass(class) {
        // A subclass without the decorator adds no field.
        let parent = class.mro().into_iter().skip(1).find(is_dataclass).filter(is_own)?;
        let own = class.with_statement(|_, statement| annotated(statement));
        return Some(own).filter(|own| !own.is_empty() && class.definer("__init__").is_none() && is_own(&parent));
    }
    let found = class.with_statement(|module, statement| {
        let annotated = annotated(statement);
        let mut found: Vec<String> = vec![];
        for member in &statement.body {
            match member {
                Stmt::Assign(assign) => {
                    let names = assign.targets.iter().filter_map(Expr::as_name_expr).map(|name| name.id.to_string());
                    let is_plain = assign.value.is_literal_expr();
                    found.extend(names.filter(|name| is_plain && !name.starts_with('_') && !annotated.contains(name)));
                }
                Stmt::AnnAssign(field) if module.source(&*field.annotation).contains("InitVar") => {
                    found.extend(field.target.as_name_expr().map(|name| name.id.to_string()));
                }
                _ => {}
            }
        }
        if let Some(def) = method(&statement.body, "__post_init__")
            && let Some(this) = parameter(def, 0)
        {
            own_nodes(&def.body, |node| {
                if let AnyNodeRef::ExprAttribute(attribute) = node
                    && attribute.ctx.is_store()
                    && let Some(name) = attribute_of(&Expr::Attribute(attribute.clone()), this)
                    && !annotated.iter().chain(&found).any(|known| known == name)
                {
                    found.push(name.to_string());
                }
            });
        }
        found
    });
    let inherited: Vec<String> = class
        .mro()
        .iter()
        .skip(1)
        .filter(|base| is_dataclass(base))
        .flat_map(|base| base.with_statement(|_, statement| annotated(statement)))
        .collect();
    let found: Vec<_> = found.into_iter().filter(|name| !inherited.contains(name)).collect();
    (!found.is_empty()).then_some(found)
}

/// The names that a class body annotates.
fn annotated(statement: &ast::StmtClassDef) -> Vec<String> {
    let fields = statement.body.iter().filter_map(Stmt::as_ann_assign_stmt);
    fields.filter_map(|field| Some(field.target.as_name_expr()?.id.to_string())).collect()
}

/// `if is_dataclass(x): … asdict(x)`, where `x` may be the class.
fn refused(site: &Site, argument: &Expr, finding: Finding) -> Option<Finding> {
    let module = site.module;
    let asked = argument.as_name_expr()?.id.as_str();
    let (test, body) = site.enclosing().find_map(|node| match node {
        AnyNodeRef::StmtIf(statement) => Some((&*statement.test, &statement.body)),
        _ => None,
    })?;
    let is_test = test.range().contains_range(argument.range());
    let is_positive = !matches!(test, Expr::UnaryOp(_)) && !matches!(test, Expr::BoolOp(all) if all.op.is_or());
    let source = module.source(test);
    if !is_test
        || !is_positive
        || source.contains("isinstance")
        || source.contains("type(")
        || source.contains("isclass")
    {
        return None;
    }
    // The class of an annotated parameter is known to be no class object.
    if module.class_of(argument).is_some_and(|class| is_own(&class)) {
        return None;
    }
    let nodes = all_nodes(body);
    if nodes
        .iter()
        .any(|node| matches!(node, AnyNodeRef::ExprName(name) if name.id == "type" || name.id == "isinstance"))
    {
        return None;
    }
    let names = &["dataclasses.asdict", "dataclasses.astuple", "dataclasses.replace"];
    let refusing = calls(&nodes).into_iter().find(|call| {
        let first = call.arguments.args.first().and_then(Expr::as_name_expr);
        first.is_some_and(|name| name.id == asked) && module.calls(call, names)
    })?;
    Some(
        finding
            .fact("refusing", Fact::from(module.source(refusing)))
            .fact("refusing_at", module.place(refusing.range()).map(Fact::from)),
    )
}

/// `field.default is MISSING` in a function that does not ask for a factory.
fn missing(site: &Site, compare: &ast::ExprCompare) -> Option<Finding> {
    let module = site.module;
    let [right] = &*compare.comparators else { return None };
    if !matches!(&*compare.left, Expr::Attribute(left) if left.attr.as_str() == "default") || !is_missing(module, right)
    {
        return None;
    }
    let around = site.function().map_or(module.text(), |function| module.source(function));
    (!around.contains("default_factory"))
        .then(|| new(module, right).fact("compared", Fact::from(module.source(&*compare.left))))
}

/// `MISSING` of `dataclasses`; its stub makes it a member of something else.
fn is_missing(module: &Module, expr: &Expr) -> bool {
    if !module.may_be(expr, &["dataclasses.MISSING"]) {
        return false;
    }
    match expr {
        Expr::Attribute(attribute) => {
            module.symbol(&*attribute.value).is_some_and(|symbol| symbol.is("dataclasses"))
                || module.is_symbol(expr, "dataclasses.MISSING")
        }
        _ => module.syntax().body.iter().filter_map(Stmt::as_import_from_stmt).any(|import| {
            let is_home = import.module.as_ref().is_some_and(|home| home.as_str() == "dataclasses");
            is_home && import.names.iter().any(|name| name.name.as_str() == "MISSING")
        }),
    }
}

fn of_annotation(site: &Site, assign: &ast::StmtAnnAssign) -> Option<Finding> {
    let module = site.module;
    let Some(AnyNodeRef::StmtClassDef(statement)) = site.parent() else { return None };
    let named = ast::helpers::map_subscript(&assign.annotation);
    let markers = &["dataclasses.InitVar", "dataclasses.KW_ONLY"];
    let symbol =
        module.may_be(named, markers).then(|| module.symbol(named))?.filter(|symbol| symbol.is_any(markers))?;
    let class = module.class(statement).filter(is_dataclass)?;
    let target = assign.target.as_name_expr()?.id.as_str();
    let finding = new(module, named).fact("class", Fact::from(class.name())).fact("target", Fact::from(target));
    if symbol.last() == "KW_ONLY" {
        return by_position(module, &class, finding);
    }
    let post = class.definer("__post_init__");
    if post.is_none() && class.mro_is_complete() {
        return Some(finding.fact("dropped", Fact::from(target)));
    }
    let default = assign.value.as_deref().filter(|value| value.is_literal_expr())?;
    let own = method(&statement.body, "__post_init__")?;
    let this = parameter(own, 0)?;
    let is_set = own_stores(own, this).iter().any(|name| name == target);
    (!is_set && !statement_mentions_getattr(module, statement))
        .then(|| finding.fact("default", Fact::from(module.source(default))))
}

/// The attributes of `this` that the function assigns.
fn own_stores(def: &ast::StmtFunctionDef, this: &str) -> Vec<String> {
    let mut stored = vec![];
    own_nodes(&def.body, |node| {
        if let AnyNodeRef::ExprAttribute(attribute) = node
            && attribute.ctx.is_store()
        {
            stored.extend(attribute_of(&Expr::Attribute(attribute.clone()), this).map(str::to_string));
        }
    });
    stored
}

/// Whether the class sets attributes by name.
fn statement_mentions_getattr(module: &Module, statement: &ast::StmtClassDef) -> bool {
    ["setattr", "__dict__", "__getattr"].iter().any(|word| module.source(statement).contains(word))
}

/// A subclass in this file whose own fields are passed by position again.
fn by_position(module: &Module, class: &Class, finding: Finding) -> Option<Finding> {
    subclasses(module, class).into_iter().find_map(|child| {
        if !is_dataclass(&child) {
            return None;
        }
        let fields = child.with_statement(|module, statement| {
            let source = statement.decorator_list.iter().map(|decorator| module.source(&decorator.expression));
            let by_keyword = source.into_iter().any(|source| source.contains("kw_only"))
                || module.source(statement).contains("KW_ONLY")
                || module.source(statement).contains("InitVar")
                || module.source(statement).contains("ClassVar");
            let plain = statement
                .body
                .iter()
                .filter_map(Stmt::as_ann_assign_stmt)
                .filter(|field| !matches!(field.value.as_deref(), Some(Expr::Call(_))));
            let names: Vec<String> =
                plain.filter_map(|field| Some(field.target.as_name_expr()?.id.to_string())).collect();
            (!by_keyword && !names.is_empty()).then_some(names)
        })?;
        Some(
            finding
                .clone()
                .fact("child", Fact::from(child.name()))
                .fact("by_position", Fact::from(fields))
                .fact("child_at", child.place().map(Fact::from)),
        )
    })
}
