//! `__del__`: what it reads, and what may be missing when `__init__` has failed.

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::reference_count::with_def;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, MemberKind, Module, Origin, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["memory/del-method", "memory/del-partial-init"],
    nodes: &[NodeKind::StmtFunctionDef],
    detect,
};

/// Standard functions that fail in the course of things: the file is missing, the peer is gone, the text is no number.
const FAILING: &[&str] = &["builtins.float", "builtins.int", "builtins.open"];
const FAILING_MODULES: &[&str] = &[
    "bz2",
    "configparser",
    "ctypes",
    "ftplib",
    "gzip",
    "http.client",
    "imaplib",
    "importlib",
    "io",
    "json",
    "lzma",
    "mmap",
    "os",
    "pickle",
    "select",
    "shutil",
    "smtplib",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "tarfile",
    "tempfile",
    "urllib.request",
    "zipfile",
];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtFunctionDef(def) = site.node else { return None };
    let Some(AnyNodeRef::StmtClassDef(statement)) = site.parent() else { return None };
    if def.name.as_str() != "__del__" {
        return None;
    }
    let module = site.module;
    let class = module.class(statement)?;
    let own = def.parameters.iter_non_variadic_params().next()?.name().as_str();
    let reads = own_attributes(&def.body, own);
    let is_attribute = |name: &str| {
        class.member(name).is_none_or(|member| !matches!(member.kind, MemberKind::Function | MemberKind::ClassMethod))
    };
    let mut names: Vec<String> = vec![];
    for read in &reads {
        let shown = format!("{own}.{}", read.attr);
        if is_attribute(&read.attr) && !names.contains(&shown) {
            names.push(shown);
        }
    }
    let closer = ["close", "__exit__", "__aexit__", "aclose", "shutdown", "release"];
    let closer = closer.iter().find_map(|name| class.definer(name).map(|class| format!("{}.{name}", class.name())));
    let finding = Finding::new("memory/del-method", def.name.range())
        .fact("class", Fact::from(statement.name.as_str()))
        .fact("reads", Fact::from(names))
        .fact("closer", closer.map(Fact::from))
        .fact("subclass", overriding_subclass(module, &class).map(Fact::from));
    findings.push(finding);
    half_made(module, &class, statement, def, &reads, findings)
}

/// The loads of `own.name` in the statements, first in the source first.
fn own_attributes<'a>(statements: &'a [Stmt], own: &str) -> Vec<&'a ast::ExprAttribute> {
    struct Reads<'n, 'a>(&'n str, Vec<&'a ast::ExprAttribute>);
    impl<'a> SourceOrderVisitor<'a> for Reads<'_, 'a> {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            if let AnyNodeRef::ExprAttribute(attribute) = node
                && attribute.ctx.is_load()
                && matches!(&*attribute.value, Expr::Name(name) if name.id == self.0)
                && !attribute.attr.starts_with("__")
            {
                self.1.push(attribute);
            }
            TraversalSignal::Traverse
        }
    }
    let mut finder = Reads(own, vec![]);
    finder.visit_body(statements);
    finder.1
}

/// A class of this file that derives from `class` and defines `__del__` anew.
fn overriding_subclass(module: &Module, class: &Class) -> Option<String> {
    let classes = module.syntax().body.iter().filter_map(Stmt::as_class_def_stmt);
    let found = classes
        .filter_map(|statement| module.class(statement))
        .find(|other| other != class && other.binds("__del__") && other.is_subclass_of(class));
    Some(format!("{}.__del__", found?.name()))
}

/// Attributes that `__init__` sets only after something that can fail.
fn half_made(
    module: &Module,
    class: &Class,
    statement: &ast::StmtClassDef,
    del: &ast::StmtFunctionDef,
    reads: &[&ast::ExprAttribute],
    findings: &mut Findings,
) -> Option<()> {
    if is_guarded(del) {
        return None;
    }
    let methods = statement.body.iter().filter_map(Stmt::as_function_def_stmt);
    let init = methods.rev().find(|def| def.name.as_str() == "__init__")?;
    let own = init.parameters.iter_non_variadic_params().next()?.name().as_str();
    let mut told: Vec<&str> = vec![];
    for read in reads.iter().filter(|read| is_read_first(del, read, reads)) {
        let name = read.attr.as_str();
        if told.contains(&name) || class.member(name).is_none_or(|member| member.kind != MemberKind::Instance) {
            continue;
        }
        told.push(name);
        let Some((set, risk)) = first_risk(module, init, own, name) else { continue };
        let finding = Finding::new("memory/del-partial-init", read.range())
            .fact("attribute", Fact::from(module.source(*read)))
            .fact("class", Fact::from(statement.name.as_str()))
            .fact("set_at", module.place(set.range()).map(Fact::from))
            .fact("raises", Fact::from(module.source(risk)))
            .fact("raises_at", module.place(risk.range()).map(Fact::from));
        findings.push(finding);
    }
    Some(())
}

