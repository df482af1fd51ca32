//! Where a function of the project is used, over the whole workspace, closed files included.
//!
//! Files that hold the name as a word are candidates; in them the engine resolves every mention. What it cannot resolve is
//! said to be unknown, never left out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ruff_db::files::system_path_to_file;
use ruff_db::source::{SourceText, source_text};
use ruff_python_ast::find_node::covering_node;
use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, walk_expr, walk_stmt};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};
use ruff_text_size::{Ranged as _, TextRange};
use ty_python_semantic::{ImportAliasResolution, ResolvedDefinition, definitions_for_name};

use super::classes::Class;
use super::database::Snapshot;
use super::definitions::{Referent, imported, referent};
use super::environment::system_path;
use super::module::{Module, place_of};
use super::names::Origin;
use super::words::places;
use crate::text::Place;

/// The most mentions of a name that are resolved.
const MENTIONS: usize = 1000;

/// A use of a function, or what may be one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    pub place: Place,
    pub kind: ReferenceKind,
}

/// What a reference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReferenceKind {
    /// The expression evaluates to the function.
    Value,
    /// An import statement binds it.
    Import,
    /// It may be the function: the receiver or the import is not known, or the name is bound in several ways.
    Unknown,
    /// A string, or a configuration file, names it.
    Text,
}

/// Why the references cannot be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotTold {
    /// The workspace has more files than are looked through.
    Files,
    /// The name is mentioned more often than is looked at.
    Mentions(usize),
}

impl NotTold {
    /// The reason in words, for a function called `name`.
    pub fn reason(&self, name: &str) -> String {
        match self {
            NotTold::Files => "the workspace has too many files to look through".to_string(),
            NotTold::Mentions(count) => format!("`{name}` is mentioned {count} times, too often to look at each"),
        }
    }
}

impl Snapshot {
    /// The references to the functions whose names stand at `targets`, which are all called `name`: one function, or a
    /// method with those that override it.
    ///
    /// # Errors
    /// [`NotTold`] where the workspace is too large for a certain answer.
    pub fn references(&self, name: &str, targets: &[Place]) -> Result<Vec<Reference>, NotTold> {
        let is_method = targets.iter().any(|target| self.is_method(target));
        let mut names = vec![name.to_string()];
        let mut found: BTreeSet<Reference> = BTreeSet::new();
        let mut looked_at = 0;
        let mut index = 0;
        // An import may rename it: then the new name is searched for, too.
        while let Some(name) = names.get(index).cloned() {
            index += 1;
            for candidate in self.files_with(&[&name]).ok_or(NotTold::Files)? {
                looked_at += places(candidate.text.as_str(), &name).count();
                if looked_at > MENTIONS {
                    return Err(NotTold::Mentions(looked_at));
                }
                let Ok(module) = self.module(candidate.path) else { continue };
                let mut search =
                    Search { module: &module, name: &name, targets, is_method, found: vec![], renamed: vec![] };
                search.visit_body(&module.syntax().body);
                found.extend(search.found);
                for renamed in search.renamed {
                    if !names.contains(&renamed) {
                        names.push(renamed);
                    }
                }
            }
        }
        found.extend(names.iter().flat_map(|name| self.configured(name, targets)));
        Ok(found.into_iter().collect())
    }

    /// Whether a stub describes the file at `path`.
    pub fn has_stub(&self, path: &Path) -> bool {
        let stub = path.with_extension("pyi");
        stub != path && self.source(&stub).is_some()
    }

    /// Whether the function whose name stands at `place` is defined in a class body; where that cannot be read, it may be.
    fn is_method(&self, place: &Place) -> bool {
        let Ok(home) = self.module(&place.path) else { return true };
        let covering = covering_node(home.syntax().into(), place.range());
        let mut around = covering.ancestors().skip_while(|node| !matches!(node, AnyNodeRef::StmtFunctionDef(_)));
        matches!(around.nth(1), Some(AnyNodeRef::StmtClassDef(_)))
    }

    pub(super) fn source(&self, path: &Path) -> Option<SourceText> {
        let file = system_path_to_file(self, system_path(path).ok()?).ok()?;
        let text = source_text(self, file);
        text.read_error().is_none().then_some(text)
    }

    /// Whether a file or a folder of the workspace may be imported under `name`.
    pub(super) fn has_module_called(&self, name: &str) -> bool {
        let is_it = |path: &PathBuf| {
            let roots = self.roots();
            let root = roots.iter().find(|root| path.starts_with(root));
            let below = root.and_then(|root| path.strip_prefix(root).ok()).unwrap_or(path);
            let folders = below.parent().into_iter().flat_map(Path::components);
            below.file_stem().is_some_and(|stem| stem == name)
                || folders.into_iter().any(|part| part.as_os_str() == name)
        };
        self.python_files().is_none_or(|files| files.iter().any(is_it))
    }
}

impl Class<'_> {
    /// The name in the `def` of the method that this class's own body defines.
    pub fn method_place(&self, name: &str) -> Option<Place> {
        self.with_statement(|module, statement| {
            let method = statement.body.iter().rev().find_map(|statement| match statement {
                Stmt::FunctionDef(def) if def.name.as_str() == name => Some(def),
                _ => None,
            })?;
            module.place(method.name.range())
        })
    }
}

