//! The functions of a property written with decorators, and where they stand.

use ruff_python_ast::{self as ast, Expr, Stmt};

use crate::analysis::{Member, Module};
use crate::text::Place;

/// Where the functions of a property are defined.
#[derive(Default)]
pub(super) struct Accessors {
    pub getter: Option<Place>,
    pub setter: Option<Place>,
    pub deleter: Option<Place>,
}

impl Accessors {
    /// The functions of `member` in the body of the class that binds it.
    pub fn of(member: &Member) -> Self {
        member.owner.with_statement(|module, statement| {
            let mut found = Self::default();
            for def in definitions(&statement.body, &member.name) {
                let place = module.place(ruff_text_size::Ranged::range(&def.name));
                match accessor(def) {
                    Some("setter") => found.setter = place,
                    Some("deleter") => found.deleter = place,
                    _ => found.getter = place,
                }
            }
            found
        })
    }
}

/// The definition of the function of `member` that `kind` names: `getter`, `setter` or `deleter`.
pub(super) fn with_accessor<'s, R>(
    member: &Member<'s>,
    kind: &str,
    read: impl FnOnce(&Module<'s>, &ast::StmtFunctionDef) -> Option<R>,
) -> Option<R> {
    member.owner.with_statement(|module, statement| {
        let defs = definitions(&statement.body, &member.name);
        let def = defs.into_iter().rev().find(|def| accessor(def).unwrap_or("getter") == kind)?;
        read(module, def)
    })
}

fn definitions<'a>(body: &'a [Stmt], name: &str) -> Vec<&'a ast::StmtFunctionDef> {
    let functions = body.iter().filter_map(Stmt::as_function_def_stmt);
    functions.filter(|def| def.name.as_str() == name).collect()
}

/// `setter` for a function below `@name.setter`, and so on.
pub(super) fn accessor(def: &ast::StmtFunctionDef) -> Option<&str> {
    def.decorator_list.iter().find_map(|decorator| {
        let Expr::Attribute(attribute) = &decorator.expression else { return None };
        let accessor = attribute.attr.as_str();
        matches!(accessor, "getter" | "setter" | "deleter").then_some(accessor)
    })
}
