//! What every edit owes: it lies inside its file's text, it parses, it keeps the comments, the line endings and the tabs, it
//! removes the finding it belongs to, it is not offered again, and CPython has nothing against it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dunderstand::analysis::parses;
use dunderstand::text::{Edit, apply};

use crate::corpus::{Corpus, Offered, Text};
use crate::files;
use crate::judge::Judge;

/// Rewrites behind which the finding stays, and why that is right. A second application is held back all the same.
const STAYS: &[(&str, &str)] =
    &[("refuse_special_names", "the hook answers all other names, which the page goes on to explain")];

/// What was tried and how it went.
#[derive(Default)]
pub struct Tally {
    pub files: usize,
    pub unreadable: usize,
    pub applied: BTreeMap<String, usize>,
    pub refused: BTreeMap<String, usize>,
    pub failures: Vec<String>,
}

/// Applies everything that is offered on a file, one at a time.
pub fn file(corpus: &mut Corpus, judge: &mut Judge, path: &Path, tally: &mut Tally) {
    tally.files += 1;
    let reading = match corpus.read(path, None) {
        Ok(reading) => reading,
        Err(problem) => {
            tally.unreadable += 1;
            if problem.contains("PANIC") {
                tally.failures.push(format!("{}: {problem}", path.display()));
            }
            return;
        }
    };
    for (rewrite, count) in reading.refused {
        *tally.refused.entry(rewrite).or_default() += count;
    }
    for offered in &reading.offered {
        *tally.applied.entry(offered.rewrite.clone()).or_default() += 1;
        let mut fail = |what: String| {
            tally.failures.push(format!(
                "{} at {}:{} ({}): {what}",
                offered.rewrite,
                path.display(),
                offered.line,
                offered.concept
            ));
        };
        let after = match results(corpus, offered, &mut fail) {
            Some(after) => after,
            None => continue,
        };
        for (path, (before, after)) in &after {
            let kind = if offered.preserves_behaviour { "P" } else { "F or R" };
            let what =
                format!("{} ({kind}) at {}:{}: {}", offered.rewrite, path.display(), offered.line, offered.title);
            let problems = judge.problems(&before.text, after, &what).into_iter();
            problems.filter(|problem| !is_for_another_file(&corpus.root, path, problem)).for_each(&mut fail);
        }
        let count = |rewrites: &[Offered]| {
            rewrites.iter().filter(|o| o.concept == offered.concept && o.rewrite == offered.rewrite).count()
        };
        let findings = reading.findings.get(&offered.concept).copied().unwrap_or_default();
        let texts = after.iter().map(|(path, (_, text))| (path.clone(), text.clone())).collect();
        let again = corpus.with_texts(&texts, |corpus| {
            let reading = corpus.read(path, Some(&offered.concept));
            let errors: usize = after.keys().filter_map(|path| Some(corpus.text(path).ok()?.syntax_errors)).sum();
            let comments: Vec<_> = after.keys().filter_map(|path| Some((path, corpus.text(path).ok()?))).collect();
            for (path, now) in comments {
                lost(&after[path].0, &now).into_iter().for_each(&mut fail);
            }
            (reading, errors)
        });
        let errors_before: usize = after.values().map(|(before, _)| before.syntax_errors).sum();
        match again {
            (Err(problem), _) => fail(format!("the result cannot be read: {problem}")),
            (Ok(again), errors) => {
                if errors > errors_before {
                    fail(format!("the result has {errors} syntax errors instead of {errors_before}"));
                }
                let left = again.findings.get(&offered.concept).copied().unwrap_or_default();
                let may_stay = STAYS.iter().any(|(name, _)| *name == offered.rewrite);
                if left >= findings && !may_stay {
                    fail(format!("the finding is still there: {findings} before, {left} after"));
                }
                if count(&again.offered) >= count(&reading.offered) {
                    fail("it is offered again".to_string());
                }
            }
        }
    }
}

