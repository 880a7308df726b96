//! What the operator can configure: one struct per concern, each key documented once, where it is
//! declared.
//!
//! There are three layers, each overriding the one before: the defaults, `tenantry.toml`, the
//! environment. A test checks that `tenantry.example.toml` contains every key of these structs.
//!
//! To add a key: add a field with its unit, bounds and default to the struct of its concern, its value
//! to that struct's `Default`, and a line to `tenantry.example.toml`. Numbers are at least 1 unless
//! `bounds.rs` says otherwise; rules that involve several keys are in `validate.rs`.

mod auth;
mod bounds;
mod database;
mod environment;
mod error;
mod files;
mod graphql;
mod http;
mod limits;
mod load;
mod log;
mod mail;
mod metrics;
mod network;
mod plan;
mod playground;
mod providers;
mod reader;
mod secret;
mod telemetry;
mod text;
mod unknown;
mod validate;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use url::Url;

pub use auth::{Auth, Claims, Issuer};
pub use database::Database;
pub use environment::environment;
pub use error::ConfigError;
pub use files::Files;
pub use graphql::Graphql;
pub use http::Http;
pub use limits::Limits;
pub use log::{Log, LogFormat};
pub use mail::Mail;
pub use metrics::Metrics;
pub use network::Network;
pub use plan::Plan;
pub use playground::Playground;
pub use providers::{Provider, Providers};
pub use secret::Secret;
pub use telemetry::Telemetry;

/// The whole configuration. [`Config::default`] is a development server: SQLite in `data`, listening on
/// loopback, with its own development identities.
///
/// Printing or serializing it reveals no secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Where the SQLite database, the files and the key of development tokens are kept. Created at
    /// startup. Relative to the working directory. Default: `data`.
    pub data_dir: PathBuf,

    /// The base URL under which clients reach the server, for links and file URLs; http or https.
    /// Default: derived from the address it listens on.
    #[serde(deserialize_with = "text::optional")]
    pub public_url: Option<Url>,

    /// The plan of organizations that have not been put on another one: a key of `plans`. Default:
    /// `free`.
    pub default_plan: String,

    /// The plans by key: 1 to 50 of `a-z 0-9 - _`, starting with a letter. Always contains `free`, which
    /// is unlimited unless configured.
    pub plans: BTreeMap<String, Plan>,

    /// Where the server listens, and the limits on connections and requests.
    pub http: Http,
    /// What the GraphQL endpoint discloses and executes.
    pub graphql: Graphql,
    /// The playground.
    pub playground: Playground,
    /// The database and its connections.
    pub database: Database,
    /// Who may sign in.
    pub auth: Auth,
    /// Rate limits, intervals and retention periods.
    pub limits: Limits,
    /// Sending mail.
    pub mail: Mail,
    /// Where uploaded files are kept.
    pub files: Files,
    /// The AI providers.
    pub providers: Providers,
    /// The log.
    pub log: Log,
    /// Metrics for Prometheus.
    pub metrics: Metrics,
    /// Traces for OpenTelemetry.
    pub telemetry: Telemetry,
}

impl Config {
    /// Reads the configuration: the defaults, then `file`, then `env`.
    ///
    /// `file` is the one named by `--config` or `TENANTRY_CONFIG`, and must exist; without it,
    /// `tenantry.toml` in the working directory is read if it exists. `env` is the process's
    /// [`environment()`] or, in a test, whatever the test supplies. Empty variables count as unset.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is not TOML, a key is unknown, a value has the wrong type or is out
    /// of bounds, or values contradict each other. The error is one human-readable line that names the
    /// key and where it was set, and repeats no value.
    pub fn load(
        file: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        load::load(load::read(file)?, env)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: "data".into(),
            public_url: None,
            default_plan: "free".into(),
            plans: BTreeMap::from([("free".into(), Plan::default())]),
            http: Http::default(),
            graphql: Graphql::default(),
            playground: Playground::default(),
            database: Database::default(),
            auth: Auth::default(),
            limits: Limits::default(),
            mail: Mail::default(),
            files: Files::default(),
            providers: Providers::default(),
            log: Log::default(),
            metrics: Metrics::default(),
            telemetry: Telemetry::default(),
        }
    }
}
