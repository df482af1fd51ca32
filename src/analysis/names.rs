//! Canonical names: what an expression refers to, through imports, aliases, re-exports and receivers.

use std::fmt;

use ruff_python_ast::{self as ast, Expr, ExprRef};
use ty_module_resolver::{Module as ResolvedModule, file_to_module};
use ty_python_core::definition::Definition;
use ty_python_core::scope::NodeWithScopeKind;
use ty_python_semantic::types::{Type, TypeDefinition};
use ty_python_semantic::{HasType as _, ImportAliasResolution, definitions_for_name};

use super::classes::Class;
use super::database::Db;
use super::definitions::{Referent, referent};
use super::module::Module;
use super::syntax_index::last_name;

/// Where a name is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, salsa::SalsaValue)]
pub enum Origin {
    /// The standard library.
    StandardLibrary,
    /// An installed package.
    Installed,
    /// The user's own code.
    Project,
    /// An import that was not found; the name is the one in the import statement.
    Unresolved,
}

/// The canonical name of a module, function, class or method.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, salsa::SalsaValue)]
pub struct Symbol {
    /// The public module: `asyncio`, not `asyncio.tasks`.
    pub module: String,
    /// The qualified name in it: `Queue.get`; empty for a module.
    pub name: String,
    pub origin: Origin,
}

impl Symbol {
    /// Whether this is the library object with the public name `full` (`"queue.Queue.get"`). The user's own code is never
    /// taken for a library's, whatever its modules are called.
    pub fn is(&self, full: &str) -> bool {
        self.origin != Origin::Project && self.full_is(full)
    }

    /// As [`Symbol::is`], for several names.
    pub fn is_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.is(name))
    }

    /// The last part of the name.
    pub fn last(&self) -> &str {
        let name = if self.name.is_empty() { &self.module } else { &self.name };
        name.rsplit('.').next().unwrap_or(name)
    }

    /// The symbol of attribute `name` of this one.
    pub fn member(&self, name: &str) -> Self {
        let joined = if self.name.is_empty() { name.to_string() } else { format!("{}.{name}", self.name) };
        Self { module: self.module.clone(), name: joined, origin: self.origin }
    }

    fn full_is(&self, full: &str) -> bool {
        if self.name.is_empty() {
            return self.module == full;
        }
        full.strip_prefix(self.module.as_str()).and_then(|rest| rest.strip_prefix('.')) == Some(self.name.as_str())
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.module.as_str(), self.name.as_str()) {
            (module, "") => write!(f, "{module}"),
            ("", name) => write!(f, "{name}"),
            (module, name) => write!(f, "{module}.{name}"),
        }
    }
}

