//! `rewrite`: the edits offered at a place, shown or written.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::features::{self, CodeAction, View};
use crate::text::{Edit, TextRange, apply};

use super::diff;
use super::failure::Failure;
use super::hover::PlaceArgument;
use super::terminal::{BOLD, CODE, DIM, Terminal};
use super::workspace::Workspace;
use super::{Outcome, Reading, files};

/// Show or apply an edit that is offered at a place
///
/// Without a name, all that is offered there is listed, with the reasons for what is refused. With a name, its change is shown
/// as a diff; `--write` writes it.
#[derive(clap::Args)]
#[command(
    override_usage = "dunderstand rewrite [OPTIONS] [NAME] <FILE:LINE:COL>",
    after_help = "\
Examples:
  dunderstand rewrite app/views.py:31:9                     what is offered here
  dunderstand rewrite to_thread app/views.py:31:9           the change
  dunderstand rewrite to_thread app/views.py:31:9 --write

Exit codes: 0 offered, 1 nothing is offered, or it is refused, 2 the file cannot be read or written."
)]
pub(super) struct Arguments {
    /// The name of a rewrite, then a file, a line and a column, both from 1, columns in characters
    #[arg(value_name = "NAME> <FILE:LINE:COL", num_args = 1..=2, required = true)]
    words: Vec<String>,
    /// Show the change as a diff (what happens without an option)
    #[arg(long, conflicts_with = "write")]
    diff: bool,
    /// Write the change
    #[arg(long)]
    write: bool,
    #[command(flatten)]
    reading: Reading,
}

/// What is offered, with the texts that it edits.
struct Offered {
    actions: Vec<CodeAction>,
    texts: BTreeMap<PathBuf, String>,
    /// The titles of what is offered elsewhere on the line.
    nearby: Vec<String>,
}

pub(super) fn run(arguments: &Arguments, terminal: &mut Terminal) -> Result<Outcome, Failure> {
    let (name, place) = match arguments.words.as_slice() {
        [place] => (None, place),
        [name, place] => (Some(name.replace('-', "_")), place),
        _ => return Err(Failure::new("write a rewrite's name and FILE:LINE:COL")),
    };
    let place: PlaceArgument = place.parse().map_err(|error| Failure::new(format!("`{place}`: {error}")))?;
    let file = files::file(&place.file)?;
    let workspace = Workspace::open(std::slice::from_ref(&file), arguments.reading.python.as_deref(), terminal)?;
    let mut offered = workspace.read(&file, |view| offered(view, &place))?;
    if let Some(name) = &name {
        offered.actions.retain(|action| action.rewrite.as_ref() == Some(name));
    }
    let PlaceArgument { file, line, column } = &place;
    if offered.actions.is_empty() {
        let what = name.map_or("nothing".to_string(), |name| format!("no `{name}`"));
        terminal.say(&format!("{what} is offered at {}:{line}:{column}", file.display()));
        for near in offered.nearby {
            terminal.say(&format!("on this line: {near}"));
        }
        return Ok(Outcome::Findings);
    }
    if name.is_none() {
        terminal.print(&offered.actions.iter().map(|action| listed(action, terminal)).collect::<String>())?;
        let is_offered = offered.actions.iter().any(|action| action.disabled.is_none());
        return Ok(if is_offered { Outcome::Clean } else { Outcome::Findings });
    }
    let Some(action) = offered.actions.iter().find(|action| action.disabled.is_none()) else {
        for action in &offered.actions {
            let reason = action.disabled.as_deref().unwrap_or_default();
            terminal.say(&format!("refused: {}: {reason}", action.title));
        }
        return Ok(Outcome::Findings);
    };
    perform(action, &offered.texts, arguments.write, terminal)
}

fn offered(view: &View, place: &PlaceArgument) -> Offered {
    let (position, encoding) = place.position();
    let lines = view.module.lines();
    let offset = lines.offset(position, encoding);
    let of = |range: TextRange| {
        let mut actions = features::code_actions(view, range, &|_| true);
        actions.retain(|action| action.rewrite.is_some());
        actions
    };
    let actions = of(TextRange::empty(offset));
    let line = lines.line_range(lines.line(offset));
    let nearby = of(line).into_iter().map(|action| {
        let column = lines.position(action.range.start(), encoding).character + 1;
        format!("{} (column {column}): {}", action.rewrite.unwrap_or_default(), action.title)
    });
    let mut texts = BTreeMap::new();
    for edits in actions.iter().flat_map(|action| &action.files) {
        if let Ok(module) = view.module.snapshot().module(&edits.path) {
            texts.insert(edits.path.clone(), module.text().to_string());
        }
    }
    Offered { actions, texts, nearby: nearby.collect() }
}

fn listed(action: &CodeAction, terminal: &Terminal) -> String {
    let name = terminal.paint(CODE, action.rewrite.as_deref().unwrap_or_default());
    match &action.disabled {
        None => format!("{name}: {}\n", terminal.paint(BOLD, &action.title)),
        Some(reason) => format!("{name}: {}\n", terminal.paint(DIM, &format!("refused: {}: {reason}", action.title))),
    }
}

fn perform(
    action: &CodeAction,
    texts: &BTreeMap<PathBuf, String>,
    write: bool,
    terminal: &mut Terminal,
) -> Result<Outcome, Failure> {
    let mut edits: BTreeMap<&PathBuf, Vec<Edit>> = BTreeMap::new();
    for file in &action.files {
        edits.entry(&file.path).or_default().extend(file.edits.iter().cloned());
    }
    let mut text = format!("{}\n", terminal.paint(BOLD, &action.title));
    let mut changes = vec![];
    for (path, edits) in edits {
        let before = texts.get(path).ok_or_else(|| Failure::new(format!("{} cannot be read", files::shown(path))))?;
        let after = apply(before, &edits)
            .ok_or_else(|| Failure::new(format!("the edits of {} do not fit together", files::shown(path))))?;
        text.push_str(&diff::unified(path, before, &after, terminal));
        changes.push((path, before, after));
    }
    if write {
        let together: Vec<diff::Change> =
            changes.iter().map(|(path, before, after)| (path.as_path(), before.as_str(), after.as_str())).collect();
        diff::write(&together)?;
        for (path, ..) in &changes {
            terminal.say(&format!("changed {}", files::shown(path)));
        }
    } else {
        terminal.print(&text)?;
    }
    Ok(Outcome::Clean)
}
