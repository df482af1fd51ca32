//! Imports that a rewrite needs, and imports that it leaves without a use.
//!
//! An existing import is used under the name it has. A name that this file binds to anything else is no name for a
//! module, so the answer is then none.

use std::path::Path;

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{self as ast, AnyNodeRef, Stmt, helpers::is_docstring_stmt};

use crate::analysis::{Module, Site};
use crate::detectors::suspension::path_to;
use crate::text::{Edit, Ranged as _, TextLen as _, TextRange, TextSize};

/// A module as this file can name it.
pub(super) struct Imported {
    pub name: String,
    /// The import statement, where there is none yet.
    pub edit: Option<Edit>,
}

/// How the code at `site` can name the module `wanted`, a top-level module of the standard library.
pub(super) fn imported(site: &Site, wanted: &str) -> Option<Imported> {
    let module = site.module;
    if !module.is_library_module(wanted) {
        return None;
    }
    let existing =
        imports_in_reach(site).find_map(|import| import.names.iter().find_map(|alias| name_for(alias, wanted)));
    if let Some(name) = existing {
        let is_alone = bindings(module, name).iter().all(|at| is_import_of(module, *at, name, wanted));
        return is_alone.then(|| Imported { name: name.to_string(), edit: None });
    }
    // An import of the same module in another function, or under a condition, is not in the way of one at the head.
    let is_harmless = |at: &TextRange| is_import_of(module, *at, wanted, wanted) && !is_local(site, *at);
    if !bindings(module, wanted).iter().all(is_harmless) {
        return None;
    }
    let newline = module.lines().newline();
    let gap = newline.repeat(blank_lines_after_only_import(module));
    let edit = Edit::insert(place_for(module, wanted), format!("import {wanted}{newline}{gap}"));
    Some(Imported { name: wanted.to_string(), edit: Some(edit) })
}

/// How the code at `site` can name `member` of `wanted`: as it was imported by name, or through the module.
pub(super) fn imported_member(site: &Site, wanted: &str, member: &str) -> Result<Imported, String> {
    let by_name = statements_in_reach(site).filter_map(Stmt::as_import_from_stmt).find_map(|import| {
        let is_wanted = import.level == 0 && import.module.as_deref() == Some(wanted);
        let alias = import.names.iter().filter(|_| is_wanted).find(|alias| alias.name.as_str() == member)?;
        Some(alias.asname.as_ref().unwrap_or(&alias.name).as_str())
    });
    if let Some(name) = by_name.filter(|name| bindings(site.module, name).len() == 1) {
        return Ok(Imported { name: name.to_string(), edit: None });
    }
    let module = imported(site, wanted).ok_or_else(|| taken(site.module, wanted))?;
    Ok(Imported { name: format!("{}.{member}", module.name), edit: module.edit })
}

/// Why `wanted` cannot be named at the site: the reason of a refusal.
pub(super) fn taken(module: &Module, wanted: &str) -> String {
    let all = bindings(module, wanted);
    let other = all.iter().find(|at| !is_import_of(module, **at, wanted, wanted)).copied();
    let Some(at) = other else {
        if !module.is_library_module(wanted) {
            return format!("`import {wanted}` reads a file of this project, not the library's module");
        }
        let line = all.last().map_or(1, |at| module.lines().line(at.start()));
        return format!("`{wanted}` is a local name here, by the import in line {line}");
    };
    let line = module.lines().line(at.start());
    match module.source(at) {
        "*" => format!("the star import in line {line} may bind `{wanted}`"),
        _ => format!("line {line} binds the name `{wanted}` to something else"),
    }
}

/// The name that an alias gives to `wanted`: `import asyncio.subprocess` binds `asyncio` too.
fn name_for<'a>(alias: &'a ast::Alias, wanted: &'a str) -> Option<&'a str> {
    match &alias.asname {
        Some(name) => (alias.name.as_str() == wanted).then_some(name.as_str()),
        None => (alias.name.split('.').next() == Some(wanted)).then_some(wanted),
    }
}

/// Whether the binding at `at` is an import that gives `name` to `wanted`, too.
fn is_import_of(module: &Module, at: TextRange, name: &str, wanted: &str) -> bool {
    path_to(module, at).iter().any(|node| match node {
        AnyNodeRef::StmtImport(import) => {
            import.names.iter().any(|alias| alias.range().contains_range(at) && name_for(alias, wanted) == Some(name))
        }
        _ => false,
    })
}

