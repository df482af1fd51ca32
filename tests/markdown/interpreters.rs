//! The CPythons at hand: those of pyenv, `python3.X` on PATH, and those named in `DUNDERSTAND_PYTHONS` (separated like PATH).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

pub struct Interpreter {
    pub version: (u8, u8),
    pub path: PathBuf,
    pub exact: String,
    /// How many programs it has run.
    runs: AtomicUsize,
}

/// One interpreter for each minor version from 3.9 on. Said once on standard error.
pub static INTERPRETERS: LazyLock<Vec<Interpreter>> = LazyLock::new(|| {
    let mut candidates: Vec<PathBuf> = vec![];
    if let Some(named) = std::env::var_os("DUNDERSTAND_PYTHONS") {
        candidates.extend(std::env::split_paths(&named));
    }
    let pyenv = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let pyenv = pyenv.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".pyenv")));
    if let Some(entries) = pyenv.and_then(|root| std::fs::read_dir(root.join("versions")).ok()) {
        candidates.extend(entries.filter_map(|entry| Some(entry.ok()?.path().join("bin/python"))));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    for folder in std::env::split_paths(&path).filter(|folder| !folder.ends_with("shims")) {
        candidates.push(folder.join("python3"));
        candidates.extend((9..=15).map(|minor| folder.join(format!("python3.{minor}"))));
    }
    let mut found = BTreeMap::new();
    for path in candidates {
        if let Some(interpreter) = probe(path) {
            found.entry(interpreter.version).or_insert(interpreter);
        }
    }
    let found: Vec<_> = found.into_values().filter(|interpreter| interpreter.version >= (3, 9)).collect();
    let names: Vec<_> = found.iter().map(|interpreter| interpreter.exact.as_str()).collect();
    eprintln!("examples run on CPython {}", names.join(", "));
    assert!(!found.is_empty(), "no CPython from 3.9 on was found; install one or name it in DUNDERSTAND_PYTHONS");
    found
});

/// The interpreter with the third-party packages of the pages (`DUNDERSTAND_PACKAGES_PYTHON`, made by `tests/run`).
pub static WITH_PACKAGES: LazyLock<Option<Interpreter>> = LazyLock::new(|| {
    let found = std::env::var_os("DUNDERSTAND_PACKAGES_PYTHON").map(PathBuf::from).and_then(probe);
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "DUNDERSTAND_PACKAGES_PYTHON names no interpreter");
        eprintln!("skipped: examples that need third-party packages (DUNDERSTAND_PACKAGES_PYTHON is not set)");
    }
    found
});

/// Says how many programs each interpreter has run.
pub fn tell_runs() {
    let all = INTERPRETERS.iter().chain(WITH_PACKAGES.iter());
    let told: Vec<String> = all
        .map(|interpreter| format!("{} of {}", interpreter.runs.load(Ordering::Relaxed), interpreter.exact))
        .collect();
    eprintln!("runs by interpreter: {}", told.join(", "));
}

fn probe(path: PathBuf) -> Option<Interpreter> {
    let script = "import platform, sys; print(platform.python_implementation(), platform.python_version(), *sys.version_info[:2])";
    let output = Command::new(&path).args(["-c", script]).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut words = text.split_whitespace();
    if words.next()? != "CPython" {
        return None;
    }
    let exact = words.next()?.to_string();
    let version = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    Some(Interpreter { version, path, exact, runs: AtomicUsize::new(0) })
}

/// What a program did.
pub struct Run {
    pub success: bool,
    pub stdout: Vec<String>,
    pub stderr: String,
}

impl Interpreter {
    /// Runs a program file by itself, in its own folder.
    pub fn run(&self, program: &std::path::Path) -> Run {
        self.runs.fetch_add(1, Ordering::Relaxed);
        let output = Command::new(&self.path)
            .args(["-I", "-X", "utf8"])
            .arg(program)
            .current_dir(program.parent().unwrap())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout).lines().map(str::to_string).collect();
        Run { success: output.status.success(), stdout, stderr: String::from_utf8_lossy(&output.stderr).to_string() }
    }
}
