//! What a file's syntax alone says, read once for many questions: its calls by name, its renaming imports.

use std::collections::{BTreeMap, BTreeSet};

use ruff_db::parsed::parsed_module;
use ruff_db::source::source_text;
use ruff_python_ast::name::Name;
use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, HasNodeIndex as _, Stmt};
use ty_python_core::ProgramFile;
use ty_python_semantic::SemanticModel;

use super::database;
use super::functions::contains_yield;
use super::words::has_word;

/// The keywords under which a call is given a function to run.
pub(super) const FUNCTION_KEYWORDS: &[&str] = &["function", "target"];

/// The calls of a file, by their numbers in the tree.
#[derive(Debug, Default, PartialEq, Eq, salsa::SalsaValue)]
pub(super) struct Calls {
    by_name: BTreeMap<Name, Vec<u32>>,
}

impl Calls {
    /// The calls of `name`.
    pub(super) fn of(&self, name: &str) -> &[u32] {
        self.by_name.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}

/// The calls of a file, by the last part of the called name; those that are given a function by keyword also by that
/// keyword and `=` (`"target="`).
#[salsa::tracked(returns(ref))]
pub(super) fn calls_by_name<'db>(db: &'db dyn database::Db, file: ProgramFile<'db>) -> Calls {
    let parsed = parsed_module(db, file.python_file(db)).load(db);
    let mut collector = CallCollector::default();
    collector.visit_body(&parsed.syntax().body);
    collector.calls
}

/// The names that imports give another name, with the last part of what they were.
#[derive(Debug, Default, PartialEq, Eq, salsa::SalsaValue)]
pub(super) struct ImportAliases {
    originals: BTreeMap<Name, Name>,
}

impl ImportAliases {
    /// What a name was where it was imported from; the name itself where no import renames it.
    pub(super) fn original<'n>(&'n self, name: &'n str) -> &'n str {
        self.originals.get(name).map_or(name, Name::as_str)
    }
}

/// The names that the imports of a file rename.
#[salsa::tracked(returns(ref))]
pub(super) fn import_aliases<'db>(db: &'db dyn database::Db, file: ProgramFile<'db>) -> ImportAliases {
    let parsed = parsed_module(db, file.python_file(db)).load(db);
    let mut aliases = ImportAliases::default();
    aliases.visit_body(&parsed.syntax().body);
    aliases
}

impl<'a> SourceOrderVisitor<'a> for ImportAliases {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        if let AnyNodeRef::Alias(alias) = node
            && let Some(name) = &alias.asname
        {
            let original = alias.name.rsplit('.').next().unwrap_or(&alias.name);
            self.originals.insert(name.id.clone(), Name::new(original));
        }
        if node.is_expression() { TraversalSignal::Skip } else { TraversalSignal::Traverse }
    }
}

/// The names a file defines, by what they are.
#[derive(Debug, Default, PartialEq, Eq, salsa::SalsaValue)]
pub(super) struct DefinedNames {
    /// `async def`s, methods included.
    pub(super) async_functions: BTreeSet<String>,
    /// Functions with a `yield`, methods included.
    pub(super) generators: BTreeSet<String>,
    /// Classes whose body binds `__eq__` and no `__hash__`.
    pub(super) unhashable: BTreeSet<String>,
    /// Functions in class bodies.
    pub(super) methods: BTreeSet<String>,
    /// Functions in class bodies under a decorator whose name says that reading the attribute calls them.
    pub(super) properties: BTreeSet<String>,
    /// What class bodies bind by a decorated function, or by assignment to what is not a constant or a display.
    pub(super) class_attributes: BTreeSet<String>,
    /// The top-level packages that the file imports from.
    pub(super) imported_packages: BTreeSet<String>,
    /// What `from` imports name: the last part of the module, and the name there.
    pub(super) taken: BTreeSet<(String, String)>,
}

/// Reads the names that a file defines off its syntax.
#[salsa::tracked(returns(ref))]
pub(super) fn defined_names<'db>(db: &'db dyn database::Db, file: ProgramFile<'db>) -> DefinedNames {
    let parsed = parsed_module(db, file.python_file(db)).load(db);
    let mut names = DefinedNames::default();
    names.visit_body(&parsed.syntax().body);
    names
}

