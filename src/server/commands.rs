//! The commands of `workspace/executeCommand`, for editors' menus and lists: each asks, none changes anything.
//!
//! An argument is one object; a command that needs none takes none.

use serde::de::DeserializeOwned;
use serde_json::Value;
use tower_lsp_server::jsonrpc::{Error, Result};
use tower_lsp_server::ls_types::ExecuteCommandParams;

use super::handlers::Server;

const ASYNC_STEPS: &str = "dunderstand.asyncSteps";
const CONCEPTS: &str = "dunderstand.concepts";
const EXPLAIN: &str = "dunderstand.explain";

/// The commands that are offered, alphabetical.
pub(super) const ALL: &[&str] = &[ASYNC_STEPS, CONCEPTS, EXPLAIN];

impl Server {
    /// Runs one of [`ALL`].
    pub(super) async fn run_command(&self, params: ExecuteCommandParams) -> Result<Value> {
        let arguments = params.arguments;
        match params.command.as_str() {
            ASYNC_STEPS => answer(&self.async_steps(argument(arguments)?).await?),
            CONCEPTS => {
                let token = params.work_done_progress_params.work_done_token;
                answer(&self.concepts(argument(arguments)?, token).await?)
            }
            EXPLAIN => answer(&self.explain(argument(arguments)?).await?),
            other => Err(Error::invalid_params(format!("there is no command `{other}`"))),
        }
    }
}

/// The one argument of a command; without one, its default.
fn argument<T: DeserializeOwned + Default>(arguments: Vec<Value>) -> Result<T> {
    match arguments.into_iter().next() {
        None | Some(Value::Null) => Ok(T::default()),
        Some(argument) => {
            serde_json::from_value(argument).map_err(|error| Error::invalid_params(format!("the argument: {error}")))
        }
    }
}

fn answer(answer: &impl serde::Serialize) -> Result<Value> {
    serde_json::to_value(answer).map_err(|_| Error::internal_error())
}
