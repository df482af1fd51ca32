//! Canonical names: what an expression refers to, through imports, aliases, re-exports and receivers.

use std::fmt;

use ruff_python_ast::{self as ast, Expr, ExprRef};
use ty_module_resolver::{Module as ResolvedModule, file_to_module};
use ty_python_core::definition::{Definition, DefinitionKind};
use ty_python_core::scope::NodeWithScopeKind;
use ty_python_semantic::types::{Type, TypeDefinition};
use ty_python_semantic::{HasType as _, ImportAliasResolution, ResolvedDefinition, definitions_for_name};

use super::classes::Class;
use super::module::Module;

/// Where a name is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
            ExprRef::Name(name) => self.name_symbol(name),
            ExprRef::Attribute(attribute) => self.attribute_symbol(attribute),
            _ => None,
        }
    }

    /// The canonical name of what a call calls. For `C()` it is the class.
    pub fn callee(&self, call: &ast::ExprCall) -> Option<Symbol> {
        self.symbol(&*call.func)
    }

    /// The canonical name of the class of the object that `expr` evaluates to. Looks further than the types: through
    /// un-annotated parameters to the arguments of the calls in this file, and to classes of packages that are not installed.
    pub fn class_name(&self, expr: &Expr) -> Option<Symbol> {
        if let Some(class) = self.class_of(expr) {
            return Some(class.symbol());
        }
        self.traced_class_name(expr)
    }

    fn name_symbol(&self, name: &ast::ExprName) -> Option<Symbol> {
        let resolve = |aliases| definitions_for_name(self.model(), name.id.as_str(), name.into(), aliases);
        if let [ResolvedDefinition::Definition(definition)] = resolve(ImportAliasResolution::ResolveAliases).as_slice()
        {
            match definition.kind(self.db()) {
                DefinitionKind::Function(_) | DefinitionKind::Class(_) => return self.definition_symbol(*definition),
                DefinitionKind::Import(_) | DefinitionKind::ImportFrom(_) => return self.import_symbol(*definition),
                // A module-level name of a library, such as a special form or an alias.
                DefinitionKind::Assignment(_) | DefinitionKind::AnnotatedAssignment(_) => {
                    let symbol = self.definition_symbol(*definition)?;
                    return (symbol.origin != Origin::Project).then_some(symbol);
                }
                _ => return None,
            }
        }
        match resolve(ImportAliasResolution::PreserveAliases).as_slice() {
            [ResolvedDefinition::Definition(definition)] => self.import_symbol(*definition),
            _ => None,
        }
    }

    fn attribute_symbol(&self, attribute: &ast::ExprAttribute) -> Option<Symbol> {
        let name = attribute.attr.as_str();
        if let Some(base) = self.symbol(&*attribute.value) {
            return Some(base.member(name));
        }
        let class = self.class_name(&attribute.value)?;
        Some(class.member(name))
    }

    /// The name an import statement gives, when the imported module is not found.
    fn import_symbol(&self, definition: Definition<'s>) -> Option<Symbol> {
        let parsed = ruff_db::parsed::parsed_module(self.db(), definition.python_file(self.db())).load(self.db());
        let (module, name) = match definition.kind(self.db()) {
            DefinitionKind::Import(import) => {
                let alias = import.alias(&parsed);
                let full = alias.name.as_str();
                // `import a.b` binds `a`; `import a.b as c` binds `a.b`.
                let bound = if alias.asname.is_some() { full } else { full.split('.').next().unwrap_or(full) };
                (bound.to_string(), String::new())
            }
            DefinitionKind::ImportFrom(import) => {
                let statement = import.import(&parsed);
                if statement.level > 0 {
                    return None;
                }
                (statement.module.as_ref()?.to_string(), import.alias(&parsed).name.to_string())
            }
            _ => return None,
        };
        let resolved = self.model().resolve_module(Some(&module), 0);
        let origin = resolved.map_or(Origin::Unresolved, |module| self.module_origin(module));
        let (module, name) = self.runtime().public(&module, &name);
        Some(Symbol { module, name, origin })
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
        let name = || Symbol { module: String::new(), name: self.name(), origin: Origin::Project };
        self.module().definition_symbol(self.definition()).unwrap_or_else(name)
    }

    /// Whether this is the library class with the public name `full` (`"threading.Thread"`).
    pub fn is(&self, full: &str) -> bool {
        self.symbol().is(full)
    }
}
