//! `[graphql]`: what the GraphQL endpoint tells about itself.

use serde::{Deserialize, Serialize};

/// What the GraphQL endpoint tells about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Graphql {
    /// Whether the schema may be asked for. The playground needs it. Default: true.
    pub introspection: bool,
}

impl Default for Graphql {
    fn default() -> Self {
        Self {
            introspection: true,
        }
    }
}
