//! What a name or dotted name refers to, by following definitions and imports only.
//!
//! Nothing is inferred, so a question costs microseconds where the type of one expression costs the inference of a whole
//! function. It answers only where there is one definition; otherwise the types are asked.

use ruff_db::parsed::parsed_module;
use ruff_python_ast::{self as ast, ExprRef};
use ty_module_resolver::{
    ImportingFile, Module, ModuleName, file_to_module, resolve_module, resolve_module_for_import_from,
};
use ty_python_core::definition::{Definition, DefinitionKind};
use ty_python_core::{ProgramFile, global_scope, place_table, use_def_map};
use ty_python_semantic::{
    Db as SemanticDb, ImportAliasResolution, ProgramEnvironment, ResolvedDefinition, SemanticModel,
    definitions_for_name,
};

/// How many imports and aliases are followed.
const DEPTH: usize = 8;

/// What a name refers to.
#[derive(Clone)]
pub(super) enum Referent<'db> {
    Module(Module<'db>),
    Function(Definition<'db>),
    Class(Definition<'db>),
    /// A name of a module that was not found, as the import statement spells it.
    Missing {
        module: String,
        name: String,
    },
    /// Something else that a module binds at its top level, such as a constant or a special form.
    Global(Definition<'db>),
}

/// What `expr`, a name or a dotted name, refers to; `None` for variables and wherever there is more than one definition.
pub(super) fn referent<'db>(model: &SemanticModel<'db>, expr: ExprRef<'_>) -> Option<Referent<'db>> {
    within(model, expr, DEPTH)
}

fn within<'db>(model: &SemanticModel<'db>, expr: ExprRef<'_>, depth: usize) -> Option<Referent<'db>> {
    let depth = depth.checked_sub(1)?;
    match expr {
        ExprRef::Name(name) => {
            let aliases = ImportAliasResolution::PreserveAliases;
            let found = definitions_for_name(model, name.id.as_str(), name.into(), aliases);
            if found.is_empty() {
                return forgotten_import(model, &name.id);
            }
            // `import a` without an alias resolves to the module itself, and `import a.b` to `b` though it binds `a`.
            if let [ResolvedDefinition::Module(file)] = found.as_slice() {
                let module = file_to_module(model.db(), file.resolver_file(model.db()))?;
                let is_bound = module.name(model.db()).last_component() == name.id.as_str();
                let module = if is_bound { Some(module) } else { model.resolve_module(Some(&name.id), 0) };
                return module.map(Referent::Module);
            }
            let mut definitions = found.into_iter().map(|resolved| match resolved {
                ResolvedDefinition::Definition(definition) => Some(definition),
                _ => None,
            });
            let first = definitions.next()??;
            // The overloads of a function are one thing; so is what both branches of a version check define.
            let is_overload =
                |other: Option<Definition>| other.is_some_and(|other| is_same_function(model.db(), first, other));
            definitions.all(is_overload).then(|| of_definition(model.db(), first, depth))?
        }
        ExprRef::Attribute(attribute) => match within(model, (&*attribute.value).into(), depth)? {
            Referent::Module(module) => of_member(model.db(), model.program_file(), module, &attribute.attr, depth),
            Referent::Missing { module, name } if name.is_empty() => {
                Some(Referent::Missing { module, name: attribute.attr.to_string() })
            }
            Referent::Missing { module, name } => {
                Some(Referent::Missing { module, name: format!("{name}.{}", attribute.attr) })
            }
            _ => None,
        },
        _ => None,
    }
}

/// A name that is bound nowhere, but is that of a module of the standard library: its import is still to be written.
fn forgotten_import<'db>(model: &SemanticModel<'db>, name: &str) -> Option<Referent<'db>> {
    let module = model.resolve_module(Some(name), 0)?;
    let is_standard = module.search_path(model.db()).is_some_and(|path| path.is_standard_library());
    is_standard.then(|| Referent::Missing { module: name.to_string(), name: String::new() })
}

fn is_same_function(db: &dyn SemanticDb, one: Definition, other: Definition) -> bool {
    let is_function = |definition: Definition| matches!(definition.kind(db), DefinitionKind::Function(_));
    is_function(one) && is_function(other) && one.file(db).is_stub(db) && one.scope(db) == other.scope(db)
}

/// What a definition defines, imports followed.
fn of_definition<'db>(db: &'db dyn SemanticDb, definition: Definition<'db>, depth: usize) -> Option<Referent<'db>> {
    let depth = depth.checked_sub(1)?;
    let program_file = definition.program_file(db);
    let parsed = parsed_module(db, definition.python_file(db)).load(db);
    let importing = importing_file(db, program_file);
    match definition.kind(db) {
        DefinitionKind::Function(_) => Some(Referent::Function(definition)),
        DefinitionKind::Class(_) => Some(Referent::Class(definition)),
        DefinitionKind::Import(import) => {
            let alias = import.alias(&parsed);
            let full = alias.name.as_str();
            // `import a.b` binds `a`; `import a.b as c` binds `a.b`.
            let bound = if alias.asname.is_some() { full } else { full.split('.').next().unwrap_or(full) };
            match resolve_module(db, importing, &ModuleName::new(bound)?) {
                Some(module) => Some(Referent::Module(module)),
                None => Some(Referent::Missing { module: bound.to_string(), name: String::new() }),
            }
        }
        DefinitionKind::ImportFrom(import) => {
            let name = import.alias(&parsed).name.as_str();
            from_import(db, program_file, import.import(&parsed), name, depth)
        }
        DefinitionKind::StarImport(import) => {
            let name = definition.name(db)?;
            from_import(db, program_file, import.import(&parsed), &name, depth)
        }
        DefinitionKind::Assignment(assignment) if assignment.unpack().is_none() => {
            let value = assignment.value(&parsed);
            let is_global = definition.file_scope(db).is_global();
            let aliased = match value {
                ast::Expr::Name(_) | ast::Expr::Attribute(_) => {
                    within(&SemanticModel::new(db, program_file), value.into(), depth)
                }
                _ => None,
            };
            aliased.or_else(|| is_global.then_some(Referent::Global(definition)))
        }
        DefinitionKind::AnnotatedAssignment(_) if definition.file_scope(db).is_global() => {
            Some(Referent::Global(definition))
        }
        _ => None,
    }
}

fn from_import<'db>(
    db: &'db dyn SemanticDb,
    program_file: ProgramFile<'db>,
    import: &ast::StmtImportFrom,
    name: &str,
    depth: usize,
) -> Option<Referent<'db>> {
    match resolve_module_for_import_from(db, importing_file(db, program_file), import) {
        Some(module) => of_member(db, program_file, module, name, depth),
        None if import.level == 0 => {
            Some(Referent::Missing { module: import.module.as_ref()?.to_string(), name: name.to_string() })
        }
        None => None,
    }
}

