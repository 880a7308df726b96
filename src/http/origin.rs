//! Which web pages may call the API.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};
use url::Url;

use crate::config::Config;
use crate::loopback::is_loopback;

/// Builds the CORS layer. It allows the configured origins and, with development identities, those on
/// this machine.
pub fn cors(config: &Config) -> CorsLayer {
    let allowed = config.http.allowed_origins.clone();
    let development = config.auth.development_enabled();
    let origin = AllowOrigin::predicate(move |origin: &HeaderValue, _| {
        origin
            .to_str()
            .is_ok_and(|origin| is_allowed(origin, &allowed, development))
    });
    CorsLayer::new()
        .allow_origin(origin)
        .allow_methods([Method::GET, Method::POST, Method::PUT])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::ACCEPT,
            HeaderName::from_static("x-request-id"),
        ])
        .expose_headers([header::RETRY_AFTER, HeaderName::from_static("x-request-id")])
        .max_age(Duration::from_secs(3600))
}

/// Whether a WebSocket may be opened: by clients other than browsers, by the server's own pages, and by
/// pages that may call the API. Browsers send no CORS preflight for a WebSocket, so the server has to
/// check.
pub fn may_open_socket(config: &Config, headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let development = config.auth.development_enabled();
    is_allowed(origin, &config.http.allowed_origins, development)
        || is_own(origin, config.public_url.as_ref(), headers)
}

fn is_allowed(origin: &str, allowed: &[String], development: bool) -> bool {
    allowed.iter().any(|allowed| allowed == origin) || development && is_local(origin)
}

fn is_own(origin: &str, public_url: Option<&Url>, headers: &HeaderMap) -> bool {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let (_, authority) = origin.split_once("://").unwrap_or_default();
    host.is_some_and(|host| host == authority)
        || public_url.is_some_and(|url| url.origin().ascii_serialization() == origin)
}

/// Whether the origin is on this machine. Browsers resolve names below `localhost` only locally.
fn is_local(origin: &str) -> bool {
    Url::parse(origin).is_ok_and(|url| {
        let is_below = |name: &str| name.ends_with(".localhost");
        is_loopback(&url) || url.domain().is_some_and(is_below)
    })
}
