//! `explain`: the pages, on the terminal.

mod places;

use std::path::PathBuf;

use crate::features;
use crate::pages::{Store, nearest, search};

use super::failure::Failure;
use super::terminal::{BOLD, CODE, DIM, Terminal, columns};
use super::{Outcome, markdown, workspace};

/// Read the handbook: one page for every concept
///
/// With the id of a page, its text. With words, the pages about them, spelt roughly right. Without anything, the topics. In a
/// pipe, pages are Markdown.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  dunderstand explain                           the topics
  dunderstand explain asyncio                   the pages of a topic
  dunderstand explain asyncio/blocking-call     a page
  dunderstand explain weakref.finalize          the page on a name
  dunderstand explain lock across await         the pages on some words
  dunderstand explain guides/memory --in src    a guide, and where src has to do with it

Exit codes: 0 shown, 1 there is no such page.")]
pub(super) struct Arguments {
    /// The id of a page, or words to look for
    #[arg(value_name = "ID|WORDS")]
    words: Vec<String>,
    /// Behind the page, list where in these files its concept, or a guide's concepts, are at work
    #[arg(long = "in", value_name = "PATH")]
    places: Vec<PathBuf>,
    /// The environment or interpreter whose packages the code imports
    #[arg(long, value_name = "PATH", requires = "places")]
    python: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, terminal: &mut Terminal) -> Result<Outcome, Failure> {
    let here = std::env::current_dir()?;
    let store = workspace::store_at(&here, terminal);
    let words = arguments.words.join(" ");
    let words = words.trim();
    if words.is_empty() {
        terminal.print(&topics(&store, terminal))?;
        return Ok(Outcome::Clean);
    }
    let hits = search(&store, words);
    match hits.as_slice() {
        [] => {
            let ids = store.pages().map(|page| page.id.as_str());
            let advice = match nearest(words, ids) {
                Some(id) => format!("did you mean `{id}`?"),
                None => "`dunderstand explain` lists the topics".to_string(),
            };
            terminal.say(&format!("no page about `{words}`; {advice}"));
            return Ok(Outcome::Findings);
        }
        [page] => {
            let mut text = features::handbook_page(page);
            if !arguments.places.is_empty() {
                text.push_str(&places::of(page, &arguments.places, arguments.python.as_deref(), terminal)?);
            }
            let text = match terminal.styled {
                true => markdown::render(&text, terminal.width, terminal),
                false => text,
            };
            terminal.print(&format!("{}\n", text.trim_end()))?;
        }
        pages => {
            let width = pages.iter().map(|page| columns(&page.id)).max().unwrap_or(0);
            let mut text = String::new();
            for page in pages {
                let padding = " ".repeat(width - columns(&page.id));
                text.push_str(&format!("{}{padding}  {}\n", terminal.paint(CODE, &page.id), page.title));
            }
            terminal.print(&text)?;
            terminal.say("\nTo read one: dunderstand explain ID");
        }
    }
    Ok(Outcome::Clean)
}

/// The topics with their pages' titles.
fn topics(store: &Store, terminal: &Terminal) -> String {
    let mut text = String::new();
    let mut topics: Vec<&str> = store.pages().map(|page| page.topic()).collect();
    topics.dedup();
    for topic in topics {
        let pages: Vec<_> = store.pages().filter(|page| page.topic() == topic && page.retired.is_none()).collect();
        let count = terminal.paint(DIM, &format!("{} pages", pages.len()));
        text.push_str(&format!("{}  {count}\n", terminal.paint(BOLD, topic)));
        let titles: Vec<&str> = pages.iter().map(|page| page.title.as_str()).collect();
        for line in markdown::wrapped(&format!("{}.", titles.join(", ")), terminal.width - 2, terminal) {
            text.push_str(&format!("  {line}\n"));
        }
        text.push('\n');
    }
    text.push_str("To read on: dunderstand explain TOPIC, dunderstand explain ID\n");
    text
}
