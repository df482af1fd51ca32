//! Classes whose `__bases__` some module assigns: their method resolution order depends on which modules have been imported.
//!
//! Such code stands beside the class: in its package, or for a module outside of packages in its folder.

use std::collections::BTreeSet;

use ruff_db::files::{File, FilePath, FileRootKind, directory_listing, system_path_to_file};
use ruff_db::parsed::parsed_module;
use ruff_db::system::{FileType, SystemPath, SystemPathBuf};
use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{AnyNodeRef, Expr};

use super::super::database::Db;
use super::super::syntax_index::last_name;

const ATTRIBUTE: &str = "__bases__";

/// Whether a module of the same package gives a class of this name other bases.
pub(super) fn is_rebased(db: &dyn Db, file: File, class: &str) -> bool {
    let FilePath::System(path) = file.path(db) else { return false };
    let Some(folder) = path.parent() else { return false };
    let is_package = |folder: &&SystemPath| db.system().is_file(&folder.join("__init__.py"));
    let package = folder.ancestors().take_while(is_package).last();
    match package {
        Some(package) => rebased_names(db, package.to_string(), true).contains(class),
        None => rebased_names(db, folder.to_string(), false).contains(class),
    }
}

/// The last parts of the names whose `__bases__` the modules of a folder assign.
#[salsa::tracked(returns(ref))]
fn rebased_names(db: &dyn Db, folder: String, with_subfolders: bool) -> BTreeSet<String> {
    let folder = SystemPath::new(&folder);
    let mut names = BTreeSet::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let _ = directory_listing(db, &folder); // Asked so that this is read anew when files come or go.
        let Ok(entries) = db.system().read_directory(&folder) else { continue };
        for entry in entries.flatten() {
            let path = entry.path().to_path_buf();
            match entry.file_type() {
                FileType::Directory if with_subfolders && path.file_name() != Some("__pycache__") => {
                    folders.push(path);
                }
                FileType::Directory => {}
                _ if path.extension() == Some("py") => names.extend(assigned_in(db, &path)),
                _ => {}
            }
        }
    }
    names
}

fn assigned_in(db: &dyn Db, path: &SystemPathBuf) -> Vec<String> {
    let root = db.files().root(db, path);
    let is_of_project = root.is_some_and(|root| root.kind_at_time_of_creation(db) == FileRootKind::Project);
    // The files of installed packages do not change, so those that say nothing need not be known to the engine.
    if !is_of_project && !db.mentions(path, &[ATTRIBUTE]) {
        return vec![];
    }
    let Ok(file) = system_path_to_file(db, path) else { return vec![] };
    assigned_bases(db, file).clone()
}

/// The names whose `__bases__` one file assigns. A keystroke elsewhere in the file leaves them, and all that depends on them.
#[salsa::tracked(returns(ref))]
fn assigned_bases(db: &dyn Db, file: File) -> Vec<String> {
    file.revision(db); // From here on a change of the file is noticed.
    // Nearly no file mentions the attribute, so few are read as more than bytes.
    if !file.path(db).as_system_path().is_some_and(|path| db.mentions(path, &[ATTRIBUTE])) {
        return vec![];
    }
    let parsed = parsed_module(db, db.program_file(file).python_file(db)).load(db);
    let mut finder = Finder::default();
    finder.visit_body(&parsed.syntax().body);
    finder.names
}

#[derive(Default)]
struct Finder {
    names: Vec<String>,
}

impl<'a> SourceOrderVisitor<'a> for Finder {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        let class = match node {
            AnyNodeRef::ExprAttribute(target) if target.ctx.is_store() && target.attr.as_str() == ATTRIBUTE => {
                Some(&*target.value)
            }
            AnyNodeRef::ExprCall(call) if last_name(&call.func).is_some_and(|name| name.ends_with("setattr")) => {
                let is_name = |expr: &Expr| expr.as_string_literal_expr().is_some_and(|text| text.value == *ATTRIBUTE);
                call.arguments.args.first().filter(|_| call.arguments.args.get(1).is_some_and(is_name))
            }
            _ => None,
        };
        self.names.extend(class.and_then(last_name).map(str::to_string));
        TraversalSignal::Traverse
    }
}
