//! Settings: one declared list ([`ALL`]), read from an editor, from `[tool.dunderstand]` in a root's `pyproject.toml` and
//! from the command line, and turned into what the inner layers ask for.
//!
//! Precedence, the later wins: the default, the editor, the project file, the command line. A project's file is before
//! the editor's settings so that everybody who works on the project sees the same. Keys are dotted (`hover.enable`);
//! objects may nest instead, a leading `dunderstand.` is dropped, and `inlay-hints` is the same as `inlayHints`. Unknown
//! keys are ignored; a value of the wrong type is reported and the default stays.

mod declared;
mod layer;
mod page_folders;
mod project_file;

use std::fmt;
use std::path::{Path, PathBuf};

pub use declared::{ALL, Kind, SEVERITIES, Setting};
pub use layer::Layer;
pub use page_folders::{PageFolders, page_sources};
pub use project_file::ProjectFile;

use crate::analysis::{RootSettings, Version};
use crate::features::Options;

/// The folder in a root whose pages overlay the embedded ones.
pub const PAGE_FOLDER: &str = ".dunderstand/explanations";

/// The value of every setting.
#[derive(Clone, Debug)]
pub struct Settings {
    pub options: Options,
    /// An interpreter or an environment, as written.
    pub python: Option<String>,
    pub python_version: Option<Version>,
    /// Folders with more pages, as written.
    pub explanation_paths: Vec<String>,
    /// Whether files that nobody has opened are read in the background.
    pub looks_through_workspace: bool,
    /// For the editor's client, which logs the messages; the server has no use for it.
    pub trace: Trace,
}

/// What an editor logs of the conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trace {
    #[default]
    Off,
    Messages,
    Verbose,
}

impl Default for Settings {
    fn default() -> Self {
        let mut settings = Self {
            options: Options::default(),
            python: None,
            python_version: None,
            explanation_paths: vec![],
            looks_through_workspace: true,
            trace: Trace::Off,
        };
        for setting in ALL {
            setting.set(&mut settings, &setting.default_value());
        }
        settings
    }
}

impl Settings {
    /// The defaults, overlaid by `layers`, of which a later one wins.
    pub fn from_layers(layers: &[&Layer]) -> Self {
        let mut settings = Self::default();
        for layer in layers {
            layer.apply(&mut settings);
        }
        settings
    }
}

/// Something in a settings source that a person should mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file it stands in; `None` for the editor's settings and the command line.
    pub path: Option<PathBuf>,
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "{}: {}", path.display(), self.message),
            None => write!(f, "{}", self.message),
        }
    }
}

/// Everything that holds for one workspace root.
#[derive(Clone, Debug)]
pub struct Configuration {
    pub root: RootSettings,
    /// The options of the views, with what the project file says about ruff and the oldest Python.
    pub options: Options,
    /// Folders with pages that overlay the embedded ones, the most important last.
    pub page_folders: PageFolders,
    pub settings: Settings,
    /// What is wrong in the project file or in `editor`.
    pub problems: Vec<Problem>,
}

impl Configuration {
    /// Reads the project file of the folder `root` (an absolute path) and lays the layers over one another.
    pub fn load(root: &Path, editor: &Layer, command_line: &Layer) -> Self {
        let project = ProjectFile::read(root);
        let settings = Settings::from_layers(&[editor, &project.layer, command_line]);
        let mut problems = vec![];
        let said = |path: Option<&PathBuf>, messages: &[String]| -> Vec<Problem> {
            messages.iter().map(|message| Problem { path: path.cloned(), message: message.clone() }).collect()
        };
        problems.extend(said(None, editor.problems()));
        problems.extend(said(project.path.as_ref(), &project.problems));
        problems.extend(said(project.path.as_ref(), project.layer.problems()));
        problems.extend(said(None, command_line.problems()));
        let root_settings = RootSettings {
            path: root.to_path_buf(),
            python: settings.python.as_deref().map(|python| path_in(root, python)),
            version: settings.python_version,
            oldest_version: project.oldest_python,
            ..RootSettings::default()
        };
        let mut options = settings.options.clone();
        options.uses_ruff = project.uses_ruff;
        options.oldest_python = project.oldest_python;
        let mut folders: Vec<PathBuf> = settings.explanation_paths.iter().map(|path| path_in(root, path)).collect();
        folders.push(root.join(PAGE_FOLDER));
        let page_folders = PageFolders::new(folders);
        Self { root: root_settings, options, page_folders, settings, problems }
    }
}

/// A path from the settings: relative ones start at the root; `~/` and `${workspaceFolder}` are known.
fn path_in(root: &Path, written: &str) -> PathBuf {
    let home = || std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"));
    if let Some((rest, home)) = written.strip_prefix("~/").zip(home()) {
        return PathBuf::from(home).join(rest);
    }
    let rest = written.strip_prefix("${workspaceFolder}").map(|rest| rest.trim_start_matches(['/', '\\']));
    root.join(rest.unwrap_or(written))
}
