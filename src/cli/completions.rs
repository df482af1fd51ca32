//! `completions`: what a shell completes.

use clap::CommandFactory as _;

use super::failure::Failure;
use super::terminal::Terminal;
use super::{Arguments as Program, Outcome};

/// Print the completions for a shell
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  dunderstand completions bash > ~/.local/share/bash-completion/completions/dunderstand
  dunderstand completions zsh > ~/.zfunc/_dunderstand
  dunderstand completions fish > ~/.config/fish/completions/dunderstand.fish")]
pub(super) struct Arguments {
    shell: clap_complete::Shell,
}

pub(super) fn run(arguments: &Arguments, terminal: &mut Terminal) -> Result<Outcome, Failure> {
    let mut script = vec![];
    clap_complete::generate(arguments.shell, &mut Program::command(), "dunderstand", &mut script);
    terminal.print(&String::from_utf8_lossy(&script))?;
    Ok(Outcome::Clean)
}
