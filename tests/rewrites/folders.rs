//! What the rewrites are tried on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use dunderstand::pages::{Role, Store};

use crate::checks::{Tally, file};
use crate::corpus::{Corpus, on_large_stack};
use crate::disguises::{self, Disguise};
use crate::document::Document;
use crate::judge::Judge;
use crate::{Outcome, files};

/// The Python version that the programs are for: that of `DUNDERSTAND_REWRITES_VERSION` (`3.9`), or one that all new things are in.
pub fn target() -> (u8, u8) {
    let named = std::env::var("DUNDERSTAND_REWRITES_VERSION").ok();
    let parsed = named
        .map(|version| version.split_once('.').map(|(major, minor)| (major.parse().unwrap(), minor.parse().unwrap())));
    parsed.map_or((3, 13), |version| version.unwrap())
}

/// The parts of the standard library that are tried on every run, below its folder.
const PARTS: &[&str] = &[
    "asyncio",
    "concurrent",
    "functools.py",
    "multiprocessing",
    "queue.py",
    "tempfile.py",
    "threading.py",
    "weakref.py",
];

/// Every file below a folder; prints how often each rewrite was applied.
pub fn folder(folder: &Path) -> Outcome {
    let folder = std::fs::canonicalize(folder)?;
    let tally = on_large_stack(|| {
        let mut tally = Tally::default();
        let mut judge = Judge::start();
        let mut corpus = Corpus::open(&folder, target());
        let all = files(&folder, "py");
        for (index, path) in all.iter().enumerate() {
            if index % 100 == 99 {
                eprintln!("{} of {} files", index + 1, all.len());
            }
            file(&mut corpus, &mut judge, path, &mut tally);
        }
        tally
    });
    let Tally { files, unreadable, applied, refused, .. } = &tally;
    println!("{}: {files} files, {unreadable} of them cannot be read", folder.display());
    let mut names: Vec<_> = applied.keys().chain(refused.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let count = |counts: &BTreeMap<String, usize>| counts.get(name).copied().unwrap_or_default();
        println!("  {name}: {} applied, {} refused", count(applied), count(refused));
    }
    println!("  {} failures", tally.failures.len());
    outcome(&tally)
}

/// A part of the standard library at hand, copied below a package of its own: a project that holds the library's modules
/// themselves would hide the library from its own code.
pub fn standard_library() -> Outcome {
    let script = "import sysconfig; print(sysconfig.get_paths()['stdlib'])";
    let output = Command::new("python3").args(["-c", script]).output()?;
    let library = PathBuf::from(String::from_utf8(output.stdout)?.trim());
    let root = scratch("standard_library");
    for part in PARTS {
        let from = library.join(part);
        let parts = if from.is_dir() { files(&from, "py") } else { vec![from] };
        for path in parts {
            let to = root.join("copied").join(path.strip_prefix(&library)?);
            std::fs::create_dir_all(to.parent().unwrap())?;
            std::fs::copy(&path, to)?;
        }
    }
    let tally = on_large_stack(|| {
        let mut tally = Tally::default();
        let mut judge = Judge::start();
        let mut corpus = Corpus::open(&root, target());
        for path in files(&root, "py") {
            file(&mut corpus, &mut judge, &path, &mut tally);
        }
        tally
    });
    assert!(tally.files > 50 && !tally.applied.is_empty(), "only {} files were read", tally.files);
    outcome(&tally)
}

/// The programs of the pages' `before` fences, each in a disguise; as they are, or if they are asked for, those of the cases for
/// actions, too.
pub fn programs(name: &str, disguise: Disguise) -> Outcome {
    let root = scratch(&format!("programs_{}", name.replace(' ', "_")));
    let with_cases = name == disguises::AS_THEY_ARE || std::env::var_os("DUNDERSTAND_REWRITES_CASES").is_some();
    for (path, code) in all_programs(with_cases) {
        let path = root.join(path);
        let Some(text) = disguise(&code) else { continue };
        std::fs::create_dir_all(path.parent().unwrap())?;
        std::fs::write(path, text)?;
    }
    let tally = on_large_stack(|| {
        let mut tally = Tally::default();
        let mut judge = Judge::start();
        let mut corpus = Corpus::open(&root, target());
        for path in files(&root, "py") {
            file(&mut corpus, &mut judge, &path, &mut tally);
        }
        tally
    });
    outcome(&tally)
}

/// By the path that they are written to.
fn all_programs(with_cases: bool) -> Vec<(PathBuf, String)> {
    let mut programs = vec![];
    for page in Store::embedded().pages() {
        for (index, fence) in page.fences.iter().enumerate() {
            if matches!(fence.role, Role::Before { .. }) {
                let folder = PathBuf::from("pages").join(page.id.replace(['-', '/'], "_"));
                programs.push((folder.join(format!("fence{index}.py")), fence.code.clone()));
            }
        }
    }
    if !with_cases {
        return programs;
    }
    for document in Document::all(Path::new("tests/cases")) {
        if !document.path.starts_with("tests/cases/actions") {
            continue;
        }
        let stem = document.path.file_stem().unwrap().to_string_lossy().replace('-', "_");
        for (index, case) in document.cases.iter().enumerate() {
            for program in &case.programs {
                let folder = PathBuf::from("cases").join(&stem).join(format!("case{index}"));
                programs.push((folder.join(&program.file), program.code.clone()));
            }
        }
    }
    programs
}

/// An empty folder below that of the build.
fn scratch(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rewrites").join(name);
    let _ = std::fs::remove_dir_all(&root);
    std::fs::create_dir_all(&root).unwrap();
    std::fs::canonicalize(&root).unwrap()
}

fn outcome(tally: &Tally) -> Outcome {
    match tally.failures.is_empty() {
        true => Ok(()),
        false => Err(format!("\n{}", tally.failures.join("\n")).into()),
    }
}
