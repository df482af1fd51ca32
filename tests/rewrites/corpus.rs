//! A folder as the rewrites see it: the offers of a file, and the file as it would be after one of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dunderstand::analysis::{
    BlockingTable, CTypes, Interrupted, Knowledge, Module, Project, RootSettings, RuntimeTable, STACK_SIZE,
};
use dunderstand::detectors::{Finding, findings_in};
use dunderstand::pages::{Store, table};
use dunderstand::rewrites::{FileEdits, Offer, offer};
use dunderstand::text::{TextLen as _, TextRange, TextSize};

pub struct Corpus {
    pub root: PathBuf,
    project: Project,
    store: Store,
    version: (u8, u8),
}

/// An edit that is offered.
pub struct Offered {
    pub concept: String,
    pub rewrite: String,
    pub title: String,
    pub line: usize,
    pub files: Vec<FileEdits>,
    pub preserves_behaviour: bool,
}

/// One file with all that is offered on it.
#[derive(Default)]
pub struct Reading {
    pub offered: Vec<Offered>,
    /// How many findings there are of each concept that has rewrites.
    pub findings: BTreeMap<String, usize>,
    /// How many refusals there are, by rewrite.
    pub refused: BTreeMap<String, usize>,
}

/// A text, and what of it no edit may lose.
pub struct Text {
    pub text: String,
    pub comments: Vec<String>,
    pub syntax_errors: usize,
}

impl Corpus {
    /// Opens a folder without any Python environment, or with the one of `DUNDERSTAND_PYTHON`.
    pub fn open(root: &Path, version: (u8, u8)) -> Self {
        let knowledge = Knowledge {
            c_types: CTypes::from_toml(table("c_types")).unwrap(),
            runtime: RuntimeTable::from_toml(table("runtime")).unwrap(),
            blocking: BlockingTable::from_toml(table("blocking")).unwrap(),
        };
        let python = std::env::var_os("DUNDERSTAND_PYTHON").map(PathBuf::from);
        let isolated = python.is_none();
        let path = root.to_path_buf();
        let settings = RootSettings { path, version: Some(version), python, isolated, ..RootSettings::default() };
        let project = Project::open(&[settings], Arc::new(knowledge)).unwrap();
        Self { root: root.to_path_buf(), project, store: Store::embedded(), version }
    }

    /// Reads one file on this thread, which must have a large stack.
    fn module<T>(&self, path: &Path, read: impl FnOnce(&Module) -> T) -> Result<T, String> {
        let result = self.project.snapshot().read(|snapshot| match snapshot.module(path) {
            Ok(module) => Ok(read(&module)),
            Err(problem) => Err(problem.to_string()),
        });
        match result {
            Ok(result) => result,
            Err(Interrupted::Cancelled) => Err("cancelled".to_string()),
            Err(Interrupted::Panicked(message)) => Err(format!("PANIC {message}")),
        }
    }

    /// All that is offered anywhere in a file, as at a cursor; of one concept, if one is named.
    pub fn read(&self, path: &Path, concept: Option<&str>) -> Result<Reading, String> {
        self.module(path, |module| {
            let has_rewrites = |id: &str| self.store.page(id).is_some_and(|page| !page.rewrites.is_empty());
            let wanted = |id: &str| concept.is_none_or(|concept| concept == id) && has_rewrites(id);
            // One byte short of the whole file, so that the detectors ask everything, as at a cursor.
            let length = module.text().text_len();
            let almost_all = TextRange::up_to(length.checked_sub(TextSize::new(1)).unwrap_or(length));
            let mut reading = Reading::default();
            for finding in findings_in(module, &self.store, almost_all, &wanted) {
                *reading.findings.entry(finding.concept.clone()).or_default() += 1;
                self.offers(module, &finding, &mut reading);
            }
            reading
        })
    }

    fn offers(&self, module: &Module, finding: &Finding, reading: &mut Reading) {
        let Some(page) = self.store.page(&finding.concept) else { return };
        for rewrite in &page.rewrites {
            match offer(module, finding, rewrite, self.version) {
                None => {}
                Some(Offer::Refused { .. }) => *reading.refused.entry(rewrite.clone()).or_default() += 1,
                Some(Offer::Edit { title, files, preserves_behaviour }) => reading.offered.push(Offered {
                    concept: finding.concept.clone(),
                    rewrite: rewrite.clone(),
                    title,
                    line: module.lines().line(finding.range.start()),
                    files,
                    preserves_behaviour,
                }),
            }
        }
    }

    /// The text of a file as it is now.
    pub fn text(&self, path: &Path) -> Result<Text, String> {
        self.module(path, |module| {
            let comments = module.comment_ranges().into_iter();
            let comments = comments.map(|range| module.source(range).trim_end().to_string()).collect();
            let syntax_errors = module.syntax_errors().len();
            Text { text: module.text().to_string(), comments, syntax_errors }
        })
    }

    /// Lays a text over a file, for good.
    pub fn set_text(&mut self, path: &Path, text: &str) {
        self.project.set_buffer(path, text);
    }

    /// Reads with other texts laid over some files.
    pub fn with_texts<T>(&mut self, texts: &BTreeMap<PathBuf, String>, read: impl FnOnce(&Self) -> T) -> T {
        for (path, text) in texts {
            self.project.set_buffer(path, text.as_str());
        }
        let result = read(self);
        for path in texts.keys() {
            self.project.close_buffer(path);
        }
        result
    }
}

/// Runs on a thread whose stack the engine can work on.
pub fn on_large_stack<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_SIZE);
        thread.spawn_scoped(scope, run).unwrap().join().unwrap()
    })
}
