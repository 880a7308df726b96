//! `[metrics]`: metrics for Prometheus.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::text;

/// Metrics for Prometheus.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// The IP address and port that serve `/metrics`. Default: the main port if that is on loopback, and
    /// otherwise none.
    #[serde(deserialize_with = "text::optional")]
    pub listen: Option<SocketAddr>,
}

impl super::Config {
    /// Whether the main port serves `/metrics`.
    pub fn metrics_on_main_port(&self) -> bool {
        self.metrics.listen.is_none() && self.http.is_loopback()
    }
}
