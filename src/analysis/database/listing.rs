//! The Python files of the workspace, closed ones included.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use ignore::WalkBuilder;

use super::Snapshot;

/// The files, once they were asked for; none if there are too many to look through.
pub(super) type Listing = Arc<OnceLock<Option<Vec<PathBuf>>>>;

/// The most files that are looked through.
const FILES: usize = 20_000;

impl Snapshot {
    /// A clone that lists the files of the workspace anew, if it is asked for them.
    pub(in crate::analysis) fn fresh(&self) -> Self {
        Self { listing: Arc::default(), ..self.clone() }
    }

    /// The Python files and stubs below the roots that are not ignored, and those that are open, in order. `None` if there
    /// are too many to look through.
    pub(in crate::analysis) fn python_files(&self) -> Option<&[PathBuf]> {
        self.listing.get_or_init(|| self.list()).as_deref()
    }

    fn list(&self) -> Option<Vec<PathBuf>> {
        let mut files = python_files_below(&self.roots())?;
        let open = self.open.iter().filter_map(|file| file.path(self).as_system_path());
        files.extend(open.map(|path| path.as_std_path().to_path_buf()).filter(|path| is_python(path)));
        files.sort();
        files.dedup();
        Some(files)
    }
}

/// The Python files and stubs below `roots` that are not ignored, in order; `None` if there are too many to look through.
pub(in crate::analysis) fn python_files_below(roots: &[PathBuf]) -> Option<Vec<PathBuf>> {
    let (first, others) = roots.split_first()?;
    let mut walk = WalkBuilder::new(first);
    others.iter().for_each(|root| {
        walk.add(root);
    });
    walk.require_git(false).filter_entry(|entry| {
        let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
        !(is_folder && is_environment(entry.path()))
    });
    let mut files: Vec<PathBuf> = vec![];
    for entry in walk.build().flatten() {
        if is_python(entry.path()) {
            files.push(entry.into_path());
        }
        if files.len() > FILES {
            return None;
        }
    }
    files.sort();
    files.dedup();
    Some(files)
}

pub(super) fn is_python(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "py" || end == "pyi")
}

/// Whether a folder holds installed packages, which are not the user's code.
fn is_environment(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    name == "node_modules" || name == "site-packages" || path.join("pyvenv.cfg").is_file()
}
