//! `[playground]`: GraphiQL in the browser.

use serde::{Deserialize, Serialize};

/// The playground.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Playground {
    /// Whether `/` and `/graphql` show it to browsers. Default: true.
    pub enabled: bool,
}

impl Default for Playground {
    fn default() -> Self {
        Self { enabled: true }
    }
}
