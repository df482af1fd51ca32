//! A page as a person reads it outside their code: Markdown in which facts are names of what would stand there.

use std::path::Path;

use super::Card;
use crate::detectors::Fact;
use crate::pages::{Page, Template};
use crate::text::Place;

const IN_YOUR_CODE: &str = "In your code";

/// The whole page as Markdown.
pub fn handbook_page(page: &Page) -> String {
    written(page, summary(page), None)
}

/// The page as Markdown, about the code that `card` found. `link` gives the address of a place.
pub fn handbook_page_here(card: &Card, link: &dyn Fn(&Place) -> Option<String>) -> String {
    let show = |fact: &Fact, here: Option<&Path>| linked(fact, here, link);
    let summary = card.summary_by(&show).map_or_else(|| summary(&card.page), |line| vec![line]);
    written(&card.page, summary, Some(card.in_your_code_by(&show)))
}

/// A fact whose places are links.
fn linked(fact: &Fact, here: Option<&Path>, link: &dyn Fn(&Place) -> Option<String>) -> String {
    let one = |text: String, place: Option<&Place>| match place.and_then(link) {
        Some(address) => format!("[{text}]({address})"),
        None => text,
    };
    match fact {
        Fact::Place(place) => one(fact.show(here), Some(place)),
        Fact::Places(places) => {
            let shown = places.iter().map(|place| one(Fact::Place(place.clone()).show(here), Some(place)));
            shown.collect::<Vec<_>>().join(", ")
        }
        Fact::Each(facts) => facts.iter().map(|fact| linked(fact, here, link)).collect::<Vec<_>>().join(", "),
        Fact::Code(_) | Fact::List(_) => fact.show(here),
    }
}

/// `in_your_code` takes the place of the section with this name.
fn written(page: &Page, summary: Vec<String>, in_your_code: Option<Vec<String>>) -> String {
    let mut text = format!("# {}\n\n`{}`", page.title, page.id);
    for fact in about(page) {
        text.push_str(&format!(" · {fact}"));
    }
    text.push_str("\n\n");
    if let Some(why) = &page.retired {
        text.push_str(&format!("This page is retired: {why}\n\n"));
    }
    for line in summary {
        text.push_str(&line);
        text.push('\n');
    }
    if !page.each.is_empty() {
        text.push_str("\n## By name\n\n");
    }
    for (name, line) in &page.each {
        let fact = |fact: &str| match fact {
            "callee" | "method" | "name" => Some(name.clone()),
            other => Some(placeholder(other)),
        };
        text.push_str(&format!("- `{name}`: {}\n", line.fill(&fact).unwrap_or_default()));
    }
    for (heading, section) in &page.sections {
        let section = match &in_your_code {
            Some(lines) if heading == IN_YOUR_CODE => lines.join("\n"),
            _ => without_marks(section),
        };
        if !section.trim().is_empty() {
            text.push_str(&format!("\n## {heading}\n\n{}\n", section.trim()));
        }
    }
    if !page.see.is_empty() {
        let see: Vec<String> = page.see.iter().map(|id| format!("`{id}`")).collect();
        text.push_str(&format!("\n## See also\n\n{}\n", see.join(", ")));
    }
    if !page.sources.is_empty() {
        text.push_str("\n## Sources\n\n");
        for source in &page.sources {
            text.push_str(&format!("- <{source}>\n"));
        }
    }
    text
}

/// What the page is for.
fn about(page: &Page) -> Vec<String> {
    let mut about = vec![];
    if page.message.is_some() {
        about.push(format!("{:?}", page.severity).to_lowercase());
    }
    if page.hint.is_some() {
        about.push("shown as an inlay hint".to_string());
    }
    if page.since > crate::analysis::OLDEST {
        about.push(format!("from Python {}.{}", page.since.0, page.since.1));
    }
    about
}

/// The sentences that hold for every code; if there are none, those with facts.
fn summary(page: &Page) -> Vec<String> {
    let general: Vec<String> = page.summary.iter().filter_map(|line| line.fill(&|_| None)).collect();
    match general.is_empty() {
        true => page.summary.iter().filter_map(with_placeholders).collect(),
        false => general,
    }
}

fn with_placeholders(line: &Template) -> Option<String> {
    line.fill(&|fact| Some(placeholder(fact)))
}

fn placeholder(fact: &str) -> String {
    format!("‹{}›", fact.trim().replace('_', " "))
}

/// A section without what only the tests of a page read, and with placeholders for facts.
fn without_marks(section: &str) -> String {
    let mut text = String::new();
    for line in section.lines() {
        let line = match (line.split_once("# finds: "), line.strip_prefix("```python ")) {
            (Some((code, _)), _) => code.trim_end(),
            (None, Some(marks)) => {
                text.push_str(label(marks));
                "```python"
            }
            (None, None) => line,
        };
        let mut rest = line;
        while let Some((before, fact, after)) = rest
            .split_once("{{")
            .and_then(|(before, rest)| rest.split_once("}}").map(|(fact, after)| (before, fact, after)))
        {
            text.push_str(before);
            text.push_str(&placeholder(fact));
            rest = after;
        }
        text.push_str(rest);
        text.push('\n');
    }
    text
}

/// What stands above a fence whose marks say what it shows.
fn label(marks: &str) -> &'static str {
    match marks {
        _ if marks.contains("before=") => "Before:\n\n",
        _ if marks.contains("after=") => "\nAfter:\n\n",
        _ => "",
    }
}
