//! Finds the Python whose packages and version a workspace root is explained with.
//!
//! In order: the `python` setting, `VIRTUAL_ENV`, `CONDA_PREFIX`, `.venv` in the root, `python3` on `PATH`. The interpreter is
//! never started: everything is read off the environment's files.

use std::fmt;
use std::path::PathBuf;

use ruff_db::system::{System, SystemPath, SystemPathBuf};
use ruff_python_ast::PythonVersion;
use ty_module_resolver::{SearchPathSettings, UseDefaultStrategy};
use ty_python_core::platform::PythonPlatform;
use ty_python_core::program::ProgramSettings;
use ty_python_semantic::{PythonEnvironment, PythonVersionSource, PythonVersionWithSource, SysPrefixPathOrigin};

/// A Python version, as `(major, minor)`.
pub type Version = (u8, u8);

/// The oldest Python whose run time the pages describe.
pub const OLDEST: Version = (3, 9);

/// How one workspace root is to be set up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RootSettings {
    /// Absolute path of the root folder.
    pub path: PathBuf,
    /// An environment's folder or an interpreter; without one, it is searched for.
    pub python: Option<PathBuf>,
    /// The target version; without one, it is the environment's.
    pub version: Option<Version>,
    /// Use no environment at all: only the project and the bundled stubs of the standard library.
    pub isolated: bool,
    /// The oldest version the project supports, which is the target where no environment tells one.
    pub oldest_version: Option<Version>,
    /// Folders searched before all others for modules.
    pub extra_paths: Vec<PathBuf>,
}

/// What was found for a root.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// The environment's `sys.prefix`, if there is one.
    pub prefix: Option<PathBuf>,
    /// The target version.
    pub version: Version,
    /// The standard library's folder, where its sources are at hand.
    pub standard_library: Option<PathBuf>,
    /// What a person should know: an environment that could not be used, and what happens instead.
    pub problem: Option<String>,
    /// The environment's own version is older than [`OLDEST`], which stands in its place.
    pub is_too_old: bool,
}

/// Why a project cannot be opened.
#[derive(Debug)]
pub enum ProjectError {
    /// A path that is not valid UTF-8, which the engine's paths must be.
    NotUnicode(PathBuf),
    /// No root was given.
    NoRoot,
}

impl fmt::Display for ProjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUnicode(path) => write!(f, "the path {} is not valid UTF-8; rename it", path.display()),
            Self::NoRoot => write!(f, "no folder was given; pass a workspace folder or a Python file"),
        }
    }
}

impl std::error::Error for ProjectError {}

/// `path` as the engine's own path type.
pub(super) fn system_path(path: &std::path::Path) -> Result<SystemPathBuf, ProjectError> {
    SystemPathBuf::from_path_buf(path.to_path_buf()).map_err(ProjectError::NotUnicode)
}

/// Resolves the settings of one root to search paths and a version.
pub(super) fn discover(
    settings: &RootSettings,
    system: &dyn System,
) -> Result<(ProgramSettings, Environment), ProjectError> {
    let root = system_path(&settings.path)?;
    let mut found = Environment::default();
    let environment = match &settings.python {
        _ if settings.isolated => Ok(None),
        Some(python) => {
            let python = system_path(python)?;
            PythonEnvironment::new(&python, SysPrefixPathOrigin::PythonCliFlag, system).map(Some).map_err(|error| {
                match system.path_exists(&python) {
                    true => format!("{python} is no Python environment that can be used: {error}"),
                    false => format!("the Python environment {python} does not exist"),
                }
            })
        }
        None => PythonEnvironment::discover(Some(&root), system)
            .map_err(|error| format!("the Python environment of {root} cannot be used: {error}"))
            .map(|found| found.or_else(|| on_path(&root, system))),
    };
    let environment = environment.unwrap_or_else(|problem| {
        found.problem = Some(format!(
            "{problem}. Third-party packages are not resolved; set `dunderstand.python` to an interpreter or environment."
        ));
        None
    });
    let site_packages = environment.as_ref().and_then(|environment| match environment.site_packages_paths(system) {
        Ok(paths) => Some(paths),
        Err(error) => {
            found.problem.get_or_insert(format!("the site-packages of {root} were not found: {error}"));
            None
        }
    });
    let mut version = settings
        .version
        .map(|(major, minor)| with_default_source(PythonVersion::from((major, minor))))
        .or_else(|| environment.as_ref().and_then(|environment| environment.python_version_from_metadata().cloned()))
        .or_else(|| site_packages.as_ref().and_then(|paths| paths.python_version_from_layout()))
        .or_else(|| environment.as_ref().and_then(|environment| version_of_library(environment.sys_prefix(), system)))
        .or_else(|| {
            settings.oldest_version.map(|(major, minor)| with_default_source(PythonVersion::from((major, minor))))
        })
        .unwrap_or_else(|| with_default_source(PythonVersion::default()));
    found.version = (version.version.major, version.version.minor);
    if found.version < OLDEST {
        let (major, minor) = found.version;
        let oldest = format!("{}.{}", OLDEST.0, OLDEST.1);
        found.problem.get_or_insert(format!(
            "the Python environment of {root} is {major}.{minor}, which is older than what is explained here: the code is explained as Python {oldest} runs it."
        ));
        found.is_too_old = true;
        found.version = OLDEST;
        version.version = PythonVersion::from(OLDEST);
    }
    let real_stdlib_path = environment.as_ref().and_then(|environment| environment.real_stdlib_path(system).ok());
    found.standard_library = real_stdlib_path.as_ref().map(|path| path.as_std_path().to_path_buf());
    found.prefix = environment.as_ref().map(|environment| PathBuf::from(environment.sys_prefix().to_string()));

    // A folder is searched once: as a project's root, the library would not be found as the library.
    let canonical = |path: &SystemPathBuf| system.canonicalize_path(path).ok();
    let is_library = real_stdlib_path.as_ref().is_some_and(|library| canonical(library) == canonical(&root));
    let search = SearchPathSettings {
        extra_paths: settings.extra_paths.iter().map(|path| system_path(path)).collect::<Result<_, _>>()?,
        src_roots: if is_library { vec![] } else { source_roots(&root, system) },
        site_packages_paths: site_packages.map(|paths| paths.into_vec()).unwrap_or_default(),
        real_stdlib_path,
        ..SearchPathSettings::empty()
    };
    let search_paths = search
        .to_search_paths(system, ty_vendored::file_system(), &UseDefaultStrategy)
        .unwrap_or_else(|_| ty_python_core::program::ProgramSettings::empty(ty_vendored::file_system()).search_paths);
    let program = ProgramSettings { python_version: version, python_platform: PythonPlatform::default(), search_paths };
    Ok((program, found))
}

