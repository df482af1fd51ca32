//! Long tables, such as generated ones of thousands of `NAMES[1] = 'one'` lines, as the engine is shown them.
//!
//! To infer the type of an empty display, the engine infers every statement that stores an item in it, and each of these
//! looks at all earlier ones: time and memory grow with the square of the number of lines (0.6 s for 1,000 lines, 8.6 s
//! and 2.8 GB for 4,000). A run of such lines adds no type after its first line, so the engine is shown spaces in their
//! place: every offset and line stays.

/// The number of lines of a run that are kept.
const KEPT: usize = 200;

/// What a line `name[key] = value` of literals stores.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Store<'t> {
    /// The spaces before it, and its name.
    target: &'t str,
    key: Literal,
    value: Literal,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Literal {
    Number,
    String,
    Bytes,
}

/// `text` with spaces in place of what a long run of stores repeats. Linear in its length.
pub(super) fn shorten(text: String) -> String {
    if text.len() < KEPT * "a[0] = 0\n".len() {
        return text;
    }
    let mut spaced: Vec<std::ops::Range<usize>> = vec![];
    let mut run: Option<(Store, usize)> = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\n', '\r']);
        run = Store::of(content).map(|store| match run {
            Some((first, count)) if first == store => (first, count + 1),
            _ => (store, 1),
        });
        if run.is_some_and(|(_, count)| count > KEPT) {
            spaced.push(start..start + content.len());
        }
        start += line.len();
    }
    if spaced.is_empty() {
        return text;
    }
    let mut shown = String::with_capacity(text.len());
    let mut end = 0;
    for range in spaced {
        shown.push_str(&text[end..range.start]);
        shown.extend(std::iter::repeat_n(' ', range.len()));
        end = range.end;
    }
    shown.push_str(&text[end..]);
    shown
}

impl<'t> Store<'t> {
    /// Reads a line that is nothing but `name[literal] = literal`.
    fn of(line: &'t str) -> Option<Self> {
        let bracket = line.find('[')?;
        let target = &line[..bracket];
        let name = target.trim_start_matches([' ', '\t']);
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if name.is_empty() || !is_name || name.as_bytes()[0].is_ascii_digit() {
            return None;
        }
        let (key, rest) = Literal::at(&line[bracket + 1..])?;
        let (value, rest) = Literal::at(rest.strip_prefix("] = ").or_else(|| rest.strip_prefix("]="))?)?;
        rest.is_empty().then_some(Self { target, key, value })
    }
}

impl Literal {
    /// The literal that `text` begins with, and what follows it. Strings with escapes, prefixes other than `b`, or three
    /// quotes are no such literal.
    fn at(text: &str) -> Option<(Self, &str)> {
        let (kind, quoted) = match text.strip_prefix('b') {
            Some(rest) => (Self::Bytes, rest),
            None => (Self::String, text),
        };
        if let Some(quote) = quoted.chars().next().filter(|first| matches!(first, '\'' | '"')) {
            let content = &quoted[1..];
            let end = content.find(quote)?;
            let after = &content[end + 1..];
            return (!content[..end].contains('\\') && !after.starts_with(quote)).then_some((kind, after));
        }
        let end = text.bytes().position(|byte| !(byte.is_ascii_alphanumeric() || byte == b'_')).unwrap_or(text.len());
        let is_integer = text.as_bytes().first().is_some_and(u8::is_ascii_digit) && !text[..end].ends_with(['j', 'J']);
        (is_integer && !text[end..].starts_with('.')).then_some((Self::Number, &text[end..]))
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, shorten};

    fn table(lines: usize, line: impl Fn(usize) -> String) -> String {
        (0..lines).map(|number| line(number) + "\n").collect()
    }

    #[test]
    fn a_long_run_keeps_its_first_lines_and_every_offset() {
        let rest = "LAST = NAMES[3]\n";
        let text = format!("NAMES = {{}}\n{}{rest}", table(1000, |number| format!("NAMES[{number}] = 'n{number}é'")));
        let shown = shorten(text.clone());
        assert_eq!(shown.len(), text.len());
        assert_eq!(shown.lines().count(), text.lines().count());
        assert_eq!(shown.lines().filter(|line| line.starts_with("NAMES[")).count(), KEPT);
        assert!(shown.ends_with(rest));
    }

    #[test]
    fn what_stores_something_else_stays() {
        for line in
            ["NAMES[{}] = call()", "NAMES[{}] = {}.5", "NAMES[{}] = 1  # why", "other.NAMES[{}] = 1", "NAMES[{}] = '''"]
        {
            let text = table(1000, |number| line.replace("{}", &number.to_string()));
            assert_eq!(shorten(text.clone()), text, "{line}");
        }
        let mixed = table(1000, |number| match number % 2 {
            0 => format!("NAMES[{number}] = 1"),
            _ => format!("NAMES[{number}] = 'one'"),
        });
        assert_eq!(shorten(mixed.clone()), mixed);
    }
}