/// The last part of the name that a file is imported under.
pub(super) fn import_stem(path: &Path) -> Option<String> {
    let stem = path.file_stem()?.to_str()?;
    match stem {
        "__init__" => Some(path.parent()?.file_name()?.to_str()?.to_string()),
        _ => Some(stem.to_string()),
    }
}

/// Looks for the references of one file.
struct Search<'m, 's> {
    module: &'m Module<'s>,
    name: &'m str,
    targets: &'m [Place],
    /// Whether one of them is a method: then any object may be the receiver.
    is_method: bool,
    found: Vec<Reference>,
    /// Names that imports give it.
    renamed: Vec<String>,
}

impl<'a> SourceOrderVisitor<'a> for Search<'_, '_> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        if let Stmt::ImportFrom(import) = statement {
            self.import(import);
        }
        walk_stmt(self, statement);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) if name.id == self.name => self.name_read(name),
            Expr::Attribute(attribute) if attribute.attr.as_str() == self.name => self.attribute(expr, attribute),
            Expr::StringLiteral(string) => self.string(string),
            _ => {}
        }
        walk_expr(self, expr);
    }
}

impl Search<'_, '_> {
    fn push(&mut self, range: TextRange, kind: ReferenceKind) {
        self.found.extend(self.module.place(range).map(|place| Reference { place, kind }));
    }

    fn is_target(&self, place: Option<&Place>) -> bool {
        place.is_some_and(|place| {
            self.targets.iter().any(|target| target.path == place.path && target.start == place.start)
        })
    }

    fn name_read(&mut self, name: &ast::ExprName) {
        if !name.ctx.is_load() {
            return;
        }
        let aliases = ImportAliasResolution::ResolveAliases;
        let definitions = definitions_for_name(self.module.model(), name.id.as_str(), name.into(), aliases);
        let mut targets = 0;
        for definition in &definitions {
            let ResolvedDefinition::Definition(definition) = definition else { continue };
            targets += usize::from(self.is_target(place_of(self.module.db(), *definition).as_ref()));
        }
        match targets {
            0 => {}
            _ if targets == definitions.len() => self.push(name.range(), ReferenceKind::Value),
            _ => self.push(name.range(), ReferenceKind::Unknown),
        }
    }

    fn attribute(&mut self, expr: &Expr, attribute: &ast::ExprAttribute) {
        let range = attribute.range();
        if let Some(function) = self.module.function(expr) {
            if self.is_target(function.place.as_ref()) {
                self.push(range, ReferenceKind::Value);
            }
            return;
        }
        match referent(self.module.model(), (&*attribute.value).into()) {
            Some(Referent::Missing { module, .. }) => return self.missing(&module, range),
            Some(Referent::Module(_)) => return,
            _ => {}
        }
        if !self.is_method {
            return;
        }
        let made = || self.module.made_class(&attribute.value);
        let class = self.module.class_of(&*attribute.value).or_else(|| self.module.class_reference(&attribute.value));
        let class = class.or_else(made);
        if let Some(class) = class {
            match class.definer(self.name) {
                Some(definer) if self.is_target(definer.method_place(self.name).as_ref()) => {
                    self.push(range, ReferenceKind::Value);
                }
                // What no class here has is in a subclass, or in another base of one.
                None if !class.mro_is_complete() || self.is_of_subclass(&class) => {
                    self.push(range, ReferenceKind::Unknown);
                }
                _ => {}
            }
            return;
        }
        match self.module.class_name(&attribute.value) {
            Some(symbol) if symbol.origin == Origin::Unresolved => self.missing(&symbol.module, range),
            Some(symbol) if symbol.origin != Origin::Project => {}
            _ => self.push(range, ReferenceKind::Unknown),
        }
    }

    /// Whether only a subclass of this class of the project can have the attribute.
    fn is_of_subclass(&self, class: &Class) -> bool {
        let mro = class.mro();
        let is_own = mro.iter().any(|base| base.symbol().origin == Origin::Project);
        is_own && !mro.iter().any(|base| base.binds(self.name) || base.sets_instance_attribute(self.name))
    }

    /// An import from a module that was not found, though the workspace has a file or a folder of its name: what it is at run
    /// time depends on where the program is started.
    fn missing(&mut self, module: &str, range: TextRange) {
        let mut parts = module.split('.').filter(|part| !part.is_empty());
        let is_of_project = parts.any(|part| self.module.snapshot().has_module_called(part));
        if is_of_project {
            self.push(range, ReferenceKind::Unknown);
        }
    }

    fn import(&mut self, import: &ast::StmtImportFrom) {
        let (db, file) = (self.module.db(), self.module.model().program_file());
        let name = self.name;
        for alias in import.names.iter().filter(|alias| alias.name.as_str() == name) {
            match imported(db, file, import, self.name) {
                Some(Referent::Function(definition)) => {
                    if self.is_target(place_of(db, definition).as_ref()) {
                        self.push(alias.range(), ReferenceKind::Import);
                        self.renamed.extend(alias.asname.as_ref().map(ToString::to_string));
                    }
                }
                Some(Referent::Class(_) | Referent::Module(_)) => {}
                _ => self.missing(import.module.as_deref().unwrap_or_default(), alias.range()),
            }
        }
    }

