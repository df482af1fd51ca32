//! `@dataclass`: what it writes into the class, and what `slots=True` replaces.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::method_body::own_nodes;
use super::nodes::{is_false, is_true};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Module, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["metaclasses/dataclass", "metaclasses/dataclass-slots"],
    nodes: &[NodeKind::StmtClassDef],
    detect,
};

const DATACLASS: &str = "dataclasses.dataclass";

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtClassDef(statement) = site.node else { return None };
    let decorator = statement
        .decorator_list
        .iter()
        .find(|decorator| site.module.is_symbol(ast::helpers::map_callable(&decorator.expression), DATACLASS))?;
    let options = Options(match &decorator.expression {
        Expr::Call(call) => Some(&call.arguments),
        _ => None,
    });
    // What `**options` brings is not known.
    if options.0.is_some_and(|given| given.keywords.iter().any(|keyword| keyword.arg.is_none())) {
        return None;
    }
    let binds = |name: &str| statement.body.iter().any(|member| defines(member, name));
    let (eq, order, frozen) = (!options.is_off("eq"), options.is_on("order"), options.is_on("frozen"));
    let mut written: Vec<&str> = vec![];
    written.extend((!options.is_off("init") && !binds("__init__")).then_some("__init__"));
    written.extend((!options.is_off("repr") && !binds("__repr__")).then_some("__repr__"));
    written.extend((eq && !binds("__eq__")).then_some("__eq__"));
    written.extend(order.then_some("__lt__"));
    written.extend((eq && frozen && !binds("__hash__")).then_some("__hash__"));
    written.extend(frozen.then_some("__setattr__"));
    let name = || Fact::from(statement.name.as_str());
    let is_unhashable = eq && !frozen && !options.is_on("unsafe_hash") && !binds("__hash__");
    let fields = fields(site.module, statement);
    let own = fields.clone();
    let inherited = inherited(site.module, statement, &own);
    let hashed = (eq && frozen && !binds("__hash__")).then(|| unhashable_field(site.module, statement)).flatten();
    let range = decorator.expression.range();
    let (asked, asked_at) = asked(site.module, statement).unzip();
    findings.push(
        Finding::new("metaclasses/dataclass", range)
            .fact("class", name())
            .fact("written", Fact::from(written.into_iter().map(str::to_string).collect::<Vec<_>>()))
            .fact("fields", Fact::from(fields))
            .fact("inherited", (!own.is_empty()).then(|| Fact::from(inherited.0)))
            .fact("inherited_from", (!own.is_empty()).then_some(inherited.1).flatten().map(Fact::from))
            .fact("hashed_field", hashed.as_ref().map(|(name, _)| Fact::from(name.as_str())))
            .fact("hashed_kind", hashed.map(|(_, kind)| Fact::from(kind)))
            .fact("unhashable", is_unhashable.then(name))
            .fact("frozen", frozen.then(name))
            .fact("kw_only", options.is_on("kw_only").then(name))
            .fact("slotted", options.is_on("slots").then(name))
            .fact("cells_at", options.is_on("slots").then(|| Fact::from(class_cells(site.module, statement))))
            .fact("asked", asked.map(Fact::from))
            .fact("asked_at", asked_at.flatten().map(Fact::from)),
    );
    if options.is_on("slots") {
        let cells: Vec<Place> = class_cells(site.module, statement);
        let keyword =
            options.0.and_then(|arguments| arguments.find_keyword("slots")).map_or(range, |keyword| keyword.range());
        let finding = Finding::new("metaclasses/dataclass-slots", keyword).fact("class", name());
        let is_weak = options.is_on("weakref_slot");
        findings.push(
            finding
                .fact("cells_at", Fact::from(cells))
                .fact("no_weakref", (!is_weak && statement.bases().is_empty()).then(name)),
        );
    }
    Some(())
}

/// The keywords of the decorator.
struct Options<'a>(Option<&'a ast::Arguments>);

impl Options<'_> {
    fn is_on(&self, name: &str) -> bool {
        self.0.and_then(|arguments| arguments.find_keyword(name)).is_some_and(|keyword| is_true(&keyword.value))
    }

    fn is_off(&self, name: &str) -> bool {
        self.0.and_then(|arguments| arguments.find_keyword(name)).is_some_and(|keyword| is_false(&keyword.value))
    }
}

