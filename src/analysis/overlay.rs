//! The disk with the editor's unsaved texts laid over it.

use std::sync::Arc;

use dashmap::DashMap;
use ruff_db::file_revision::FileRevision;
use ruff_db::system::{
    DirectoryEntry, FileType, Metadata, OsSystem, Result, System, SystemPath, SystemPathBuf, SystemVirtualPath,
    WhichResult, WritableSystem, walk_directory,
};

use super::{limits, long_tables};

/// An unsaved text of the editor's.
#[derive(Debug)]
pub(super) struct Buffer {
    pub(super) revision: u128,
    pub(super) text: Arc<str>,
}

/// The disk with the editor's unsaved buffers laid over it.
#[derive(Debug, Clone)]
pub(super) struct OverlaySystem {
    os: OsSystem,
    pub(super) buffers: Arc<DashMap<SystemPathBuf, Buffer>>,
    /// How often a buffer appeared in a folder or vanished from it.
    folders: Arc<DashMap<SystemPathBuf, u128>>,
}

impl OverlaySystem {
    pub(super) fn new(current_directory: &SystemPath) -> Self {
        Self { os: OsSystem::new(current_directory), buffers: Arc::default(), folders: Arc::default() }
    }

    /// Notes that a folder lists other files than before, though the disk knows nothing of it.
    pub(super) fn touch_folder_of(&self, path: &SystemPath) {
        if let Some(folder) = path.parent() {
            *self.folders.entry(folder.to_path_buf()).or_default() += 1;
        }
    }

    /// Whether the text at `path` has one of `words` in it.
    pub(super) fn mentions(&self, path: &SystemPath, words: &[&str]) -> bool {
        let has_one = |text: &str| words.iter().any(|word| text.contains(word));
        let unsaved = self.buffers.get(path).map(|buffer| has_one(&buffer.text));
        unsaved.unwrap_or_else(|| std::fs::read_to_string(path.as_std_path()).is_ok_and(|text| has_one(&text)))
    }
}

fn unreadable(reason: impl ToString) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, reason.to_string())
}

impl System for OverlaySystem {
    fn path_metadata(&self, path: &SystemPath) -> Result<Metadata> {
        if let Some(buffer) = self.buffers.get(path) {
            // The high bit keeps a buffer's revision apart from every modification time.
            return Ok(Metadata::new(FileRevision::new((1 << 127) | buffer.revision), None, FileType::File));
        }
        let Some(changes) = self.folders.get(path).map(|changes| *changes) else { return self.os.path_metadata(path) };
        let modified = std::fs::metadata(path.as_std_path()).and_then(|metadata| metadata.modified());
        let since = modified.ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok()).unwrap_or_default();
        let revision = FileRevision::new((1 << 127) | (changes << 64) | since.as_nanos());
        Ok(Metadata::new(revision, None, FileType::Directory))
    }

    fn canonicalize_path(&self, path: &SystemPath) -> Result<SystemPathBuf> {
        self.os.canonicalize_path(path)
    }

    fn is_same_file(&self, left: &SystemPath, right: &SystemPath) -> Result<bool> {
        self.os.is_same_file(left, right)
    }

    fn which(&self, name: &str) -> WhichResult {
        self.os.which(name)
    }

    fn read_to_string(&self, path: &SystemPath) -> Result<String> {
        let text = match self.buffers.get(path) {
            Some(buffer) => buffer.text.to_string(),
            None => {
                let size = std::fs::metadata(path.as_std_path()).map(|metadata| metadata.len()).unwrap_or(0);
                if size > limits::FILE_SIZE as u64 {
                    return Err(unreadable(limits::TooMuch::Size { bytes: size as usize }));
                }
                self.os.read_to_string(path)?
            }
        };
        // The engine recurses over the tree: text that would overflow its stack is not shown to it.
        limits::check(&text).map_err(unreadable)?;
        Ok(long_tables::shorten(text))
    }

    fn read_to_notebook(
        &self,
        path: &SystemPath,
    ) -> std::result::Result<ruff_notebook::Notebook, ruff_notebook::NotebookError> {
        self.os.read_to_notebook(path)
    }

    fn read_virtual_path_to_string(&self, path: &SystemVirtualPath) -> Result<String> {
        self.os.read_virtual_path_to_string(path)
    }

    fn read_virtual_path_to_notebook(
        &self,
        path: &SystemVirtualPath,
    ) -> std::result::Result<ruff_notebook::Notebook, ruff_notebook::NotebookError> {
        self.os.read_virtual_path_to_notebook(path)
    }

    fn current_directory(&self) -> &SystemPath {
        self.os.current_directory()
    }

    fn user_config_directory(&self) -> Option<SystemPathBuf> {
        None
    }

    fn cache_dir(&self) -> Option<SystemPathBuf> {
        None
    }

    fn read_directory<'a>(
        &'a self,
        path: &SystemPath,
    ) -> Result<Box<dyn Iterator<Item = Result<DirectoryEntry>> + 'a>> {
        // Modules are found by listing directories, so a new unsaved file has to appear here.
        let unsaved: Vec<_> = self
            .buffers
            .iter()
            .filter(|buffer| buffer.key().parent() == Some(path) && !self.os.is_file(buffer.key()))
            .map(|buffer| Ok(DirectoryEntry::new(buffer.key().clone(), FileType::File)))
            .collect();
        match self.os.read_directory(path) {
            Ok(entries) => Ok(Box::new(entries.chain(unsaved))),
            Err(_) if !unsaved.is_empty() => Ok(Box::new(unsaved.into_iter())),
            Err(error) => Err(error),
        }
    }

    fn walk_directory(&self, path: &SystemPath) -> walk_directory::WalkDirectoryBuilder {
        self.os.walk_directory(path)
    }

    fn env_var(&self, name: &str) -> std::result::Result<String, std::env::VarError> {
        self.os.env_var(name)
    }

    fn as_writable(&self) -> Option<&dyn WritableSystem> {
        None
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn std::any::Any {
        self
    }

    fn dyn_clone(&self) -> Box<dyn System> {
        Box::new(self.clone())
    }
}