/// Whether what is bound at `at` is a name of one of the functions around the site.
fn is_local(site: &Site, at: TextRange) -> bool {
    site.enclosing().any(|node| matches!(node, AnyNodeRef::StmtFunctionDef(def) if def.range().contains_range(at)))
}

/// The `import` statements of the module and of the functions around the site, written before it.
fn imports_in_reach<'a>(site: &Site<'a, '_>) -> impl Iterator<Item = &'a ast::StmtImport> {
    statements_in_reach(site).filter_map(Stmt::as_import_stmt)
}

/// The statements directly in the module and in the functions around the site, written before it.
fn statements_in_reach<'a>(site: &Site<'a, '_>) -> impl Iterator<Item = &'a Stmt> {
    let start = site.node.start();
    site.enclosing()
        .filter_map(|node| match node {
            AnyNodeRef::ModModule(module) => Some(module.body.as_slice()),
            AnyNodeRef::StmtFunctionDef(function) => Some(function.body.as_slice()),
            _ => None,
        })
        .flatten()
        .filter(move |statement| statement.end() <= start)
}

/// The place for `import wanted`: in alphabetical order among the plain imports at the head of the file.
fn place_for(module: &Module, wanted: &str) -> TextSize {
    let body = &module.syntax().body;
    let is_head =
        |statement: &&Stmt| matches!(statement, Stmt::Import(_) | Stmt::ImportFrom(_)) || is_docstring_stmt(statement);
    let head: Vec<&Stmt> = body.iter().take_while(is_head).collect();
    let line_start = |statement: &Stmt| line_start(module, statement.start());
    let plain = |statement: &&&Stmt| statement.is_import_stmt();
    let name = |statement: &Stmt| match statement {
        Stmt::Import(import) => import.names.first().map_or("", |alias| alias.name.as_str()).to_string(),
        _ => String::new(),
    };
    if let Some(later) = head.iter().filter(plain).find(|statement| name(statement).as_str() > wanted) {
        return line_start(later);
    }
    if let Some(last) = head.iter().rfind(plain) {
        return line_after(module, last.end());
    }
    let is_future =
        |statement: &Stmt| matches!(statement, Stmt::ImportFrom(from) if from.module.as_deref() == Some("__future__"));
    match head.iter().find(|statement| statement.is_import_from_stmt() && !is_future(statement)) {
        Some(first) => line_start(first),
        None => match (head.last(), body.first()) {
            (Some(last), _) => line_after(module, last.end()),
            (None, Some(first)) => line_start(first),
            (None, None) => TextSize::default(),
        },
    }
}

/// The blank lines behind an import in a file that begins with its first definition or statement.
fn blank_lines_after_only_import(module: &Module) -> usize {
    match module.syntax().body.first() {
        Some(Stmt::FunctionDef(_) | Stmt::ClassDef(_)) => 2,
        Some(Stmt::Import(_) | Stmt::ImportFrom(_)) | None => 0,
        Some(first) if is_docstring_stmt(first) => 0,
        Some(_) => 1,
    }
}

/// The start of the line behind the one that holds `offset`.
pub(super) fn line_after(module: &Module, offset: TextSize) -> TextSize {
    let lines = module.lines();
    let line = lines.line(offset);
    match line < lines.count() {
        true => lines.line_range(line + 1).start(),
        false => lines.line_range(line).end(),
    }
}

fn line_start(module: &Module, offset: TextSize) -> TextSize {
    module.lines().line_range(module.lines().line(offset)).start()
}

/// `start`, or the place behind the byte order mark that stands there.
fn after_mark(module: &Module, start: TextSize) -> TextSize {
    let mark = '\u{feff}';
    match module.text().starts_with(mark) && start == TextSize::default() {
        true => mark.text_len(),
        false => start,
    }
}

/// The end of the imports at the head of the file: where a module-level name can be made for all that follows.
pub(super) fn end_of_head(module: &Module) -> TextSize {
    let body = &module.syntax().body;
    let is_head =
        |statement: &&Stmt| matches!(statement, Stmt::Import(_) | Stmt::ImportFrom(_)) || is_docstring_stmt(statement);
    match body.iter().take_while(is_head).last() {
        Some(last) => line_after(module, last.end()),
        None => body.first().map_or(TextSize::default(), |first| line_start(module, first.start())),
    }
}

