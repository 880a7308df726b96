//! `[telemetry]`: traces for OpenTelemetry.

use std::collections::HashMap;

use percent_encoding::percent_decode_str;
use reqwest::header::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{Secret, text};

/// Traces for OpenTelemetry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Telemetry {
    /// Where traces are sent, by OTLP over HTTP with protobuf: the base URL of a collector, to which
    /// `/v1/traces` is appended. Also `OTEL_EXPORTER_OTLP_ENDPOINT`. Default: none, and nothing is
    /// traced.
    #[serde(deserialize_with = "text::optional")]
    pub endpoint: Option<Url>,

    /// Headers that the collector requires: comma-separated `name=value` pairs, with special characters
    /// in values percent-encoded, such as `%20`. Also `OTEL_EXPORTER_OTLP_HEADERS`. Default: none.
    pub headers: Option<Secret>,

    /// The name of this service in traces. Also `OTEL_SERVICE_NAME`. Default: `tenantry`.
    pub service_name: String,

    /// One in this many traces that begin here is kept. For a trace that a client began, the client
    /// decides. Up to 1,000,000. Default: 1, which keeps all of them.
    pub sample_one_in: u32,
}

impl Telemetry {
    /// Returns the headers by name, or `None` if they are malformed.
    pub fn header_pairs(&self) -> Option<HashMap<String, String>> {
        let text = self.headers.as_ref().map_or("", Secret::expose);
        let parts = text.split(',').map(str::trim);
        parts
            .filter(|part| !part.is_empty())
            .map(|part| {
                let (name, value) = part.split_once('=')?;
                let (name, value) = (name.trim(), percent_decode_str(value.trim()));
                let value = value.decode_utf8().ok()?.into_owned();
                let can_be_sent =
                    HeaderName::try_from(name).is_ok() && HeaderValue::try_from(&value).is_ok();
                can_be_sent.then(|| (name.to_owned(), value))
            })
            .collect()
    }
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            endpoint: None,
            headers: None,
            service_name: "tenantry".into(),
            sample_one_in: 1,
        }
    }
}
