//! The callback of a weak reference: what it captures, and which entry it removes.

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal, walk_node};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use crate::analysis::{Module, Site};
use crate::detectors::reference_count::root;
use crate::text::{Ranged as _, TextRange};

/// A callback written in place, or as a function in the same function.
pub(super) struct Callback {
    /// Where it is passed.
    pub range: TextRange,
    /// The variables of the enclosing function it uses.
    pub captures: Vec<String>,
    /// The entry it takes out: `self._cache[key]`.
    pub removes: Option<String>,
    /// Whether it compares anything first.
    pub compares: bool,
}

impl Callback {
    /// The callback that `expr`, an argument at `site`, is.
    pub fn of(site: &Site, expr: &Expr) -> Option<Self> {
        match site.function() {
            Some(def) => Self::in_function(site.module, def, expr),
            None => Self::read(site.module, expr, &[], &site.module.syntax().body),
        }
    }

    /// The callback that `expr`, in the body of `def`, is.
    pub fn in_function(module: &Module, def: &ast::StmtFunctionDef, expr: &Expr) -> Option<Self> {
        let mut locals: Vec<String> = def.parameters.iter().map(|parameter| parameter.name().to_string()).collect();
        locals.extend(
            super::container::targets(&def.body)
                .iter()
                .filter_map(|target| Some(target.as_name_expr()?.id.to_string())),
        );
        Self::read(module, expr, &locals, &def.body)
    }

    fn read(module: &Module, expr: &Expr, locals: &[String], body: &[Stmt]) -> Option<Self> {
        let (node, own): (AnyNodeRef, Vec<&str>) = match expr {
            Expr::Lambda(lambda) => {
                let parameters = lambda.parameters.iter().flat_map(|parameters| parameters.iter());
                (AnyNodeRef::from(&*lambda.body), parameters.map(|parameter| parameter.name().as_str()).collect())
            }
            Expr::Name(name) => {
                let def =
                    body.iter().filter_map(Stmt::as_function_def_stmt).find(|def| def.name.as_str() == name.id)?;
                (AnyNodeRef::from(def), def.parameters.iter().map(|parameter| parameter.name().as_str()).collect())
            }
            _ => return None,
        };
        let mut reader = Reader { module, names: vec![], removes: None, compares: false };
        walk_node(&mut reader, node);
        let captures = reader.names.into_iter().filter(|name| locals.contains(name) && !own.contains(&name.as_str()));
        Some(Self {
            range: expr.range(),
            captures: captures.collect(),
            removes: reader.removes,
            compares: reader.compares,
        })
    }

    /// Whether it captures the object that `target`, where the reference is stored, is a part of.
    pub fn holds_owner_of(&self, target: Option<&Expr>) -> bool {
        let owner = target.filter(|target| !target.is_name_expr()).and_then(root);
        owner.is_some_and(|(name, _)| name.id == "self" && self.captures.iter().any(|captured| captured == "self"))
    }
}

struct Reader<'m, 's> {
    module: &'m Module<'s>,
    names: Vec<String>,
    removes: Option<String>,
    compares: bool,
}

impl<'a> SourceOrderVisitor<'a> for Reader<'_, '_> {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        match node {
            AnyNodeRef::ExprName(name) if name.ctx.is_load() && !self.names.iter().any(|other| *other == *name.id) => {
                self.names.push(name.id.to_string());
            }
            AnyNodeRef::ExprCompare(_) => self.compares = true,
            AnyNodeRef::ExprCall(call) => {
                if let Expr::Attribute(method) = &*call.func
                    && method.attr.as_str() == "pop"
                    && let Some(key) = call.arguments.args.first()
                {
                    let container = self.module.source(&*method.value);
                    self.removes = Some(format!("{container}[{}]", self.module.source(key.range())));
                }
            }
            AnyNodeRef::StmtDelete(delete) => {
                if let [Expr::Subscript(entry)] = delete.targets.as_slice() {
                    self.removes = Some(self.module.source(entry.range()).to_string());
                }
            }
            _ => {}
        }
        TraversalSignal::Traverse
    }
}
