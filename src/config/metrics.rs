//! `[metrics]`: numbers for Prometheus.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::text;

/// Metrics for Prometheus.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// The address, IP and port, where `/metrics` answers. Default: the main port while that is on
    /// loopback, else nowhere.
    #[serde(deserialize_with = "text::optional")]
    pub listen: Option<SocketAddr>,
}

impl super::Config {
    /// Whether `/metrics` answers on the main port.
    pub fn metrics_on_main_port(&self) -> bool {
        self.metrics.listen.is_none() && self.http.is_loopback()
    }
}
