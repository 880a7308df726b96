//! The spans of traces. They contain only values that the server generated, ids, and names of
//! operations: no documents, variables, addresses or tokens.
//!
//! They are separate from the spans of the log, which belong to its lines. Without a collector they cost
//! next to nothing, since nothing subscribes to them.

use axum::http::header::HeaderName;
use axum::http::{HeaderMap, Method};
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{SpanContext, TraceContextExt};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::error::ErrorCode;

/// The target that distinguishes the spans of traces from those of the log.
pub(super) const TARGET: &str = "tenantry::trace";

/// The maximum length of a client's text in logs and spans, in bytes.
const LONGEST: usize = 200;

/// Shortens a name or a path for logs and spans.
pub fn short(text: &str) -> &str {
    if text.len() <= LONGEST {
        return text;
    }
    let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
    &text[..ends.take_while(|end| *end <= LONGEST).last().unwrap_or(0)]
}

/// A position in a trace; none while nothing is traced. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Trace(Option<SpanContext>);

impl Trace {
    /// Returns the position below that span.
    pub fn below(span: &Span) -> Self {
        if span.is_disabled() {
            return Self::default();
        }
        let context = span.context().span().span_context().clone();
        Self(Some(context).filter(SpanContext::is_valid))
    }

    /// Returns the trace's id in hexadecimal, as collectors show it.
    pub fn id(&self) -> Option<String> {
        self.0.as_ref().map(|span| span.trace_id().to_string())
    }
}

/// The outcome of what a span is about.
#[derive(Clone, Copy, Debug)]
pub struct Outcome<'a> {
    /// A single word, never chosen by a client.
    pub word: &'a str,
    /// Whether the server, or a service that it depends on, is at fault.
    pub is_fault: bool,
}

impl<'a> Outcome<'a> {
    /// Success.
    pub const OK: Outcome<'static> = Outcome {
        word: "ok",
        is_fault: false,
    };

    /// Returns the outcome of an operation with that error code, if any.
    pub fn of_operation(error: Option<&'a str>) -> Self {
        let faults = [
            ErrorCode::Internal,
            ErrorCode::Unavailable,
            ErrorCode::Timeout,
        ];
        match error {
            None => Outcome::OK,
            Some(code) => Outcome {
                word: code,
                is_fault: faults.iter().any(|fault| fault.as_str() == code),
            },
        }
    }

    /// Returns the outcome of a call to a provider.
    pub fn of_call(is_failed: bool) -> Outcome<'static> {
        match is_failed {
            false => Outcome::OK,
            true => Outcome {
                word: "failed",
                is_fault: true,
            },
        }
    }

    /// Records the outcome on its span.
    pub fn record(self, span: &Span) {
        span.record("tenantry.outcome", self.word);
        if self.is_fault {
            span.record("otel.status_code", "error");
        }
    }
}

/// Creates the span of an HTTP request, with its route as the router knows it. Continues the trace that
/// the request's `traceparent` names, if any.
pub fn request(method: &Method, route: Option<&str>, headers: &HeaderMap, id: &str) -> Span {
    let span = tracing::trace_span!(
        target: TARGET,
        parent: None,
        "request",
        otel.name = name_of(method, route),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = known(method),
        http.route = route,
        http.response.status_code = Empty,
        tenantry.request_id = id,
    );
    if !span.is_disabled() {
        let context = TraceContextPropagator::new().extract(&Parent(headers));
        // Fails only if nobody collects traces.
        let _ = span.set_parent(context);
    }
    span
}

/// Records the status of the response on the span of a request.
pub fn answered(span: &Span, status: u16) {
    span.record("http.response.status_code", status);
    if status >= 500 {
        span.record("otel.status_code", "error");
    }
}

/// Creates the span of a GraphQL operation: its kind, its first field as in the metrics, and the name
/// that the client gave it.
pub fn operation(trace: &Trace, kind: &str, field: &str, name: Option<&str>) -> Span {
    let span = tracing::trace_span!(
        target: TARGET,
        parent: None,
        "operation",
        otel.name = format!("{kind} {field}"),
        otel.status_code = Empty,
        graphql.operation.type = kind,
        graphql.operation.name = name.map(short),
        tenantry.field = field,
        tenantry.outcome = Empty,
        tenantry.statements = Empty,
    );
    if let Some(parent) = &trace.0 {
        let context = Context::new().with_remote_span_context(parent.clone());
        // Fails only if nobody collects traces.
        let _ = span.set_parent(context);
    }
    span
}

/// Creates the span of a run, from when a worker claims it until the worker lets go of it.
pub fn run(id: &str, total: i32) -> Span {
    tracing::trace_span!(
        target: TARGET,
        parent: None,
        "run",
        otel.status_code = Empty,
        tenantry.run_id = id,
        tenantry.total = total,
        tenantry.outcome = Empty,
    )
}

/// Creates the span of a call to a provider, below the run that it is made for.
pub fn call(provider: &str, model: &str) -> Span {
    tracing::trace_span!(
        target: TARGET,
        "call",
        otel.name = format!("call {provider}"),
        otel.kind = "client",
        otel.status_code = Empty,
        gen_ai.provider.name = provider,
        gen_ai.request.model = model,
        tenantry.outcome = Empty,
    )
}

fn name_of(method: &Method, route: Option<&str>) -> String {
    match route {
        Some(route) => format!("{} {route}", known(method)),
        None => known(method).to_owned(),
    }
}

/// Returns the method if it is a well-known one: a client may make up others.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "_OTHER",
    }
}

/// The trace that a request says it is part of. Its `tracestate`, which may be long, is ignored: it is
/// for services that the trace is passed on to, and this server passes it on to none.
struct Parent<'a>(&'a HeaderMap);

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

impl Extractor for Parent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let value = self.0.get(TRACEPARENT).filter(|_| TRACEPARENT == key)?;
        value.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        Vec::new()
    }
}
