//! Functions as they are written: coroutine functions, generators, decorated ones.

use ruff_db::parsed::parsed_module;
use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr};
use ty_python_core::definition::{Definition, DefinitionKind};
use ty_python_semantic::HasType as _;
use ty_python_semantic::types::{Type, TypeDefinition};

use super::definitions::{Referent, referent};
use super::module::{Module, place_of};
use super::names::Symbol;
use super::syntax_index::last_name;
use crate::text::Place;

/// A function as it is written; plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    pub symbol: Symbol,
    /// The name in its `def`.
    pub name: String,
    /// Where its name stands; `None` for a function that a stub describes.
    pub place: Option<Place>,
    /// `async def`.
    pub is_async: bool,
    /// Has a `yield` of its own.
    pub is_generator: bool,
    /// Has any decorator.
    pub is_decorated: bool,
}

impl Function {
    /// Calling it gives a coroutine: `async def` without `yield`, and nothing wrapped around it.
    pub fn makes_coroutine(&self) -> bool {
        self.is_async && !self.is_generator && !self.is_decorated
    }
}

impl<'s> Module<'s> {
    /// The function a call calls, when that is certain; for a class it is `None`.
    pub fn called_function(&self, call: &ast::ExprCall) -> Option<Function> {
        self.function(&call.func)
    }

    /// The function that `expr` refers to.
    pub fn function(&self, expr: &Expr) -> Option<Function> {
        self.function_of(self.function_definition(expr)?)
    }

    /// The definition of the function that `expr` refers to.
    pub(super) fn function_definition(&self, expr: &Expr) -> Option<Definition<'s>> {
        match referent(self.model(), expr.into()) {
            Some(Referent::Function(definition)) => return Some(definition),
            Some(Referent::Class(_) | Referent::Module(_) | Referent::Missing { .. }) => return None,
            Some(Referent::Global(_)) | None => {}
        }
        if let Some(method) = self.own_method(expr) {
            return Some(method);
        }
        let ty = expr.inferred_type(self.model())?;
        if !matches!(ty, Type::FunctionLiteral(_) | Type::BoundMethod(_)) {
            return self.function_by_name(expr);
        }
        let Some(TypeDefinition::Function(definition)) = ty.definition(self.db(), &self.environment()) else {
            return None;
        };
        Some(definition)
    }

    /// The method that `self.name` refers to, read off the class bodies.
    fn own_method(&self, expr: &Expr) -> Option<Definition<'s>> {
        let Expr::Attribute(attribute) = expr else { return None };
        let class = self.class_of_self(&attribute.value)?;
        let definition = class.definer(&attribute.attr)?.own_definition(&attribute.attr)?;
        matches!(definition.kind(self.db()), DefinitionKind::Function(_)).then_some(definition)
    }

    /// Whether a call may call an `async def`, by name alone: this file, or a module of the project that it imports from,
    /// has an `async def` of that name. A cheap question for code that runs in no coroutine, where most calls are none.
    pub fn may_call_async(&self, call: &ast::ExprCall) -> bool {
        let Some(name) = last_name(&call.func) else { return false };
        let name = if call.func.is_name_expr() { self.imported_name(name) } else { name };
        self.project_names().any(|names| names.async_functions.contains(name))
    }

    /// A function whose decorators hide its type, by the name of its `def`.
    fn function_by_name(&self, expr: &Expr) -> Option<Definition<'s>> {
        use ty_python_semantic::{ImportAliasResolution, ResolvedDefinition, definitions_for_name};
        let Expr::Name(name) = expr else { return None };
        let aliases = ImportAliasResolution::ResolveAliases;
        match definitions_for_name(self.model(), name.id.as_str(), name.into(), aliases).as_slice() {
            [ResolvedDefinition::Definition(definition)] => {
                matches!(definition.kind(self.db()), DefinitionKind::Function(_)).then_some(*definition)
            }
            _ => None,
        }
    }

    pub(super) fn function_of(&self, definition: Definition<'s>) -> Option<Function> {
        let db = self.db();
        let DefinitionKind::Function(node) = definition.kind(db) else { return None };
        let parsed = parsed_module(db, definition.python_file(db)).load(db);
        let def = node.node(&parsed);
        Some(Function {
            symbol: self.definition_symbol(definition)?,
            name: def.name.to_string(),
            place: (!definition.file(db).is_stub(db)).then(|| place_of(db, definition)).flatten(),
            is_async: def.is_async,
            is_generator: contains_yield(&def.body),
            is_decorated: !def.decorator_list.is_empty(),
        })
    }
}

/// Whether a function body has a `yield` of its own.
pub(super) fn contains_yield(body: &[ast::Stmt]) -> bool {
    struct Finder(bool);
    impl<'a> SourceOrderVisitor<'a> for Finder {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            match node {
                AnyNodeRef::ExprYield(_) | AnyNodeRef::ExprYieldFrom(_) => self.0 = true,
                AnyNodeRef::StmtFunctionDef(_) | AnyNodeRef::StmtClassDef(_) | AnyNodeRef::ExprLambda(_) => {
                    return TraversalSignal::Skip;
                }
                _ => {}
            }
            if self.0 { TraversalSignal::Skip } else { TraversalSignal::Traverse }
        }
    }
    let mut finder = Finder(false);
    finder.visit_body(body);
    finder.0
}
