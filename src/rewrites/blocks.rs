//! Blocks of lines that a rewrite moves, removes or indents otherwise.

use ruff_python_ast::{AnyNodeRef, Stmt};

use crate::analysis::Module;
use crate::detectors::nodes::own_nodes;
use crate::text::{Edit, Ranged, TextRange, TextSize};

/// The end of the line that holds `offset`, without its line ending.
pub(super) fn line_end(module: &Module, offset: TextSize) -> TextSize {
    let lines = module.lines();
    lines.line_range(lines.line(offset)).end()
}

/// The start of the line that holds `offset`.
pub(super) fn line_start(module: &Module, offset: TextSize) -> TextSize {
    let lines = module.lines();
    lines.line_range(lines.line(offset)).start()
}

/// The line of the first comment in `range`.
pub(super) fn comment_in(module: &Module, range: TextRange) -> Option<usize> {
    let strings = module.string_ranges();
    let is_comment = |at: &TextSize| !strings.iter().any(|string| string.contains(*at));
    let hashes = module.text().get(range.to_std_range())?.match_indices('#');
    let offsets = hashes.filter_map(|(at, _)| Some(range.start() + TextSize::try_from(at).ok()?));
    offsets.into_iter().find(is_comment).map(|at| module.lines().line(at))
}

/// The lines of statements that share them with nothing else, comments aside: from the start of the first line to the end of
/// the last.
pub(super) fn own_lines(module: &Module, range: TextRange) -> Option<TextRange> {
    let (start, end) = (line_start(module, range.start()), line_end(module, range.end()));
    let before = module.source(TextRange::new(start, range.start()));
    let behind = module.source(TextRange::new(range.end(), end)).trim_start();
    let is_alone = before.trim().is_empty() && (behind.is_empty() || behind.starts_with('#'));
    is_alone.then(|| TextRange::new(start, end))
}

/// Lines that are written again elsewhere, and how far they were indented.
pub(super) struct Moved<'m> {
    pub text: &'m str,
    pub indentation: &'m str,
}

impl<'m> Moved<'m> {
    /// The lines of `range`, which starts and ends with a line; `Err` says why they cannot be indented otherwise.
    pub(super) fn of(module: &'m Module, range: TextRange, indentation: &'m str) -> Result<Self, String> {
        let lines = module.lines();
        let over_lines = module
            .string_ranges()
            .into_iter()
            .find(|string| range.contains_range(*string) && lines.line(string.start()) != lines.line(string.end()));
        if let Some(string) = over_lines {
            return Err(format!("the string in line {} goes over several lines", lines.line(string.start())));
        }
        let moved = Self { text: module.source(range), indentation };
        let mut numbered = (lines.line(range.start())..).zip(moved.text.lines());
        let odd = numbered.find(|(_, line)| !line.trim().is_empty() && !line.starts_with(indentation));
        match odd {
            Some((line, _)) => Err(format!("line {line} is indented less than its block")),
            None => Ok(moved),
        }
    }

    /// The lines with another indentation, each with its line ending before it.
    pub(super) fn indented(&self, indentation: &str, newline: &str) -> String {
        let mut text = String::new();
        for line in self.text.lines() {
            text.push_str(newline);
            if !line.trim().is_empty() {
                text.push_str(indentation);
                text.push_str(line.strip_prefix(self.indentation).unwrap_or(line));
            }
        }
        text
    }
}

/// Takes one level of indentation from the lines of `range`.
pub(super) fn dedented(module: &Module, range: TextRange, unit: &str) -> Option<Vec<Edit>> {
    let lines = module.lines();
    let mut edits = vec![];
    for line in lines.line(range.start())..=lines.line(range.end()) {
        let line = lines.line_range(line);
        if module.source(line).trim().is_empty() {
            continue;
        }
        module.source(line).starts_with(unit).then_some(())?;
        edits.push(Edit::delete(TextRange::at(line.start(), TextSize::try_from(unit.len()).ok()?)));
    }
    Some(edits)
}

/// The range that removes item `index` of a list whose items stand at `items`, with one comma.
pub(super) fn without_item(items: &[TextRange], index: usize) -> Option<TextRange> {
    let item = *items.get(index)?;
    Some(match (items.get(index + 1), index.checked_sub(1).and_then(|before| items.get(before))) {
        (Some(next), _) => TextRange::new(item.start(), next.start()),
        (None, Some(before)) => TextRange::new(before.end(), item.end()),
        (None, None) => item,
    })
}

/// One level of indentation as the file has it: the white space of its first indented block.
pub(super) fn unit(module: &Module) -> String {
    let first = own_nodes(&module.syntax().body).into_iter().find_map(|node| {
        let body: &[Stmt] = match node {
            AnyNodeRef::StmtFunctionDef(function) => &function.body,
            AnyNodeRef::StmtClassDef(class) => &class.body,
            AnyNodeRef::StmtWith(with) => &with.body,
            AnyNodeRef::StmtIf(node) => &node.body,
            AnyNodeRef::StmtFor(node) => &node.body,
            AnyNodeRef::StmtTry(node) => &node.body,
            _ => return None,
        };
        let indentation = module.lines().indentation(body.first()?.start());
        (!indentation.is_empty()).then(|| indentation.to_string())
    });
    first.unwrap_or_else(|| "    ".to_string())
}

/// The first place in the file that reads or binds `name` and that `is_known` does not hold for.
pub(super) fn other_mention(module: &Module, name: &str, is_known: impl Fn(TextRange) -> bool) -> Option<TextRange> {
    crate::detectors::nodes::all_nodes(&module.syntax().body).into_iter().find_map(|node| {
        let range = match node {
            AnyNodeRef::ExprName(found) if found.id == name => found.range(),
            AnyNodeRef::Identifier(found) if found.as_str() == name => found.range(),
            AnyNodeRef::Alias(alias) if alias.asname.as_ref().unwrap_or(&alias.name).as_str() == name => alias.range(),
            AnyNodeRef::StringLiteral(string) if &*string.value == name => string.range(),
            _ => return None,
        };
        (!is_known(range)).then_some(range)
    })
}

/// `line 12`, for a reason.
pub(super) fn at(module: &Module, ranged: impl Ranged) -> String {
    format!("line {}", module.lines().line(ranged.start()))
}
