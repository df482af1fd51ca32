//! Programs as they come in the wild: the same code with other line endings, comments, nesting, and half typed.

/// Changes a program; `None` where it cannot be changed so.
pub type Disguise = fn(&str) -> Option<String>;

/// The name of the one that changes nothing.
pub const AS_THEY_ARE: &str = "as they are";

/// All of them, by what they are.
pub const ALL: &[(&str, Disguise)] = &[
    (AS_THEY_ARE, |code| Some(code.to_string())),
    ("with CRLF, a byte order mark and no last line ending", windows),
    ("with tabs and form feeds", tabs),
    ("with a comment behind every line", comments_behind),
    ("with a comment above every line", comments_above),
    ("inside an if", |code| nested(code, "if True:")),
    ("inside a function", |code| nested(code, "def outer():")),
    ("inside a class", |code| nested(code, "class Outer:")),
    ("with decorators", decorators),
    ("with a star import and string annotations", star_import),
    ("with statements on one line", semicolons),
    ("with bodies on one line", one_line_bodies),
    ("with continued lines", continued),
    ("half typed at the end", |code| Some(format!("{code}\n\ndef half(typed, :\n    x = (typed.\n"))),
    ("half typed in the middle", cut),
    ("half typed at the beginning", |code| Some(format!("import os.\nvalue = [1,\n{code}"))),
    ("with a docstring and two spaces", two_spaces),
];

fn windows(code: &str) -> Option<String> {
    Some(format!("\u{feff}{}", code.trim_end().replace('\n', "\r\n")))
}

fn tabs(code: &str) -> Option<String> {
    let mut text = String::new();
    for line in code.lines() {
        let content = line.trim_start_matches(' ');
        let depth = line.len() - content.len();
        if depth % 4 != 0 {
            return None;
        }
        if depth == 0 && (line.starts_with("def ") || line.starts_with("class ")) {
            text.push_str("\u{c}\n");
        }
        text.push_str(&"\t".repeat(depth / 4));
        text.push_str(content);
        text.push('\n');
    }
    Some(text)
}

fn two_spaces(code: &str) -> Option<String> {
    let mut text = String::from("\"\"\"Says what it is for.\n\n# not a comment\n\"\"\"\n\n");
    for line in code.lines() {
        let content = line.trim_start_matches(' ');
        let depth = line.len() - content.len();
        text.push_str(&" ".repeat(depth / 2));
        text.push_str(content);
        text.push('\n');
    }
    Some(text)
}

/// Whether a program has a string over several lines, whose lines are not the program's.
fn has_long_string(code: &str) -> bool {
    code.contains("\"\"\"") || code.contains("'''")
}

fn comments_behind(code: &str) -> Option<String> {
    let line = |(index, line): (usize, &str)| match line.ends_with('\\') || line.trim().is_empty() {
        true => format!("{line}\n"),
        false => format!("{line}  # 😀 behind {index}\n"),
    };
    (!has_long_string(code)).then(|| code.lines().enumerate().map(line).collect())
}

fn comments_above(code: &str) -> Option<String> {
    let mut continued = false;
    let mut text = String::new();
    for (index, line) in code.lines().enumerate() {
        let indent = &line[..line.len() - line.trim_start().len()];
        if !continued && !line.trim().is_empty() {
            text.push_str(&format!("{indent}# 𝒜 above {index}\n"));
        }
        continued = line.ends_with('\\');
        text.push_str(line);
        text.push('\n');
    }
    (!has_long_string(code)).then_some(text)
}

fn nested(code: &str, header: &str) -> Option<String> {
    if has_long_string(code) || code.contains("import *") || code.contains("from __future__") {
        return None;
    }
    let mut text = format!("{header}\n");
    for line in code.lines() {
        if !line.is_empty() {
            text.push_str("    ");
        }
        text.push_str(line);
        text.push('\n');
    }
    Some(text)
}

fn decorators(code: &str) -> Option<String> {
    let mut text = String::from("def decorated(function):\n    return function\n\n\n");
    for line in code.lines() {
        let content = line.trim_start();
        if content.starts_with("def ") || content.starts_with("async def ") || content.starts_with("class ") {
            text.push_str(&line[..line.len() - content.len()]);
            text.push_str("@decorated\n");
        }
        text.push_str(line);
        text.push('\n');
    }
    (!has_long_string(code) && !code.contains("from __future__")).then_some(text)
}

fn star_import(code: &str) -> Option<String> {
    let head = "from __future__ import annotations\nfrom os.path import *\n\nlater: \"list[Later]\" = []\n\n";
    (!code.contains("from __future__")).then(|| format!("{head}{code}"))
}

/// Whether a line is a statement that ends on it and opens no block.
fn is_simple(line: &str) -> bool {
    let content = line.trim();
    let compound =
        ["if ", "else", "elif ", "for ", "while ", "def ", "class ", "with ", "try", "except", "finally", "async "];
    !content.is_empty()
        && !compound.iter().any(|word| content.starts_with(word))
        && !content.starts_with(['@', '#', ')', ']', '}', '"'])
        && !content.contains(['#', '\\'])
        && !content.ends_with([':', '(', '[', '{', ',', ';'])
        && content.matches(['(', '[', '{']).count() == content.matches([')', ']', '}']).count()
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn semicolons(code: &str) -> Option<String> {
    let mut lines: Vec<String> = vec![];
    for line in code.lines() {
        match lines.last_mut() {
            Some(last) if is_simple(last) && is_simple(line) && indentation(last) == indentation(line) => {
                last.push_str("; ");
                last.push_str(line.trim_start());
            }
            _ => lines.push(line.to_string()),
        }
    }
    (!has_long_string(code)).then(|| lines.join("\n") + "\n")
}

fn one_line_bodies(code: &str) -> Option<String> {
    let mut lines: Vec<String> = code.lines().map(str::to_string).collect();
    let mut index = 0;
    while index + 1 < lines.len() {
        let depth = indentation(&lines[index]);
        let opens = lines[index].ends_with(':') && !lines[index].contains('#');
        let ends = lines.get(index + 2).is_none_or(|next| next.trim().is_empty() || indentation(next) <= depth);
        if opens && ends && is_simple(&lines[index + 1]) && indentation(&lines[index + 1]) > depth {
            let body = lines.remove(index + 1);
            lines[index].push(' ');
            lines[index].push_str(body.trim());
        }
        index += 1;
    }
    (!has_long_string(code)).then(|| lines.join("\n") + "\n")
}

fn continued(code: &str) -> Option<String> {
    let mut text = String::new();
    for line in code.lines() {
        match is_simple(line) && !line.contains(['\'', '"']) {
            true => text.push_str(&line.replace(" = ", " = \\\n        ").replace('.', " \\\n    .")),
            false => text.push_str(line),
        }
        text.push('\n');
    }
    (!has_long_string(code)).then_some(text)
}

fn cut(code: &str) -> Option<String> {
    let lines: Vec<&str> = code.lines().collect();
    let (first, last) = lines.split_at(lines.len() * 2 / 3);
    let indent = last.first().map_or("", |line| &line[..indentation(line)]);
    Some(format!("{}\n{indent}value = (self.\n{}\n", first.join("\n"), last.join("\n")))
}
