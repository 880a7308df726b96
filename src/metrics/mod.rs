//! Metrics of the server, for Prometheus.
//!
//! No label has a value chosen by a client, so that clients cannot make the server allocate ever more
//! series: a field is one of the schema's or `other`, a route one of the router's, an outcome `ok` or an
//! error code.

mod kinds;
mod labels;
mod scrape;
mod text;

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry, Unit};

pub use self::kinds::{Bound, Delivery, Purged, Transport};
use self::labels::{
    AnswerLabels, CallLabels, LimitLabels, MailLabels, OperationLabels, OutcomeLabels, PurgeLabels,
    RefusalLabels, RequestLabels, StreamLabels,
};
use self::scrape::Readings;
pub use self::text::plain;
use crate::models::provider::Provider;
use crate::models::rate_limit;

/// The metrics of the server. Cheap to clone; clones share their values, separate instances do not.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    operations: Family<OutcomeLabels, Counter>,
    operation_seconds: Family<OperationLabels, Histogram, fn() -> Histogram>,
    requests: Family<RequestLabels, Counter>,
    requests_in_flight: Gauge,
    streams: Family<StreamLabels, Gauge>,
    connections: Gauge,
    connections_refused: Family<RefusalLabels, Counter>,
    runs_under_way: Gauge,
    answers: Family<AnswerLabels, Counter>,
    call_seconds: Family<CallLabels, Histogram, fn() -> Histogram>,
    mails: Family<MailLabels, Counter>,
    rate_limited: Family<LimitLabels, Counter>,
    purged: Family<PurgeLabels, Counter>,
    readings: Readings,
}

/// A guard that counts something for as long as it lives.
#[derive(Debug)]
pub struct Counted(Gauge);

impl Counted {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("tenantry");
        let operation_seconds: fn() -> Histogram = || {
            Histogram::new([
                0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
            ])
        };
        let call_seconds: fn() -> Histogram =
            || Histogram::new([0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 60.0, 120.0]);
        let inner = Inner {
            operations: counted(
                &mut registry,
                "graphql_operations",
                "GraphQL operations by first field and outcome: ok, or the code of the first error",
            ),
            operation_seconds: timed(
                &mut registry,
                "graphql_operation_duration",
                "Duration of GraphQL operations; of a subscription, how long it was open",
                Family::new_with_constructor(operation_seconds),
            ),
            requests: counted(
                &mut registry,
                "http_requests",
                "HTTP requests by route and status class",
            ),
            requests_in_flight: counted(
                &mut registry,
                "http_requests_in_flight",
                "HTTP requests whose response has not begun",
            ),
            streams: counted(
                &mut registry,
                "subscription_connections",
                "Open WebSockets and event streams of subscriptions",
            ),
            connections: counted(&mut registry, "http_connections", "Open HTTP connections"),
            connections_refused: counted(
                &mut registry,
                "http_connections_refused",
                "HTTP connections refused because too many were open",
            ),
            runs_under_way: counted(
                &mut registry,
                "worker_runs_under_way",
                "Runs that this instance is working on",
            ),
            answers: counted(&mut registry, "answers", "Stored answers of AI providers"),
            call_seconds: timed(
                &mut registry,
                "provider_call_duration",
                "Duration of calls to AI providers, each try counted separately",
                Family::new_with_constructor(call_seconds),
            ),
            mails: counted(
                &mut registry,
                "mails",
                "Attempts to send a mail, by outcome",
            ),
            rate_limited: counted(
                &mut registry,
                "rate_limit_refusals",
                "Requests refused by a rate limit",
            ),
            purged: counted(
                &mut registry,
                "purged",
                "Workspaces, organizations, people, runs and files deleted for good by this instance",
            ),
            readings: Readings::register(&mut registry),
            registry,
        };
        let metrics = Self(Arc::new(inner));
        metrics.begin();
        metrics
    }
}

/// Registers a new metric of that name.
fn counted<M: Metric + Default + Clone>(registry: &mut Registry, name: &str, help: &str) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

/// Registers the metric with seconds as its unit.
fn timed<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register_with_unit(name, help, Unit::Seconds, metric.clone());
    metric
}

impl Metrics {
    /// Creates the series whose label values are all known, so that they exist from the start: a series
    /// that appears with its first event shows no increase for it.
    fn begin(&self) {
        for transport in Transport::ALL {
            self.streams(transport).set(0);
        }
        for bound in Bound::ALL {
            self.refused_connections(bound).inc_by(0);
        }
        for provider in Provider::ALL {
            for is_failed in [false, true] {
                self.answers(*provider, is_failed).inc_by(0);
            }
        }
        for delivery in Delivery::ALL {
            self.mails(delivery).inc_by(0);
        }
        for limit in rate_limit::NAMES {
            self.rate_limits(limit).inc_by(0);
        }
        for what in Purged::ALL {
            self.purged(what, 0);
        }
    }

