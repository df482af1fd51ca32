//! One file seen through a snapshot.

use std::cell::OnceCell;
use std::fmt;
use std::path::{Path, PathBuf};

use ruff_db::files::{File, FileRange, system_path_to_file};
use ruff_db::parsed::{ParsedModuleRef, parsed_module};
use ruff_db::source::{SourceText, line_index, source_text};
use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{self as ast, AnyNodeRef, AnyRootNodeRef, Expr, ExprRef, ModModule, NodeIndex};
use ruff_text_size::{Ranged as _, TextRange, TextSize};
use ty_python_core::ProgramFile;
use ty_python_core::definition::{Definition, DefinitionKind};
use ty_python_semantic::types::Type;
use ty_python_semantic::{Db as SemanticDb, HasType as _, ProgramEnvironment, SemanticModel};

use super::classes::Class;
use super::database::Db;
use super::definitions::{Referent, referent};
use super::environment::system_path;
use super::runtime::RuntimeTable;
use super::syntax_index::{
    DefinedNames, ImportAliases, calls_by_name, defined_names, import_aliases, project_imports, unhashable_named,
};
use super::tracing::Budget;
use super::values::instance_of_global;
use super::words::has_word;
use super::{Knowledge, Snapshot, Version};
use crate::text::{Lines, Place};

/// Why a file cannot be explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// There is no such file, or it is a folder.
    Missing(PathBuf),
    /// The file cannot be read, is not UTF-8, or breaks a limit; the text says which.
    Unreadable(PathBuf, String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => write!(f, "{} does not exist or is not a file", path.display()),
            Self::Unreadable(path, why) => write!(f, "{} cannot be explained: {why}", path.display()),
        }
    }
}

impl std::error::Error for Problem {}

/// One file: its tree, and the questions about its expressions.
pub struct Module<'s> {
    snapshot: &'s Snapshot,
    file: File,
    model: SemanticModel<'s>,
    parsed: ParsedModuleRef,
    source: SourceText,
    lines: OnceCell<Lines>,
    tracing_budget: Budget,
}

impl<'s> Module<'s> {
    pub(super) fn open(snapshot: &'s Snapshot, path: &Path) -> Result<Self, Problem> {
        let missing = || Problem::Missing(path.to_path_buf());
        let system = system_path(path).map_err(|error| Problem::Unreadable(path.to_path_buf(), error.to_string()))?;
        let file = system_path_to_file(snapshot, &system).map_err(|_| missing())?;
        let module = Self::of_file(snapshot, snapshot.program_file(file));
        if let Some(error) = module.source.read_error() {
            return Err(Problem::Unreadable(path.to_path_buf(), reason(&error.to_string())));
        }
        Ok(module)
    }

    pub(super) fn of_file(snapshot: &'s Snapshot, program_file: ProgramFile<'s>) -> Self {
        let db: &'s dyn SemanticDb = snapshot;
        let file = program_file.file(db);
        Self {
            snapshot,
            file,
            model: SemanticModel::new(db, program_file),
            parsed: parsed_module(db, program_file.python_file(db)).load(db),
            source: source_text(db, file),
            lines: OnceCell::new(),
            tracing_budget: Budget::default(),
        }
    }

