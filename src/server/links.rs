//! Ids of pages become links: of our own scheme on pages, to a command of the client's in hovers, where it names one.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tower_lsp_server::ls_types::{Position, Uri};

use super::reading::Reading;
use crate::pages::{Page, Store};

/// The Markdown with a link in place of every id of a page but `own`.
pub(super) fn linked(store: &Store, own: &str, markdown: &str, link: &dyn Fn(&Page) -> String) -> String {
    let mut in_fence = false;
    let mut text = String::new();
    for line in markdown.lines() {
        in_fence ^= line.starts_with("```");
        for (index, part) in line.split('`').enumerate() {
            let page = store.page(part).filter(|page| index % 2 == 1 && !in_fence && page.id != own);
            match page {
                // The backtick before it is taken back, the one behind it is skipped below.
                Some(page) => {
                    text.pop();
                    text.push_str(&link(page));
                    text.push('\u{0}');
                }
                None => {
                    text.push_str(part);
                    text.push('`');
                }
            }
        }
        text.pop();
        text.push('\n');
    }
    text.replace('\u{0}', "")
}

/// A link on a page.
pub(super) fn on_page(page: &Page) -> String {
    format!("[{}](dunderstand:{})", page.title, page.id)
}

/// A hover as the client shows it: where it has a command that opens pages, their ids lead to them, and so does a last link, to
/// the page about `position` itself.
pub(super) fn in_hover(reading: &Reading, markdown: String, uri: &Uri, position: Option<Position>) -> String {
    let Some(command) = &reading.setting.abilities.page_command else { return markdown };
    let to =
        |title: &str, about: &Value| format!("[{title}](command:{command}?{})", escaped(&json!([about]).to_string()));
    // A hover is narrow: a title's first half says which page it is.
    let name = |page: &Page| page.title.split(": ").next().unwrap_or_default().to_string();
    let of_page = |page: &Page| to(&name(page), &json!({ "id": page.id, "uri": uri }));
    let mut text = linked(&reading.setting.store, "", &markdown, &of_page);
    text.truncate(text.trim_end().len());
    if let Some(position) = position {
        let last = text.lines().last().unwrap_or_default();
        let separator = if last.starts_with('[') { " · " } else { "\n\n" };
        text.push_str(separator);
        text.push_str(&to("Whole page", &json!({ "uri": uri, "position": position })));
    }
    text
}

/// Text as a part of an address.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            true => escaped.push(char::from(byte)),
            false => {
                let _ = write!(escaped, "%{byte:02X}");
            }
        }
    }
    escaped
}
