//! The handbook as a folder of HTML: readable without scripts, dark and light, with a search where scripts run.

use std::fmt::Write as _;
use std::path::Path;

use pulldown_cmark::{CowStr, Event, Options, Parser, html};
use pulldown_cmark_escape::{escape_href, escape_html};
use serde_json::json;

use crate::cli::failure::Failure;
use crate::features::handbook_page;
use crate::pages::{Page, Store};

const STYLE: &str = include_str!("style.css");
const SEARCH: &str = include_str!("search.js");

/// Writes the pages to `folder`, which may exist.
pub(super) fn write(store: &Store, folder: &Path) -> Result<(), Failure> {
    let pages: Vec<&Page> = store.pages().map(AsRef::as_ref).collect();
    let save = |name: &str, text: &str| -> Result<(), Failure> {
        let path = folder.join(name);
        let written = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&path, text));
        written.map_err(|error| Failure::new(format!("{} cannot be written: {error}", path.display())))
    };
    save("style.css", STYLE)?;
    save("search.js", &format!("const PAGES = {};\n{SEARCH}", index_of(&pages)))?;
    save("index.html", &document("Handbook", "", &contents(&pages)))?;
    for page in &pages {
        let mut body = String::new();
        html::push_html(&mut body, events(store, page, &handbook_page(page)).into_iter());
        save(&format!("{}.html", page.id), &document(&page.title, &up(&page.id), &body))?;
    }
    Ok(())
}

/// The way from a page's file to the folder.
fn up(id: &str) -> String {
    "../".repeat(id.matches('/').count())
}

/// A page's Markdown with links in place of other pages' ids. Raw HTML of a page is shown, not passed on.
fn events<'m>(store: &'m Store, own: &Page, markdown: &'m str) -> Vec<Event<'m>> {
    let link = |id: &str| {
        let page = store.page(id).filter(|page| page.id != own.id)?;
        let mut link = format!("<a href=\"{}{}.html\">", up(&own.id), page.id);
        escape_html(&mut link, &plain(&page.title)).ok()?;
        link.push_str("</a>");
        Some(Event::InlineHtml(CowStr::from(link)))
    };
    let own_html = |event: Event<'m>| match event {
        Event::Code(text) => link(&text).unwrap_or(Event::Code(text)),
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        other => other,
    };
    Parser::new_ext(markdown, Options::ENABLE_TABLES).map(own_html).collect()
}

/// A title without its backticks.
fn plain(title: &str) -> String {
    title.replace('`', "")
}

fn document(title: &str, up: &str, body: &str) -> String {
    let mut escaped = String::new();
    let _ = escape_html(&mut escaped, &plain(title));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{escaped} · dunderstand</title>\n\
         <link rel=\"stylesheet\" href=\"{up}style.css\">\n</head>\n<body data-up=\"{up}\">\n\
         <nav><a href=\"{up}index.html\">dunderstand handbook</a></nav>\n<main>\n{body}</main>\n\
         <script src=\"{up}search.js\" defer></script>\n</body>\n</html>\n"
    )
}

/// The page of all pages, by topic; guides first.
fn contents(pages: &[&Page]) -> String {
    let mut text = "<h1>Handbook</h1>\n".to_string();
    let mut topics: Vec<&str> = pages.iter().map(|page| page.topic()).collect();
    topics.dedup();
    topics.sort_by_key(|topic| *topic != "guides");
    for topic in topics {
        let _ = write!(text, "<h2 id=\"{topic}\">{topic}</h2>\n<ul>\n");
        for page in pages.iter().filter(|page| page.topic() == topic && page.retired.is_none()) {
            let (mut href, mut title) = (String::new(), String::new());
            let _ = escape_href(&mut href, &page.id);
            let _ = escape_html(&mut title, &plain(&page.title));
            let _ = writeln!(text, "<li><a href=\"{href}.html\">{title}</a></li>");
        }
        text.push_str("</ul>\n");
    }
    text
}

/// What the search looks through.
fn index_of(pages: &[&Page]) -> serde_json::Value {
    let entry = |page: &&Page| {
        let names: Vec<&String> = page.symbols.iter().chain(&page.methods).chain(&page.syntax).collect();
        let text: Vec<String> = page.summary.iter().filter_map(|line| line.fill(&|_| Some(String::new()))).collect();
        json!({ "id": page.id, "title": plain(&page.title), "names": names, "terms": page.terms, "text": text.join(" ") })
    };
    pages.iter().filter(|page| page.retired.is_none()).map(entry).collect()
}
