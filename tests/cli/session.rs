//! Replays a session: see `tests/cli/README.md`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::Outcome;

/// The target version of every session.
const PROJECT: &str = "[tool.dunderstand]\npythonVersion = \"3.13\"\n";

/// A folder of its own that is removed at the end.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("dunderstand-cli-{}-{number}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        let folder = Self(path.canonicalize().unwrap());
        folder.write("pyproject.toml", PROJECT);
        folder
    }

    pub fn write(&self, file: &str, content: impl AsRef<[u8]>) {
        let path = self.0.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.0.join(file)).unwrap()
    }

    /// The program in this folder; nothing of the environment reaches it.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dunderstand"));
        command.args(arguments).current_dir(&self.0).env_clear();
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs all commands of a file and compares what they print.
pub fn replay(path: &Path) -> Outcome {
    let folder = Folder::new(&path.file_stem().unwrap().to_string_lossy());
    let written = std::fs::read_to_string(path)?;
    let mut found = String::new();
    let mut commands = 0;
    let mut lines = written.lines();
    while let Some(line) = lines.next() {
        let _ = writeln!(found, "{line}");
        let ticks = line.len() - line.trim_start_matches('`').len();
        if ticks < 3 {
            continue;
        }
        let close = &line[..ticks];
        let content: Vec<&str> = lines.by_ref().take_while(|line| *line != close).collect();
        let info = line[ticks..].trim();
        if let Some((_, file)) = info.split_once("file=") {
            folder.write(file, content.join("\n") + "\n");
            found.extend(content.iter().map(|line| format!("{line}\n")));
        } else if info == "console" {
            for command in content.iter().filter_map(|line| line.strip_prefix("$ ")) {
                let _ = write!(found, "$ {command}\n{}", shown(&folder, command)?);
                commands += 1;
            }
        } else {
            return Err(format!("{}: a fence is a file or a console", path.display()).into());
        }
        let _ = writeln!(found, "{close}");
    }
    if commands == 0 {
        return Err(format!("{}: no command", path.display()).into());
    }
    if found == written {
        return Ok(());
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, found)?;
        return Ok(());
    }
    let differing = found.lines().zip(written.lines()).find(|(found, written)| found != written);
    let (first_found, first_written) = differing.unwrap_or(("", ""));
    Err(format!("{}\nexpected: {first_written}\nfound:    {first_found}\n\n{found}", path.display()).into())
}

/// What a command prints, as the files hold it.
fn shown(folder: &Folder, command: &str) -> Result<String, String> {
    let words: Vec<&str> = command.split_whitespace().collect();
    match words.as_slice() {
        ["cat", file] => Ok(folder.read(file)),
        ["dunderstand", arguments @ ..] => {
            let output = folder.run(arguments);
            let mut text = String::from_utf8_lossy(&output.stdout).replace('\u{1b}', "␛");
            if !text.is_empty() && !text.ends_with('\n') {
                text.push_str("(no line ending)\n");
            }
            for line in String::from_utf8_lossy(&output.stderr).lines() {
                let _ = writeln!(text, "! {line}");
            }
            text = text.replace(&folder.0.display().to_string(), "/here");
            match output.status.code() {
                Some(0) => {}
                Some(code) => writeln!(text, "[{code}]").map_err(|error| error.to_string())?,
                None => return Err(format!("`{command}` was killed: {}", output.status)),
            }
            Ok(text)
        }
        _ => Err(format!("`{command}` is no command of a session")),
    }
}