impl<'a> SourceOrderVisitor<'a> for DefinedNames {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        match node {
            AnyNodeRef::StmtFunctionDef(def) => {
                if def.is_async {
                    self.async_functions.insert(def.name.to_string());
                } else if contains_yield(&def.body) {
                    self.generators.insert(def.name.to_string());
                }
            }
            AnyNodeRef::StmtClassDef(class) => {
                self.unhashable.extend(is_unhashable(class).then(|| class.name.to_string()));
                self.add_body(&class.body);
            }

            AnyNodeRef::StmtImport(import) => {
                self.imported_packages.extend(import.names.iter().map(|alias| first_part(&alias.name)));
            }
            AnyNodeRef::StmtImportFrom(import) => {
                let module = import.module.as_deref().unwrap_or_default();
                if import.level == 0 && !module.is_empty() {
                    self.imported_packages.insert(first_part(module));
                }
                let last = module.rsplit('.').next().unwrap_or(module);
                self.taken.extend(import.names.iter().map(|alias| (last.to_string(), alias.name.to_string())));
            }
            _ => {}
        }
        if node.is_expression() { TraversalSignal::Skip } else { TraversalSignal::Traverse }
    }
}

/// Whether a class body binds `__eq__` and no `__hash__`.
fn is_unhashable(class: &ast::StmtClassDef) -> bool {
    let binds = |name: &str| {
        class.body.iter().any(|statement| match statement {
            Stmt::FunctionDef(def) => def.name.as_str() == name,
            Stmt::Assign(assign) => assign.targets.iter().any(|target| last_name(target) == Some(name)),
            _ => false,
        })
    };
    binds("__eq__") && !binds("__hash__")
}

fn first_part(dotted: &str) -> String {
    dotted.split('.').next().unwrap_or(dotted).to_string()
}

impl DefinedNames {
    fn add_body(&mut self, body: &[Stmt]) {
        for statement in body {
            match statement {
                Stmt::FunctionDef(def) => {
                    self.methods.insert(def.name.to_string());
                    if !def.decorator_list.is_empty() {
                        self.class_attributes.insert(def.name.to_string());
                        let is_property = |decorator: &ast::Decorator| {
                            matches!(last_name(&decorator.expression), Some("cached_property" | "property"))
                        };
                        if def.decorator_list.iter().any(is_property) {
                            self.properties.insert(def.name.to_string());
                        }
                    }
                }
                Stmt::Assign(assign) if !is_plain(&assign.value) => self.add_targets(&assign.targets),
                Stmt::AnnAssign(assign) if assign.value.as_ref().is_some_and(|value| !is_plain(value)) => {
                    self.add_targets(std::slice::from_ref(&*assign.target))
                }
                Stmt::If(statement) => {
                    self.add_body(&statement.body);
                    statement.elif_else_clauses.iter().for_each(|clause| self.add_body(&clause.body));
                }
                Stmt::Try(statement) => {
                    for body in [&statement.body, &statement.orelse, &statement.finalbody] {
                        self.add_body(body);
                    }
                }
                Stmt::With(statement) => self.add_body(&statement.body),
                Stmt::For(statement) => self.add_body(&statement.body),
                _ => {}
            }
        }
    }

    fn add_targets(&mut self, targets: &[Expr]) {
        for target in targets {
            match target {
                Expr::Name(name) => {
                    self.class_attributes.insert(name.id.to_string());
                }
                Expr::Tuple(tuple) => self.add_targets(&tuple.elts),
                Expr::List(list) => self.add_targets(&list.elts),
                _ => {}
            }
        }
    }
}

/// Whether the value is one that no class can have made a descriptor of: a constant, a display, or what PEP 8 names as a
/// class, which is one itself and no object of it.
fn is_plain(value: &Expr) -> bool {
    match value {
        Expr::List(_) | Expr::Dict(_) | Expr::Set(_) | Expr::Tuple(_) | Expr::FString(_) => true,
        Expr::UnaryOp(unary) => is_plain(&unary.operand),
        Expr::Name(_) | Expr::Attribute(_) => last_name(value).is_some_and(is_class_name),
        _ => value.is_literal_expr(),
    }
}

