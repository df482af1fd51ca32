//! What was worked out anew, for tests of debug builds.
#![cfg(debug_assertions)]

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use ruff_db::PythonFile;
use ruff_db::files::File;
use salsa::plumbing::{DatabaseKeyIndex, FromId as _, Id, ZalsaDatabase as _};
use salsa::{Database as _, Event, EventKind};
use ty_python_core::ProgramFile;
use ty_python_core::definition::Definition;
use ty_python_core::expression::Expression;
use ty_python_core::scope::ScopeId;

use super::Snapshot;

/// The questions that were worked out since somebody began to ask; none before that.
#[derive(Clone, Debug, Default)]
pub(super) struct Log(Arc<Mutex<Option<Vec<DatabaseKeyIndex>>>>);

/// A question that was worked out, instead of being answered by what was kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Execution {
    /// The name of the question, as in the code.
    pub query: String,
    /// The file that it was asked about, if it was one.
    pub path: Option<PathBuf>,
    /// The definition that it was asked about, if it was one.
    pub name: Option<String>,
}

impl Log {
    /// What is told of each event of the database.
    pub(super) fn callback(&self) -> Box<dyn Fn(Event) + Send + Sync + 'static> {
        let log = self.clone();
        Box::new(move |event| {
            if let EventKind::WillExecute { database_key } = event.kind
                && let Ok(mut executed) = log.0.lock()
                && let Some(executed) = executed.as_mut()
            {
                executed.push(database_key);
            }
        })
    }
}

impl Snapshot {
    /// From now on what is worked out is noted down, by whatever handle.
    pub fn note_executions(&self) {
        if let Ok(mut executed) = self.executions.0.lock() {
            *executed = Some(vec![]);
        }
    }

    /// What was worked out since then; no more is noted down.
    pub fn executions(&self) -> Vec<Execution> {
        let noted = self.executions.0.lock().ok().and_then(|mut executed| executed.take());
        noted.unwrap_or_default().into_iter().map(|key| self.execution(key)).collect()
    }

    fn execution(&self, key: DatabaseKeyIndex) -> Execution {
        let query = self.ingredient_debug_name(key.ingredient_index()).into_owned();
        let (file, name) = self.subject(key.key_index());
        let path = file.and_then(|file| Some(file.path(self).as_system_path()?.as_std_path().to_path_buf()));
        Execution { query, path, name }
    }

    /// What a question with this key is about: a file, and a definition in it.
    fn subject(&self, key: Id) -> (Option<File>, Option<String>) {
        let kind = self.zalsa().ingredient_index(key);
        match &*self.ingredient_debug_name(kind) {
            "Definition" => {
                let definition = Definition::from_id(key);
                (Some(definition.file(self)), definition.name(self))
            }
            "Expression" => (Some(Expression::from_id(key).scope(self).file(self)), None),
            "File" => (Some(File::from_id(key)), None),
            "ProgramFile" => (Some(ProgramFile::from_id(key).file(self)), None),
            "PythonFile" => (Some(PythonFile::from_id(key).file(self)), None),
            "ScopeId" => (Some(ScopeId::from_id(key).file(self)), None),
            _ => (None, None),
        }
    }
}
