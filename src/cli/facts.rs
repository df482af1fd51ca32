//! `facts`: what is known about the classes, functions and names of files, one JSON object a file.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use rayon::prelude::*;
use serde_json::{Value, json};

use crate::analysis::{
    DescriptorKind, FileFacts, FunctionKind, Interrupted, Problem, Project, RootSettings, STACK_SIZE, Snapshot,
};

use super::failure::Failure;
use super::terminal::Terminal;
use super::workspace::{READER, environment, knowledge};
use super::{Outcome, Reading, files};

/// Write down what is known about the classes, functions and names of files
///
/// One JSON object a line and file: the metaclass and the method resolution order of each class, whether its instances have a
/// `__dict__` and allow weak references, what each name of a class body is as a descriptor, the kind of each function, the class
/// of each value that a module binds once. Names are full; `null` stands for what is not known.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  dunderstand facts --format json src/models.py
  dunderstand facts --format json --python .venv src > facts.jsonl

Exit codes: 0 all files were read, 2 some could not be; standard error says which.")]
pub(super) struct Arguments {
    /// Files and folders
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// How facts are written
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    #[command(flatten)]
    reading: Reading,
}

/// How `facts` writes.
#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One object a line and file
    #[default]
    Json,
}

pub(super) fn run(arguments: &Arguments, terminal: &mut Terminal) -> Result<Outcome, Failure> {
    let Format::Json = arguments.format;
    let mut found = BTreeSet::new();
    let mut roots = BTreeSet::new();
    for path in &arguments.paths {
        let absolute = files::existing(path)?;
        for file in python_files(&absolute)? {
            roots.insert(import_root(&absolute));
            found.insert(file);
        }
    }
    if found.is_empty() {
        return Err(Failure::new("there are no Python files in what was named"));
    }
    let python = arguments.reading.python.as_deref().map(environment).transpose()?;
    let python = python.map(PathBuf::from);
    let settings =
        |path: &PathBuf| RootSettings { path: path.clone(), python: python.clone(), ..RootSettings::default() };
    let settings: Vec<RootSettings> = roots.iter().map(settings).collect();
    let mut project =
        Project::open(&settings, Arc::new(knowledge()?)).map_err(|error| Failure::new(error.to_string()))?;
    for environment in project.environments() {
        if let Some(problem) = &environment.problem {
            terminal.warning(problem);
        }
    }
    let found: Vec<PathBuf> = found.into_iter().collect();
    write(&mut project, &found, terminal)
}

/// Reads all files at once and writes them in their order.
///
/// A panic in one of them may leave behind what others need, so those that were interrupted are read once more, one by one.
fn write(project: &mut Project, found: &[PathBuf], terminal: &mut Terminal) -> Result<Outcome, Failure> {
    let pool = rayon::ThreadPoolBuilder::new().stack_size(STACK_SIZE).thread_name(|_| READER.to_string());
    let pool = pool.build().map_err(|error| Failure::new(format!("threads cannot be started: {error}")))?;
    let bar = super::check::bar(found.len());
    let mut is_complete = true;
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    // A part at a time, so that the lines do not pile up and the trees can be let go.
    for part in found.chunks(64) {
        let snapshot = project.snapshot();
        let jobs: Vec<(&PathBuf, Snapshot)> = part.iter().map(|file| (file, snapshot.clone())).collect();
        drop(snapshot);
        let reads: Vec<Read> = pool.install(|| {
            let read_one = |(file, snapshot): (&PathBuf, Snapshot)| {
                let read = read(file, snapshot);
                bar.inc(1);
                read
            };
            jobs.into_par_iter().map(read_one).collect()
        });
        for (file, mut outcome) in part.iter().zip(reads) {
            if matches!(outcome, Err(Interrupted::Panicked(_))) {
                project.recover();
                let snapshot = project.snapshot();
                outcome = pool.install(|| read(file, snapshot));
            }
            let (line, problem) = line(file, outcome);
            writeln!(output, "{line}")?;
            if let Some(problem) = problem {
                is_complete = false;
                bar.suspend(|| terminal.warning(&problem));
            }
        }
    }
    output.flush()?;
    bar.finish_and_clear();
    Ok(if is_complete { Outcome::Clean } else { Outcome::Incomplete })
}

