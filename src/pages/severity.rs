//! How grave a hazard is.

use serde::Deserialize;

/// How a diagnostic is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    Hint,
    Information,
    Warning,
    Error,
}
