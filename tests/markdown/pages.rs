//! A page proves itself: its findings, its output on every CPython, its rewrites.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use dunderstand::analysis::Module;
use dunderstand::detectors::{Finding, findings};
use dunderstand::features::{Card, Options, View, hover};
use dunderstand::pages::{CodeFence, Page, Role};
use dunderstand::rewrites::{Offer, offer};
use dunderstand::text::apply;

use crate::Outcome;
use crate::interpreters::{INTERPRETERS, Interpreter, WITH_PACKAGES};
use crate::project::{SHARED, TARGET, example};

pub fn page(path: &Path) -> Outcome {
    let id = path.strip_prefix("explanations")?.with_extension("").to_string_lossy().replace('\\', "/");
    if let Some(error) = SHARED.store.errors().iter().find(|error| error.path == path) {
        return Err(error.to_string().into());
    }
    let page = SHARED.store.page(&id).ok_or("the page is not in the store; rebuild")?;
    if page.retired.is_some() {
        return Ok(());
    }
    let mut problems = vec![];
    let mut provided = BTreeSet::new();
    let mut has_finding = false;
    for (index, fence) in page.fences.iter().enumerate() {
        if fence.role == Role::Example {
            has_finding |= finds(page, index, fence, &mut provided, &mut problems);
            prints(page, index, fence, &mut problems);
        }
    }
    if !has_finding && !page.is_guide() {
        problems.push("no example has a finding of this page".to_string());
    }
    for fact in &page.facts {
        let decided = page.version_fact_names().any(|name| name == fact);
        if !decided && !provided.contains(fact.as_str()) {
            problems.push(format!("fact `{fact}` is declared, but no example's finding has it"));
        }
        if !page.templates().any(|template| template.facts().any(|name| name == fact)) {
            problems.push(format!("fact `{fact}` is declared, but no line uses it"));
        }
    }
    rewrites(page, &mut problems);
    if problems.is_empty() { Ok(()) } else { Err(format!("\n{}", problems.join("\n")).into()) }
}

/// Holds the findings of a fence against its `# finds:` comments. Returns whether this page was found.
fn finds(
    page: &Page,
    index: usize,
    fence: &CodeFence,
    provided: &mut BTreeSet<String>,
    problems: &mut Vec<String>,
) -> bool {
    let expected = comments(&fence.code, "# finds:");
    let named: BTreeSet<&str> = expected.values().flatten().map(String::as_str).chain([page.id.as_str()]).collect();
    let is_checked = |id: &str| {
        named.contains(id) || SHARED.store.page(id).is_some_and(|page| page.message.is_some() && page.setting.is_none())
    };
    let path = example(SHARED.root(), &page.id, index);
    let found = SHARED.read(&path, |module| {
        let mut found: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
        for finding in findings(module, &SHARED.store, &is_checked) {
            if finding.concept == page.id {
                problems.extend(too_much(module, &finding));
                provided.extend(finding.facts.iter().map(|(name, _)| name.to_string()));
            }
            let shown = SHARED.store.page(&finding.concept).is_some_and(|page| page.since <= TARGET.max(fence.since));
            if shown {
                found.entry(module.lines().line(finding.range.start())).or_default().insert(finding.concept);
            }
        }
        found
    });
    let lines: BTreeSet<usize> = expected.keys().chain(found.keys()).copied().collect();
    for line in lines {
        let empty = BTreeSet::new();
        let expected: BTreeSet<String> = expected.get(&line).into_iter().flatten().cloned().collect();
        let found = found.get(&line).unwrap_or(&empty);
        let at = format!("{}:{}", page.path.display(), fence.line + line - 1);
        for id in found.difference(&expected) {
            problems.push(format!("{at}: found `{id}`, which no `# finds:` comment announces"));
        }
        for id in expected.difference(found) {
            problems.push(format!("{at}: `{id}` is not found"));
        }
    }
    found.values().flatten().any(|id| *id == page.id)
}

/// What a hover would have to leave out: the lines about the code, filled in, are within its limits.
fn too_much(module: &Module, finding: &Finding) -> Option<String> {
    let options = Options::default();
    let view = View { module, store: &SHARED.store, options: &options };
    let card = Card::new(&view, finding)?;
    let shown = hover(&view, finding.range.start()).filter(|hover| hover.concept == finding.concept)?;
    let dropped = card.in_your_code().into_iter().find(|line| !shown.markdown.contains(line.as_str()));
    let is_same = shown.range == finding.range;
    let size = (shown.markdown.lines().count(), shown.markdown.chars().count());
    let line = module.lines().line(finding.range.start());
    match dropped.filter(|_| is_same) {
        Some(dropped) => Some(format!("the hover at line {line} of an example has no room for: {dropped}")),
        None if size.0 > 15 || size.1 > 900 => {
            Some(format!("the hover at line {line} of an example has {} lines and {} characters", size.0, size.1))
        }
        None => None,
    }
}