/// Whether `__del__` gets to this read whatever the other attributes hold.
fn is_read_first(del: &ast::StmtFunctionDef, read: &ast::ExprAttribute, reads: &[&ast::ExprAttribute]) -> bool {
    let Some(statement) = del.body.iter().find(|statement| statement.range().contains_range(read.range())) else {
        return false;
    };
    // `if self._closed: return` may leave before it, for an object that is not whole, too.
    let before = del.body.iter().take_while(|other| other.start() < statement.start());
    let may_leave =
        before.filter_map(Stmt::as_if_stmt).any(|branches| matches!(branches.body.last(), Some(Stmt::Return(_))));
    let is_plain = !may_leave && matches!(statement, Stmt::Expr(_) | Stmt::Assign(_) | Stmt::AugAssign(_));
    is_plain || reads.first().is_some_and(|first| first.range() == read.range())
}

/// Whether `__del__` reckons with missing attributes.
fn is_guarded(del: &ast::StmtFunctionDef) -> bool {
    struct Guards(bool);
    impl<'a> SourceOrderVisitor<'a> for Guards {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            self.0 |= match node {
                AnyNodeRef::StmtTry(_) => true,
                AnyNodeRef::ExprName(name) => ["getattr", "hasattr", "suppress", "vars"].contains(&name.id.as_str()),
                AnyNodeRef::ExprAttribute(attribute) => ["__dict__", "suppress"].contains(&attribute.attr.as_str()),
                _ => false,
            };
            TraversalSignal::Traverse
        }
    }
    let mut finder = Guards(false);
    finder.visit_body(&del.body);
    finder.0
}

/// The statement of `__init__` that sets `own.name` first, and what can fail before it is done.
fn first_risk<'a>(
    module: &Module,
    init: &'a ast::StmtFunctionDef,
    own: &str,
    name: &str,
) -> Option<(&'a Stmt, AnyNodeRef<'a>)> {
    let sets = |target: &Expr| {
        matches!(target, Expr::Attribute(attribute) if attribute.attr.as_str() == name
            && matches!(&*attribute.value, Expr::Name(receiver) if receiver.id == own))
    };
    let mut risks = Risks { module, found: None };
    for statement in &init.body {
        risks.visit_stmt(statement);
        let targets = match statement {
            Stmt::Assign(assign) => &assign.targets[..],
            Stmt::AnnAssign(assign) if assign.value.is_some() => std::slice::from_ref(&*assign.target),
            // Set somewhere inside: on which way is not followed.
            _ if mentions_target(statement, &sets) => return None,
            _ => continue,
        };
        if targets.iter().any(sets) {
            return Some((statement, risks.found?));
        }
    }
    None
}

fn mentions_target(statement: &Stmt, sets: &dyn Fn(&Expr) -> bool) -> bool {
    struct Targets<'f>(&'f dyn Fn(&Expr) -> bool, bool);
    impl<'a> SourceOrderVisitor<'a> for Targets<'_> {
        fn visit_expr(&mut self, expr: &'a Expr) {
            self.1 |= (self.0)(expr);
            ruff_python_ast::visitor::source_order::walk_expr(self, expr);
        }
    }
    let mut finder = Targets(sets, false);
    finder.visit_stmt(statement);
    finder.1
}

struct Risks<'m, 's, 'a> {
    module: &'m Module<'s>,
    found: Option<AnyNodeRef<'a>>,
}

impl<'a> SourceOrderVisitor<'a> for Risks<'_, '_, 'a> {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        if self.found.is_some() {
            return TraversalSignal::Skip;
        }
        match node {
            AnyNodeRef::StmtRaise(_) => self.found = Some(node),
            AnyNodeRef::ExprCall(call) if may_fail(self.module, call) => self.found = Some(node),
            AnyNodeRef::StmtFunctionDef(_) | AnyNodeRef::ExprLambda(_) => return TraversalSignal::Skip,
            _ => {}
        }
        TraversalSignal::Traverse
    }
}

/// Whether a call fails in the course of things, as far as that is known.
fn may_fail(module: &Module, call: &ast::ExprCall) -> bool {
    let Some(symbol) = module.callee(call) else { return false };
    match symbol.origin {
        Origin::Project => {
            let function = module.called_function(call);
            function.and_then(|function| with_def(module, &function, |_, def| raises(&def.body))).unwrap_or(false)
        }
        Origin::StandardLibrary => symbol.is_any(FAILING) || FAILING_MODULES.contains(&symbol.module.as_str()),
        // A function of a package, called by its name: connections and handles are made this way.
        Origin::Installed | Origin::Unresolved => !symbol.name.is_empty(),
    }
}

/// Whether a body has a `raise` of its own.
fn raises(body: &[Stmt]) -> bool {
    struct Raises(bool);
    impl<'a> SourceOrderVisitor<'a> for Raises {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            self.0 |= matches!(node, AnyNodeRef::StmtRaise(_));
            match node {
                AnyNodeRef::StmtFunctionDef(_) | AnyNodeRef::ExprLambda(_) => TraversalSignal::Skip,
                _ => TraversalSignal::Traverse,
            }
        }
    }
    let mut finder = Raises(false);
    finder.visit_body(body);
    finder.0
}
