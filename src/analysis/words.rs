//! Which files of the workspace have a word in them. Every search of the workspace starts here.
//!
//! The words of each file are kept as hashes, so that a file without the word costs a look into a small table, and a keystroke
//! costs the words of one file. A word counts wherever it stands: in code, strings and comments.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use ruff_db::files::{File, system_path_to_file};
use ruff_db::source::{SourceText, source_text};

use super::Snapshot;
use super::database;
use super::environment::system_path;

/// The words of a text as hashes in order.
#[derive(Debug, PartialEq, Eq, salsa::SalsaValue)]
struct Words(Box<[u32]>);

impl Words {
    fn of(text: &str) -> Self {
        let mut hashes: Vec<u32> = parts(text).map(hash).collect();
        hashes.sort_unstable();
        hashes.dedup();
        Self(hashes.into_boxed_slice())
    }

    /// Whether the text may have `word` in it; `false` is certain.
    fn may_have(&self, word: &str) -> bool {
        parts(word).all(|part| self.0.binary_search(&hash(part)).is_ok())
    }
}

#[salsa::tracked(returns(ref))]
fn words_of(db: &dyn database::Db, file: File) -> Words {
    Words::of(source_text(db, file).as_str())
}

/// A file of the workspace with its text.
pub(super) struct Found<'s> {
    pub(super) path: &'s Path,
    pub(super) file: File,
    pub(super) text: SourceText,
    words: &'s Words,
}

impl Found<'_> {
    /// Whether `word` stands in its text.
    pub(super) fn has(&self, word: &str) -> bool {
        self.words.may_have(word) && has_word(self.text.as_str(), word)
    }
}

impl Snapshot {
    /// The files of the workspace whose text has all of `words` in it, in order. `None` if there are too many files to look
    /// through.
    pub(super) fn files_with<'s, 'w>(
        &'s self,
        words: &'w [&'w str],
    ) -> Option<impl Iterator<Item = Found<'s>> + use<'s, 'w>> {
        let files = self.python_files()?;
        Some(files.iter().filter_map(move |path| {
            self.stop_if_cancelled();
            let file = system_path_to_file(self, system_path(path).ok()?).ok()?;
            let known = words_of(self, file);
            if !words.iter().all(|word| known.may_have(word)) {
                return None;
            }
            let text = source_text(self, file);
            let has_all = text.read_error().is_none() && words.iter().all(|word| has_word(text.as_str(), word));
            has_all.then_some(Found { path, file, text, words: known })
        }))
    }

    /// The files that have `word` in them. `None` if there are too many files to look through.
    pub fn files_with_word(&self, word: &str) -> Option<Vec<PathBuf>> {
        Some(self.files_with(&[word])?.map(|found| found.path.to_path_buf()).collect())
    }
}

/// Whether `word` stands in the text, and not as a part of a longer one.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    places(text, word).next().is_some()
}

/// Where `word` stands in the text, and not as a part of a longer one.
pub(super) fn places<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    text.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let before = text[..*at].chars().next_back();
        let behind = text[*at + word.len()..].chars().next();
        !before.is_some_and(is_of_word) && !behind.is_some_and(is_of_word)
    })
}

fn is_of_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(|char| !is_of_word(char)).filter(|part| !part.is_empty())
}

/// The same on every run; two words may share one, so a hit is looked up in the text.
fn hash(word: &str) -> u32 {
    let mut hasher = DefaultHasher::new();
    word.hash(&mut hasher);
    let bytes = hasher.finish().to_le_bytes();
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}