fn defines(statement: &Stmt, name: &str) -> bool {
    match statement {
        Stmt::FunctionDef(def) => def.name.as_str() == name,
        Stmt::Assign(assign) => assign.targets.iter().any(|target| super::method_body::is_name(target, name)),
        _ => false,
    }
}

/// The fields of the class's own body, in order.
fn fields(module: &Module, statement: &ast::StmtClassDef) -> Vec<String> {
    let names = statement.body.iter().filter_map(|member| {
        let Stmt::AnnAssign(field) = member else { return None };
        let annotation = module.source(&*field.annotation);
        let is_field = !annotation.contains("ClassVar") && !annotation.contains("KW_ONLY");
        field.target.as_name_expr().filter(|_| is_field).map(|name| name.id.to_string())
    });
    names.collect()
}

/// The fields that come before those of the class's own body, and the base that brings them.
fn inherited(module: &Module, statement: &ast::StmtClassDef, own: &[String]) -> (Vec<String>, Option<String>) {
    let nothing = (vec![], None);
    let Some(class) = module.class(statement).filter(|class| class.mro_is_complete()) else { return nothing };
    let bases: Vec<_> = class.mro().into_iter().skip(1).filter(super::class_reading::is_dataclass).collect();
    let by_keyword = |module: &Module, statement: &ast::StmtClassDef| {
        let decorators = statement.decorator_list.iter();
        let mut sources = decorators.map(|decorator| module.source(&decorator.expression));
        sources.any(|source| source.contains("kw_only"))
            || statement.body.iter().any(|member| module.source(member).contains("KW_ONLY"))
    };
    if by_keyword(module, statement) || bases.iter().any(|base| base.with_statement(by_keyword)) {
        return nothing;
    }
    let mut names: Vec<String> = vec![];
    for base in bases.iter().rev() {
        for name in base.with_statement(fields) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names.retain(|name| !own.contains(name));
    let from = bases.iter().find(|base| !base.with_statement(fields).is_empty()).map(Class::name);
    (names, from)
}

/// The first field whose annotation names a container that has no hash.
fn unhashable_field(module: &Module, statement: &ast::StmtClassDef) -> Option<(String, &'static str)> {
    const KINDS: &[&str] = &["list", "dict", "set"];
    statement.body.iter().find_map(|member| {
        let field = member.as_ann_assign_stmt()?;
        let name = field.target.as_name_expr()?.id.to_string();
        if field
            .value
            .as_deref()
            .is_some_and(|value| ["hash", "compare"].iter().any(|word| module.source(value).contains(word)))
        {
            return None;
        }
        let annotation = ast::helpers::map_subscript(&field.annotation);
        let symbol = module.symbol(annotation)?;
        let kind = KINDS.iter().find(|kind| {
            let mut capital = kind.to_string();
            capital[..1].make_ascii_uppercase();
            symbol.is(&format!("builtins.{kind}")) || symbol.is(&format!("typing.{capital}"))
        })?;
        Some((name, *kind))
    })
}

/// The first field whose default is a descriptor, and where that one's `__get__` is.
fn asked(module: &Module, statement: &ast::StmtClassDef) -> Option<(String, Option<Place>)> {
    statement.body.iter().find_map(|member| {
        let Stmt::AnnAssign(field) = member else { return None };
        let name = field.target.as_name_expr()?;
        let class = module.class_of(field.value.as_deref()?)?;
        let definer = class.definer("__get__").filter(super::class_reading::is_own)?;
        Some((name.id.to_string(), definer.own_member("__get__").and_then(|get| get.place)))
    })
}

/// Where methods use the cell of the class: `super()` without arguments and `__class__`.
fn class_cells(module: &Module, statement: &ast::StmtClassDef) -> Vec<Place> {
    let mut places = vec![];
    for def in statement.body.iter().filter_map(Stmt::as_function_def_stmt) {
        own_nodes(&def.body, |node| {
            let range = match node {
                AnyNodeRef::ExprCall(call)
                    if call.arguments.is_empty() && super::method_body::is_name(&call.func, "super") =>
                {
                    call.range()
                }
                AnyNodeRef::ExprName(name) if name.id == "__class__" => name.range(),
                _ => return,
            };
            places.extend(module.place(range));
        });
    }
    places
}
