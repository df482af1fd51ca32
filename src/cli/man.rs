//! `man`: manual pages.

use std::path::{Path, PathBuf};

use clap::CommandFactory as _;

use super::failure::Failure;
use super::terminal::Terminal;
use super::{Arguments as Program, Outcome};

/// Print a manual page
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  dunderstand man > ~/.local/share/man/man1/dunderstand.1
  dunderstand man check | man -l -
  dunderstand man --all /usr/local/share/man/man1")]
pub(super) struct Arguments {
    /// The command that the page is about; without it, the program
    #[arg(value_name = "COMMAND", conflicts_with = "all")]
    command: Option<String>,
    /// Write the pages of the program and of its commands into a folder
    #[arg(long, value_name = "FOLDER")]
    all: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, terminal: &mut Terminal) -> Result<Outcome, Failure> {
    let mut program = Program::command();
    program.build();
    if let Some(folder) = &arguments.all {
        write(folder, &program, program.get_name())?;
        for command in program.get_subcommands().filter(|command| !command.is_hide_set()) {
            write(folder, command, &format!("{}-{}", program.get_name(), command.get_name()))?;
        }
        return Ok(Outcome::Clean);
    }
    let page = match &arguments.command {
        None => page(&program),
        Some(name) => match program.find_subcommand(name) {
            Some(command) => page(command),
            None => return Err(Failure::new(format!("there is no command `{name}`"))),
        },
    };
    terminal.print(&String::from_utf8_lossy(&page))?;
    Ok(Outcome::Clean)
}

/// The page in roff.
fn page(command: &clap::Command) -> Vec<u8> {
    let mut page = vec![];
    // Writing to memory does not fail.
    clap_mangen::Man::new(command.clone()).render(&mut page).ok();
    page
}

fn write(folder: &Path, command: &clap::Command, name: &str) -> Result<(), Failure> {
    let path = folder.join(format!("{name}.1"));
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&path, page(command)))
        .map_err(|error| Failure::new(format!("{}: {error}", path.display())))
}
