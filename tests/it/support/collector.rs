//! An OpenTelemetry collector in this process: accepts traces over HTTP, and keeps them.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1;
use prost::Message;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::wait::PATIENCE;

/// A collector, stopped when this is dropped.
pub struct Collector {
    pub url: String,
    received: Arc<watch::Sender<Received>>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct Received {
    requests: Vec<(HeaderMap, Bytes)>,
    spans: Vec<Span>,
}

/// A span, with its ids in hexadecimal and all values as text.
#[derive(Clone, Debug)]
pub struct Span {
    pub service: String,
    pub name: String,
    pub trace: String,
    pub id: String,
    /// Empty for the first span of a trace.
    pub parent: String,
    pub attributes: BTreeMap<String, String>,
    pub is_error: bool,
    pub events: usize,
}

impl Span {
    fn new(span: v1::Span, resource: Option<&Resource>) -> Self {
        let of_resource = resource.map(|resource| attributes(&resource.attributes));
        let service = of_resource.and_then(|mut found| found.remove("service.name"));
        let status = span.status.unwrap_or_default();
        Self {
            service: service.unwrap_or_default(),
            name: span.name,
            trace: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
            attributes: attributes(&span.attributes),
            is_error: status.code() == v1::status::StatusCode::Error,
            events: span.events.len(),
        }
    }

    /// Returns the attribute of that name, or an empty text if there is none.
    pub fn says(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn attributes(pairs: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |pair: &KeyValue| match pair.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        Value::BoolValue(truth) => Some(truth.to_string()),
        other => Some(format!("{other:?}")),
    };
    let pairs = pairs
        .iter()
        .map(|pair| (pair.key.clone(), text(pair).unwrap_or_default()));
    pairs.collect()
}

impl Collector {
    pub async fn start() -> Self {
        let received = Arc::new(watch::Sender::default());
        let router = Router::new()
            .route("/v1/traces", post(take))
            .with_state(received.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let serving = tokio::spawn(async {
            axum::serve(listener, router).await.expect("it serves");
        });
        Self {
            url,
            received,
            serving,
        }
    }

    /// Returns every span so far.
    pub fn spans(&self) -> Vec<Span> {
        self.received.borrow().spans.clone()
    }

    /// Returns all requests so far, headers and bodies, as they arrived.
    pub fn requests(&self) -> Vec<(HeaderMap, Bytes)> {
        self.received.borrow().requests.clone()
    }

    /// Waits until there is a span of that name.
    pub async fn heard(&self, name: &str) {
        let mut received = self.received.subscribe();
        let heard = received.wait_for(|received| received.spans.iter().any(|s| s.name == name));
        let waited = tokio::time::timeout(PATIENCE, heard).await;
        waited.expect("it comes in time").expect("it is told");
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(
    State(received): State<Arc<watch::Sender<Received>>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let Ok(request) = ExportTraceServiceRequest::decode(body.clone()) else {
        return StatusCode::BAD_REQUEST;
    };
    received.send_modify(|received| {
        received.requests.push((headers, body));
        for of_resource in request.resource_spans {
            let resource = of_resource.resource.as_ref();
            let spans = of_resource.scope_spans.into_iter().flat_map(|it| it.spans);
            received
                .spans
                .extend(spans.map(|span| Span::new(span, resource)));
        }
    });
    StatusCode::OK
}
