//! `pages`: what there are pages on, and whether a team's own pages are sound.

mod html;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Subcommand, ValueEnum};

use crate::detectors;
use crate::pages::{Page, PageError, Store, nearest};
use crate::rewrites;
use crate::settings::{PageFolders, page_sources};

use super::failure::Failure;
use super::terminal::{BOLD, CODE, DIM, GOOD, Terminal, columns, shown};
use super::{Outcome, counted, excerpt, files, workspace};

/// List the pages, or check a team's own
///
/// For each page: its id and title, what makes it speak (names, methods, a form of syntax, or judgement), and whether it
/// comes with a hint, a hazard that `check` reports, or rewrites.
#[derive(clap::Args)]
#[command(
    after_help = "\
Examples:
  dunderstand pages
  dunderstand pages asyncio
  dunderstand pages --by trigger
  dunderstand pages --html handbook
  dunderstand pages check .dunderstand/explanations

Teams keep pages in .dunderstand/explanations in the root of a project; a page there with the id of a built-in one replaces
it.",
    args_conflicts_with_subcommands = true
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// List this topic only
    topic: Option<String>,
    /// Put together what lies in one topic, or what speaks at the same kind of thing
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    by: By,
    /// Write all pages to a folder as HTML, which can be published; see the setting `pagesUrl`
    #[arg(long, value_name = "DIR", conflicts_with_all = ["topic", "by"])]
    html: Option<PathBuf>,
}

/// What the list is ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum By {
    #[default]
    Topic,
    Trigger,
}

