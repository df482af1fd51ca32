//! What stands behind the front matter: the summary, the sections and the code fences.

use super::page::{CodeFence, Role, version_number};

/// The Markdown behind the front matter.
#[derive(Default)]
pub(super) struct Body {
    pub summary: Vec<String>,
    pub in_your_code: Vec<String>,
    pub sections: Vec<(String, String)>,
    pub fences: Vec<CodeFence>,
}

impl Body {
    pub fn parse(text: &str, first_line: usize) -> Result<Self, (usize, String)> {
        let mut body = Self::default();
        let mut open: Option<CodeFence> = None;
        let mut in_other_fence = false;
        for (index, line) in text.lines().enumerate() {
            let number = first_line + index;
            if let Some((_, section)) = body.sections.last_mut() {
                section.push_str(line);
                section.push('\n');
            }
            match (&mut open, line.strip_prefix("```")) {
                (Some(fence), None) => {
                    fence.code.push_str(line);
                    fence.code.push('\n');
                    continue;
                }
                (Some(_), Some(_)) => {
                    body.fences.extend(open.take());
                    continue;
                }
                (None, Some(_)) if in_other_fence => {
                    in_other_fence = false;
                    continue;
                }
                (None, Some(info)) => {
                    let section = body.sections.last().map(|(heading, _)| heading.as_str()).unwrap_or_default();
                    open = fence(info, section, number + 1).map_err(|message| (number, message))?;
                    in_other_fence = open.is_none();
                    continue;
                }
                (None, None) if in_other_fence => continue,
                (None, None) => {}
            }
            if let Some(heading) = line.strip_prefix("## ") {
                if let Some((_, section)) = body.sections.last_mut() {
                    section.truncate(section.len() - line.len() - 1);
                }
                body.sections.push((heading.trim().to_string(), String::new()));
            } else if !line.trim().is_empty() {
                match body.sections.last() {
                    None => body.summary.push(line.to_string()),
                    Some((heading, _)) if heading == "In your code" => body.in_your_code.push(line.to_string()),
                    Some(_) => {}
                }
            }
        }
        match open {
            Some(fence) => Err((fence.line, "the code fence is not closed".to_string())),
            None => Ok(body),
        }
    }
}

/// A Python fence from its info string; `None` for another language.
fn fence(info: &str, section: &str, line: usize) -> Result<Option<CodeFence>, String> {
    let mut words = info.split_whitespace();
    if words.next() != Some("python") {
        return Ok(None);
    }
    let mut since = (3, 0);
    let mut needs = None;
    let mut role = if section == "Example" { Role::Example } else { Role::Sketch };
    for word in words {
        match word.split_once('=') {
            Some(("since", version)) => since = version_number(version)?,
            Some(("needs", package)) => needs = Some(package.to_string()),
            Some(("before", name)) => role = Role::Before { rewrite: name.to_string(), differs: false },
            Some(("after", name)) => role = Role::After { rewrite: name.to_string() },
            None if word == "differs" => {
                let Role::Before { differs, .. } = &mut role else {
                    return Err("`differs` goes with `before=`".to_string());
                };
                *differs = true;
            }
            None if word == "example" => role = Role::Example,
            _ => return Err(format!("`{word}` means nothing behind ```python")),
        }
    }
    Ok(Some(CodeFence { section: section.to_string(), role, since, needs, code: String::new(), line }))
}
