//! Where in some files a concept, or a guide's concepts, are at work.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::cli::check::parallel;
use crate::cli::failure::Failure;
use crate::cli::files;
use crate::cli::terminal::Terminal;
use crate::cli::workspace::Workspace;
use crate::detectors::{findings, one_line};
use crate::features::View;
use crate::pages::Page;

/// The most places that are told of one concept.
const PLACES: usize = 10;

/// The places as sections of Markdown, by concept.
pub(super) fn of(
    page: &Page,
    paths: &[PathBuf],
    python: Option<&Path>,
    terminal: &Terminal,
) -> Result<String, Failure> {
    let files = files::python_files(paths, terminal)?;
    let mut workspace = Workspace::open(&files, python, terminal)?;
    let wanted: BTreeSet<String> = match page.is_guide() {
        true => page.see.iter().cloned().collect(),
        false => BTreeSet::from([page.id.clone()]),
    };
    let mut titles: BTreeMap<String, String> = BTreeMap::new();
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for found in parallel::read_all(&mut workspace, &files, move |view| found_in(view, &wanted))? {
        match found {
            Ok(found) => {
                for (id, title, line) in found {
                    titles.insert(id.clone(), title);
                    places.entry(id).or_default().push(line);
                }
            }
            Err(Failure::Message(message)) => terminal.warning(&message),
            Err(Failure::ReaderGone) => {}
        }
    }
    let named: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let mut text = format!("\n## In {}\n", named.join(", "));
    if places.is_empty() {
        text.push_str("\nNothing of it was found.\n");
    }
    for (id, lines) in places {
        let title = titles.get(&id).map_or(id.as_str(), String::as_str);
        text.push_str(&format!("\n### {title} (`{id}`)\n\n"));
        text.extend(lines.iter().take(PLACES).map(String::as_str));
        if lines.len() > PLACES {
            text.push_str(&format!("- and {} more\n", lines.len() - PLACES));
        }
    }
    Ok(text)
}

/// The concept, its title, and the line of the list, for each line of the file that has to do with it.
fn found_in(view: &View, wanted: &BTreeSet<String>) -> Vec<(String, String, String)> {
    let lines = view.module.lines();
    let shown = view.module.path().map(files::shown).unwrap_or_default();
    let mut found = vec![];
    for finding in findings(view.module, view.store, &|id| wanted.contains(id)) {
        let Some(page) = view.store.page(&finding.concept) else { continue };
        let number = lines.line(finding.range.start());
        let code = one_line(&view.module.text()[lines.line_range(number)]);
        let line = format!("- `{shown}:{number}` `{code}`\n");
        let entry = (finding.concept.clone(), page.title.clone(), line);
        if !found.contains(&entry) {
            found.push(entry);
        }
    }
    found
}