    /// Counts an executed operation by its kind, first field and outcome, and records how long it took.
    pub fn operation(
        &self,
        kind: &'static str,
        field: &str,
        error: Option<&str>,
        duration: Duration,
    ) {
        let operation = OperationLabels {
            kind,
            field: field.to_owned(),
            outcome: outcome(error.is_some()),
        };
        self.0
            .operation_seconds
            .get_or_create(&operation)
            .observe(duration.as_secs_f64());
        self.count_operation(kind, field, error.unwrap_or("ok"));
    }

    /// Counts an operation that was not executed.
    pub fn refused_operation(&self, code: &str) {
        self.count_operation("refused", "other", code);
    }

    fn count_operation(&self, kind: &'static str, field: &str, outcome: &str) {
        let labels = OutcomeLabels {
            kind,
            field: field.to_owned(),
            outcome: outcome.to_owned(),
        };
        self.0.operations.get_or_create(&labels).inc();
    }

    /// Counts an HTTP request that was answered.
    pub fn request(&self, route: &str, status: u16) {
        let labels = RequestLabels {
            route: route.to_owned(),
            status: match status / 100 {
                1 => "1xx",
                2 => "2xx",
                3 => "3xx",
                4 => "4xx",
                _ => "5xx",
            },
        };
        self.0.requests.get_or_create(&labels).inc();
    }

    /// Counts an HTTP request until its response begins.
    pub fn request_in_flight(&self) -> Counted {
        Counted::new(&self.0.requests_in_flight)
    }

    /// Counts a WebSocket or an event stream for as long as it is open.
    pub fn stream(&self, transport: Transport) -> Counted {
        Counted::new(&self.streams(transport))
    }

    fn streams(&self, transport: Transport) -> Gauge {
        let transport = transport.label();
        let labels = StreamLabels { transport };
        self.0.streams.get_or_create_owned(&labels)
    }

    /// Counts a connection for as long as it is open.
    pub fn connection(&self) -> Counted {
        Counted::new(&self.0.connections)
    }

    /// Counts a connection that was refused.
    pub fn refused_connection(&self, bound: Bound) {
        self.refused_connections(bound).inc();
    }

    fn refused_connections(&self, bound: Bound) -> Counter {
        let bound = bound.label();
        let labels = RefusalLabels { bound };
        self.0.connections_refused.get_or_create_owned(&labels)
    }

    /// Counts a run for as long as this instance works on it.
    pub fn run_under_way(&self) -> Counted {
        Counted::new(&self.0.runs_under_way)
    }

    /// Counts a stored answer.
    pub fn answer(&self, provider: Provider, is_failed: bool) {
        self.answers(provider, is_failed).inc();
    }

    fn answers(&self, provider: Provider, is_failed: bool) -> Counter {
        let labels = AnswerLabels {
            provider: provider.as_str(),
            outcome: outcome(is_failed),
        };
        self.0.answers.get_or_create_owned(&labels)
    }

    /// Records how long a call to a provider took.
    pub fn call(&self, provider: Provider, is_failed: bool, duration: Duration) {
        let labels = CallLabels {
            provider: provider.as_str(),
            outcome: outcome(is_failed),
        };
        self.0
            .call_seconds
            .get_or_create(&labels)
            .observe(duration.as_secs_f64());
    }

    /// Counts an attempt to send a mail.
    pub fn mail(&self, delivery: Delivery) {
        self.mails(delivery).inc();
    }

    fn mails(&self, delivery: Delivery) -> Counter {
        let outcome = delivery.label();
        self.0.mails.get_or_create_owned(&MailLabels { outcome })
    }

    /// Counts a refusal by the rate limit of that name.
    pub fn rate_limited(&self, limit: &'static str) {
        self.rate_limits(limit).inc();
    }

    fn rate_limits(&self, limit: &'static str) -> Counter {
        let labels = LimitLabels { limit };
        self.0.rate_limited.get_or_create_owned(&labels)
    }

    /// Counts what was deleted for good.
    pub fn purged(&self, what: Purged, count: u64) {
        let labels = PurgeLabels { kind: what.label() };
        self.0.purged.get_or_create(&labels).inc_by(count);
    }
}

fn outcome(is_failed: bool) -> &'static str {
    match is_failed {
        true => "failed",
        false => "ok",
    }
}
