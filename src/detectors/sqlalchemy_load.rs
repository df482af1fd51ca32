//! Reads of mapped attributes that make SQLAlchemy query: expired by a commit, or a relation that is loaded when it is asked for.
//!
//! Silent where a session keeps its values (`expire_on_commit`), and where a query of the file loads the relation along.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::nodes::{body_around, method, own_nodes};
use super::suspension::around;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Module, Origin, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["third-party/sqlalchemy-expired", "third-party/sqlalchemy-relation"],
    nodes: &[NodeKind::ExprAttribute],
    detect,
};

const ASYNC: &str = "AsyncSession";
/// Calls in a class body that make a mapped attribute.
const COLUMNS: &[&str] = &["Column", "column_property", "mapped_column"];
/// Methods of a session whose result belongs to it.
const GIVES: &[&str] = &["execute", "get", "get_one", "merge", "query", "scalar", "scalar_one", "scalars"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprAttribute(attribute) = site.node else { return None };
    let module = site.module;
    if !attribute.ctx.is_load() || !site.is_asked(attribute.attr.range()) || !module.may_use_package("sqlalchemy") {
        return None;
    }
    let class = module.receiver_class(&attribute.value)?;
    if module.class_reference(&attribute.value).is_some() {
        return None;
    }
    let mapped = mapped(&class, attribute.attr.as_str())?;
    match expired(site, attribute, &class) {
        Some(finding) => findings.push(finding),
        None if mapped.is_relation => findings.push(relation(site, attribute, &class, mapped.place)?),
        None => {}
    }
    Some(())
}

struct Mapped {
    is_relation: bool,
    place: Option<Place>,
}

/// How a class of the project, whose table is named, maps the attribute.
fn mapped(class: &Class, name: &str) -> Option<Mapped> {
    let definer = class.definer(name).filter(|definer| definer.symbol().origin == Origin::Project)?;
    let is_mapped = class.mro().iter().any(|class| {
        class.symbol().origin == Origin::Project && (class.binds("__tablename__") || class.binds("__table__"))
    });
    if !is_mapped {
        return None;
    }
    definer.with_statement(|home, statement| {
        statement.body.iter().find_map(|statement| {
            let (target, value) = match statement {
                Stmt::Assign(assign) => (assign.targets.first()?, Some(&*assign.value)),
                Stmt::AnnAssign(assign) => (&*assign.target, assign.value.as_deref()),
                _ => return None,
            };
            target.as_name_expr().filter(|target| target.id.as_str() == name)?;
            let place = home.place(target.range());
            // Collections that are asked by methods of their own.
            let source = home.source(statement);
            if source.contains("DynamicMapped") || source.contains("WriteOnlyMapped") {
                return None;
            }
            let Some(call) = value.and_then(Expr::as_call_expr) else {
                // `name: Mapped[str]` is a column.
                return source.contains("Mapped[").then_some(Mapped { is_relation: false, place });
            };
            let last = match &*call.func {
                Expr::Name(function) => home.imported_name(&function.id),
                Expr::Attribute(function) => function.attr.as_str(),
                _ => return None,
            };
            let lazy = call.arguments.find_keyword("lazy").map(|keyword| home.source(&keyword.value));
            let is_lazy = lazy.is_none_or(|lazy| matches!(lazy.trim_matches(['"', '\'']), "select" | "True"));
            match last {
                "relationship" if is_lazy => Some(Mapped { is_relation: true, place }),
                other if COLUMNS.contains(&other) => Some(Mapped { is_relation: false, place }),
                _ => None,
            }
        })
    })
}

