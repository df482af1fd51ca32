//! Imports: which module a name stands for, whether it is there, and what an import statement binds.

use ruff_db::files::{File, FilePath};
use ruff_python_ast::{self as ast, AnyRootNodeRef, Expr, Stmt};
use ruff_text_size::Ranged as _;
use ty_module_resolver::{
    ImportingFile, ModuleName, resolve_module, resolve_real_module, resolve_real_shadowable_module,
};

use super::index::{Binding, BindingKind, NodeNumber};
use super::modules::{Context, Evaluator, has_extension, imports_succeed, is_package, module_name};
use super::source::Source;
use super::{ModuleRef, Value};

impl<'db> Evaluator<'db> {
    /// The module that an absolute name stands for in an import in `importing`; none if there is none.
    pub fn resolve(&self, importing: File, name: &str) -> Option<ModuleRef> {
        let db = self.db;
        let resolver = ImportingFile::ResolverFile(db.program_file(importing).resolver_file(db));
        let module_name = ModuleName::new(name)?;
        if let Some(module) = resolve_real_shadowable_module(db, resolver, &module_name) {
            return Some(match module.file(db) {
                Some(file) => self.replacement(file).unwrap_or(ModuleRef::Source(file)),
                None => ModuleRef::Namespace(name.into()),
            });
        }
        if db.knowledge().c_types.has_module(name) {
            return Some(ModuleRef::C(name.into()));
        }
        if let Some(module) = resolve_module(db, resolver, &module_name)
            && module.search_path(db).is_some_and(|path| path.is_standard_library())
            && let Some(file) = module.file(db)
            // Without the library's sources, the stubs stand in for them; with them, what is not there is not there.
            && resolve_real_module(db, resolver, &ModuleName::new_static("os")?).is_none()
        {
            return Some(ModuleRef::Source(file));
        }
        self.extension(importing, name).or_else(|| self.registered(importing, name))
    }

    /// What a module puts in its own place: `sys.modules[__name__] = …`.
    fn replacement(&self, file: File) -> Option<ModuleRef> {
        let source = self.source(file);
        let value = source.expression(source.index.replaced_by?)?;
        Some(match self.evaluate(&self.module_context(file), value) {
            Value::Module(module) => module,
            _ => ModuleRef::Opaque,
        })
    }

    /// A module that another puts into `sys.modules`, as `os` does with `os.path`.
    fn registered(&self, importing: File, name: &str) -> Option<ModuleRef> {
        let (parent, _) = name.rsplit_once('.')?;
        let ModuleRef::Source(file) = self.resolve(importing, parent)? else { return None };
        let source = self.source(file);
        let value = source.parsed.syntax().body.iter().find_map(|statement| {
            let assign = statement.as_assign_stmt()?;
            let [ast::Expr::Subscript(target)] = assign.targets.as_slice() else { return None };
            let key = target.slice.as_string_literal_expr()?;
            let is_registry = super::super::syntax_index::last_name(&target.value) == Some("modules");
            (is_registry && key.value == *name).then_some(&*assign.value)
        })?;
        match self.evaluate(&self.module_context(file), value) {
            Value::Module(module) => Some(module),
            _ => Some(ModuleRef::Opaque),
        }
    }

    /// An extension module without source, in the package that would hold it.
    fn extension(&self, importing: File, name: &str) -> Option<ModuleRef> {
        let (package, last) = name.rsplit_once('.').unwrap_or(("", name));
        let folders: Vec<String> = match package {
            "" => {
                let environment = self.db.program_file(importing).resolver_environment(self.db);
                let paths = ty_module_resolver::system_module_search_paths(self.db, environment);
                paths.flat_map(|path| [path.to_string(), format!("{path}/lib-dynload")]).collect()
            }
            package => match self.resolve(importing, package)? {
                ModuleRef::Source(file) => {
                    let FilePath::System(path) = file.path(self.db) else { return None };
                    vec![path.parent()?.to_string()]
                }
                _ => return None,
            },
        };
        folders.iter().any(|folder| has_extension(self.db, folder, last)).then_some(ModuleRef::Opaque)
    }

    /// The module that an import statement or one of its aliases reads: none if `node` is no import, `Some(None)` if the
    /// module is not found.
    pub fn imported_module(&self, source: &Source, node: NodeNumber) -> Option<Option<ModuleRef>> {
        match source.node(node) {
            AnyRootNodeRef::Alias(alias) => match self.statement_of_alias(source, alias)? {
                Stmt::Import(_) => Some(self.resolve(source.file, &alias.name)),
                Stmt::ImportFrom(import) => Some(self.module_after_from(source.file, import)),
                _ => None,
            },
            AnyRootNodeRef::Stmt(Stmt::ImportFrom(import)) => Some(self.module_after_from(source.file, import)),
            _ => None,
        }
    }

    /// The module after `from`.
    pub fn module_after_from(&self, file: File, import: &ast::StmtImportFrom) -> Option<ModuleRef> {
        let resolver = ImportingFile::ResolverFile(self.db.program_file(file).resolver_file(self.db));
        let name = match ModuleName::from_import_statement(self.db, resolver, import) {
            Ok(name) => name.as_str().to_string(),
            Err(_) => self.relative_name(file, import)?,
        };
        self.resolve(file, &name)
    }

    fn relative_name(&self, file: File, import: &ast::StmtImportFrom) -> Option<String> {
        let own = module_name(self.db, file)?;
        let mut parts: Vec<&str> = own.split('.').collect();
        let up = (import.level as usize).checked_sub(usize::from(is_package(self.db, file)))?;
        parts.truncate(parts.len().checked_sub(up)?);
        parts.extend(import.module.as_deref());
        Some(parts.join("."))
    }