/// Removes the module-level import that binds the name read in `gone`, if nothing else reads that name, here or in another
/// file that takes it from here.
pub(super) fn drop_unused(module: &Module, name: &str, gone: TextRange) -> Option<Edit> {
    drop_unused_all(module, name, &[gone])
}

/// As [`drop_unused`], for reads in several places.
pub(super) fn drop_unused_all(module: &Module, name: &str, gone: &[TextRange]) -> Option<Edit> {
    let only = |import: &[ast::Alias]| match import {
        // `import concurrent.futures` binds `concurrent`.
        [alias] => match &alias.asname {
            Some(bound) => bound.as_str() == name,
            None => alias.name.split('.').next() == Some(name),
        },
        _ => false,
    };
    let import = module.syntax().body.iter().find(|statement| match statement {
        Stmt::Import(import) => only(&import.names),
        Stmt::ImportFrom(import) => only(&import.names),
        _ => false,
    })?;
    let is_taken = |path: &Path| module.snapshot().is_taken_elsewhere(path, name);
    let is_exported = exports_unknown(module) || module.path().is_none_or(is_taken);
    let names = Names::in_body(name, &module.syntax().body);
    let is_left = |range: &TextRange| !gone.iter().any(|gone| gone.contains_range(*range));
    let was_read = names.reads.iter().any(|read| !is_left(read));
    let is_read = !was_read || names.reads.iter().any(is_left) || names.quoted.iter().any(is_left);
    let is_bound_again = names.bindings.iter().any(|at| !import.range().contains_range(*at));
    let start = after_mark(module, line_start(module, import.start()));
    let end = line_after(module, import.end());
    let is_whole_line = module.source(TextRange::new(start, end)).trim() == module.source(import).trim();
    let drop = !is_exported && !is_read && !is_bound_again && is_whole_line;
    drop.then(|| Edit::delete(TextRange::new(start, end)))
}

/// Whether `__all__` is anything but lists of literals. A name in such a list counts as read.
fn exports_unknown(module: &Module) -> bool {
    let names = Names::in_body("__all__", &module.syntax().body);
    let mentions = module.text().matches("__all__").count();
    let is_plain = |statement: &&Stmt| {
        let (target, value) = match statement {
            Stmt::Assign(assign) => (assign.targets.first(), Some(&*assign.value)),
            Stmt::AugAssign(assign) => (Some(&*assign.target), Some(&*assign.value)),
            Stmt::AnnAssign(assign) => (Some(&*assign.target), assign.value.as_deref()),
            _ => return false,
        };
        let elements = match value {
            Some(ast::Expr::List(list)) => &list.elts,
            Some(ast::Expr::Tuple(tuple)) => &tuple.elts,
            _ => return false,
        };
        let is_it = target.and_then(ast::Expr::as_name_expr).is_some_and(|target| target.id == "__all__");
        is_it && elements.iter().all(ast::Expr::is_string_literal_expr)
    };
    let plain = module.syntax().body.iter().filter(is_plain).count();
    !names.reads.is_empty() || mentions != plain
}

/// Adds to the edits those that take the import of `name` out of the module, if what they replace was the last to read it.
pub(super) fn without_unread(module: &Module, name: &str, mut edits: Vec<Edit>) -> Vec<Edit> {
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    let is_written = edits.iter().any(|edit| edit.text.split(|char| !is_word(char)).any(|word| word == name));
    let gone: Vec<TextRange> = edits.iter().map(|edit| edit.range).collect();
    if !is_written {
        edits.extend(drop_unused_all(module, name, &gone));
        edits.extend(drop_some_members(module, &gone, &|bound| bound == name));
    }
    edits
}

/// Takes out of the `from … import …` lines of the module what the code in `gone` was the last to read.
pub(super) fn drop_members(module: &Module, gone: &[TextRange]) -> Vec<Edit> {
    drop_some_members(module, gone, &|_| true)
}