    pub(super) fn db(&self) -> &'s dyn SemanticDb {
        self.snapshot
    }

    pub(super) fn model(&self) -> &SemanticModel<'s> {
        &self.model
    }

    pub(super) fn environment(&self) -> ProgramEnvironment<'s> {
        self.model.program_environment()
    }

    pub(super) fn knowledge(&self) -> &'s Knowledge {
        Db::knowledge(self.snapshot)
    }

    pub(super) fn runtime(&self) -> &'s RuntimeTable {
        &self.knowledge().runtime
    }

    pub(super) fn parsed(&self) -> &ParsedModuleRef {
        &self.parsed
    }

    pub(super) fn tracing_budget(&self) -> &Budget {
        &self.tracing_budget
    }

    /// The snapshot the file is seen through.
    pub fn snapshot(&self) -> &'s Snapshot {
        self.snapshot
    }

    /// The text.
    pub fn text(&self) -> &str {
        self.source.as_str()
    }

    /// The source of `node`.
    pub fn source(&self, node: impl ruff_text_size::Ranged) -> &str {
        self.text().get(node.range().to_std_range()).unwrap_or_default()
    }

    /// The text with its line starts.
    pub fn lines(&self) -> &Lines {
        self.lines.get_or_init(|| Lines::new(self.source.as_str()))
    }

    /// The tree; recovered where the text has syntax errors.
    pub fn syntax(&self) -> &ModModule {
        self.parsed.syntax()
    }

    /// The byte ranges of the syntax errors.
    pub fn syntax_errors(&self) -> Vec<TextRange> {
        self.parsed.errors().iter().map(|error| error.range()).collect()
    }

    /// The ranges of the string literals, f-strings included, in the order of the text.
    pub fn string_ranges(&self) -> Vec<TextRange> {
        let is_string =
            |kind: TokenKind| matches!(kind, TokenKind::String | TokenKind::FStringMiddle | TokenKind::TStringMiddle);
        self.parsed.tokens().iter().filter(|token| is_string(token.kind())).map(|token| token.range()).collect()
    }

    /// The ranges of the comments, in the order of the text.
    pub fn comment_ranges(&self) -> Vec<TextRange> {
        let comments = self.parsed.tokens().iter().filter(|token| token.kind() == TokenKind::Comment);
        comments.map(|token| token.range()).collect()
    }

    /// The absolute path; `None` for a stub inside the binary.
    pub fn path(&self) -> Option<&Path> {
        self.file.path(self.db()).as_system_path().map(|path| path.as_std_path())
    }

    /// The Python version this file is explained for.
    pub fn version(&self) -> Version {
        let version = self.db().python_version_with_source(self.file).version;
        (version.major, version.minor)
    }

    /// Whether the file is a stub, in which nothing runs.
    pub fn is_stub(&self) -> bool {
        self.file.is_stub(self.db())
    }

    /// The place of `range` in this file.
    pub fn place(&self, range: TextRange) -> Option<Place> {
        place_in(self.db(), FileRange::new(self.file, range))
    }

    /// The class that `statement` of this file defines.
    pub fn class(&self, statement: &ast::StmtClassDef) -> Option<Class<'s>> {
        let index = ty_python_core::semantic_index(self.db(), self.model.program_file());
        Some(Class::new(self.snapshot, index.try_definition(statement)?))
    }

    /// The names that this file and the modules of the project that it imports from define.
    pub(super) fn project_names(&self) -> impl Iterator<Item = &'s DefinedNames> + use<'s> {
        let db = self.snapshot;
        project_imports(db, self.model.program_file()).iter().map(|file| defined_names(db, *file))
    }

    /// Whether a class of this file, or of a module of the project that it imports from, has a method of this name. By name
    /// alone: cheap where most answers are no.
    pub fn may_have_method(&self, name: &str) -> bool {
        self.project_names().any(|names| names.methods.contains(name))
    }

    /// As [`Module::may_have_method`], for a property.
    pub(super) fn may_have_property(&self, name: &str) -> bool {
        self.project_names().any(|names| names.properties.contains(name))
    }

    /// Whether the text at `range` names a class that defines `__eq__` and no `__hash__`, here or in a module of the project
    /// that the file imports from; for a key that is a name, in a line that names the key too.
    pub fn names_unhashable(&self, range: TextRange, key: &Expr) -> bool {
        let named = unhashable_named(self.snapshot, self.model.program_file());
        let names = |text: &str| named.iter().any(|class| has_word(text, class));
        match (key, named.is_empty()) {
            (_, true) => false,
            (Expr::Name(key), false) => self.text()[range].lines().any(|line| has_word(line, &key.id) && names(line)),
            (Expr::Call(_), false) => names(self.source(key)),
            _ => names(&self.text()[range]),
        }
    }

    /// Whether this file, or a module of the project that it imports from, has a generator function of this name.
    pub fn may_have_generator(&self, name: &str) -> bool {
        self.project_names().any(|names| names.generators.contains(name))
    }

    /// As [`Module::may_have_method`], for any name that a class body binds to more than a plain function or a constant.
    pub fn may_have_class_attribute(&self, name: &str) -> bool {
        self.project_names().any(|names| names.class_attributes.contains(name))
    }

    /// Whether this file, or a module of the project that it imports from, imports the package. Where none does, an object of
    /// the package's classes is hardly at hand.
    pub fn may_use_package(&self, name: &str) -> bool {
        self.project_names().any(|names| names.imported_packages.contains(name))
    }

    /// The class that `expr` refers to (`C` in `C()` or in `class D(C)`).
    pub fn class_reference(&self, expr: &Expr) -> Option<Class<'s>> {
        match referent(&self.model, expr.into()) {
            Some(Referent::Class(definition)) => return Some(Class::new(self.snapshot, definition)),
            Some(Referent::Function(_) | Referent::Module(_) | Referent::Missing { .. }) => return None,
            Some(Referent::Global(_)) | None => {}
        }
        let ty = expr.inferred_type(&self.model)?;
        matches!(ty, Type::ClassLiteral(_) | Type::GenericAlias(_)).then(|| Class::from_type(self.snapshot, ty))?
    }

    /// The class of the object that `expr` evaluates to. `None` for unions (but for `C | None`) and unknowns.
    pub fn class_of<'e>(&self, expr: impl Into<ExprRef<'e>>) -> Option<Class<'s>> {
        let expr = expr.into();
        if let Some(class) = self.class_of_self(expr) {
            return Some(class);
        }
        let declared = || self.class_of_type(expr.inferred_type(&self.model)?, AnyNodeRef::from(expr));
        let Some(held) = self.class_of_global(expr) else { return declared() };
        // A test such as `isinstance` in front of the expression narrows what the name holds.
        Some(declared().filter(|declared| declared.is_subclass_of(&held)).unwrap_or(held))
    }

    /// The class of the object that a name of a module holds, as run time has it.
    ///
    /// What a parameter, a local variable or `self.name` holds depends on who calls, and is not evaluated: for those, and
    /// where the evaluation is silent, the types are asked, which have annotations and narrowing to go by. They may be
    /// less exact than run time (an annotation names a base class), never more.
    fn class_of_global(&self, expr: ExprRef<'_>) -> Option<Class<'s>> {
        let Some(Referent::Global(definition)) = referent(&self.model, expr) else { return None };
        Some(Class::new(self.snapshot, instance_of_global(self.snapshot, definition)?))
    }

    pub(super) fn class_of_type(&self, ty: Type<'s>, node: AnyNodeRef<'_>) -> Option<Class<'s>> {
        match ty {
            Type::NominalInstance(_) | Type::ProtocolInstance(_) | Type::LiteralValue(_) => {
                Class::from_type(self.snapshot, ty)
            }
            Type::TypeAlias(_) => Class::from_type(self.snapshot, ty),
            Type::TypeVar(_) => self.class_of_self(node.as_expr_ref()?),
            Type::Union(union) => {
                let db = self.db();
                let mut known = union.elements(db).iter().filter(|element| !element.is_none(db));
                match (known.next(), known.next()) {
                    (Some(only), None) => self.class_of_type(*only, node),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The class in whose method `expr` stands, when `expr` is the method's first parameter and is never rebound.
    pub(super) fn class_of_self<'e>(&self, expr: impl Into<ExprRef<'e>>) -> Option<Class<'s>> {
        let ExprRef::Name(name) = expr.into() else { return None };
        let program_file = self.model.program_file();
        let (scope, class, function) = self.model.ancestor_scopes(name.into()).find_map(|(scope, _)| {
            let id = scope.to_scope_id(self.db(), program_file);
            let class = id.class_definition_of_method(self.db())?;
            Some((id, class, id.node(self.db()).as_function()?.node(&self.parsed)))
        })?;
        let first = function.parameters.iter_non_variadic_params().next()?;
        let binds_class = ["classmethod", "staticmethod"];
        let is_plain = |decorator: &ast::Decorator| {
            !decorator.expression.as_name_expr().is_some_and(|name| binds_class.contains(&name.id.as_str()))
        };
        let implicit = ["__new__", "__init_subclass__", "__class_getitem__"].contains(&function.name.as_str());
        if first.parameter.name.id != name.id || implicit || !function.decorator_list.iter().all(is_plain) {
            return None;
        }
        let table = ty_python_core::place_table(self.db(), scope);
        let map = ty_python_core::use_def_map(self.db(), scope);
        let mut bindings = map.reachable_symbol_bindings(table.symbol_id(&name.id)?);
        let is_parameter = bindings.all(|binding| {
            let definition = binding.binding.definition();
            definition.is_none_or(|definition| matches!(definition.kind(self.db()), DefinitionKind::Parameter(_)))
        });
        is_parameter.then(|| Class::new(self.snapshot, class))
    }

    /// The last part of the name that a plain name was imported under: `sleep` for `nap` after
    /// `from time import sleep as nap`; the name itself where no import renames it. Reads the import statements only, so
    /// it serves to rule names out cheaply, not to resolve them.
    pub fn imported_name<'m>(&'m self, name: &'m str) -> &'m str {
        self.import_aliases().original(name)
    }

    /// Whether code at the top level of this file runs before `owner.name = …`, whose statement ends at a place, has run.
    pub(super) fn runs_before(&self, attribute: &ast::ExprAttribute, owner: &Class<'s>, given_at: TextSize) -> bool {
        let is_inside = || {
            let mut scopes = self.model().ancestor_scopes(attribute.into());
            scopes.any(|(scope, _)| {
                scope.to_scope_id(self.db(), self.model().program_file()).node(self.db()).as_function().is_some()
            })
        };
        attribute.start() < given_at && owner.module().path() == self.path() && !is_inside()
    }

    /// The names that the imports of this file rename.
    pub(super) fn import_aliases(&self) -> &'s ImportAliases {
        import_aliases(self.snapshot, self.model.program_file())
    }

    /// The calls in this file whose callee ends in `name`: `f(…)` and `x.f(…)`.
    pub fn calls_of(&self, name: &str) -> Vec<&ast::ExprCall> {
        let calls = calls_by_name(self.snapshot, self.model.program_file());
        calls.of(name).iter().filter_map(|index| self.call_at(NodeIndex::from(*index))).collect()
    }

    pub(super) fn call_at(&self, index: NodeIndex) -> Option<&ast::ExprCall> {
        match self.parsed.get_by_index(index) {
            AnyRootNodeRef::Expr(Expr::Call(call)) => Some(call),
            _ => None,
        }
    }
}

