//! All fixes of a file that change nothing but the hazard, as far as they do not touch one another.

use super::{CodeAction, QUICK_FIX, View, code_actions, diagnostics};
use crate::analysis::parses;
use crate::rewrites::FileEdits;
use crate::text::{Edit, TextLen as _, TextRange, apply};

/// The edits; `None` if nothing can be fixed so. Fixes that touch another one's edits are left for the next time.
pub fn fix_all(view: &View) -> Option<FileEdits> {
    let path = view.module.path()?;
    let text = view.module.text();
    let offered = code_actions(view, TextRange::up_to(text.text_len()), &|kind| kind == QUICK_FIX);
    let mut edits: Vec<Edit> = vec![];
    for diagnostic in diagnostics(view) {
        let fixes = |action: &&CodeAction| {
            action.concept == diagnostic.concept
                && action.range == diagnostic.range
                && action.rewrite.is_some()
                && action.disabled.is_none()
                && action.preserves_behaviour
                && matches!(action.files.as_slice(), [file] if file.path == path)
        };
        let Some(fix) = offered.iter().find(fixes) else { continue };
        let wanted = fix.files.iter().flat_map(|file| &file.edits);
        let new: Vec<Edit> = wanted.filter(|edit| !(is_import(edit) && edits.contains(edit))).cloned().collect();
        let is_free = |edit: &Edit| edits.iter().all(|taken| taken.range.intersect(edit.range).is_none());
        if new.iter().all(is_free) {
            edits.extend(new);
        }
    }
    let fixed = apply(text, &edits).filter(|_| !edits.is_empty())?;
    (parses(&fixed) || !parses(text)).then(|| FileEdits { path: path.to_path_buf(), edits })
}

/// Two fixes may add the same import; it is added once.
fn is_import(edit: &Edit) -> bool {
    let line = edit.text.trim_start();
    edit.range.is_empty() && (line.starts_with("import ") || line.starts_with("from "))
}