/// As [`drop_members`], for the names that are asked for.
fn drop_some_members(module: &Module, gone: &[TextRange], is_asked: &dyn Fn(&str) -> bool) -> Vec<Edit> {
    let body = &module.syntax().body;
    if exports_unknown(module) {
        return vec![];
    }
    let bound = |alias: &ast::Alias| alias.asname.as_ref().unwrap_or(&alias.name).to_string();
    let is_gone = |range: &TextRange| gone.iter().any(|gone| gone.contains_range(*range));
    let is_unused = |alias: &ast::Alias| {
        let name = bound(alias);
        let names = Names::in_body(&name, body);
        is_asked(&name)
            && names.bindings.len() == 1
            && names.reads.iter().any(is_gone)
            && names.reads.iter().chain(&names.quoted).all(is_gone)
    };
    let mut edits = vec![];
    // An import of one name is the affair of `drop_unused_all`.
    for import in body.iter().filter_map(Stmt::as_import_from_stmt).filter(|import| import.names.len() > 1) {
        let kept: Vec<&str> =
            import.names.iter().filter(|alias| !is_unused(alias)).map(|alias| module.source(alias)).collect();
        let (Some(first), Some(last)) = (import.names.first(), import.names.last()) else { continue };
        let names = TextRange::new(first.start(), last.end());
        let line =
            TextRange::new(after_mark(module, line_start(module, import.start())), line_after(module, import.end()));
        let is_whole_line = module.source(line).trim() == module.source(import).trim();
        if kept.len() == import.names.len() || !is_whole_line || module.source(import).contains(['\n', '#']) {
            continue;
        }
        edits.push(match kept.is_empty() {
            true => Edit::delete(line),
            false => Edit::replace(names, kept.join(", ")),
        });
    }
    edits
}

/// Where the file binds `name`, in any scope.
pub(super) fn bindings(module: &Module, name: &str) -> Vec<TextRange> {
    Names::in_body(name, &module.syntax().body).bindings
}

/// The reads and the bindings of a name, in all scopes.
pub(super) struct Names<'n> {
    name: &'n str,
    pub reads: Vec<TextRange>,
    pub bindings: Vec<TextRange>,
    /// Strings that may be annotations with the name in them.
    quoted: Vec<TextRange>,
}

impl<'a> SourceOrderVisitor<'a> for Names<'_> {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        match node {
            AnyNodeRef::ExprName(name) if name.id == self.name => match name.ctx.is_load() {
                true => self.reads.push(name.range()),
                false => self.bindings.push(name.range()),
            },
            AnyNodeRef::ExprStringLiteral(string) if may_quote(string.value.to_str(), self.name) => {
                self.quoted.push(string.range());
            }
            AnyNodeRef::Alias(alias) => {
                let bound = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
                if bound.split('.').next() == Some(self.name) || bound == "*" {
                    self.bindings.push(alias.range());
                }
            }
            AnyNodeRef::Parameter(parameter) => self.bind(&parameter.name),
            AnyNodeRef::StmtFunctionDef(function) => self.bind(&function.name),
            AnyNodeRef::StmtClassDef(class) => self.bind(&class.name),
            AnyNodeRef::StmtGlobal(global) => global.names.iter().for_each(|name| self.bind(name)),
            AnyNodeRef::StmtNonlocal(nonlocal) => nonlocal.names.iter().for_each(|name| self.bind(name)),
            AnyNodeRef::ExceptHandlerExceptHandler(handler) => {
                handler.name.iter().for_each(|name| self.bind(name));
            }
            AnyNodeRef::PatternMatchAs(pattern) => pattern.name.iter().for_each(|name| self.bind(name)),
            AnyNodeRef::PatternMatchStar(pattern) => pattern.name.iter().for_each(|name| self.bind(name)),
            AnyNodeRef::PatternMatchMapping(pattern) => pattern.rest.iter().for_each(|name| self.bind(name)),
            _ => {}
        }
        TraversalSignal::Traverse
    }
}

/// Whether a string may be an annotation that mentions `name`.
fn may_quote(text: &str, name: &str) -> bool {
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    text.chars().all(|char| is_word(char) || ".,|[] ".contains(char))
        && text.split(|char| !is_word(char)).any(|word| word == name)
}

impl<'n> Names<'n> {
    /// The uses of `name` in `body`, nested functions and classes included.
    pub fn in_body(name: &'n str, body: &[Stmt]) -> Self {
        let mut names = Self { name, reads: vec![], bindings: vec![], quoted: vec![] };
        names.visit_body(body);
        names
    }

    fn bind(&mut self, name: &ast::Identifier) {
        if name.as_str() == self.name {
            self.bindings.push(name.range());
        }
    }
}
