//! `[files]`: where uploaded files are kept.

use serde::{Deserialize, Serialize};

/// Where uploaded files are kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Files {
    /// `file://` and an absolute path, or `s3://` and a bucket, optionally with a path inside it.
    /// Contains no credentials: those of a bucket come from the usual `AWS_` environment variables, as
    /// do its region and, if it is not at AWS, its endpoint. Default: `files` in the data directory.
    pub url: Option<String>,
}