/// Holds the output of a fence on every interpreter against its `# prints:` comments.
fn prints(page: &Page, index: usize, fence: &CodeFence, problems: &mut Vec<String>) {
    let since = fence.since.max(page.since);
    let expected = printed(&fence.code);
    let program = example(SHARED.root(), &page.id, index);
    for interpreter in interpreters_for(fence).filter(|interpreter| interpreter.version >= since) {
        let run = interpreter.run(&program);
        if !run.success {
            problems.push(format!("the example fails on {}:\n{}", interpreter.exact, run.stderr));
        } else if run.stdout != expected {
            let at = (0..).find(|&line| run.stdout.get(line) != expected.get(line)).unwrap();
            problems.push(format!(
                "on {} line {} of the output is {:?}, not {:?}",
                interpreter.exact,
                at + 1,
                run.stdout.get(at),
                expected.get(at)
            ));
        }
    }
}

/// The interpreters that run a fence: all of them, or the one that has the packages.
fn interpreters_for(fence: &CodeFence) -> Box<dyn Iterator<Item = &'static Interpreter>> {
    match fence.needs {
        None => Box::new(INTERPRETERS.iter()),
        Some(_) => Box::new(WITH_PACKAGES.iter()),
    }
}

/// Each rewrite turns its `before` fence into its `after` fence, and both print the same unless the page says they differ.
fn rewrites(page: &Page, problems: &mut Vec<String>) {
    for name in &page.rewrites {
        let mut proved = false;
        let before = page
            .fences
            .iter()
            .enumerate()
            .filter(|(_, fence)| matches!(&fence.role, Role::Before { rewrite, .. } if rewrite == name));
        for (index, before) in before {
            proved = true;
            let is_after =
                |fence: &&CodeFence| fence.role == Role::After { rewrite: name.clone() } && fence.line > before.line;
            let Some((after_index, after)) = page.fences.iter().enumerate().find(|(_, fence)| is_after(fence)) else {
                problems.push(format!("`before={name}` at line {} has no `after={name}`", before.line));
                continue;
            };
            let path = example(SHARED.root(), &page.id, index);
            match rewritten(page, &path, name) {
                Ok(result) if result == after.code => {}
                Ok(result) => problems.push(format!("`{name}` gives:\n{result}\ninstead of:\n{}", after.code)),
                Err(problem) => problems.push(format!("`{name}` at line {}: {problem}", before.line)),
            }
            let Role::Before { differs, .. } = before.role else { continue };
            let since = page.since.max(before.since).max(after.since);
            for interpreter in INTERPRETERS.iter().filter(|interpreter| interpreter.version >= since) {
                let old = interpreter.run(&path);
                let new = interpreter.run(&example(SHARED.root(), &page.id, after_index));
                let is_same = old.success == new.success && old.stdout == new.stdout;
                if !new.success || (!is_same && !differs) {
                    problems.push(format!(
                        "before and after `{name}` differ on {}:\n{:?}\n{:?}\n{}",
                        interpreter.exact, old.stdout, new.stdout, new.stderr
                    ));
                }
            }
        }
        if !proved {
            problems.push(format!("rewrite `{name}` has no `before={name}` fence"));
        }
    }
}

fn rewritten(page: &Page, path: &Path, name: &str) -> Result<String, String> {
    SHARED.read(path, |module| {
        let found = findings(module, &SHARED.store, &|id| id == page.id);
        let finding = found.first().ok_or("the page is not found in the fence")?;
        match offer(module, finding, name, TARGET) {
            Some(Offer::Edit { files, .. }) => {
                let edits = &files.iter().find(|file| file.path == path).ok_or("it edits another file")?.edits;
                apply(module.text(), edits).ok_or_else(|| "its edits overlap".to_string())
            }
            Some(Offer::Refused { reason, .. }) => Err(format!("it is refused: {reason}")),
            None => Err("it is not offered".to_string()),
        }
    })
}

/// The ids behind a marker, by line from 1.
fn comments(code: &str, marker: &str) -> BTreeMap<usize, Vec<String>> {
    let mut found = BTreeMap::new();
    for (index, line) in code.lines().enumerate() {
        if let Some((_, rest)) = line.split_once(marker) {
            let ids = rest.split("# ").next().unwrap_or(rest);
            found.insert(index + 1, ids.split(',').map(|id| id.trim().to_string()).collect());
        }
    }
    found
}

fn printed(code: &str) -> Vec<String> {
    let texts = code.lines().filter_map(|line| line.split_once("# prints:"));
    texts.map(|(_, text)| text.split("  # finds:").next().unwrap_or(text).trim().to_string()).collect()
}