/// `Widget`, but not `WIDGET`.
fn is_class_name(name: &str) -> bool {
    let name = name.trim_start_matches('_');
    name.starts_with(|first: char| first.is_uppercase()) && name.contains(|letter: char| letter.is_lowercase())
}

/// The classes without a hash that a file names, of its own and of the modules of the project that it imports from.
#[salsa::tracked(returns(deref))]
pub(super) fn unhashable_named<'db>(db: &'db dyn database::Db, file: ProgramFile<'db>) -> Vec<String> {
    let text = source_text(db, file.python_file(db).file(db));
    let all = project_imports(db, file).iter().flat_map(|file| &defined_names(db, *file).unhashable);
    all.filter(|class| has_word(&text, class)).cloned().collect()
}

/// A file and the modules of the project that it imports or imports from.
#[salsa::tracked(returns(deref))]
pub(super) fn project_imports<'db>(db: &'db dyn database::Db, file: ProgramFile<'db>) -> Vec<ProgramFile<'db>> {
    let model = SemanticModel::new(db, file);
    let parsed = parsed_module(db, file.python_file(db)).load(db);
    let mut files = vec![file];
    for (name, level) in imported_modules(&parsed.syntax().body) {
        let Some(module) = model.resolve_module(name.as_deref(), level) else { continue };
        let is_project = module.search_path(db).is_some_and(|path| path.is_first_party());
        if let Some(imported) = module.file(db).filter(|_| is_project) {
            let imported = file.program(db).program_file(db, imported);
            if !files.contains(&imported) {
                files.push(imported);
            }
        }
    }
    files
}

/// The `from` imports and plain imports of a body: the module's name as written, and the leading dots.
fn imported_modules(body: &[Stmt]) -> Vec<(Option<String>, u32)> {
    let mut collector = ImportCollector::default();
    collector.visit_body(body);
    collector.modules
}

#[derive(Default)]
struct ImportCollector {
    modules: Vec<(Option<String>, u32)>,
}

impl<'a> SourceOrderVisitor<'a> for ImportCollector {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        match node {
            AnyNodeRef::StmtImport(import) => {
                self.modules.extend(import.names.iter().map(|alias| (Some(alias.name.to_string()), 0)));
            }
            AnyNodeRef::StmtImportFrom(import) => {
                let module = import.module.as_ref().map(|name| name.to_string());
                // `from package import module` may name a submodule.
                for alias in &import.names {
                    let full =
                        module.as_ref().map_or(alias.name.to_string(), |module| format!("{module}.{}", alias.name));
                    self.modules.push((Some(full), import.level));
                }
                self.modules.push((module, import.level));
            }
            _ => {}
        }
        if node.is_expression() { TraversalSignal::Skip } else { TraversalSignal::Traverse }
    }
}

/// The name that `expr` ends in: `f` in `f` and in `x.f`.
pub(super) fn last_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        _ => None,
    }
}

#[derive(Default)]
struct CallCollector {
    calls: Calls,
}

impl<'a> SourceOrderVisitor<'a> for CallCollector {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        if let AnyNodeRef::ExprCall(call) = node
            && let Some(name) = last_name(&call.func)
        {
            let Some(index) = call.node_index().load().as_u32() else { return TraversalSignal::Traverse };
            let calls = &mut self.calls.by_name;
            calls.entry(Name::new(name)).or_default().push(index);
            for keyword in FUNCTION_KEYWORDS {
                if call.arguments.find_keyword(keyword).is_some() {
                    calls.entry(Name::new(format!("{keyword}="))).or_default().push(index);
                }
            }
        }
        TraversalSignal::Traverse
    }
}

/// The class statements of a body, in order.
pub(super) fn class_statements(body: &[Stmt]) -> Vec<&ast::StmtClassDef> {
    struct Collector<'a>(Vec<&'a ast::StmtClassDef>);
    impl<'a> SourceOrderVisitor<'a> for Collector<'a> {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            if let AnyNodeRef::StmtClassDef(class) = node {
                self.0.push(class);
            }
            if node.is_expression() { TraversalSignal::Skip } else { TraversalSignal::Traverse }
        }
    }
    let mut collector = Collector(vec![]);
    collector.visit_body(body);
    collector.0
}
