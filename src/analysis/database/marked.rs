//! A question of the engine that panics, for tests of debug builds.
#![cfg(debug_assertions)]

use std::path::Path;

use ruff_db::files::{File, system_path_to_file};

use super::{Db, Snapshot};
use crate::analysis::environment::system_path;

impl Snapshot {
    /// Panics in a query while there is a file of the same name that ends in `.panic`. As in the engine's own queries that may ask
    /// for themselves, what the panic leaves behind is in the way of all who ask again.
    pub fn panic_if_marked(&self, path: &Path) -> Option<String> {
        let file = system_path(path).ok().and_then(|path| system_path_to_file(self, &path).ok())?;
        is_marked(self, file).then(String::new)
    }
}

#[salsa::tracked(returns(copy), cycle_initial = unmarked)]
fn is_marked(db: &dyn Db, file: File) -> bool {
    let mark = file.path(db).as_system_path().map(|path| path.as_std_path().with_extension("panic"));
    if mark.is_some_and(|mark| mark.is_file()) {
        std::panic::panic_any("a panic of a query that was asked for");
    }
    false
}

fn unmarked(_: &dyn Db, _: salsa::Id, _: File) -> bool {
    false
}
