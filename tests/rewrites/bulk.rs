//! All edits of a folder that keep what its code does, one after the other, written: for the packages' own tests to judge.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dunderstand::text::apply;

use crate::corpus::{Corpus, on_large_stack};
use crate::folders::target;
use crate::{Outcome, files};

/// The most edits of one file.
const EDITS: usize = 500;

/// Writes the edits and prints each with its place.
pub fn folder(folder: &Path) -> Outcome {
    let folder = std::fs::canonicalize(folder)?;
    let (written, counts) = on_large_stack(|| {
        let mut corpus = Corpus::open(&folder, target());
        let mut written: BTreeMap<PathBuf, String> = BTreeMap::new();
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for path in files(&folder, "py") {
            for _ in 0..EDITS {
                let Ok(reading) = corpus.read(&path, None) else { break };
                let Some(offered) = reading.offered.into_iter().find(|offered| offered.preserves_behaviour) else {
                    break;
                };
                println!("{} at {}:{}", offered.rewrite, path.display(), offered.line);
                *counts.entry(offered.rewrite).or_default() += 1;
                for file in &offered.files {
                    let before = corpus.text(&file.path).unwrap().text;
                    let after = apply(&before, &file.edits).unwrap();
                    corpus.set_text(&file.path, &after);
                    written.insert(file.path.clone(), after);
                }
            }
        }
        (written, counts)
    });
    for (path, text) in &written {
        std::fs::write(path, text)?;
    }
    println!("{}: {} files are changed", folder.display(), written.len());
    for (rewrite, count) in counts {
        println!("  {rewrite}: {count}");
    }
    Ok(())
}