/// Whether `text` is Python that parses, in the newest syntax known.
pub fn parses(text: &str) -> bool {
    super::limits::check(text).is_ok() && ruff_python_parser::parse_module(text).is_ok()
}

/// How many syntax errors `text` has; the most there can be where it is too much to be read.
pub fn count_syntax_errors(text: &str) -> usize {
    use ruff_python_parser::{Mode, ParseOptions, parse_unchecked};
    match super::limits::check(text) {
        Ok(()) => parse_unchecked(text, ParseOptions::from(Mode::Module)).errors().len(),
        Err(_) => usize::MAX,
    }
}

/// The place of a file range, for files on disk.
pub(super) fn place_in(db: &dyn SemanticDb, range: FileRange) -> Option<Place> {
    let path = range.file().path(db).as_system_path()?.as_std_path().to_path_buf();
    let line = line_index(db, range.file()).line_index(range.range().start()).get();
    Some(Place { path, line, start: range.range().start(), end: range.range().end() })
}

/// The place of a definition's name; for one in a stub, that of the source it describes.
pub(super) fn place_of(db: &dyn SemanticDb, definition: Definition<'_>) -> Option<Place> {
    let parsed = parsed_module(db, definition.python_file(db)).load(db);
    let focus = definition.focus_range(db, &parsed);
    if definition.file(db).is_stub(db) {
        let stub = ty_python_semantic::ResolvedDefinition::Definition(definition);
        let source = ty_python_semantic::map_stub_definition(db, &stub, None)?;
        return place_in(db, source.first()?.focus_range(db));
    }
    place_in(db, focus)
}

fn reason(error: &str) -> String {
    let error = error.strip_prefix("Failed to read file: ").unwrap_or(error);
    match error.contains("stream did not contain valid UTF-8") {
        true => "it is not valid UTF-8".to_string(),
        false => error.to_string(),
    }
}
