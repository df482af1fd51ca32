//! The conventions, held by a test: layers, lists, pages, sizes. Reads the sources as text.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Which modules of the crate a layer may use, itself aside.
const LAYERS: &[(&str, &[&str])] = &[
    ("text", &[]),
    ("analysis", &["text"]),
    ("pages", &[]),
    ("detectors", &["text", "analysis", "pages"]),
    ("rewrites", &["text", "analysis", "detectors"]),
    ("features", &["text", "analysis", "pages", "detectors", "rewrites"]),
    ("settings", &["text", "analysis", "pages", "features"]),
    ("server", &["text", "analysis", "pages", "detectors", "rewrites", "features", "settings"]),
    ("cli", &["text", "analysis", "pages", "detectors", "rewrites", "features", "settings", "server"]),
];

/// The most lines of a source file.
const LINES: usize = 400;

/// Words and phrases that no page uses, and why not: they talk down or say nothing.
const BANNED: &[&str] = &["simply", "just ", "note that", "please", "obviously", "of course", "easily", "magic"];

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = vec![];
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() && !path.ends_with("node_modules") && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path.as_ref()).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

fn none(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

/// The layer a source file belongs to.
fn layer(path: &Path) -> String {
    let inside = path.strip_prefix("src").unwrap();
    inside.iter().next().unwrap().to_string_lossy().trim_end_matches(".rs").to_string()
}

#[test]
fn arrows_point_left() {
    let mut problems = vec![];
    for path in files("src", "rs") {
        let layer = layer(&path);
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == layer) else { continue };
        for (index, line) in read(&path).lines().enumerate() {
            for (at, _) in line.match_indices("crate::") {
                let rest = &line[at + "crate::".len()..];
                let used: String = rest.chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect();
                if !used.is_empty() && used != layer && !allowed.contains(&used.as_str()) {
                    problems.push(format!("{}:{}: `{layer}` uses `{used}`", path.display(), index + 1));
                }
            }
        }
    }
    none(problems);
}

#[test]
fn each_library_is_named_by_one_layer() {
    let owners = [
        ("ty_", "analysis"),
        ("salsa", "analysis"),
        ("ruff_db", "analysis"),
        ("tower_lsp", "server"),
        ("ls_types", "server"),
        ("clap", "cli"),
    ];
    let mut problems = vec![];
    for path in files("src", "rs") {
        let layer = layer(&path);
        for (index, line) in read(&path).lines().enumerate() {
            let code = line.split("//").next().unwrap_or(line);
            for (library, owner) in owners {
                let names_it = code.match_indices(library).any(|(at, _)| {
                    let before = code[..at].chars().next_back();
                    let rest = &code[at..];
                    let path_end =
                        rest.find(|char: char| !(char.is_alphanumeric() || char == '_')).unwrap_or(rest.len());
                    !before.is_some_and(|char| char.is_alphanumeric() || char == '_' || char == '"')
                        && rest[path_end..].starts_with("::")
                });
                let is_main = layer == "main" && library == "clap";
                if names_it && layer != owner && !is_main {
                    problems.push(format!("{}:{}: only `{owner}` names `{library}`", path.display(), index + 1));
                }
            }
        }
    }
    none(problems);
}

#[test]
fn files_are_short() {
    let mut problems = vec![];
    let sources = files("src", "rs").into_iter().chain(files("tests", "rs")).chain(files("editors", "ts"));
    for path in sources.chain(files("editors", "lua")) {
        let lines = read(&path).lines().count();
        if lines > LINES {
            problems.push(format!("{} has {lines} lines; a file has at most {LINES}", path.display()));
        }
    }
    none(problems);
}

#[test]
fn no_unwrap_outside_tests() {
    let mut problems = vec![];
    for path in files("src", "rs") {
        for (index, line) in read(&path).lines().enumerate() {
            let code = line.split("//").next().unwrap_or(line);
            if [".unwrap()", ".expect(", "todo!(", "dbg!(", "panic!("].iter().any(|banned| code.contains(banned)) {
                problems.push(format!("{}:{}: {}", path.display(), index + 1, line.trim()));
            }
        }
    }
    none(problems);
}

/// The constants in a list such as `&[a::DETECTOR, b::DETECTOR]`.
fn list(text: &str, start: &str, suffix: &str) -> Vec<String> {
    let list = text.split_once(start).unwrap_or_else(|| panic!("no `{start}`")).1;
    let list = list.split_once("];").unwrap_or_else(|| panic!("`{start}` is not closed")).0;
    let items = list.split(',').map(|item| item.trim().trim_start_matches("super::")).filter(|item| !item.is_empty());
    items
        .map(|item| {
            item.strip_suffix(suffix).unwrap_or_else(|| panic!("`{item}` does not end in `{suffix}`")).to_string()
        })
        .collect()
}

/// The files of a folder that define a constant.
fn definers(folder: &str, constant: &str) -> Vec<String> {
    let defines = |path: &PathBuf| read(path).contains(constant);
    let stem = |path: PathBuf| path.file_stem().unwrap().to_string_lossy().to_string();
    files(folder, "rs").into_iter().filter(defines).map(stem).collect()
}

#[test]
fn lists_are_complete_and_alphabetical() {
    for (file, folder, start, constant, suffix) in [
        (
            "src/detectors/all.rs",
            "src/detectors",
            "pub const ALL: &[Detector] = &[",
            "const DETECTOR: Detector",
            "::DETECTOR",
        ),
        ("src/rewrites.rs", "src/rewrites", "pub const ALL: &[Rewrite] = &[", "const REWRITE: Rewrite", "::REWRITE"),
    ] {
        let listed = list(&read(file), start, suffix);
        let mut sorted = listed.clone();
        sorted.sort();
        assert_eq!(listed, sorted, "the list ALL in {file} is alphabetical");
        let mut defined = definers(folder, constant);
        defined.sort();
        assert_eq!(listed, defined, "{file} lists every file that defines a `{constant}`");
    }
}

