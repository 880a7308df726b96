//! `[graphql]`: what the GraphQL endpoint tells and answers.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What the GraphQL endpoint tells and answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Graphql {
    /// Whether the schema may be asked for, `/schema.graphql` included. The playground needs it. Default: true.
    pub introspection: bool,

    /// A directory of documents, each in a file named by its SHA-256, `<64 digits>.graphql`, read at
    /// start: then no others are answered. Relative to the working directory. Default: none, and any
    /// document is.
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