    /// The statement that holds an alias: the one that encloses it.
    fn statement_of_alias<'s>(&self, source: &'s Source, alias: &ast::Alias) -> Option<&'s Stmt> {
        let mut number = super::index::number(alias);
        while let Some(before) = number.checked_sub(1) {
            number = before;
            if let AnyRootNodeRef::Stmt(statement) = source.node(number) {
                return statement.range().contains_range(alias.range()).then_some(statement);
            }
        }
        None
    }

    /// Whether an import raises `ImportError`, as far as can be seen.
    pub fn import_fails(&self, source: &Source, statement: &Stmt) -> bool {
        let fails = |module: Option<ModuleRef>| match module {
            None => true,
            Some(ModuleRef::Source(file)) => !imports_succeed(self.db, file),
            Some(_) => false,
        };
        match statement {
            Stmt::Import(import) => import.names.iter().any(|alias| fails(self.resolve(source.file, &alias.name))),
            Stmt::ImportFrom(import) => {
                let Some(module) = self.module_after_from(source.file, import) else { return true };
                let lacks = |alias: &ast::Alias| {
                    let name = alias.name.as_str();
                    name != "*" && self.module_attribute(&module, name).is_none()
                };
                fails(Some(module.clone())) || import.names.iter().any(lacks)
            }
            _ => false,
        }
    }

    /// What an alias of an import binds.
    pub fn import_value(&self, source: &Source, node: NodeNumber) -> Value {
        let AnyRootNodeRef::Alias(alias) = source.node(node) else { return Value::Unknown };
        match self.statement_of_alias(source, alias) {
            Some(Stmt::Import(_)) => {
                let full = alias.name.as_str();
                // `import a.b` binds `a`.
                let bound = if alias.asname.is_some() { full } else { full.split('.').next().unwrap_or(full) };
                self.resolve(source.file, bound).map_or(Value::Unknown, Value::Module)
            }
            Some(Stmt::ImportFrom(import)) => {
                let Some(module) = self.module_after_from(source.file, import) else { return Value::Unknown };
                let name = alias.name.as_str();
                let submodule = || self.submodule(source.file, &module, name).map(Value::Module);
                // A package's submodule is meant, unless the package itself binds the name, other than by an import of `*`.
                let is_bound = match &module {
                    ModuleRef::Source(file) if *file == source.file => false,
                    ModuleRef::Source(file) => self.source(*file).index.scope(0).binds(name),
                    _ => true,
                };
                if !is_bound && let Some(value) = submodule() {
                    return value;
                }
                // A module that imports from itself gets what it has bound so far.
                if module == ModuleRef::Source(source.file) && self.statement_is_of_module(source, import) {
                    let own = self.module_context(source.file);
                    return self.scope_value(&own, 0, name, Some(import.start())).unwrap_or(Value::Unknown);
                }
                self.module_attribute(&module, name).unwrap_or(Value::Unknown)
            }
            _ => Value::Unknown,
        }
    }

    /// Whether a name or an attribute is one of an extension module.
    pub fn is_of_extension(&self, context: &Context<'db>, expr: &Expr) -> bool {
        match expr {
            Expr::Attribute(attribute) => self.evaluate(context, &attribute.value) == Value::Module(ModuleRef::Opaque),
            Expr::Name(name) => {
                let source = &context.source;
                let mut bindings = source.index.scope(0).bindings_of(&name.id).map(|(_, binding)| binding);
                let is_imported =
                    |node: NodeNumber| self.imported_module(source, node) == Some(Some(ModuleRef::Opaque));
                bindings.next().is_some_and(|binding| is_imported(binding.node)) && bindings.next().is_none()
            }
            _ => false,
        }
    }

    /// Whether a statement runs with its module, and not in a function or class body.
    fn statement_is_of_module(&self, source: &Source, import: &ast::StmtImportFrom) -> bool {
        source.scope_around(import.range()) == 0
    }

    /// What `from module import *` binds to `name`; none if nothing.
    pub fn star_value(&self, source: &Source, node: NodeNumber, name: &str) -> Option<Value> {
        let AnyRootNodeRef::Stmt(Stmt::ImportFrom(import)) = source.node(node) else { return None };
        let module = self.module_after_from(source.file, import)?;
        let exported = match &module {
            ModuleRef::Source(file) if *file == source.file => return None,
            ModuleRef::Source(file) => self.exports(*file, name) && !self.has_from(*file, name, source.file),
            _ => !name.starts_with('_'),
        };
        exported.then(|| self.module_attribute(&module, name))?
    }

    /// Whether a module has a name only from `origin`, so that `origin` gets nothing new by importing all from it.
    fn has_from(&self, file: File, name: &str, origin: File) -> bool {
        let source = self.source(file);
        let scope = source.index.scope(0);
        let is_from = |node: NodeNumber| self.imported_module(&source, node) == Some(Some(ModuleRef::Source(origin)));
        if scope.binds(name) {
            let is_passed_on =
                |binding: &Binding| matches!(binding.kind, BindingKind::ImportFrom) && is_from(binding.node);
            return scope.bindings_of(name).all(|(_, binding)| is_passed_on(binding));
        }
        let stars: Vec<NodeNumber> = scope.stars.iter().map(|number| scope.bindings[*number].node).collect();
        let gives = |star: &NodeNumber| !is_from(*star) && self.star_value(&source, *star, name).is_some();
        stars.iter().any(|star| is_from(*star)) && !stars.iter().any(gives)
    }

    fn exports(&self, file: File, name: &str) -> bool {
        match super::exports::exported_names(self.db, file) {
            Some(names) => names.iter().any(|exported| exported == name),
            // A computed `__all__` is taken to hold what looks public.
            None => !name.starts_with('_'),
        }
    }
}
