//! What `from module import *` takes: the names in `__all__`.

use ruff_db::files::File;
use ruff_python_ast::{Expr, Operator, Stmt};
use ruff_text_size::Ranged as _;

use super::super::database::Db;
use super::index::BindingKind;
use super::modules::{Context, Evaluator};
use super::{ModuleRef, Value};

/// The names in a module's `__all__`; none if it has none, or computes it.
#[salsa::tracked(returns(clone), cycle_initial = unknown_names)]
pub(super) fn exported_names(db: &dyn Db, file: File) -> Option<Vec<String>> {
    let evaluator = Evaluator::new(db);
    let context = evaluator.module_context(file);
    let source = context.source.clone();
    let scope = source.index.scope(0);
    let mut names: Option<Vec<String>> = None;
    for (_, binding) in scope.bindings_of("__all__") {
        let here = |expr: &Expr| Context { at: Some(expr.start()), ..context.clone() };
        match (&binding.kind, source.statement(binding.node)?) {
            (BindingKind::Assign { value, .. }, _) => {
                let value = source.expression(*value)?;
                names = Some(evaluator.names_in(&here(value), value)?);
            }
            (BindingKind::Augmented, Stmt::AugAssign(assign)) => {
                let more = evaluator.names_in(&here(&assign.value), &assign.value)?;
                names.get_or_insert_default().extend(more);
            }
            _ => return None,
        }
    }
    let is_changed = source.parsed.syntax().body.iter().any(|statement| match statement {
        Stmt::Expr(expr) => expr.value.as_call_expr().is_some_and(|call| is_all_method(&call.func)),
        _ => false,
    });
    if is_changed { None } else { names }
}

fn unknown_names(_db: &dyn Db, _id: salsa::Id, _file: File) -> Option<Vec<String>> {
    None
}

/// `__all__.extend` and the like.
fn is_all_method(callee: &Expr) -> bool {
    let receiver = callee.as_attribute_expr().map(|attribute| &*attribute.value);
    receiver.and_then(Expr::as_name_expr).is_some_and(|name| name.id == "__all__")
}

impl<'db> Evaluator<'db> {
    fn names_in(&self, context: &Context<'db>, expr: &Expr) -> Option<Vec<String>> {
        let items = match expr {
            Expr::List(list) => &list.elts,
            Expr::Tuple(tuple) => &tuple.elts,
            Expr::BinOp(sum) if sum.op == Operator::Add => {
                let mut names = self.names_in(context, &sum.left)?;
                names.extend(self.names_in(context, &sum.right)?);
                return Some(names);
            }
            Expr::Attribute(attribute) if attribute.attr.as_str() == "__all__" => {
                let Value::Module(ModuleRef::Source(file)) = self.evaluate(context, &attribute.value) else {
                    return None;
                };
                return exported_names(self.db, file);
            }
            _ => return None,
        };
        items.iter().map(|item| Some(item.as_string_literal_expr()?.value.to_str().to_string())).collect()
    }
}
