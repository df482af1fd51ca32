//! Which files a command is about.

use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::terminal::Terminal;

/// The Python files at and below `paths`, absolute, each once, in order. What `.gitignore` excludes is left out, unless it is
/// named itself.
pub(super) fn python_files(paths: &[PathBuf], terminal: &Terminal) -> Result<Vec<PathBuf>, Failure> {
    let mut files = vec![];
    for path in paths {
        let absolute = existing(path)?;
        match absolute.is_dir() {
            true => files.extend(below(path, &absolute, terminal)?),
            false => files.push(absolute),
        }
    }
    files.sort();
    files.dedup();
    Ok(files)
}

fn below(named: &Path, folder: &Path, terminal: &Terminal) -> Result<Vec<PathBuf>, Failure> {
    let mut files = vec![];
    let mut stubs = 0;
    for entry in ignore::WalkBuilder::new(folder).require_git(false).build() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                terminal.warning(&format!("left out: {error}"));
                continue;
            }
        };
        if !entry.file_type().is_some_and(|kind| kind.is_file()) {
            continue;
        }
        match entry.path().extension().and_then(|extension| extension.to_str()) {
            Some("py") => files.push(entry.into_path()),
            Some("pyi") => stubs += 1,
            _ => {}
        }
    }
    match (files.is_empty(), stubs) {
        (true, 0) => Err(Failure::new(format!(
            "there are no Python files in {}; hidden files and those that .gitignore excludes are left out",
            named.display()
        ))),
        (true, _) => Err(Failure::new(format!("there are only stubs in {}; stubs do not run", named.display()))),
        _ => Ok(files),
    }
}

/// The absolute path of `path`, which must be a file.
pub(super) fn file(path: &Path) -> Result<PathBuf, Failure> {
    let absolute = existing(path)?;
    match absolute.is_dir() {
        true => Err(Failure::new(format!("{} is a folder; name a Python file in it", path.display()))),
        false => Ok(absolute),
    }
}

/// The absolute path of `path`, which must exist.
pub(super) fn existing(path: &Path) -> Result<PathBuf, Failure> {
    std::fs::canonicalize(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::new(format!("there is no {}", path.display())),
        _ => Failure::new(format!("{} cannot be opened: {error}", path.display())),
    })
}

/// `path` as a person names it: relative to where they stand, if it is below.
pub(super) fn shown(path: &Path) -> String {
    relative(path).unwrap_or(path).display().to_string()
}

/// `path` relative to where the program was started, if it is below.
pub(super) fn relative(path: &Path) -> Option<&Path> {
    use std::sync::OnceLock;
    static HERE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let here = HERE.get_or_init(|| std::env::current_dir().and_then(std::fs::canonicalize).ok());
    path.strip_prefix(here.as_deref()?).ok()
}
