//! What is worked out before somebody asks: file by file, so that it can be stopped and gone on with at any time. What was
//! worked out is kept where every later question finds it.

use std::path::{Path, PathBuf};

use ruff_db::files::system_path_to_file;
use ruff_db::parsed::parsed_module;
use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{self as ast, AnyNodeRef};
use ty_python_semantic::Db as _;

use super::database::{Db as _, python_files_below};
use super::environment::system_path;
use super::module::Module;
use super::runners::{hand_overs_of, prepare};
use super::{Project, Snapshot};

/// What a file must have in it to have a coroutine function.
const COROUTINE: &[&str] = &["async "];

impl Project {
    /// Says which files make up the workspace: from now on it is known what hands functions to threads and processes.
    pub fn know_workspace(&mut self, files: Vec<PathBuf>) {
        self.database.set_workspace(Some(files));
    }

    /// As [`Project::know_workspace`], for the files that are found now.
    pub fn look_through_workspace(&mut self) {
        let roots: Vec<PathBuf> = self.database.roots();
        self.database.set_workspace(python_files_below(&roots));
    }
}

/// The Python files and stubs below `roots` that are not ignored, in order; `None` if there are too many to look through.
pub fn workspace_files(roots: &[PathBuf]) -> Option<Vec<PathBuf>> {
    python_files_below(roots)
}

impl Snapshot {
    /// Works out the effects of one file: what its coroutine functions block on, and what it hands to threads and processes.
    pub fn warm(&self, path: &Path) {
        let Some(path) = system_path(path).ok() else { return };
        let Ok(file) = system_path_to_file(self, &path) else { return };
        hand_overs_of(self, file);
        if file.is_stub(self) || !self.mentions(&path, COROUTINE) {
            return;
        }
        let module = Module::of_file(self, self.program_file(file));
        let mut finder = CoroutineFunctions(vec![]);
        finder.visit_body(&module.syntax().body);
        for function in finder.0 {
            module.blocking_paths(function, false);
        }
        if !ty_python_semantic::Db::is_open_file(self, file) {
            // The tree of a closed file is made anew where it is asked for; it takes more room than all that was learned.
            parsed_module(self, self.program_file(file).python_file(self)).clear();
        }
    }

    /// Works out what the functions call that are handed to threads and processes; says whether there are any. To be asked
    /// once the workspace is known.
    pub fn warm_runners(&self) -> bool {
        prepare(self)
    }
}

/// The coroutine functions of a file.
struct CoroutineFunctions<'a>(Vec<&'a ast::StmtFunctionDef>);

impl<'a> SourceOrderVisitor<'a> for CoroutineFunctions<'a> {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        if let AnyNodeRef::StmtFunctionDef(function) = node
            && function.is_async
        {
            self.0.push(function);
        }
        if node.is_expression() { TraversalSignal::Skip } else { TraversalSignal::Traverse }
    }
}
