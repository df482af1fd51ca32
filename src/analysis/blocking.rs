//! Calls that block the thread they run on. The rows are data (`explanations/tables/blocking.toml`).

use std::collections::HashMap;

use ruff_python_ast as ast;
use serde::Deserialize;

use super::module::Module;
use super::names::{Origin, Symbol};

/// One table for the whole program, made once at start.
#[derive(Debug, Default)]
pub struct BlockingTable {
    calls: HashMap<String, BlockingCall>,
}

/// A library call that blocks.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockingCall {
    /// Its public name.
    pub name: String,
    /// What it waits for, as the end of "Blocks the event loop: …".
    pub why: String,
    /// The asynchronous counterpart.
    pub instead: Option<String>,
    /// The receiver must stay on its thread.
    #[serde(default)]
    pub thread_bound: bool,
    /// Reads or writes files: reported only by a setting.
    #[serde(default)]
    pub file: bool,
    /// A rule of ruff's default set that reports the same.
    pub ruff: Option<String>,
    /// Arguments with which it does not block: name and the source of the value (`block = "False"`).
    #[serde(default)]
    pub nonblocking: HashMap<String, String>,
    #[serde(rename = "source")]
    _source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    #[serde(default)]
    call: Vec<BlockingCall>,
}

impl BlockingTable {
    /// Reads the table from TOML.
    ///
    /// # Errors
    /// The TOML error, with line and column, for a row of the wrong shape.
    pub fn from_toml(text: &str) -> Result<Self, String> {
        let rows: Rows = toml::from_str(text).map_err(|error| error.to_string())?;
        Ok(Self { calls: rows.call.into_iter().map(|row| (row.name.clone(), row)).collect() })
    }

    fn get(&self, symbol: &Symbol) -> Option<&BlockingCall> {
        if symbol.origin == Origin::Project {
            return None;
        }
        self.calls.get(&symbol.to_string())
    }
}

impl<'s> Module<'s> {
    /// The table's row for a call that blocks; `None` when it is passed arguments with which it does not.
    pub fn blocking_call(&self, call: &ast::ExprCall) -> Option<&'s BlockingCall> {
        let row = self.knowledge().blocking.get(&self.callee(call)?)?;
        let is_nonblocking = call.arguments.keywords.iter().any(|keyword| {
            let name = keyword.arg.as_ref().map(|name| name.as_str());
            name.is_some_and(|name| row.nonblocking.get(name).is_some_and(|value| value == self.source(&keyword.value)))
        });
        (!is_nonblocking).then_some(row)
    }
}