/// What became of the read of one file.
type Read = Result<Result<FileFacts, Problem>, Interrupted>;

fn read(file: &Path, snapshot: Snapshot) -> Read {
    snapshot.read(|snapshot| snapshot.facts(file))
}

/// The line of one file, and what went wrong with it.
fn line(file: &Path, read: Read) -> (Value, Option<String>) {
    let problem = match read {
        Ok(Ok(facts)) => {
            let problem = (facts.syntax_errors > 0).then(|| {
                format!(
                    "{} has {} syntax errors; what stands near them may be missing",
                    file.display(),
                    facts.syntax_errors
                )
            });
            return (object(file, &facts), problem);
        }
        Ok(Err(problem)) => problem.to_string(),
        Err(Interrupted::Cancelled) => format!("{} was not read: the read was cancelled", file.display()),
        Err(Interrupted::Panicked(message)) => {
            format!("{} was not read; this is a bug in dunderstand, please report it: {message}", file.display())
        }
    };
    (object(file, &FileFacts::default()), Some(problem))
}

fn object(file: &Path, facts: &FileFacts) -> Value {
    let classes = facts.classes.iter().map(|class| {
        let members = class.members.iter().map(|member| {
            let kind = member.kind.map(|kind| match kind {
                DescriptorKind::Data => "data-descriptor",
                DescriptorKind::NonData => "non-data-descriptor",
                DescriptorKind::None => "plain",
            });
            json!({"name": member.name, "line": member.line, "kind": kind, "type": member.class})
        });
        json!({
            "qualname": class.qualname, "line": class.line, "metaclass": class.metaclass, "mro": class.mro,
            "has_dict": class.has_dict, "weakrefable": class.weakrefable, "members": members.collect::<Vec<_>>(),
        })
    });
    let functions = facts.functions.iter().map(|function| {
        let kind = match function.kind {
            FunctionKind::Function => "function",
            FunctionKind::Coroutine => "coroutine",
            FunctionKind::Generator => "generator",
            FunctionKind::AsyncGenerator => "async-generator",
        };
        json!({"qualname": function.qualname, "line": function.line, "kind": kind})
    });
    let globals =
        facts.globals.iter().map(|global| json!({"name": global.name, "line": global.line, "type": global.class}));
    json!({
        "path": file.display().to_string(), "module": facts.module.as_deref(),
        "classes": classes.collect::<Vec<_>>(), "functions": functions.collect::<Vec<_>>(),
        "globals": globals.collect::<Vec<_>>(),
    })
}

/// The Python files at and below a path. Nothing is left out but caches: what is asked for by name is wanted, also in an
/// environment that version control ignores.
fn python_files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut found = vec![];
    let mut folders = vec![path.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let path = entry.path();
            let kind = entry.file_type()?;
            let is_nested_environment =
                path.file_name().is_some_and(|name| name == "site-packages" || name == "__pycache__");
            if kind.is_dir() && !is_nested_environment {
                folders.push(path);
            } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "py") {
                found.push(path);
            }
        }
    }
    Ok(found)
}

/// The folder that imports start from: the `site-packages` around it, or the folder above the topmost package.
fn import_root(path: &Path) -> PathBuf {
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
    let is_site =
        |folder: &&Path| folder.file_name().is_some_and(|name| name == "site-packages" || name == "dist-packages");
    if let Some(site) = folder.ancestors().find(is_site) {
        return site.to_path_buf();
    }
    let is_package = |folder: &&Path| folder.join("__init__.py").is_file();
    folder.ancestors().find(|folder| !is_package(folder)).unwrap_or(folder).to_path_buf()
}
