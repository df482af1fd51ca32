//! `hover`: what an editor would show at a place.

use std::path::PathBuf;
use std::str::FromStr;

use crate::detectors::findings_in;
use crate::features::{self, Card, View};
use crate::text::{Encoding, Position};

use super::failure::Failure;
use super::terminal::Terminal;
use super::workspace::Workspace;
use super::{Outcome, Reading, files, markdown};

/// Show the explanation at one place
///
/// The same text that an editor shows under the pointer. On a terminal it is typeset, in a pipe it is Markdown.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  dunderstand hover app/models.py:14:9
  dunderstand hover app/models.py:14:9 --raw

Exit codes: 0 shown, 1 nothing to say at this place, 2 the file cannot be read.")]
pub(super) struct Arguments {
    /// A file, a line and a column, both from 1, columns in characters
    #[arg(value_name = "FILE:LINE:COL")]
    place: PlaceArgument,
    /// Print Markdown on a terminal, too
    #[arg(long)]
    raw: bool,
    #[command(flatten)]
    reading: Reading,
}

/// A place as it is written on the command line.
#[derive(Clone, Debug)]
pub(super) struct PlaceArgument {
    pub(super) file: PathBuf,
    pub(super) line: u32,
    pub(super) column: u32,
}

impl FromStr for PlaceArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (rest, column) = text.rsplit_once(':')?;
            let (file, line) = rest.rsplit_once(':')?;
            let (line, column) = (line.parse().ok()?, column.parse().ok()?);
            (!file.is_empty() && line > 0 && column > 0).then(|| Self { file: PathBuf::from(file), line, column })
        };
        parse().ok_or_else(|| "write a file, a line and a column from 1, such as app/models.py:14:9".to_string())
    }
}

impl PlaceArgument {
    /// The place as the library counts.
    pub(super) fn position(&self) -> (Position, Encoding) {
        (Position { line: self.line - 1, character: self.column - 1 }, Encoding::Utf32)
    }
}

pub(super) fn run(arguments: &Arguments, terminal: &mut Terminal) -> Result<Outcome, Failure> {
    let file = files::file(&arguments.place.file)?;
    let workspace = Workspace::open(std::slice::from_ref(&file), arguments.reading.python.as_deref(), terminal)?;
    let (position, encoding) = arguments.place.position();
    let (hover, lines, nearby) = workspace.read(&file, |view| {
        let lines = view.module.lines();
        let offset = lines.offset(position, encoding);
        let hover = features::hover(view, offset);
        let nearby = if hover.is_none() { nearby(view, lines.line(offset)) } else { vec![] };
        (hover, lines.count() - usize::from(lines.text().ends_with('\n')), nearby)
    })?;
    let Some(hover) = hover else {
        let PlaceArgument { file, line, column } = &arguments.place;
        let why = if *line as usize > lines { format!(": the file has {lines} lines") } else { String::new() };
        terminal.say(&format!("nothing to say at {}:{line}:{column}{why}", file.display()));
        for near in nearby {
            terminal.say(&format!("on this line: {near}"));
        }
        return Ok(Outcome::Findings);
    };
    let text = match arguments.raw || !terminal.styled {
        true => hover.markdown,
        false => markdown::render(&hover.markdown, terminal.width, terminal),
    };
    terminal.print(&format!("{text}\n"))?;
    Ok(Outcome::Clean)
}

/// What there is to say elsewhere on a line, forms of syntax aside.
fn nearby(view: &View, line: usize) -> Vec<String> {
    let lines = view.module.lines();
    let found = findings_in(view.module, view.store, lines.line_range(line), &|_| true);
    let cards = found.iter().filter_map(|finding| Card::new(view, finding));
    let cards = cards.filter(|card| card.page.syntax.is_empty() && lines.line(card.finding.range.start()) == line);
    let near = cards.map(|card| {
        let column = lines.position(card.finding.range.start(), Encoding::Utf32).character + 1;
        format!("{} (column {column})", card.page.title)
    });
    near.collect()
}
