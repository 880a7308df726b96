//! `[log]`: what is logged, and in which format.

use serde::{Deserialize, Serialize};

/// The log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Log {
    /// What is logged: a level, or directives such as `info,tenantry=debug`. Also `RUST_LOG`.
    /// Default: `info`.
    pub filter: String,

    /// The format of the log. Default: text.
    pub format: LogFormat,
}

/// The format of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line, for machines.
    Json,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            filter: "info".into(),
            format: LogFormat::default(),
        }
    }
}
