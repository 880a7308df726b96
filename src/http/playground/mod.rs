//! The playground: GraphiQL, served from the binary, so that it works without internet.
//!
//! Its page has no script of its own, only files, each under a name with its content's hash, which
//! may therefore be kept for ever. `vendor/` has what is not ours, `page/` what is, and `examples/`
//! the operations that it opens with.

mod asset;
mod example;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

/// Nothing but our own files may run, be shown, or be talked to. Images may also be `data:` URLs,
/// which GraphiQL's style sheet has for squiggly underlines. The hash is that of the style element by
/// which its dialogs and menus keep the page from scrolling behind them.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' \
     'sha256-Y/huXlwoYkVyQlxwSVcCi1RCDGDCSVBzDt0hYP9qlTc='; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static PAGE: LazyLock<String> = LazyLock::new(|| {
    let page = include_str!("page/index.html").replace("<!--examples-->", &example::templates());
    asset::with_served_names(page)
});

/// The page itself, for `GET /` and for a browser that comes to `GET /graphql`.
///
/// Its links are relative, to a server at the root of its origin or behind a prefix that ends in a
/// slash. A token in the fragment, `/#token=…`, signs it in.
pub fn page() -> Response {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::CACHE_CONTROL, "no-cache"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // The same address answers GraphQL to those who ask for that.
        (header::VARY, "accept"),
    ];
    (headers, Html(PAGE.as_str())).into_response()
}

/// `GET /playground/{file}`: the files of the page.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/playground/{file}", get(file))
}

async fn file(Path(name): Path<String>) -> Response {
    let Some(asset) = asset::named(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, asset.bytes).into_response()
}
