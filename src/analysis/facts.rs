//! Everything known about the classes, functions and module-level names of one file, as plain data.

use std::path::Path;
use std::sync::Arc;

use ruff_db::files::system_path_to_file;
use ruff_python_ast::{AnyRootNodeRef, Stmt};
use ruff_text_size::{Ranged as _, TextSize};

use super::environment::system_path;
use super::functions::contains_yield;
use super::module::Problem;
use super::values::{self, DescriptorKind, Inspector};
use super::{Module, Snapshot};

/// The facts of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileFacts {
    /// The name the module is imported under.
    pub module: Option<Arc<str>>,
    pub classes: Vec<ClassFacts>,
    pub functions: Vec<FunctionFacts>,
    pub globals: Vec<GlobalFacts>,
    /// How many syntax errors the file has: what stands around them may be missing.
    pub syntax_errors: usize,
}

/// A class statement; full names, and `None` for what is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassFacts {
    pub qualname: String,
    pub line: usize,
    pub metaclass: Option<String>,
    pub mro: Option<Vec<String>>,
    pub has_dict: Option<bool>,
    pub weakrefable: Option<bool>,
    pub members: Vec<MemberFacts>,
}

/// A name that a class body binds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberFacts {
    pub name: String,
    pub line: usize,
    pub kind: Option<DescriptorKind>,
    /// The class of what the class holds under the name.
    pub class: Option<String>,
}

/// What a call of a function gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionKind {
    Function,
    Coroutine,
    Generator,
    AsyncGenerator,
}

/// A `def` of a module or a class body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionFacts {
    pub qualname: String,
    pub line: usize,
    pub kind: FunctionKind,
}

/// A name that a module assigns once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GlobalFacts {
    pub name: String,
    pub line: usize,
    pub class: Option<String>,
}

impl Snapshot {
    /// The facts of the file at `path`.
    ///
    /// # Errors
    /// A [`Problem`] that says why the file cannot be read.
    pub fn facts(&self, path: &Path) -> Result<FileFacts, Problem> {
        let module = self.module(path)?;
        let missing = || Problem::Missing(path.to_path_buf());
        let file = system_path_to_file(self, system_path(path).map_err(|_| missing())?).map_err(|_| missing())?;
        let mut collector = Collector {
            inspector: Inspector::new(self, file),
            module: &module,
            facts: FileFacts {
                module: values::module_name(self, file),
                syntax_errors: module.syntax_errors().len(),
                ..FileFacts::default()
            },
        };
        collector.body(&module.syntax().body, "");
        collector.globals();
        Ok(collector.facts)
    }

    /// Frees the trees of the files read so far; they are read again when they are asked for.
    pub fn forget_tree(&self, path: &Path) {
        if let Ok(system) = system_path(path)
            && let Ok(file) = system_path_to_file(self, system)
        {
            values::forget_tree(self, file);
        }
    }
}

struct Collector<'a, 's> {
    inspector: Inspector<'s>,
    module: &'a Module<'s>,
    facts: FileFacts,
}

impl Collector<'_, '_> {
    fn line(&self, offset: TextSize) -> usize {
        self.module.lines().line(offset)
    }

    /// Collects the statements of a module or class body, with those below `if`, `try`, `with` and loops.
    fn body(&mut self, body: &[Stmt], prefix: &str) {
        for statement in body {
            match statement {
                Stmt::ClassDef(class) => {
                    let qualname = format!("{prefix}{}", class.name);
                    self.class(statement, &qualname);
                    self.body(&class.body, &format!("{qualname}."));
                }
                Stmt::FunctionDef(def) => {
                    let kind = match (def.is_async, contains_yield(&def.body)) {
                        (true, true) => FunctionKind::AsyncGenerator,
                        (true, false) => FunctionKind::Coroutine,
                        (false, true) => FunctionKind::Generator,
                        (false, false) => FunctionKind::Function,
                    };
                    let line = self.line(def.name.start());
                    self.facts.functions.push(FunctionFacts { qualname: format!("{prefix}{}", def.name), line, kind });
                }
                other => {
                    for block in blocks(other) {
                        self.body(block, prefix);
                    }
                }
            }
        }
    }

    fn class(&mut self, statement: &Stmt, qualname: &str) {
        let Stmt::ClassDef(class) = statement else { return };
        let facts = self.inspector.class(statement);
        let members = facts.members.iter().map(|member| {
            let start = match self.inspector.node(member.node) {
                AnyRootNodeRef::Stmt(Stmt::FunctionDef(def)) => def.name.start(),
                AnyRootNodeRef::Stmt(Stmt::ClassDef(class)) => class.name.start(),
                AnyRootNodeRef::Stmt(statement) => statement.start(),
                _ => TextSize::default(),
            };
            let line = self.line(start);
            MemberFacts { name: member.name.clone(), line, kind: member.kind, class: member.class.clone() }
        });
        let members = members.collect();
        let line = self.line(class.name.start());
        self.facts.classes.push(ClassFacts {
            qualname: qualname.to_string(),
            line,
            metaclass: facts.metaclass,
            mro: facts.mro,
            has_dict: facts.has_dict,
            weakrefable: facts.is_weakrefable,
            members,
        });
    }

    fn globals(&mut self) {
        for (name, node, class) in self.inspector.globals() {
            let AnyRootNodeRef::Stmt(statement) = self.inspector.node(node) else { continue };
            let line = self.line(statement.start());
            self.facts.globals.push(GlobalFacts { name, line, class });
        }
    }
}

/// The blocks directly in a compound statement that is neither a class nor a function.
fn blocks(statement: &Stmt) -> Vec<&[Stmt]> {
    match statement {
        Stmt::If(node) => {
            let clauses = node.elif_else_clauses.iter().map(|clause| &*clause.body);
            std::iter::once(&*node.body).chain(clauses).collect()
        }
        Stmt::For(node) => vec![&node.body, &node.orelse],
        Stmt::While(node) => vec![&node.body, &node.orelse],
        Stmt::With(node) => vec![&node.body],
        Stmt::Try(node) => {
            let handlers = node.handlers.iter().map(|handler| match handler {
                ruff_python_ast::ExceptHandler::ExceptHandler(handler) => &*handler.body,
            });
            let rest = [&*node.orelse, &*node.finalbody];
            std::iter::once(&*node.body).chain(handlers).chain(rest).collect()
        }
        Stmt::Match(node) => node.cases.iter().map(|case| &*case.body).collect(),
        _ => vec![],
    }
}