    /// `"name"` where attributes are looked up by name, or names are exported; `"module.name"`; a doctest that calls it.
    fn string(&mut self, string: &ast::ExprStringLiteral) {
        let text = string.value.to_str();
        if !text.contains(self.name) {
            return;
        }
        let stems = || self.targets.iter().filter_map(|target| import_stem(&target.path));
        let is_code = self.is_run(string) && super::words::has_word(text, self.name) && self.is_named_at(string);
        let snapshot = self.module.snapshot();
        let names_it = match text.rsplit_once(['.', ':']) {
            _ if is_code => true,
            Some((module, name)) if text.as_bytes()[module.len()] == b':' && name == self.name => {
                let module = module.rsplit(['=', ' ']).next().unwrap_or(module);
                snapshot.is_entry_point(module, name, self.name, self.targets)
            }
            None => text == self.name && self.is_looked_up(string) && self.may_name_target(string),
            Some((module, name)) => {
                name == self.name && stems().any(|stem| module.rsplit('.').next() == Some(stem.as_str()))
            }
        };
        let is_doctest = text.contains(">>>")
            && text.lines().any(|line| {
                let line = line.trim_start();
                line.starts_with(">>>") && line.contains(&format!("{}(", self.name))
            });
        if names_it || (is_doctest && self.may_name_target(string)) {
            self.push(string.range(), ReferenceKind::Text);
        }
    }

    /// Whether the name, where the string stands, is a target, or is not known. What an attribute is looked up on may be anything.
    fn may_name_target(&self, string: &ast::ExprStringLiteral) -> bool {
        let covering = covering_node(self.module.syntax().into(), string.range());
        if covering.ancestors().any(|node| matches!(node, AnyNodeRef::ExprCall(_))) {
            return true;
        }
        let aliases = ImportAliasResolution::ResolveAliases;
        let is_unknown = || definitions_for_name(self.module.model(), self.name, string.into(), aliases).is_empty();
        self.is_named_at(string) || (!self.is_method && is_unknown())
    }

    /// Whether the name, where the string stands, is a target. A method is not found by its name alone.
    fn is_named_at(&self, string: &ast::ExprStringLiteral) -> bool {
        let aliases = ImportAliasResolution::ResolveAliases;
        let definitions = definitions_for_name(self.module.model(), self.name, string.into(), aliases);
        let is_target = |definition: &ResolvedDefinition| match definition {
            ResolvedDefinition::Definition(definition) => {
                self.is_target(place_of(self.module.db(), *definition).as_ref())
            }
            _ => true,
        };
        definitions.iter().any(is_target) || (self.is_method && self.is_home())
    }

    /// Whether a target is in this file.
    fn is_home(&self) -> bool {
        self.targets.iter().any(|target| self.module.path() == Some(target.path.as_path()))
    }

    /// Whether the string is code that is run.
    fn is_run(&self, string: &ast::ExprStringLiteral) -> bool {
        const RUN: &[&str] = &["compile", "eval", "exec", "timeit"];
        let covering = covering_node(self.module.syntax().into(), string.range());
        covering.ancestors().any(|node| match node {
            AnyNodeRef::ExprCall(call) => {
                super::syntax_index::last_name(&call.func).is_some_and(|name| RUN.contains(&name))
            }
            _ => false,
        })
    }

    fn is_looked_up(&self, string: &ast::ExprStringLiteral) -> bool {
        const LOOKUPS: &[&str] = &["attrgetter", "delattr", "getattr", "hasattr", "methodcaller", "object", "setattr"];
        let covering = covering_node(self.module.syntax().into(), string.range());
        covering.ancestors().any(|node| match node {
            AnyNodeRef::ExprCall(call) => super::syntax_index::last_name(&call.func)
                .is_some_and(|name| LOOKUPS.contains(&name) || name.starts_with("patch")),
            AnyNodeRef::ExprSubscript(entry) => {
                entry.slice.range().contains_range(string.range()) && is_namespace(&entry.value)
            }
            AnyNodeRef::StmtAssign(assign) => assign.targets.iter().any(is_all),
            AnyNodeRef::StmtAugAssign(assign) => is_all(&assign.target),
            AnyNodeRef::StmtAnnAssign(assign) => is_all(&assign.target),
            _ => false,
        })
    }
}

/// Whether `expr` is a dictionary of names: `globals()`, `vars(module)`, `object.__dict__`.
fn is_namespace(expr: &Expr) -> bool {
    match expr {
        Expr::Call(call) => call.func.as_name_expr().is_some_and(|name| {
            let name = name.id.as_str();
            ["globals", "locals", "vars"].contains(&name)
        }),
        Expr::Attribute(attribute) => attribute.attr.as_str() == "__dict__",
        _ => false,
    }
}

fn is_all(target: &Expr) -> bool {
    target.as_name_expr().is_some_and(|name| name.id == "__all__")
}
