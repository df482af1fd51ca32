//! The command line: the same features on a terminal. One file a command.
//!
//! Exit codes: 0 nothing wrong, 1 findings (or nothing found to show), 2 the command could not do its work. A reader that
//! goes away early (`| head`) is no error.

mod annotate;
mod async_steps;
mod card;
mod check;
mod completions;
mod diff;
mod excerpt;
mod explain;
mod facts;
mod failure;
mod files;
mod hover;
mod man;
mod markdown;
mod pages;
mod rewrite;
mod server;
mod terminal;
mod workspace;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use failure::Failure;
use terminal::Terminal;

/// The version, with that of the engine whose crates are pinned in `Cargo.toml`.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (Python engine: ty 0.0.10)");

const EXAMPLES: &str = "\
First steps:
  dunderstand annotate                          the built-in demo program, explained
  dunderstand annotate service.py               your file, explained
  dunderstand check src                         the hazards below src
  dunderstand explain asyncio/blocking-call     one page of the handbook

Exit codes: 0 nothing wrong, 1 findings, 2 could not do its work.";

/// Says what Python code does at run time.
///
/// Which descriptor an assignment calls, which metaclass builds a class, who keeps an object alive, what blocks the event
/// loop and through which calls, which thread runs a function. Your code is read, never run.
#[derive(Parser)]
#[command(name = "dunderstand", version = VERSION, after_help = EXAMPLES, arg_required_else_help = true)]
#[command(disable_help_subcommand = true, max_term_width = 100)]
struct Arguments {
    /// When to use colour and typography
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Annotate(annotate::Arguments),
    Async(async_steps::Arguments),
    Hover(hover::Arguments),
    Check(check::Arguments),
    Explain(explain::Arguments),
    Facts(facts::Arguments),
    Pages(pages::Arguments),
    Rewrite(rewrite::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
    Server(server::Arguments),
}

/// When output is styled.
#[derive(Clone, Copy, Default, ValueEnum)]
enum Color {
    /// On a terminal that wants it
    #[default]
    Auto,
    /// In a pipe, too
    Always,
    /// Not at all
    Never,
}

/// What every command that reads code takes.
#[derive(Args)]
struct Reading {
    /// The environment whose packages and version count: its folder or its interpreter
    ///
    /// Without it: `VIRTUAL_ENV`, `CONDA_PREFIX`, `.venv` in the project's root, `python3` on `PATH`. It is not run.
    #[arg(long, value_name = "PATH")]
    python: Option<std::path::PathBuf>,
}

/// How a command that did its work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Clean,
    Findings,
    /// Part of the work could not be done; standard error says which.
    Incomplete,
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut terminal = Terminal::new(arguments.color);
    terminal::quiet_panics();
    let result = match arguments.command {
        Command::Annotate(arguments) => annotate::run(&arguments, &mut terminal),
        Command::Async(arguments) => async_steps::run(&arguments, &mut terminal),
        Command::Hover(arguments) => hover::run(&arguments, &mut terminal),
        Command::Check(arguments) => check::run(&arguments, &mut terminal),
        Command::Explain(arguments) => explain::run(&arguments, &mut terminal),
        Command::Facts(arguments) => facts::run(&arguments, &mut terminal),
        Command::Pages(arguments) => pages::run(&arguments, &mut terminal),
        Command::Rewrite(arguments) => rewrite::run(&arguments, &mut terminal),
        Command::Completions(arguments) => completions::run(&arguments, &mut terminal),
        Command::Man(arguments) => man::run(&arguments, &mut terminal),
        Command::Server(_) => return crate::server::run(),
    };
    match result {
        Ok(Outcome::Clean) | Err(Failure::ReaderGone) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        Ok(Outcome::Incomplete) => ExitCode::from(2),
        Err(Failure::Message(message)) => {
            terminal.error(&message);
            ExitCode::from(2)
        }
    }
}

/// `1 file`, `2 files`.
fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