/// What `name` is in the `from` import `import` of `file`.
pub(super) fn imported<'db>(
    db: &'db dyn SemanticDb,
    file: ProgramFile<'db>,
    import: &ast::StmtImportFrom,
    name: &str,
) -> Option<Referent<'db>> {
    from_import(db, file, import, name, DEPTH)
}

/// What `name` is in `module`: what its top level binds, or a submodule.
fn of_member<'db>(
    db: &'db dyn SemanticDb,
    importer: ProgramFile<'db>,
    module: Module<'db>,
    name: &str,
    depth: usize,
) -> Option<Referent<'db>> {
    let depth = depth.checked_sub(1)?;
    let bound = module.file(db).and_then(|file| {
        let program_file = importer.program(db).program_file(db, file);
        let definitions = module_bindings(db, program_file, name);
        let (first, rest) = definitions.split_first()?;
        let parsed = parsed_module(db, first.python_file(db)).load(db);
        let found = match first.kind(db) {
            // What a star import binds has the name it is asked for.
            DefinitionKind::StarImport(import) => from_import(db, program_file, import.import(&parsed), name, depth)?,
            _ => of_definition(db, *first, depth)?,
        };
        // Two branches of a version check may bind two things of one name; that they are one kind of thing is enough.
        let is_same = |other: &Definition<'db>| is_same_kind(db, *first, *other);
        rest.iter().all(is_same).then_some(found)
    });
    bound.or_else(|| {
        let mut full = module.name(db).clone();
        full.extend(&ModuleName::new(name)?);
        // A folder elsewhere that happens to have the name is no submodule.
        let is_beside = |found: &Module<'db>| found.search_path(db) == module.search_path(db);
        resolve_module(db, importing_file(db, importer), &full).filter(is_beside).map(Referent::Module)
    })
}

fn is_same_kind(db: &dyn SemanticDb, one: Definition, other: Definition) -> bool {
    std::mem::discriminant(one.kind(db)) == std::mem::discriminant(other.kind(db))
}

/// The definitions that the top level of a file leaves for `name`, the last one first.
fn module_bindings<'db>(db: &'db dyn SemanticDb, file: ProgramFile<'db>, name: &str) -> Vec<Definition<'db>> {
    let scope = global_scope(db, file);
    let table = place_table(db, scope);
    let Some(symbol) = table.symbol_id(name) else { return vec![] };
    let map = use_def_map(db, scope);
    let bindings = map.end_of_scope_symbol_bindings(symbol).filter_map(|binding| binding.binding.definition());
    let mut found: Vec<_> = bindings.collect();
    if found.is_empty() {
        let declared = map.end_of_scope_symbol_declarations(symbol);
        found.extend(declared.filter_map(|declared| declared.declaration.definition()));
    }
    found.reverse();
    found
}

fn importing_file<'db>(db: &'db dyn SemanticDb, file: ProgramFile<'db>) -> ImportingFile<'db> {
    let environment = ProgramEnvironment::from_file(file);
    ImportingFile::File(file.file(db), environment.resolver_environment(db))
}
