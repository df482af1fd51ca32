//! `async`: the steps toward async in a file or a function, and what stands in the way of the others.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::str::FromStr;

use crate::features::{self, CodeAction, View};
use crate::text::{Encoding, Position};

use super::failure::Failure;
use super::terminal::{BOLD, CODE, DIM, GOOD, Terminal};
use super::workspace::Workspace;
use super::{Outcome, Reading, counted, files, markdown};

/// List the steps toward async, and what stands in the way of the others
///
/// For a file, or for the function around a line: the edits that lead from blocking code and threads to asyncio, in the order in
/// which to take them. A step that does not apply yet names each place that stands in its way.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  dunderstand async app/jobs.py                 the steps of a file
  dunderstand async app/jobs.py:31              the steps of the function around line 31
  dunderstand rewrite make_async app/jobs.py:31:5 --diff

Exit codes: 0 a step applies, 1 no step applies, 2 the file cannot be read.")]
pub(super) struct Arguments {
    /// A file; with a line, and perhaps a column, both from 1, the function around it
    #[arg(value_name = "FILE[:LINE[:COL]]")]
    place: WantedPlace,
    #[command(flatten)]
    reading: Reading,
}

/// A file, or a place in it.
#[derive(Clone, Debug)]
struct WantedPlace {
    file: PathBuf,
    position: Option<Position>,
}

impl FromStr for WantedPlace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse::<u32>().ok().and_then(|number| number.checked_sub(1));
        let (rest, last) = match text.rsplit_once(':').and_then(|(rest, last)| Some((rest, number(last)?))) {
            Some((rest, last)) => (rest, Some(last)),
            None => (text, None),
        };
        let (file, position) = match (rest.rsplit_once(':').and_then(|(file, line)| Some((file, number(line)?))), last)
        {
            (Some((file, line)), Some(column)) => (file, Some(Position { line, character: column })),
            (_, Some(line)) => (rest, Some(Position { line, character: 0 })),
            (_, None) => (rest, None),
        };
        match file.is_empty() {
            true => Err("write a file, perhaps with a line, such as app/jobs.py:31".to_string()),
            false => Ok(Self { file: PathBuf::from(file), position }),
        }
    }
}

pub(super) fn run(arguments: &Arguments, terminal: &mut Terminal) -> Result<Outcome, Failure> {
    let file = files::file(&arguments.place.file)?;
    let workspace = Workspace::open(std::slice::from_ref(&file), arguments.reading.python.as_deref(), terminal)?;
    let position = arguments.place.position;
    let (listed, applicable) = workspace.read(&file, |view| {
        let lines = view.module.lines();
        // A line alone stands for what is written on it.
        let offset = position.map(|position| {
            let indentation = lines.indentation(lines.offset(position, Encoding::Utf32)).chars().count();
            let least = u32::try_from(indentation).unwrap_or_default();
            let character = position.character.max(least);
            lines.offset(Position { character, ..position }, Encoding::Utf32)
        });
        let steps = features::async_steps(view, offset);
        (list(view, &steps, terminal), steps.iter().filter(|step| step.disabled.is_none()).count())
    })?;
    if listed.is_empty() {
        terminal.say(&format!("no steps toward async in {}", files::shown(&file)));
        return Ok(Outcome::Findings);
    }
    terminal.print(&listed)?;
    Ok(if applicable > 0 { Outcome::Clean } else { Outcome::Findings })
}

fn list(view: &View, steps: &[CodeAction], terminal: &Terminal) -> String {
    let (applicable, others): (Vec<&CodeAction>, Vec<_>) = steps.iter().partition(|step| step.disabled.is_none());
    let mut text = String::new();
    if !applicable.is_empty() {
        let title = counted(applicable.len(), "step applies", "steps apply");
        let _ = writeln!(text, "{}", terminal.paint(BOLD, &title));
        applicable.iter().for_each(|step| show(view, step, terminal, &mut text));
    }
    if !others.is_empty() {
        let gap = if text.is_empty() { "" } else { "\n" };
        let title = format!("{} not yet", counted(others.len(), "step does", "steps do"));
        let _ = writeln!(text, "{gap}{}", terminal.paint(BOLD, &title));
        others.iter().for_each(|step| show(view, step, terminal, &mut text));
    }
    text
}

fn show(view: &View, step: &CodeAction, terminal: &Terminal, text: &mut String) {
    let at = view.module.lines().position(step.range.start(), Encoding::Utf32);
    let place = format!("{}:{}", at.line + 1, at.character + 1);
    let mark = match step.disabled {
        None => terminal.paint(GOOD, "↻"),
        Some(_) => terminal.paint(DIM, "✗"),
    };
    let name = terminal.paint(CODE, step.rewrite.as_deref().unwrap_or_default());
    let _ = writeln!(text, "  {mark} {place}  {name}");
    let room = terminal.width.saturating_sub(8).max(40);
    for line in markdown::wrapped(&step.title, room, terminal) {
        let _ = writeln!(text, "      {line}");
    }
    for reason in step.disabled.iter().flat_map(|reason| reason.split("; ")) {
        for (index, line) in markdown::wrapped(reason, room - 4, terminal).iter().enumerate() {
            let bullet = if index == 0 { "- " } else { "  " };
            let _ = writeln!(text, "        {bullet}{line}");
        }
    }
}
