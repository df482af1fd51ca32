//! `dunderstand.asyncSteps`: the steps toward async in a file or a function, with what stands in the way of each.

use serde::{Deserialize, Serialize};
use tower_lsp_server::jsonrpc::{Error, Result};
use tower_lsp_server::ls_types::{Position, Range, Uri};

use super::convert;
use super::handlers::Server;
use super::reading::Reading;
use crate::features;

/// Asks for the steps of a file, or of the function around a position.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AsyncStepsParams {
    uri: Option<Uri>,
    position: Option<Position>,
}

/// A step.
#[derive(Debug, Serialize)]
pub(super) struct AsyncStep {
    title: String,
    /// The name of the rewrite.
    rewrite: String,
    /// Where a code action offers it.
    range: Range,
    applies: bool,
    /// What stands in the way.
    reason: Option<String>,
}

impl Server {
    /// The steps in the order in which to take them.
    pub(super) async fn async_steps(&self, params: AsyncStepsParams) -> Result<Vec<AsyncStep>> {
        let uri = params.uri.ok_or_else(|| Error::invalid_params("`uri` is missing"))?;
        let path = convert::to_path(&uri);
        let position = params.position;
        self.queue.read(Some(path.clone()), move |reading| Ok(steps(reading, &path, position))).await
    }
}

fn steps(reading: &Reading, path: &std::path::Path, position: Option<Position>) -> Vec<AsyncStep> {
    let Some(module) = reading.module(path) else { return vec![] };
    let encoding = reading.setting.abilities.encoding;
    let offset = position.map(|position| module.lines().offset(convert::from_position(position), encoding));
    let found = features::async_steps(&reading.view(&module), offset);
    let step = |action: features::CodeAction| AsyncStep {
        title: action.title,
        rewrite: action.rewrite.unwrap_or_default(),
        range: reading.range(&module, action.range),
        applies: action.disabled.is_none(),
        reason: action.disabled,
    };
    found.into_iter().map(step).collect()
}
