//! `[graphql]`: what the GraphQL endpoint discloses and executes.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What the GraphQL endpoint discloses and executes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Graphql {
    /// Whether the schema can be read, through introspection and `/schema.graphql`. The playground needs
    /// it. Default: true.
    pub introspection: bool,

    /// A directory of documents, each in a file named after its SHA-256, `<64 digits>.graphql`, read at
    /// startup. If set, no other documents are executed. Relative to the working directory. Default:
    /// none, and any document is executed.
    pub trusted_documents: Option<PathBuf>,
}

impl Default for Graphql {
    fn default() -> Self {
        Self {
            introspection: true,
            trusted_documents: None,
        }
    }
}