/// The read that comes first after a commit of the session that the object belongs to.
fn expired(site: &Site, read: &ast::ExprAttribute, class: &Class) -> Option<Finding> {
    let module = site.module;
    let object = read.value.as_name_expr()?;
    site.function()?;
    let name = object.id.as_str();
    let nodes = own_nodes(body_around(module, read.range()));
    // What runs before: the commits, what gives the object to a session, and what loads it anew.
    let mut belongs_to: Option<String> = None;
    let mut commit: Option<(&ast::ExprCall, String)> = None;
    for node in nodes.iter().filter(|node| node.end() <= read.start()) {
        match node {
            AnyNodeRef::StmtAssign(assign) if assign.targets.iter().any(|target| module.source(target) == name) => {
                belongs_to = given_by(module, &assign.value);
                commit = None;
            }
            AnyNodeRef::StmtAnnAssign(assign) if module.source(&*assign.target) == name => {
                belongs_to = assign.value.as_deref().and_then(|value| given_by(module, value));
                commit = None;
            }
            AnyNodeRef::ExprCall(call) => {
                let Some((receiver, called)) = method(call) else { continue };
                let first = call.arguments.args.first().map(|argument| module.source(argument));
                match called {
                    "add" if first == Some(name) => belongs_to = Some(module.source(receiver).to_string()),
                    "refresh" | "expunge" | "merge" if first == Some(name) => {
                        commit = None;
                        if called != "refresh" {
                            belongs_to = None;
                        }
                    }
                    "close" | "expunge_all" => belongs_to = None,
                    "commit" if belongs_to.as_deref() == Some(module.source(receiver)) => {
                        commit = session_kind(module, receiver).map(|kind| (*call, kind));
                    }
                    _ => {}
                }
            }
            // What was assigned behind the commit is there.
            AnyNodeRef::ExprAttribute(other)
                if other.ctx.is_store()
                    && module.source(&*other.value) == name
                    && other.attr.as_str() == read.attr.as_str() =>
            {
                commit = None;
            }
            // A read behind the commit has loaded the row.
            AnyNodeRef::ExprAttribute(other)
                if other.ctx.is_load()
                    && module.source(&*other.value) == name
                    && commit.as_ref().is_some_and(|(commit, _)| commit.end() <= other.start())
                    && mapped(class, other.attr.as_str()).is_some() =>
            {
                commit = None;
            }
            _ => {}
        }
    }
    let (commit, kind) = commit?;
    let keeps = module.text().contains("expire_on_commit")
        || module.snapshot().files_with_word("expire_on_commit").is_some_and(|files| !files.is_empty());
    if keeps || is_in_branch(module, commit) {
        return None;
    }
    let is_async = kind == ASYNC;
    let finding = Finding::new("third-party/sqlalchemy-expired", read.attr.range())
        .fact("code", Fact::from(module.source(read)))
        .fact("object", Fact::from(name))
        .fact("commit_at", module.place(commit.range()).map(Fact::from));
    let session = method(commit).map(|(receiver, _)| Fact::from(module.source(receiver)));
    Some(match is_async {
        true => finding.fact("async_session", session),
        false => finding.fact("session", session),
    })
}

/// Whether the call stands in a branch or a block of its own, which may not run.
fn is_in_branch(module: &Module, call: &ast::ExprCall) -> bool {
    super::nodes::around(module, call.range())
        .into_iter()
        .take_while(|node| !matches!(node, AnyNodeRef::StmtFunctionDef(_)))
        .any(|node| {
            matches!(node, AnyNodeRef::StmtIf(_) | AnyNodeRef::ExceptHandlerExceptHandler(_) | AnyNodeRef::StmtMatch(_))
        })
}

/// The session that gives the value: `session` in `await session.get(User, 1)`.
fn given_by(module: &Module, value: &Expr) -> Option<String> {
    let mut at = value;
    loop {
        match at {
            Expr::Await(awaited) => at = &awaited.value,
            Expr::Call(call) => {
                let (receiver, called) = method(call)?;
                if GIVES.contains(&called) && session_kind(module, receiver).is_some() {
                    return Some(module.source(receiver).to_string());
                }
                at = receiver;
            }
            _ => return None,
        }
    }
}

/// `Session` or `AsyncSession`.
fn session_kind(module: &Module, expr: &Expr) -> Option<String> {
    let class = module.class_name(expr)?;
    let last = class.last().to_string();
    let is_session = class.to_string().starts_with("sqlalchemy.") && matches!(last.as_str(), "Session" | ASYNC);
    is_session.then_some(last)
}

/// A relation that is loaded when it is read.
fn relation(site: &Site, read: &ast::ExprAttribute, class: &Class, place: Option<Place>) -> Option<Finding> {
    let module = site.module;
    let (object, name) = (module.source(&*read.value), read.attr.as_str());
    // A query that loads it along, or an object whose class reads it itself.
    let loaded = format!("load({}.{name})", class.name());
    if module.text().contains(&loaded) || module.text().contains(&format!("refresh({object}, ")) {
        return None;
    }
    if matches!(site.parent(), Some(AnyNodeRef::ExprAttribute(outer)) if matches!(outer.attr.as_str(), "append" | "add"))
    {
        return None;
    }
    let is_new = module
        .origins(&read.value)
        .iter()
        .any(|origin| origin.as_call_expr().is_some_and(|call| module.class_reference(&call.func).is_some()));
    if is_new {
        return None;
    }
    let in_loop = around(site).find_map(|node| match node {
        AnyNodeRef::StmtFor(turns) => {
            let is_it = turns.target.as_name_expr().is_some_and(|target| target.id.as_str() == object);
            is_it.then(|| module.place(turns.range()))?
        }
        _ => None,
    });
    let coroutine = site.async_function().filter(|_| module.text().contains(ASYNC));
    Some(
        Finding::new("third-party/sqlalchemy-relation", read.attr.range())
            .fact("code", Fact::from(module.source(read)))
            .fact("object", Fact::from(object))
            .fact("model", Fact::from(class.name()))
            .fact("relation", Fact::from(name))
            .fact("mapped_at", place.map(Fact::from))
            .fact("loop_at", in_loop.map(Fact::from))
            .fact("coroutine", coroutine.map(|function| Fact::from(function.name.as_str()))),
    )
}
