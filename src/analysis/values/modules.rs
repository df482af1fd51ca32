//! Modules: which file an import reads, and what a module holds when it has run to its end.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use ruff_db::files::{File, FilePath};
use ruff_db::parsed::parsed_module;
use ruff_python_ast::statement_visitor::{StatementVisitor, walk_stmt};
use ruff_python_ast::{self as ast, Stmt};
use ruff_text_size::TextSize;
use ty_module_resolver::file_to_module;

use super::super::database::Db;
use super::super::syntax_index::last_name;
use super::index::{BindingKind, Index};
use super::source::Source;
use super::{Frame, ModuleRef, Value};

/// Reads values. One of these serves one query; what it has read is kept for the next by salsa.
pub(super) struct Evaluator<'db> {
    pub db: &'db dyn Db,
    sources: RefCell<HashMap<File, Rc<Source<'db>>>>,
    /// How deep calls are followed at the moment.
    pub depth: Cell<usize>,
    /// How many more expressions this query may evaluate.
    pub budget: Cell<usize>,
    /// So many queries wait for each other that this one has to end the chain.
    pub is_deep: bool,
}

const BUDGET: usize = 20_000;

/// How often values that depend on each other are read again before they count as unknown.
pub(super) const ROUNDS: u32 = 8;

/// Where an expression is evaluated.
#[derive(Clone)]
pub(super) struct Context<'db> {
    pub source: Rc<Source<'db>>,
    pub scope: usize,
    /// The call in which it happens; none while the module runs.
    pub frame: Option<Arc<Frame>>,
    /// What is bound behind this place does not count.
    pub at: Option<TextSize>,
}

#[salsa::tracked(returns(ref), no_eq)]
fn index(db: &dyn Db, file: File) -> Index {
    let parsed = parsed_module(db, db.program_file(file).python_file(db)).load(db);
    Index::new(parsed.syntax())
}

/// What `name` holds when the module has run; none if it is not bound.
#[salsa::tracked(returns(clone), cycle_initial = unknown_member, cycle_fn = settled_member)]
pub(super) fn module_member(db: &dyn Db, file: File, name: String) -> Option<Value> {
    let evaluator = Evaluator::new(db);
    if evaluator.is_deep {
        return Some(Value::Unknown);
    }
    let context = evaluator.module_context(file);
    evaluator.scope_value(&context, 0, &name, None)
}

fn unknown_member(_db: &dyn Db, _id: salsa::Id, _file: File, _name: String) -> Option<Value> {
    Some(Value::Unknown)
}

fn settled_member(
    _db: &dyn Db,
    cycle: &salsa::Cycle,
    _previous: &Option<Value>,
    value: Option<Value>,
    _file: File,
    _name: String,
) -> Option<Value> {
    if cycle.iteration() > ROUNDS { Some(Value::Unknown) } else { value }
}

/// The value of one binding of a module's or a class's body.
#[salsa::tracked(returns(clone), cycle_initial = unknown_binding, cycle_fn = settled_binding)]
pub(super) fn binding_value(db: &dyn Db, file: File, scope: usize, binding: usize) -> Value {
    let evaluator = Evaluator::new(db);
    if evaluator.is_deep {
        return Value::Unknown;
    }
    let mut context = evaluator.module_context(file);
    context.scope = scope;
    evaluator.evaluate_binding(&context, scope, binding)
}

fn unknown_binding(_db: &dyn Db, _id: salsa::Id, _file: File, _scope: usize, _binding: usize) -> Value {
    Value::Unknown
}

fn settled_binding(
    _db: &dyn Db,
    cycle: &salsa::Cycle,
    _previous: &Value,
    value: Value,
    _file: File,
    _scope: usize,
    _binding: usize,
) -> Value {
    if cycle.iteration() > ROUNDS { Value::Unknown } else { value }
}

/// Whether the unconditional imports of a module find what they import, all the way down.
#[salsa::tracked(returns(copy), cycle_initial = assume_success)]
pub(super) fn imports_succeed(db: &dyn Db, file: File) -> bool {
    let evaluator = Evaluator::new(db);
    if evaluator.is_deep {
        return true;
    }
    let source = evaluator.source(file);
    let bindings = source.index.scope(0).bindings.iter().filter(|binding| binding.branch.is_none());
    bindings.into_iter().all(|binding| match binding.kind {
        BindingKind::Import | BindingKind::ImportFrom | BindingKind::Star => {
            evaluator.imported_module(&source, binding.node).is_none_or(|found| {
                found.is_some_and(|module| match module {
                    ModuleRef::Source(file) => imports_succeed(db, file),
                    _ => true,
                })
            })
        }
        _ => true,
    })
}

