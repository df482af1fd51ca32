//! Which files of the workspace may mean something of another file: by its letters and by their imports, and never too few.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use ruff_db::files::system_path_to_file;
use ty_python_core::ProgramFile;
use ty_python_semantic::Db as _;

use super::Snapshot;
use super::environment::system_path;
use super::references::import_stem;
use super::syntax_index::{defined_names, project_imports};
use super::words::{Found, has_word};

impl Snapshot {
    /// The first other file of the workspace that holds all of `words` and imports the file at `path`, itself or through
    /// others, or names it in a string; as a person names it, with the line of the first word. A workspace with more files
    /// than are looked through counts as one that does.
    pub fn mentioned_elsewhere(&self, words: &[&str], path: Option<&Path>) -> Option<(String, usize)> {
        let home = path.and_then(|path| system_path_to_file(self, &system_path(path).ok()?).ok());
        let (Some(mut files), Some(path), Some(home)) = (self.files_with(words), path, home) else {
            return Some(("another file".to_string(), 1));
        };
        let (first, stem) = (*words.first()?, path.file_stem().unwrap_or_default().to_string_lossy());
        let home = self.program_file(home);
        let found = files.find(|found| {
            found.path != path
                && (self.reaches(self.program_file(found.file), home)
                    || found.text.as_str().contains(&format!("{stem}.{first}")))
        })?;
        let name = found.path.file_name().unwrap_or_default().to_string_lossy().to_string();
        Some((name, found.line_with(|line| has_word(line, first))?))
    }

    /// A line of another file that imports the file at `path`, or may do so.
    pub fn importer(&self, path: &Path) -> Option<(PathBuf, usize)> {
        let stem = import_stem(path)?;
        self.files_with(&[&stem])?.filter(|found| found.path != path).find_map(|found| {
            let line = found.line_with(|line| {
                let line = line.trim_start();
                (line.starts_with("import ") || line.starts_with("from ")) && has_word(line, &stem)
            })?;
            Some((found.path.to_path_buf(), line))
        })
    }

    /// A line of another file that may use what the file at `path` calls `name`.
    pub fn other_use(&self, path: &Path, name: &str) -> Option<(PathBuf, usize)> {
        let stem = import_stem(path)?;
        let found = self.files_with(&[&stem, name])?.find(|found| found.path != path)?;
        Some((found.path.to_path_buf(), found.line_with(|line| has_word(line, name))?))
    }

    /// Whether another file imports `name` from the file at `path`, or names it there with a dot, as in a string that is
    /// patched. A package's own file counts as one that hands its names on.
    pub fn is_taken_elsewhere(&self, path: &Path, name: &str) -> bool {
        let Some(stem) = import_stem(path) else { return true };
        let words = [stem.as_str(), name];
        let Some(mut files) = self.files_with(&words) else { return true };
        let dotted = format!("{stem}.{name}");
        path.ends_with("__init__.py")
            || files.any(|found| {
                let imports = || {
                    let names = defined_names(self, self.program_file(found.file));
                    names.taken.contains(&(stem.clone(), name.to_string()))
                };
                found.path != path && (has_word(found.text.as_str(), &dotted) || imports())
            })
    }

    /// Whether a file of the workspace looks for coroutine functions to put others in their place, and names one of `classes`.
    pub fn replaces_coroutine_functions(&self, classes: &[String]) -> bool {
        const REPLACES: &[&str] = &["iscoroutinefunction", "setattr"];
        let Some(mut files) = self.files_with(REPLACES) else { return false };
        !classes.is_empty() && files.any(|found| classes.iter().any(|class| has_word(found.text.as_str(), class)))
    }

    /// The other files of the workspace that hold `word` and run in one process with the file at `path`, as the imports of one
    /// lead to the other. Nothing where the workspace has more files than are looked through.
    pub fn run_with(&self, word: &str, path: &Path) -> Vec<PathBuf> {
        let words = [word];
        let home = system_path(path).ok().and_then(|path| system_path_to_file(self, &path).ok());
        let (Some(home), Some(files)) = (home, self.files_with(&words)) else { return vec![] };
        let home = self.program_file(home);
        let runs_with = |found: &Found| {
            let other = self.program_file(found.file);
            found.path != path && (self.reaches(other, home) || self.reaches(home, other))
        };
        files.filter(runs_with).map(|found| found.path.to_path_buf()).collect()
    }

    /// Whether the imports of `from` lead to `to`.
    fn reaches<'db>(&'db self, from: ProgramFile<'db>, to: ProgramFile<'db>) -> bool {
        let mut seen = HashSet::from([from]);
        let mut open = vec![from];
        while let Some(file) = open.pop() {
            if file == to {
                return true;
            }
            open.extend(project_imports(self, file).iter().filter(|imported| seen.insert(**imported)));
        }
        false
    }
}

impl Found<'_> {
    /// The first line that `is_wanted`, from 1.
    fn line_with(&self, is_wanted: impl Fn(&str) -> bool) -> Option<usize> {
        Some(self.text.as_str().lines().position(is_wanted)? + 1)
    }
}
