//! Exporting the spans of this process to a collector.

use std::time::Duration;

use anyhow::Context;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use reqwest::redirect::Policy;
use tokio::runtime::Handle;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;
use url::Url;

use super::export::{Queue, Sender};
use super::spans::TARGET;
use crate::config::Telemetry;

/// How long one attempt to send spans may take, and all attempts together.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the process waits for the last spans when it stops.
const FAREWELL: Duration = Duration::from_secs(3);

/// The traces of this process.
pub(super) struct Traces {
    provider: SdkTracerProvider,
    queue: Queue,
}

impl Traces {
    /// Starts exporting traces if a collector is configured. Does not connect yet.
    ///
    /// # Errors
    /// If the configuration is invalid, or TLS cannot be set up.
    pub fn start(config: &Telemetry, runtime: &Handle) -> anyhow::Result<Option<Self>> {
        let Some(endpoint) = &config.endpoint else {
            return Ok(None);
        };
        let http = reqwest::Client::builder()
            .user_agent(concat!("tenantry/", env!("CARGO_PKG_VERSION")))
            // The headers are for the configured address only.
            .redirect(Policy::none())
            .timeout(PATIENCE)
            .build()
            .context("TLS cannot be set up")?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(http)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(address(endpoint))
            .with_timeout(PATIENCE)
            .with_headers(config.header_pairs().context("telemetry.headers")?)
            .build()
            .context("telemetry")?;
        let queue = Queue::default();
        let sender = Sender::new(exporter, runtime.clone(), queue.clone());
        let own = Sampler::TraceIdRatioBased(1.0 / f64::from(config.sample_one_in));
        let resource = Resource::builder()
            .with_service_name(config.service_name.clone())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(queue.processor(sender))
            .with_sampler(Sampler::ParentBased(Box::new(own)))
            .with_resource(resource)
            .build();
        Ok(Some(Self { provider, queue }))
    }

    /// Returns the layer that receives the spans of traces, but not the log's events, which are for the
    /// operator only.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        OpenTelemetryLayer::new(self.provider.tracer("tenantry"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false)
            .with_filter(Targets::new().with_target(TARGET, LevelFilter::TRACE))
    }

    /// Sends the remaining spans, and logs how many were lost.
    pub fn stop(self) {
        // Whatever the reason for a failure, the unsent spans are counted.
        let _ = self.provider.shutdown_with_timeout(FAREWELL);
        self.queue.close();
    }
}

/// Returns the URL at which a collector accepts traces.
fn address(endpoint: &Url) -> String {
    format!("{}/v1/traces", endpoint.as_str().trim_end_matches('/'))
}
