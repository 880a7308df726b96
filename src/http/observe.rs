//! Counting requests, and serving the metrics.

use axum::Router;
use axum::extract::{MatchedPath, Request, State as Extract};
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::app::App;
use crate::metrics::{Metrics, plain};

/// Counts each request by its route.
pub async fn layer(Extract(metrics): Extract<Metrics>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let _in_flight = metrics.request_in_flight();
    let response = next.run(request).await;
    let route = route.as_ref().map_or("other", MatchedPath::as_str);
    metrics.request(route, response.status().as_u16());
    response
}

/// The router for `GET /metrics` alone.
pub fn router<S: Clone + Send + Sync + 'static>(app: App) -> Router<S> {
    Router::new()
        .route("/metrics", get(metrics))
        .with_state(app)
}

async fn metrics(Extract(app): Extract<App>, headers: HeaderMap) -> Response {
    let takes_open_metrics = headers.get_all(ACCEPT).iter().any(|value| {
        let value = value.to_str().unwrap_or_default();
        value.contains("application/openmetrics-text")
    });
    let text = app.metrics.scrape(&app).await;
    let (media, text) = match takes_open_metrics {
        true => (
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            text,
        ),
        false => ("text/plain; version=0.0.4; charset=utf-8", plain(&text)),
    };
    ([(CONTENT_TYPE, media)], text).into_response()
}
