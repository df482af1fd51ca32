//! Entry points: functions that a project's configuration, or a string of its `setup.py`, names as `module:function`.

use std::path::Path;

use ruff_python_ast::Stmt;

use super::database::Snapshot;
use super::references::{Reference, ReferenceKind, import_stem};
use crate::text::Place;

impl Snapshot {
    /// Entry points of the project's configuration that name a function at one of `targets`.
    pub(super) fn configured(&self, name: &str, targets: &[Place]) -> Vec<Reference> {
        let Some(target) = targets.first() else { return vec![] };
        let mut found = vec![];
        for path in self.roots().iter().flat_map(|root| ["pyproject.toml", "setup.cfg"].map(|file| root.join(file))) {
            let Some(text) = self.source(&path) else { continue };
            for (index, line) in text.as_str().lines().enumerate() {
                let mut entries = line.split(['"', '\'', '=', ',', ' ']).filter_map(|word| word.split_once(':'));
                if entries.any(|(module, function)| self.is_entry_point(module, function, name, targets)) {
                    let (start, end) = (target.start, target.start);
                    let place = Place { path: path.clone(), line: index + 1, start, end };
                    found.push(Reference { place, kind: ReferenceKind::Text });
                }
            }
        }
        found
    }

    /// Whether `module:function` may be the function called `name` at one of `targets`: in its own module, or in one of the
    /// project that does not define it and so may hand it on.
    pub(super) fn is_entry_point(&self, module: &str, function: &str, name: &str, targets: &[Place]) -> bool {
        let last = module.rsplit('.').next().unwrap_or(module);
        let (first, called) = (function.split('.').next(), function.rsplit('.').next());
        let (Some(first), true) = (first, called == Some(name)) else { return false };
        let is_stem = |path: &Path| import_stem(path).as_deref() == Some(last);
        if targets.iter().any(|target| is_stem(&target.path)) {
            return true;
        }
        let defines = |statement: &Stmt| match statement {
            Stmt::FunctionDef(def) => def.name.as_str() == first,
            Stmt::ClassDef(class) => class.name.as_str() == first,
            _ => false,
        };
        let words = [first];
        let Some(mut files) = self.files_with(&words) else { return true };
        let is_another = files.any(|found| {
            let module = || self.module(found.path);
            is_stem(found.path) && module().is_ok_and(|module| module.syntax().body.iter().any(defines))
        });
        self.has_module_called(last) && !is_another
    }
}