fn assume_success(_db: &dyn Db, _id: salsa::Id, _file: File) -> bool {
    true
}

/// Whether an extension module stands beside the file and is imported instead of it.
#[salsa::tracked(returns(copy))]
pub(super) fn is_compiled(db: &dyn Db, file: File) -> bool {
    let FilePath::System(path) = file.path(db) else { return false };
    let (Some(folder), Some(stem)) = (path.parent(), path.file_stem()) else { return false };
    has_extension(db, folder.as_str(), stem)
}

pub(super) fn has_extension(db: &dyn Db, folder: &str, stem: &str) -> bool {
    let Ok(entries) = db.system().read_directory(ruff_db::system::SystemPath::new(folder)) else { return false };
    entries.flatten().any(|entry| {
        let name = entry.path().file_name().unwrap_or_default();
        let rest = name.strip_prefix(stem).and_then(|rest| rest.strip_prefix('.'));
        rest.is_some_and(|rest| rest.ends_with("so") || rest.ends_with("pyd"))
    })
}

/// The name a module is imported under.
#[salsa::tracked(returns(clone))]
pub fn module_name(db: &dyn Db, file: File) -> Option<Arc<str>> {
    let module = file_to_module(db, db.program_file(file).resolver_file(db));
    if let Some(module) = module {
        return Some(module.name(db).as_str().into());
    }
    let FilePath::System(path) = file.path(db) else { return None };
    let mut parts = vec![];
    if path.file_stem() != Some("__init__") {
        parts.push(path.file_stem()?.to_string());
    }
    let mut folder = path.parent()?;
    while db.system().is_file(&folder.join("__init__.py")) {
        parts.push(folder.file_name()?.to_string());
        folder = folder.parent()?;
    }
    parts.reverse();
    (!parts.is_empty()).then(|| parts.join(".").into())
}

pub(super) fn is_package(db: &dyn Db, file: File) -> bool {
    match file.path(db) {
        FilePath::System(path) => path.file_stem() == Some("__init__"),
        FilePath::Vendored(path) => path.file_stem() == Some("__init__"),
        FilePath::SystemVirtual(_) => false,
    }
}

/// The first `from … import name`.
struct Imports<'a, 'n> {
    name: &'n str,
    found: Option<&'a ast::StmtImportFrom>,
}

impl<'a> StatementVisitor<'a> for Imports<'a, '_> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        if let Stmt::ImportFrom(import) = statement
            && import.names.iter().any(|alias| alias.name.as_str() == self.name && alias.asname.is_none())
        {
            self.found.get_or_insert(import);
        }
        walk_stmt(self, statement);
    }
}

impl<'db> Evaluator<'db> {
    pub fn new(db: &'db dyn Db) -> Self {
        let is_deep = db.stack().is_half_full();
        let budget = Cell::new(if is_deep { 0 } else { BUDGET });
        Self { db, sources: RefCell::default(), depth: Cell::new(0), budget, is_deep }
    }