struct PageFile {
    path: PathBuf,
    matter: toml::Table,
    summary: Vec<String>,
    text: String,
}

fn pages() -> BTreeMap<String, PageFile> {
    let mut pages = BTreeMap::new();
    for path in files("explanations", "md") {
        let id = path.strip_prefix("explanations").unwrap().with_extension("").to_string_lossy().to_string();
        if id == "README" {
            continue;
        }
        let text = read(&path);
        let Some((matter, body)) = text.strip_prefix("+++\n").and_then(|text| text.split_once("\n+++\n")) else {
            panic!("{}: no front matter", path.display());
        };
        let matter = matter.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let summary = body.split("\n## ").next().unwrap().lines().filter(|line| !line.trim().is_empty());
        let summary = summary.map(str::to_string).collect();
        pages.insert(id, PageFile { path, matter, summary, text: body.to_string() });
    }
    pages
}

impl PageFile {
    fn strings(&self, key: &str) -> Vec<String> {
        let items = self.matter.get(key).and_then(|value| value.as_array()).into_iter().flatten();
        items.map(|item| item.as_str().unwrap().to_string()).collect()
    }

    fn is_data_only(&self) -> bool {
        self.matter.contains_key("each")
            || ["symbols", "methods", "syntax"].iter().any(|key| !self.strings(key).is_empty())
    }
}

#[test]
fn every_page_has_a_detector_and_every_detector_a_page() {
    let pages = pages();
    let mut yielded = BTreeSet::new();
    let mut problems = vec![];
    for path in files("src/detectors", "rs") {
        let text = read(&path);
        let Some((_, rest)) = text.split_once("concepts: &[") else { continue };
        let concepts = rest.split_once(']').unwrap().0;
        for id in concepts.split(',').map(|id| id.trim().trim_matches('"')).filter(|id| !id.is_empty()) {
            if !pages.contains_key(id) {
                problems.push(format!("{} yields `{id}`, which has no page", path.display()));
            }
            yielded.insert(id.to_string());
        }
    }
    for (id, page) in &pages {
        let is_guide = id.starts_with("guides/") || page.matter.contains_key("retired");
        if !page.is_data_only() && !yielded.contains(id) && !is_guide {
            problems.push(format!("`{id}` has neither a trigger nor a detector"));
        }
    }
    none(problems);
}

#[test]
fn every_rewrite_belongs_to_a_page() {
    let pages = pages();
    let offered: BTreeSet<String> = pages.values().flat_map(|page| page.strings("rewrites")).collect();
    let mut named = BTreeSet::new();
    for path in files("src/rewrites", "rs") {
        let text = read(&path);
        if let Some((_, rest)) = text.split_once("const REWRITE: Rewrite") {
            let name = rest.split_once("name: \"").unwrap().1.split_once('"').unwrap().0;
            assert_eq!(
                name,
                path.file_stem().unwrap().to_string_lossy(),
                "{} is named after its rewrite",
                path.display()
            );
            named.insert(name.to_string());
        }
    }
    assert_eq!(offered, named, "the pages' `rewrites` and the files in src/rewrites");
}

#[test]
fn pages_keep_their_form() {
    let pages = pages();
    let mut problems = vec![];
    for (id, page) in &pages {
        let at = page.path.display();
        for see in page.strings("see") {
            if !pages.contains_key(&see) || see == *id {
                problems.push(format!("{at}: `see` names `{see}`, which is no other page"));
            }
        }
        let title = page.matter.get("title").and_then(|title| title.as_str()).unwrap_or_default();
        if title.ends_with('.') || title.is_empty() {
            problems.push(format!("{at}: the title is a noun phrase without a full stop"));
        }
        let each = page.matter.get("each").and_then(toml::Value::as_table).into_iter().flatten();
        let each = each.map(|(_, text)| text.as_str().unwrap().to_string());
        for line in page.summary.iter().cloned().chain(each) {
            let line = &line;
            let words = line.split_whitespace().count();
            if words > 30 {
                problems.push(format!("{at}: a summary has at most 30 words, this one {words}: {line}"));
            }
            if !line.ends_with(['.', '?', ':']) && line != "{{each}}" {
                problems.push(format!("{at}: a summary is a sentence: {line}"));
            }
        }
        let first_has_fact = page.summary.first().is_some_and(|line| line.contains("{{"));
        if !page.strings("facts").is_empty() && !first_has_fact {
            problems.push(format!("{at}: the first line of the summary names none of the facts"));
        }
        match page.summary.last() {
            Some(line) if !line.contains("{{") => {}
            _ => problems.push(format!("{at}: the last line of the summary has no facts: it is the fallback")),
        }
        if page.strings("sources").is_empty() {
            problems.push(format!("{at}: no `sources`"));
        }
        if !page.text.contains("\n## Example\n") && !id.starts_with("guides/") {
            problems.push(format!("{at}: no `## Example`"));
        }
        let mut in_fence = false;
        for line in page.text.lines() {
            in_fence ^= line.starts_with("```");
            let lower = line.to_lowercase();
            for banned in BANNED.iter().filter(|_| !in_fence) {
                let is_word = |at: usize| !lower[..at].ends_with(|char: char| char.is_alphanumeric());
                if lower.match_indices(banned).any(|(at, _)| is_word(at)) {
                    problems.push(format!("{at}: says `{}`: {line}", banned.trim()));
                }
            }
        }
    }
    none(problems);
}
