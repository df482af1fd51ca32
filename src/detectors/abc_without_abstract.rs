//! A class on `ABC` whose methods raise `NotImplementedError` and are not marked abstract: nothing keeps it from being made.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::abstract_class::missing;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["metaclasses/abc-without-abstract"], nodes: &[NodeKind::StmtClassDef], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtClassDef(statement) = site.node else { return None };
    let module = site.module;
    let open: Vec<String> = statement
        .body
        .iter()
        .filter_map(Stmt::as_function_def_stmt)
        .filter(|def| def.decorator_list.is_empty() && only_refuses(def))
        .map(|def| def.name.to_string())
        .collect();
    if open.is_empty() {
        return None;
    }
    let names = |expr: &Expr, name: &str| module.may_be(expr, &[name]) && module.is_symbol(expr, name);
    let keyword = statement.arguments.as_ref().and_then(|arguments| arguments.find_keyword("metaclass"));
    let base = statement.bases().iter().find(|base| names(base, "abc.ABC"));
    let named = base.or_else(|| keyword.map(|keyword| &keyword.value).filter(|value| names(value, "abc.ABCMeta")))?;
    let class = module.class(statement).filter(Class::mro_is_complete)?;
    let is_makeable = missing(&class)?.is_empty() && class.definer("__new__").is_none();
    is_makeable.then(|| {
        findings.push(
            Finding::new("metaclasses/abc-without-abstract", named.range())
                .fact("class", Fact::from(statement.name.as_str()))
                .fact("open", Fact::from(open)),
        );
    })
}

/// Whether the body is `raise NotImplementedError`, a docstring aside.
fn only_refuses(def: &ast::StmtFunctionDef) -> bool {
    let mut body = def.body.iter().filter(|statement| match statement {
        Stmt::Expr(expr) => !expr.value.is_string_literal_expr(),
        _ => true,
    });
    let (Some(Stmt::Raise(raise)), None) = (body.next(), body.next()) else { return false };
    let raised = raise.exc.as_deref().map(ast::helpers::map_callable);
    raised.is_some_and(|raised| super::method_body::is_name(raised, "NotImplementedError"))
}