impl<'s> Module<'s> {
    /// The canonical name of the function, class, method or module that `expr` refers to; `None` for values and for
    /// anything that is not certain.
    pub fn symbol<'e>(&self, expr: impl Into<ExprRef<'e>>) -> Option<Symbol> {
        let expr = expr.into();
        match referent(self.model(), expr) {
            Some(Referent::Module(module)) => return self.module_symbol(module),
            Some(Referent::Function(definition) | Referent::Class(definition)) => {
                return self.definition_symbol(definition);
            }
            Some(Referent::Missing { module, name }) => {
                let (module, name) = self.runtime().public(&module, &name);
                return Some(Symbol { module, name, origin: Origin::Unresolved });
            }
            Some(Referent::Global(definition)) => {
                // A special form or an alias of a library; a project's own constant is a value.
                if let Some(symbol) =
                    self.definition_symbol(definition).filter(|symbol| symbol.origin != Origin::Project)
                {
                    return Some(symbol);
                }
            }
            None => {}
        }
        let ty = expr.inferred_type(self.model());
        match ty {
            Some(Type::ModuleLiteral(_)) => {
                let TypeDefinition::Module(module) = ty?.definition(self.db(), &self.environment())? else {
                    return None;
                };
                return self.module_symbol(module);
            }
            Some(Type::FunctionLiteral(_) | Type::BoundMethod(_) | Type::ClassLiteral(_) | Type::GenericAlias(_)) => {
                let definition = *ty?.definition(self.db(), &self.environment())?.definition()?;
                return self.definition_symbol(definition);
            }
            // `typing.Protocol` and the like, for which the stub binds nothing.
            Some(Type::SpecialForm(form)) => {
                let full = form.to_string();
                let (module, name) = full.rsplit_once('.')?;
                let origin = Origin::StandardLibrary;
                return Some(Symbol { module: module.to_string(), name: name.to_string(), origin });
            }
            _ => {}
        }
        match expr {
            ExprRef::Attribute(attribute) => self.attribute_symbol(attribute),
            _ => None,
        }
    }

    /// The name under which the file can be imported: `package.module`.
    pub fn module_name(&self) -> Option<String> {
        let module = file_to_module(self.db(), self.model().program_file().resolver_file(self.db()))?;
        Some(module.name(self.db()).to_string())
    }

    /// Whether an import of `name` reads the module of the standard library: no file of the project hides it.
    pub fn is_library_module(&self, name: &str) -> bool {
        let module = self.model().resolve_module(Some(name), 0);
        let path = module.and_then(|module| module.search_path(self.db()));
        path.is_some_and(|path| path.is_standard_library())
    }

    /// The canonical name of what a call calls. For `C()` it is the class.
    pub fn callee(&self, call: &ast::ExprCall) -> Option<Symbol> {
        self.symbol(&*call.func)
    }

    /// Whether a call calls one of the library objects with these public names. The last parts of the names are compared
    /// first, so asking about a call that is none of them costs nothing.
    pub fn calls(&self, call: &ast::ExprCall, names: &[&str]) -> bool {
        self.may_be(&call.func, names) && self.callee(call).is_some_and(|symbol| symbol.is_any(names))
    }

    /// Whether `expr` refers to the library object with this public name.
    pub fn is_symbol(&self, expr: &Expr, name: &str) -> bool {
        self.may_be(expr, &[name]) && self.symbol(expr).is_some_and(|symbol| symbol.is(name))
    }

    /// The first name of a dotted name, when this file binds it nowhere and it is no builtin: reading it raises `NameError`.
    pub fn unbound_root<'e>(&self, expr: &'e Expr) -> Option<&'e str> {
        let mut root = expr;
        while let Expr::Attribute(attribute) = root {
            root = &attribute.value;
        }
        let name = root.as_name_expr()?;
        let aliases = ImportAliasResolution::PreserveAliases;
        definitions_for_name(self.model(), &name.id, name.into(), aliases).is_empty().then_some(name.id.as_str())
    }

    /// Whether `expr` is named as PEP 8 names classes, where it was imported from: enough to rule out the receivers and
    /// callees that are no class without asking for their types.
    pub fn is_named_like_a_class(&self, expr: &Expr) -> bool {
        let name = match expr {
            Expr::Name(name) => self.imported_name(&name.id),
            Expr::Attribute(attribute) => attribute.attr.as_str(),
            _ => return false,
        };
        name.trim_start_matches('_').starts_with(|first: char| first.is_uppercase())
    }

    /// Whether `expr` is written so that it may refer to one of the library objects with these public names.
    pub fn may_be(&self, expr: &Expr, names: &[&str]) -> bool {
        let Some(last) = last_name(expr) else { return false };
        let last = if expr.is_name_expr() { self.imported_name(last) } else { last };
        names.iter().any(|name| name.rsplit('.').next() == Some(last))
    }

    /// The canonical name of the class of the object that `expr` evaluates to. Looks further than the types: through
    /// un-annotated parameters to the arguments of the calls in this file, and to classes of packages that are not installed.
    pub fn class_name(&self, expr: &Expr) -> Option<Symbol> {
        if let Some(class) = self.class_of(expr) {
            return Some(class.symbol());
        }
        self.traced_class_name(expr)
    }

    fn attribute_symbol(&self, attribute: &ast::ExprAttribute) -> Option<Symbol> {
        let name = attribute.attr.as_str();
        // What a property gives is not the property.
        let is_property = match &*attribute.value {
            Expr::Attribute(read) => self.may_have_property(&read.attr),
            _ => false,
        };
        if let Some(base) = self.symbol(&*attribute.value).filter(|_| !is_property) {
            return Some(base.member(name));
        }
        let class = self.class_name(&attribute.value)?;
        Some(class.member(name))
    }

    /// The canonical name of a definition.
    pub(super) fn definition_symbol(&self, definition: Definition<'s>) -> Option<Symbol> {
        let db = self.db();
        let mut name = definition.name(db)?;
        let program_file = definition.program_file(db);
        let index = ty_python_core::semantic_index(db, program_file);
        let parsed = ruff_db::parsed::parsed_module(db, definition.python_file(db)).load(db);
        for (_, scope) in index.ancestor_scopes(definition.file_scope(db)) {
            match scope.node() {
                NodeWithScopeKind::Class(class) => name = format!("{}.{name}", class.node(&parsed).name),
                NodeWithScopeKind::Function(function) => name = format!("{}.{name}", function.node(&parsed).name),
                _ => {}
            }
        }
        let module = file_to_module(db, program_file.resolver_file(db));
        let Some(module) = module else {
            let path = definition.file(db).path(db);
            let stem = path.as_system_path().and_then(|path| path.file_stem()).unwrap_or_default();
            return Some(Symbol { module: stem.to_string(), name, origin: Origin::Project });
        };
        let origin = self.module_origin(module);
        let module = module.name(db).as_str();
        let (module, name) = match origin {
            Origin::Project => (module.to_string(), name),
            _ => self.runtime().public(module, &name),
        };
        Some(Symbol { module, name, origin })
    }

    fn module_symbol(&self, module: ResolvedModule<'s>) -> Option<Symbol> {
        let origin = self.module_origin(module);
        let name = module.name(self.db()).as_str();
        let module = if origin == Origin::Project { name.to_string() } else { self.runtime().public(name, "").0 };
        Some(Symbol { module, name: String::new(), origin })
    }

    fn module_origin(&self, module: ResolvedModule<'s>) -> Origin {
        match module.search_path(self.db()) {
            Some(path) if path.is_standard_library() => Origin::StandardLibrary,
            Some(path) if path.is_first_party() => Origin::Project,
            Some(_) => Origin::Installed,
            None => Origin::Project,
        }
    }
}

impl Class<'_> {
    /// The class's canonical name.
    pub fn symbol(&self) -> Symbol {
        class_symbol(self.snapshot(), self.definition()).clone()
    }

    /// Whether this is the library class with the public name `full` (`"threading.Thread"`).
    pub fn is(&self, full: &str) -> bool {
        class_symbol(self.snapshot(), self.definition()).is(full)
    }
}

#[salsa::tracked(returns(ref))]
fn class_symbol<'db>(db: &'db dyn Db, definition: Definition<'db>) -> Symbol {
    let class = Class::new(db.snapshot(), definition);
    let name = || Symbol { module: String::new(), name: class.name(), origin: Origin::Project };
    class.module().definition_symbol(definition).unwrap_or_else(name)
}
