//! A page as HTML, for clients that show it in a view of their own: they need no Markdown renderer, and do not wait for one.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd, html};
use pulldown_cmark_escape::escape_html;

use crate::analysis::{Token, tokens};

/// Markdown as HTML. Code has the classes of highlight.js, for which editors have colours; raw HTML is shown, not passed on.
pub(super) fn of(markdown: &str) -> String {
    let mut code: Option<String> = None;
    let mut events = vec![];
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        match (event, &mut code) {
            (Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))), _) if language.starts_with("python") => {
                code = Some(String::new());
            }
            (Event::End(TagEnd::CodeBlock), Some(text)) => {
                let block = format!("<pre><code class=\"hljs\">{}</code></pre>\n", coloured(text));
                events.push(Event::Html(block.into()));
                code = None;
            }
            (Event::Text(part), Some(text)) => text.push_str(&part),
            (Event::Html(text) | Event::InlineHtml(text), _) => events.push(Event::Text(text)),
            (other, _) => events.push(other),
        }
    }
    let mut text = String::new();
    html::push_html(&mut text, events.into_iter());
    text
}

/// Python code with its words in elements.
fn coloured(code: &str) -> String {
    let mut text = String::new();
    let mut done = 0;
    for (range, token) in tokens(code) {
        let (start, end) = (range.start().to_usize(), range.end().to_usize());
        let class = match token {
            Token::Keyword => "keyword",
            Token::Text => "string",
            Token::Number => "number",
            Token::Comment => "comment",
        };
        let (Some(before), Some(word)) = (code.get(done..start), code.get(start..end)) else { continue };
        escape(&mut text, before);
        text.push_str(&format!("<span class=\"hljs-{class}\">"));
        escape(&mut text, word);
        text.push_str("</span>");
        done = end;
    }
    escape(&mut text, code.get(done..).unwrap_or_default());
    text
}

fn escape(text: &mut String, part: &str) {
    let _ = escape_html(text, part);
}
