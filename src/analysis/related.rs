//! Classes of the workspace that have to do with another: that define its method, that inherit from it.

use std::path::Path;

use ruff_python_ast::Stmt;
use ty_python_semantic::Db as _;

use super::Snapshot;
use super::classes::Class;
use super::references::NotTold;
use super::syntax_index::{class_statements, defined_names};

impl Snapshot {
    /// The classes of the workspace whose body defines a function called `name`.
    ///
    /// # Errors
    /// [`NotTold`] where the workspace is too large for a certain answer.
    pub fn classes_defining(&self, name: &str) -> Result<Vec<Class<'_>>, NotTold> {
        let mut classes = vec![];
        for candidate in self.files_with(&[name, "class"]).ok_or(NotTold::Files)? {
            if !defined_names(self, self.program_file(candidate.file)).methods.contains(name) {
                continue;
            }
            let Ok(module) = self.module(candidate.path) else { continue };
            let defines = |statement: &Stmt| matches!(statement, Stmt::FunctionDef(def) if def.name.as_str() == name);
            let statements = class_statements(&module.syntax().body);
            let definers = statements.into_iter().filter(|class| class.body.iter().any(defines));
            classes.extend(definers.filter_map(|class| module.class(class)));
        }
        Ok(classes)
    }

    /// The classes of the workspace that inherit from `class`, through others too. `None` where the workspace is too large for
    /// a certain answer.
    pub fn subclasses<'s>(&'s self, class: &Class<'s>) -> Option<Vec<Class<'s>>> {
        let mut names = vec![class.name()];
        let mut found: Vec<Class> = vec![];
        let mut index = 0;
        // Each file is looked at once, for the first name that it has.
        let mut files: Vec<_> = self.files_with(&["class"])?.collect();
        while let Some(name) = names.get(index).cloned() {
            index += 1;
            let (named, others): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| file.has(&name));
            files = others;
            for subclass in named.into_iter().flat_map(|file| self.derived_classes(file.path)) {
                if subclass != *class && subclass.is_subclass_of(class) {
                    let name = subclass.name();
                    found.push(subclass);
                    if !names.contains(&name) {
                        names.push(name);
                    }
                }
            }
        }
        Some(found)
    }

    /// The classes in a file that have bases.
    fn derived_classes(&self, path: &Path) -> Vec<Class<'_>> {
        let Ok(module) = self.module(path) else { return vec![] };
        let statements = class_statements(&module.syntax().body).into_iter();
        statements.filter(|class| !class.bases().is_empty()).filter_map(|statement| module.class(statement)).collect()
    }
}
