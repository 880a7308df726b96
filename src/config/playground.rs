//! `[playground]`: GraphiQL in the browser.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The playground.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Playground {
    /// Whether `/` and `/graphql` show it in browsers. Default: true.
    pub enabled: bool,

    /// A directory of files that replace built-in files of the same names, relative to the working
    /// directory. Default: none.
    pub assets_dir: Option<PathBuf>,
}

impl Default for Playground {
    fn default() -> Self {
        Self {
            enabled: true,
            assets_dir: None,
        }
    }
}