    pub fn source(&self, file: File) -> Rc<Source<'db>> {
        if let Some(source) = self.sources.borrow().get(&file) {
            return source.clone();
        }
        let parsed = parsed_module(self.db, self.db.program_file(file).python_file(self.db)).load(self.db);
        let index = index(self.db, file);
        let source = Rc::new(Source { file, parsed, index, is_stub: file.is_stub(self.db) });
        self.sources.borrow_mut().insert(file, source.clone());
        source
    }

    /// A file that absolute names are resolved from: any that this query reads.
    pub fn any_file(&self) -> Option<File> {
        self.sources.borrow().keys().next().copied()
    }

    /// The module's own scope, at its end.
    pub fn module_context(&self, file: File) -> Context<'db> {
        Context { source: self.source(file), scope: 0, frame: None, at: None }
    }

    /// An attribute of a module; none if it certainly has none of that name.
    pub fn module_attribute(&self, module: &ModuleRef, name: &str) -> Option<Value> {
        match module {
            ModuleRef::Source(file) => self.source_attribute(*file, name),
            ModuleRef::C(module) => self.c_attribute(module, name),
            ModuleRef::Namespace(_) => {
                let submodule = self.submodule(self.any_file()?, module, name)?;
                Some(Value::Module(submodule))
            }
            ModuleRef::Opaque => Some(Value::Unknown),
        }
    }

    fn source_attribute(&self, file: File, name: &str) -> Option<Value> {
        let module = module_name(self.db, file).unwrap_or_default();
        if let Some(value) = self.known_member(&module, name, file.is_stub(self.db)) {
            return Some(value);
        }
        match module_member(self.db, file, name.to_string()) {
            // `global name` in the hook that imports it.
            Some(Value::Unknown) => return Some(self.lazily_imported(file, name).unwrap_or(Value::Unknown)),
            Some(value) => return Some(value),
            None => {}
        }
        match name {
            "__name__" => return Some(Value::Str(module)),
            "__file__" | "__package__" => return Some(Value::c_instance("builtins.str")),
            "__doc__" | "__path__" | "__spec__" | "__loader__" | "__dict__" => return Some(Value::Unknown),
            _ => {}
        }
        if let Some(member) = self.global_member(file, name) {
            return Some(member);
        }
        let package = ModuleRef::Source(file);
        if let Some(submodule) = self.submodule(file, &package, name) {
            return Some(Value::Module(submodule));
        }
        let lazy = module_member(self.db, file, "__getattr__".to_string())
            .map(|_| self.lazily_imported(file, name).unwrap_or_else(|| self.promised(file, name)));
        match lazy {
            None | Some(Value::Unknown) => self.described_member(file, name).or(lazy),
            known => known,
        }
    }

    /// What a module's `__getattr__` gives: where an import under `TYPE_CHECKING` tells readers what a name will be, that.
    fn promised(&self, file: File, name: &str) -> Value {
        let source = self.source(file);
        let scope = source.index.scope(0);
        let mut imports = scope.bindings_of(name).map(|(_, binding)| binding);
        match (imports.next(), imports.next()) {
            (Some(only), None) if matches!(only.kind, BindingKind::Import | BindingKind::ImportFrom) => {
                self.import_value(&source, only.node)
            }
            (None, _) => {
                let mut stars = scope.stars.iter().map(|number| scope.bindings[*number].node);
                let found = stars.find_map(|star| self.star_value(&source, star, name));
                found.unwrap_or(Value::Unknown)
            }
            _ => Value::Unknown,
        }
    }

    /// What a module's `__getattr__` imports under the name that it is asked for.
    fn lazily_imported(&self, file: File, name: &str) -> Option<Value> {
        let source = self.source(file);
        let hook = source.parsed.syntax().body.iter().find_map(|statement| match statement {
            Stmt::FunctionDef(hook) if hook.name.as_str() == "__getattr__" => Some(hook),
            _ => None,
        })?;
        let mut imports = Imports { name, found: None };
        imports.visit_body(&hook.body);
        match self.module_after_from(file, imports.found?)? {
            ModuleRef::Source(home) if home != file => module_member(self.db, home, name.to_string()),
            module => self.submodule(file, &module, name).map(Value::Module),
        }
    }

    /// A member of an enumeration that a decorator copies into the module: `enum.global_enum`.
    fn global_member(&self, file: File, name: &str) -> Option<Value> {
        let source = self.source(file);
        let context = self.module_context(file);
        let is_global = |decorator: &ruff_python_ast::Decorator| {
            last_name(&decorator.expression).is_some_and(|name| name.ends_with("global_enum"))
                && matches!(self.evaluate(&context, &decorator.expression), Value::Function(function)
                    if self.qualified_name(function.node).as_deref() == Some("enum.global_enum"))
        };
        let bindings =
            source.index.scope(0).bindings.iter().filter(|binding| matches!(binding.kind, BindingKind::Class));
        bindings.into_iter().find_map(|binding| {
            let class = source.class(binding.node)?;
            if !class.decorator_list.iter().any(is_global) {
                return None;
            }
            super::members::member_value(self.db, file, binding.node, name.to_string())?;
            Some(Value::Instance(super::ClassRef::Source(source.at(binding.node))))
        })
    }

    /// A submodule of a package, imported or not.
    pub fn submodule(&self, importing: File, module: &ModuleRef, name: &str) -> Option<ModuleRef> {
        let package = match module {
            ModuleRef::Source(file) if is_package(self.db, *file) => module_name(self.db, *file)?,
            ModuleRef::Namespace(package) => package.clone(),
            _ => return None,
        };
        self.resolve(importing, &format!("{package}.{name}"))
    }
}
