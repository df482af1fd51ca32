//! The pages a team has added: Markdown files below the folders of the settings. Nothing outside of them is read.

use std::path::{Path, PathBuf};

use crate::pages::{PageError, Source};

/// The largest page that is read, in bytes; longer ones are reported.
const SIZE: u64 = 256 * 1024;
/// The most pages that are read from one folder.
const PAGES: usize = 2000;
/// How deep folders nest.
const DEPTH: usize = 8;

/// Folders with pages, the most important last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageFolders(Vec<PathBuf>);

impl PageFolders {
    /// These folders, the most important last.
    pub fn new(folders: Vec<PathBuf>) -> Self {
        Self(folders)
    }

    /// The folders.
    pub fn iter(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(PathBuf::as_path)
    }

    /// Whether `path` is a page in one of the folders.
    pub fn hold(&self, path: &Path) -> bool {
        path.extension().is_some_and(|extension| extension == "md")
            && self.iter().any(|folder| path.starts_with(folder))
    }
}

/// Reads the pages below `folders`, and says which cannot be read. Links are not followed out of a folder.
pub fn page_sources(folders: &PageFolders) -> (Vec<Source>, Vec<PageError>) {
    let mut sources = vec![];
    let mut errors = vec![];
    for folder in folders.iter() {
        let mut files = vec![];
        collect(folder, DEPTH, &mut files);
        files.sort();
        if let Some(path) = files.get(PAGES) {
            errors
                .push(error(path, format!("the folder has over {PAGES} pages; this one and later ones are not read")));
            files.truncate(PAGES);
        }
        for path in files {
            match read(folder, &path) {
                Ok(source) => sources.push(source),
                Err(message) => errors.push(error(&path, message)),
            }
        }
    }
    (sources, errors)
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth > 0 => collect(&path, depth - 1, files),
            Ok(kind) if kind.is_file() && is_page(&path) => files.push(path),
            _ => {}
        }
    }
}

/// Markdown, but for the folder's own description.
fn is_page(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "md") && path.file_stem().is_some_and(|stem| stem != "README")
}

fn read(folder: &Path, path: &Path) -> Result<Source, String> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > SIZE {
        return Err(format!("the page has {} KB; a page has at most {} KB", size >> 10, SIZE >> 10));
    }
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let text = String::from_utf8(bytes).map_err(|error| format!("the page is not UTF-8: {error}"))?;
    if let Some(line) = text.lines().position(|line| line.to_ascii_lowercase().contains("](command:")) {
        return Err(format!("line {}: `command:` links are not allowed in pages", line + 1));
    }
    let below = path.strip_prefix(folder).map_err(|error| error.to_string())?.with_extension("");
    let parts: Vec<_> = below.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    if parts.len() < 2 {
        return Err("a page lies in the folder of its topic, such as `asyncio/our-queue.md`".to_string());
    }
    Ok(Source { path: path.to_path_buf(), id: parts.join("/"), text })
}

fn error(path: &Path, message: String) -> PageError {
    PageError { path: path.to_path_buf(), line: 1, message }
}