/// The version whose standard library lies below `prefix`, if there is one alone. Debian keeps third-party packages in
/// `lib/python3/dist-packages`, which tells no version.
fn version_of_library(prefix: &SystemPath, system: &dyn System) -> Option<PythonVersionWithSource> {
    let minor = |folder: &SystemPath| folder.file_name()?.strip_prefix("python3.")?.parse::<u8>().ok();
    let folders =
        system.read_directory(&prefix.join("lib")).ok()?.filter_map(Result::ok).map(|entry| entry.into_path());
    let mut found = folders.filter(|folder| system.is_file(&folder.join("os.py"))).filter_map(|folder| minor(&folder));
    match (found.next(), found.next()) {
        (Some(only), None) => Some(with_default_source(PythonVersion::from((3, only)))),
        _ => None,
    }
}

/// The environment of the first `python3` or `python` on `PATH`. A launcher script of pyenv's is followed to the version
/// that `.python-version` (upwards from the root) or pyenv's own `version` file names.
fn on_path(root: &SystemPath, system: &dyn System) -> Option<PythonEnvironment> {
    let path = system.env_var("PATH").ok()?;
    let names = ["python3", "python"];
    let candidates = std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
    candidates.filter_map(|path| SystemPathBuf::from_path_buf(path).ok()).find_map(|launcher| {
        if !system.is_file(&launcher) {
            return None;
        }
        let folder = launcher.parent()?;
        let prefix = match folder.file_name() {
            Some("shims") => pyenv_version(folder.parent()?, root, system)?,
            _ => system.canonicalize_path(&launcher).ok()?.parent()?.parent()?.to_path_buf(),
        };
        PythonEnvironment::new(&prefix, SysPrefixPathOrigin::PythonBinary, system).ok()
    })
}

/// The folder of the version that pyenv would start in `root`.
fn pyenv_version(pyenv: &SystemPath, root: &SystemPath, system: &dyn System) -> Option<SystemPathBuf> {
    let mut files = root.ancestors().map(|folder| folder.join(".python-version")).collect::<Vec<_>>();
    files.push(pyenv.join("version"));
    let named = files.iter().find_map(|file| system.read_to_string(file).ok())?;
    let mut versions = named.split_whitespace().map(|version| pyenv.join("versions").join(version));
    versions.find(|folder| system.is_directory(folder))
}

fn with_default_source(version: PythonVersion) -> PythonVersionWithSource {
    PythonVersionWithSource { version, source: PythonVersionSource::default() }
}

/// The root itself and, where it is laid out so, its `src` folder.
fn source_roots(root: &SystemPath, system: &dyn System) -> Vec<SystemPathBuf> {
    let src = root.join("src");
    let is_package = system.is_file(&src.join("__init__.py"));
    let mut roots = vec![root.to_path_buf()];
    if system.is_directory(&src) && !is_package {
        roots.insert(0, src);
    }
    roots
}