#[derive(Subcommand)]
enum Command {
    /// Say what is wrong in a folder of pages
    ///
    /// Exit codes: 0 all are sound, 1 some are not, 2 the folder cannot be read.
    Check {
        /// A folder with a folder for each topic
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

pub(super) fn run(arguments: &Arguments, terminal: &mut Terminal) -> Result<Outcome, Failure> {
    match &arguments.command {
        Some(Command::Check { folder }) => check(folder, terminal),
        None => match &arguments.html {
            Some(folder) => write_html(folder, terminal),
            None => list(arguments, terminal),
        },
    }
}

fn write_html(folder: &Path, terminal: &mut Terminal) -> Result<Outcome, Failure> {
    let store = workspace::store_at(&std::env::current_dir()?, terminal);
    html::write(&store, folder)?;
    terminal.say(&format!("written: {}", folder.join("index.html").display()));
    Ok(Outcome::Clean)
}

fn list(arguments: &Arguments, terminal: &mut Terminal) -> Result<Outcome, Failure> {
    let topic = arguments.topic.as_deref();
    let store = workspace::store_at(&std::env::current_dir()?, terminal);
    let listed = |page: &&Arc<Page>| page.retired.is_none() && topic.is_none_or(|topic| page.topic() == topic);
    let pages: Vec<_> = store.pages().filter(listed).collect();
    if pages.is_empty() {
        let topics: Vec<&str> = store.pages().map(|page| page.topic()).collect();
        let topic = topic.unwrap_or_default();
        let advice = nearest(topic, topics.into_iter()).map(|near| format!("; did you mean `{near}`?"));
        return Err(Failure::new(format!("there is no topic `{topic}`{}", advice.unwrap_or_default())));
    }
    let text = match arguments.by {
        By::Topic => by_topic(&pages, terminal),
        By::Trigger => by_trigger(&pages, terminal),
    };
    terminal.print(&text)?;
    Ok(Outcome::Clean)
}

fn by_topic(pages: &[&Arc<Page>], terminal: &Terminal) -> String {
    let width = pages.iter().map(|page| columns(name(page))).max().unwrap_or(0);
    let mut text = String::new();
    let mut current = "";
    for page in pages {
        if page.topic() != current {
            let gap = if current.is_empty() { "" } else { "\n" };
            current = page.topic();
            let _ = writeln!(text, "{gap}{}", terminal.paint(BOLD, current));
        }
        let padding = " ".repeat(width - columns(name(page)));
        let _ = writeln!(text, "  {}{padding}  {}", terminal.paint(CODE, name(page)), page.title);
        let details = [trigger(page), views(page)].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
        let indent = " ".repeat(width + 4);
        let _ = writeln!(text, "{indent}{}", terminal.paint(DIM, &details.join(" · ")));
    }
    text
}

/// Every name, method and form of syntax with the page that speaks there; the pages that rest on judgement last.
fn by_trigger(pages: &[&Arc<Page>], terminal: &Terminal) -> String {
    let mut text = String::new();
    type Triggers = fn(&Page) -> &[String];
    let kinds: [(&str, Triggers); 3] =
        [("names", |page| &page.symbols), ("methods", |page| &page.methods), ("syntax", |page| &page.syntax)];
    for (kind, triggers) in kinds {
        let of_page =
            |page: &&Arc<Page>| triggers(page).iter().map(|name| (name.clone(), page.id.clone())).collect::<Vec<_>>();
        let mut rows: Vec<(String, String)> = pages.iter().flat_map(of_page).collect();
        rows.sort();
        push_rows(&mut text, kind, &rows, terminal);
    }
    let judged = pages.iter().filter(|page| !page.is_data_only() && !page.is_guide());
    let rows: Vec<(String, String)> = judged.map(|page| (page.id.clone(), page.title.clone())).collect();
    push_rows(&mut text, "judgement", &rows, terminal);
    text
}

fn push_rows(text: &mut String, heading: &str, rows: &[(String, String)], terminal: &Terminal) {
    if rows.is_empty() {
        return;
    }
    let gap = if text.is_empty() { "" } else { "\n" };
    let _ = writeln!(text, "{gap}{}", terminal.paint(BOLD, heading));
    let width = rows.iter().map(|(name, _)| columns(name)).max().unwrap_or(0);
    for (name, told) in rows {
        let padding = " ".repeat(width - columns(name));
        let _ = writeln!(text, "  {}{padding}  {told}", terminal.paint(CODE, name));
    }
}

fn name(page: &Page) -> &str {
    page.id.split_once('/').map_or(page.id.as_str(), |(_, name)| name)
}

/// What makes the page speak.
fn trigger(page: &Page) -> String {
    let shown = |names: &[String], what: &str| match names {
        [] => None,
        [one] => Some(format!("{what}{one}")),
        [one, other] => Some(format!("{what}{one}, {other}")),
        [one, rest @ ..] => Some(format!("{what}{one} and {} more", rest.len())),
    };
    let triggers = [shown(&page.symbols, ""), shown(&page.methods, "def "), shown(&page.syntax, "syntax ")];
    let triggers: Vec<String> = triggers.into_iter().flatten().collect();
    match triggers.is_empty() {
        true if page.is_guide() => "guide".to_string(),
        true => "judgement".to_string(),
        false => triggers.join(", "),
    }
}

/// How the page shows itself, aside from hovers.
fn views(page: &Page) -> String {
    let mut views = vec![];
    if page.hint.is_some() {
        views.push("hint".to_string());
    }
    if page.message.is_some() {
        views.push(excerpt::severity(page.severity).0.to_string());
    }
    if !page.rewrites.is_empty() {
        views.push(format!("rewrites: {}", page.rewrites.join(", ")));
    }
    views.join(" · ")
}

fn check(folder: &Path, terminal: &mut Terminal) -> Result<Outcome, Failure> {
    let absolute = files::existing(folder)?;
    if !absolute.is_dir() {
        return Err(Failure::new(format!("{} is a file; name the folder of the pages", folder.display())));
    }
    let (sources, unreadable) = page_sources(&PageFolders::new(vec![absolute]));
    if sources.is_empty() && unreadable.is_empty() {
        return Err(Failure::new(format!("there are no pages (`<topic>/<name>.md`) in {}", folder.display())));
    }
    let known: Vec<(String, PathBuf, String)> =
        sources.iter().map(|source| (source.id.clone(), source.path.clone(), source.text.clone())).collect();
    let store = Store::with(sources);
    let mut problems: Vec<(PathBuf, usize, String)> = vec![];
    let is_theirs = |error: &&PageError| known.iter().any(|(_, path, _)| *path == error.path);
    for error in unreadable.iter().chain(store.errors().iter().filter(is_theirs)) {
        problems.push((error.path.clone(), error.line, error.message.clone()));
    }
    let count = known.len() + unreadable.len();
    for (id, path, text) in &known {
        let Some(page) = store.page(id).filter(|page| page.path == *path) else { continue };
        let found = page_problems(page, &store).into_iter();
        problems.extend(found.map(|(key, message)| (path.clone(), line_of(text, key), message)));
    }
    problems.sort();
    let mut text = String::new();
    for (path, line, message) in &problems {
        let _ = writeln!(text, "{}:{line}: {}", terminal.paint(BOLD, &files::shown(path)), shown(message));
    }
    let pages = counted(count, "page", "pages");
    let _ = match problems.len() {
        0 => writeln!(text, "{} in {pages}.", terminal.paint(GOOD, "No problems")),
        found => writeln!(text, "{} in {pages}.", counted(found, "problem", "problems")),
    };
    terminal.print(&text)?;
    Ok(if problems.is_empty() { Outcome::Clean } else { Outcome::Findings })
}

/// What is wrong with a page that can be read, each with the key of the front matter it is about.
fn page_problems<'p>(page: &'p Page, store: &Store) -> Vec<(&'p str, String)> {
    let mut problems = vec![];
    if !page.id.contains('/') {
        problems.push(("title", "the page is in no topic; put it into a folder such as `team`".to_string()));
    }
    let is_detected = detectors::ALL.iter().any(|detector| detector.concepts.contains(&page.id.as_str()));
    if !page.is_data_only() && !is_detected && !page.is_guide() && page.retired.is_none() {
        problems.push(("title", "nothing makes the page speak; give it `symbols`, `methods` or `syntax`".to_string()));
    }
    for name in &page.rewrites {
        if !rewrites::ALL.iter().any(|rewrite| rewrite.name == name) {
            problems.push(("rewrites", format!("there is no rewrite `{name}`")));
        }
    }
    for id in &page.see {
        if store.page(id).is_none() {
            problems.push(("see", format!("there is no page `{id}`")));
        }
    }
    problems
}

/// The line of a key in the front matter, from 1.
fn line_of(text: &str, key: &str) -> usize {
    let is_key = |line: &str| line.split_once('=').is_some_and(|(name, _)| name.trim() == key);
    text.lines().position(is_key).map_or(1, |index| index + 1)
}