/// Whether an import that nothing uses is there for another file, which takes it from here, or patches it by its name.
fn is_for_another_file(root: &Path, path: &Path, problem: &str) -> bool {
    let name = problem.strip_prefix("nothing uses the import of ").and_then(|rest| rest.split(' ').next());
    let (Some(name), Some(stem)) = (name, path.file_stem()) else { return false };
    // A package's own file hands its names on.
    if stem == "__init__" {
        return true;
    }
    let wanted = format!("{}.{name}", stem.to_string_lossy());
    files(root, "py").into_iter().any(|file| std::fs::read_to_string(file).is_ok_and(|text| text.contains(&wanted)))
}

/// The texts of the files that an offer edits, before and after, by path.
type Texts = BTreeMap<PathBuf, (Text, String)>;

fn results(corpus: &Corpus, offered: &Offered, fail: &mut dyn FnMut(String)) -> Option<Texts> {
    let mut texts = Texts::new();
    if offered.files.iter().all(|file| file.edits.is_empty()) {
        fail("it changes nothing".to_string());
        return None;
    }
    for file in &offered.files {
        let before = match corpus.text(&file.path) {
            Ok(before) => before,
            Err(problem) => {
                fail(format!("it edits {}: {problem}", file.path.display()));
                return None;
            }
        };
        let Some(after) = apply(&before.text, &file.edits) else {
            fail("its edits overlap, or lie outside the text".to_string());
            return None;
        };
        if let Some(overlap) = out_of_order(&file.edits) {
            fail(overlap);
        }
        let is_idle = |edit: &&Edit| before.text.get(edit.range.to_std_range()) == Some(edit.text.as_str());
        if let Some(edit) = file.edits.iter().find(is_idle) {
            fail(format!("an edit replaces a text by itself: {edit:?}"));
        }
        if before.syntax_errors == 0 && !parses(&after) {
            fail(format!("the result does not parse:\n{after}"));
        }
        style(&before.text, &after).into_iter().for_each(&mut *fail);
        if texts.insert(file.path.clone(), (before, after)).is_some() {
            fail("it names a file twice".to_string());
        }
    }
    Some(texts)
}

/// Clients sort by the start only, and then go by the order of the list: an insertion stands before what is replaced there.
fn out_of_order(edits: &[Edit]) -> Option<String> {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|edit| edit.range.start());
    let overlap = sorted.windows(2).find(|pair| pair[1].range.start() < pair[0].range.end())?;
    Some(format!("a client would find that two edits overlap: {overlap:?}"))
}

/// What of the file's style a result breaks.
fn style(before: &str, after: &str) -> Vec<String> {
    let mut problems = vec![];
    let bare = |text: &str| text.replace("\r\n", "").contains(['\n', '\r']);
    let has_crlf = before.contains("\r\n");
    if has_crlf && !bare(before) && bare(after) {
        problems.push("a line ends in LF in a file of CRLF".to_string());
    }
    if !has_crlf && after.contains('\r') && !before.contains('\r') {
        problems.push("a line ends in CRLF in a file of LF".to_string());
    }
    let spaces = |text: &str| text.lines().any(|line| line.starts_with(' '));
    if before.contains("\n\t") && !spaces(before) && spaces(after) {
        problems.push("a line is indented by spaces in a file of tabs".to_string());
    }
    let tabs = |text: &str| text.lines().any(|line| line.starts_with('\t'));
    if !tabs(before) && tabs(after) {
        problems.push("a line is indented by a tab in a file without".to_string());
    }
    if before.starts_with('\u{feff}') && !after.starts_with('\u{feff}') {
        problems.push("the byte order mark is not the first character".to_string());
    }
    problems
}

/// The comments that are lost.
fn lost(before: &Text, after: &Text) -> Option<String> {
    let mut left = after.comments.clone();
    let mut lost = vec![];
    for comment in &before.comments {
        match left.iter().position(|other| other == comment) {
            Some(index) => {
                left.swap_remove(index);
            }
            None => lost.push(comment.as_str()),
        }
    }
    (!lost.is_empty()).then(|| format!("comments are lost: {}", lost.join(" / ")))
}
