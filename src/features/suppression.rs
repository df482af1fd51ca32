//! Comments that suppress diagnostics: `# dunderstand: ignore[asyncio/blocking-call]` on a line, and
//! `# dunderstand: ignore-file[…]` anywhere. The rule is required; one that suppresses nothing is reported.

use std::collections::BTreeSet;

use super::{Diagnostic, Hover, Options, Tag, View};
use crate::analysis::Module;
use crate::pages::{Page, Severity, Store};
use crate::text::{TextRange, TextSize};

const PREFIX: &str = "dunderstand:";

/// The concept that reports a suppression without effect.
pub const UNUSED: &str = "unused-suppression";

struct Rule {
    id: String,
    /// The range of the id in the comment.
    range: TextRange,
    line: usize,
    whole_file: bool,
    used: bool,
}

/// The suppressions of a file.
pub(super) struct Suppressions {
    rules: Vec<Rule>,
    noqa: Vec<Noqa>,
}

/// `# noqa`, or `# noqa: CODE, CODE`, as other linters read it.
struct Noqa {
    line: usize,
    /// None for all codes.
    codes: Option<Vec<String>>,
}

impl Suppressions {
    /// Reads the comments of a file.
    pub(super) fn of(module: &Module) -> Self {
        let mut rules = vec![];
        for (start, comment) in comments(module, PREFIX) {
            rules.extend(rules_in(module, start, comment));
        }
        let written = ["noqa", "NOQA", "NoQA"].into_iter().flat_map(|word| comments(module, word));
        let noqa = written.filter_map(|(start, comment)| noqa_in(module, start, comment)).collect();
        Self { rules, noqa }
    }

    /// Whether a comment for other linters says that what the page reports is meant.
    pub(super) fn is_meant(&self, module: &Module, page: &Page, range: TextRange) -> bool {
        let lines = module.lines();
        let (first, last) = (lines.line(range.start()), lines.line(range.end()));
        let on_lines = self.noqa.iter().filter(|noqa| noqa.line == first || noqa.line == last);
        on_lines
            .into_iter()
            .any(|noqa| noqa.codes.as_ref().is_none_or(|codes| codes.iter().any(|code| page.is_code(code))))
    }

    /// Whether a comment suppresses `concept` at `range`; marks the comment as used.
    pub(super) fn suppresses(&mut self, module: &Module, concept: &str, range: TextRange) -> bool {
        let lines = module.lines();
        let (first, last) = (lines.line(range.start()), lines.line(range.end()));
        let mut found = false;
        for rule in &mut self.rules {
            if rule.id == concept && (rule.whole_file || rule.line == first || rule.line == last) {
                rule.used = true;
                found = true;
            }
        }
        found
    }

    /// A diagnostic for each rule that suppressed nothing, although it is looked for.
    pub(super) fn unused(&self, store: &Store, options: &Options) -> Vec<Diagnostic> {
        let severity = match options.severity(UNUSED) {
            Some(None) => return vec![],
            configured => configured.flatten().unwrap_or(Severity::Hint),
        };
        let is_off = |rule: &Rule| options.severity(&rule.id) == Some(None);
        let unused = self.rules.iter().filter(|rule| !rule.used && !is_off(rule));
        let diagnostic = |rule: &Rule| Diagnostic {
            range: rule.range,
            concept: UNUSED.to_string(),
            severity,
            message: match store.page(&rule.id) {
                Some(_) => format!("Nothing to suppress: `{}` is not reported here.", rule.id),
                None => format!("There is no rule `{}`.", rule.id),
            },
            related: vec![],
            tag: Some(Tag::Unnecessary),
            has_page: false,
        };
        unused.map(diagnostic).collect()
    }
}

/// The rules already named by a suppressing comment on `line`, and where another one is added to its list.
pub(super) fn comment_on(module: &Module, line: usize) -> Option<(BTreeSet<String>, TextSize)> {
    let rules = Suppressions::of(module).rules;
    let on_line = rules.iter().filter(|rule| rule.line == line && !rule.whole_file);
    let end = on_line.clone().map(|rule| rule.range.end()).max()?;
    Some((on_line.map(|rule| rule.id.clone()).collect(), end))
}

/// Hovering a rule in a comment explains it.
pub(super) fn hover(view: &View, offset: TextSize) -> Option<Hover> {
    if !view.module.text().contains(PREFIX) {
        return None;
    }
    let rules = Suppressions::of(view.module).rules;
    let rule = rules.into_iter().find(|rule| rule.range.contains_inclusive(offset))?;
    let page = view.store.page(&rule.id)?;
    let general = page.summary.iter().rev().find_map(|line| line.fill(&|_| None)).unwrap_or_default();
    let link = page.sources.first().map(|source| format!("\n\n<{source}>")).unwrap_or_default();
    Some(Hover {
        range: rule.range,
        markdown: format!("**{}** (suppressed)  \n{general}{link}", page.title),
        concept: rule.id,
    })
}

/// The comments of a file that mention the word, with the offset of their `#`.
fn comments<'m>(module: &'m Module, word: &'static str) -> impl Iterator<Item = (TextSize, &'m str)> {
    let text = module.text();
    let strings = if text.contains(word) { module.string_ranges() } else { vec![] };
    text.match_indices(word).filter_map(move |(at, _)| {
        let line_start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let hash = line_start + text[line_start..at].rfind('#')?;
        let end = text[at..].find(['\r', '\n']).map_or(text.len(), |length| at + length);
        let start = TextSize::try_from(hash).ok()?;
        let is_comment = !strings.iter().any(|string| string.contains(start));
        is_comment.then(|| (start, &text[hash..end]))
    })
}

fn noqa_in(module: &Module, start: TextSize, comment: &str) -> Option<Noqa> {
    let said = comment.trim_start_matches('#').trim_start();
    let rest = said.get(4..).filter(|_| said[..4].eq_ignore_ascii_case("noqa"))?;
    let line = module.lines().line(start);
    let Some(list) = rest.trim_start().strip_prefix(':') else {
        let is_bare = rest.trim().is_empty() || rest.trim_start().starts_with('#');
        return is_bare.then_some(Noqa { line, codes: None });
    };
    let codes = list.split([',', ' ', '#']).map(str::trim).filter(|code| !code.is_empty());
    Some(Noqa { line, codes: Some(codes.map(str::to_string).collect()) })
}

fn rules_in(module: &Module, start: TextSize, comment: &str) -> Vec<Rule> {
    let Some((before, list)) = comment.split_once('[') else { return vec![] };
    let directive = before.rsplit(PREFIX).next().unwrap_or_default().trim();
    let whole_file = match directive {
        "ignore" => false,
        "ignore-file" => true,
        _ => return vec![],
    };
    let list = list.split(']').next().unwrap_or_default();
    let line = module.lines().line(start);
    let mut offset = before.len() + 1;
    let mut rules = vec![];
    for item in list.split(',') {
        let id = item.trim();
        let lead = item.len() - item.trim_start().len();
        if let (false, Ok(at), Ok(length)) =
            (id.is_empty(), TextSize::try_from(offset + lead), TextSize::try_from(id.len()))
        {
            let range = TextRange::at(start + at, length);
            rules.push(Rule { id: id.to_string(), range, line, whole_file, used: false });
        }
        offset += item.len() + 1;
    }
    rules
}
