//! Which files of the workspace may mean a class of another file: by its letters and by their imports, and never too few.

use std::path::Path;

use ruff_db::files::system_path_to_file;
use ruff_db::source::source_text;
use ty_python_core::ProgramFile;
use ty_python_semantic::Db as _;

use super::Snapshot;
use super::environment::system_path;
use super::syntax_index::project_imports;

impl Snapshot {
    /// The first other file of the workspace that holds all of `words` and imports the file at `path`, itself or through
    /// others, or names it in a string; as a person names it, with the line of the first word. A workspace with more files
    /// than are looked through counts as one that does.
    pub fn mentioned_elsewhere(&self, words: &[&str], path: Option<&Path>) -> Option<(String, usize)> {
        let home = path.and_then(|path| system_path_to_file(self, &system_path(path).ok()?).ok());
        let (Some(files), Some(path), Some(home)) = (self.python_files(), path, home) else {
            return Some(("another file".to_string(), 1));
        };
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        files.iter().filter(|file| file.as_path() != path).find_map(|file| {
            self.stop_if_cancelled();
            let found = system_path_to_file(self, &system_path(file).ok()?).ok()?;
            let text = source_text(self, found);
            let first = *words.first()?;
            let line = text.as_str().lines().position(|line| has_word(line, first))?;
            let has_all = words.iter().all(|word| has_word(text.as_str(), word));
            let means_it = || {
                self.reaches(self.program_file(found), self.program_file(home))
                    || text.as_str().contains(&format!("{stem}.{first}"))
            };
            let name = file.file_name().unwrap_or_default().to_string_lossy().to_string();
            (has_all && means_it()).then_some((name, line + 1))
        })
    }

    /// Whether the imports of `from` lead to `to`.
    fn reaches<'db>(&'db self, from: ProgramFile<'db>, to: ProgramFile<'db>) -> bool {
        let mut seen = vec![from];
        let mut index = 0;
        while let Some(file) = seen.get(index).copied() {
            index += 1;
            for imported in project_imports(self, file) {
                if *imported == to {
                    return true;
                }
                if !seen.contains(imported) {
                    seen.push(*imported);
                }
            }
        }
        false
    }
}

/// Whether `name` stands in the text as a whole word.
fn has_word(text: &str, name: &str) -> bool {
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let behind = text[at + name.len()..].chars().next();
        !before.is_some_and(is_word) && !behind.is_some_and(is_word)
    })
}
