//! What functions of the project give that say nothing of it: the class on which their `return` statements agree, or, for a
//! generator function under `contextmanager`, what it yields.

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal, walk_body};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr};
use ty_python_core::definition::{Definition, DefinitionKind};

use super::super::database::Db;
use super::super::functions::contains_yield;
use super::super::module::Module;
use super::super::names::Symbol;
use super::body::How;
use super::decorators::{Decoration, decoration};
use super::is_of_project;

/// The most statements that are asked for what they give.
const STATEMENTS: usize = 6;

/// What a function gives when it is used like this.
#[derive(Clone, Debug, PartialEq, Eq, salsa::SalsaValue)]
pub(in super::super) struct Given<'db> {
    how: How,
    /// The name of the class of what it gives.
    pub(in super::super) symbol: Symbol,
    /// The class, where its statement is at hand.
    pub(in super::super) class: Option<Definition<'db>>,
}

/// What a function of the project gives when it is called, read as an attribute, or entered.
pub(in super::super) fn result<'db>(db: &'db dyn Db, function: Definition<'db>, how: How) -> Option<&'db Given<'db>> {
    if !is_of_project(db, function) {
        return None;
    }
    given(db, function).as_ref().filter(|given| given.how == how)
}

#[salsa::tracked(returns(ref), cycle_result = given_in_cycle)]
fn given<'db>(db: &'db dyn Db, function: Definition<'db>) -> Option<Given<'db>> {
    let module = Module::of_file(db.snapshot(), function.program_file(db));
    let parsed = module.parsed().clone();
    let DefinitionKind::Function(node) = function.kind(db) else { return None };
    let def = node.node(&parsed);
    if def.is_async {
        return None;
    }
    let how = match (decoration(&module, def), contains_yield(&def.body)) {
        (Decoration::None | Decoration::Cached, false) => How::Called,
        (Decoration::Property | Decoration::CachedProperty, false) => How::Read,
        (Decoration::ContextManager, true) => How::Entered,
        _ => return None,
    };
    let values = values(def, how);
    if values.len() > STATEMENTS {
        return None;
    }
    let mut all = values.into_iter().map(|value| {
        let class = module.receiver_class(value);
        let symbol = class.map(|class| class.symbol()).or_else(|| module.class_name(value))?;
        Some(Given { how, symbol, class: class.map(|class| class.definition()) })
    });
    let first = all.next()??;
    all.all(|other| other.as_ref() == Some(&first)).then_some(first)
}

fn given_in_cycle<'db>(_db: &'db dyn Db, _id: salsa::Id, _function: Definition<'db>) -> Option<Given<'db>> {
    None
}

/// What the function's own body returns, or yields to `with`. `None` is left out: nothing is asked of it.
fn values(def: &ast::StmtFunctionDef, how: How) -> Vec<&Expr> {
    struct Values<'a> {
        how: How,
        found: Vec<&'a Expr>,
    }
    impl<'a> SourceOrderVisitor<'a> for Values<'a> {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            let value = match node {
                AnyNodeRef::StmtReturn(returned) if self.how != How::Entered => returned.value.as_deref(),
                AnyNodeRef::ExprYield(yielded) if self.how == How::Entered => yielded.value.as_deref(),
                AnyNodeRef::StmtFunctionDef(_) | AnyNodeRef::StmtClassDef(_) | AnyNodeRef::ExprLambda(_) => {
                    return TraversalSignal::Skip;
                }
                _ => None,
            };
            self.found.extend(value.filter(|value| !value.is_none_literal_expr()));
            TraversalSignal::Traverse
        }
    }
    let mut values = Values { how, found: vec![] };
    walk_body(&mut values, &def.body);
    values.found
}
