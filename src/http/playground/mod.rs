//! The playground: GraphiQL, served from the binary so that it works without internet access, or with
//! files of the operator's own (`playground.assets_dir`).
//!
//! The page has no inline scripts, only files. Their names contain a hash of their content, so they may
//! be cached forever. `vendor/` holds third-party files, `page/` our own, and `examples/` the operations
//! that the playground opens with.

mod asset;
mod example;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;

use axum::extract::{Path as PathOf, State as Extract};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use self::asset::Asset;
use super::state::State;
use crate::config;
use crate::start::StartError;

/// Only the server's own files may be run, shown, or connected to. Images may also be `data:` URLs,
/// which GraphiQL's style sheet uses for squiggly underlines. The hash is of the style element by which
/// its dialogs and menus keep the page from scrolling behind them.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' \
     'sha256-Y/huXlwoYkVyQlxwSVcCi1RCDGDCSVBzDt0hYP9qlTc='; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The playground as it is served.
#[derive(Debug)]
pub struct Playground {
    page: Bytes,
    assets: Vec<Asset>,
}

impl Playground {
    /// Loads the playground as configured.
    ///
    /// # Errors
    /// One line for the operator: the configured directory or a file in it cannot be read. Not checked
    /// if the playground is disabled.
    pub fn open(config: &config::Playground) -> Result<Self, StartError> {
        let dir = config.assets_dir.as_deref().filter(|_| config.enabled);
        Self::new(dir).map_err(|error| {
            let dir = dir.unwrap_or(Path::new("")).display();
            StartError(format!("playground.assets_dir: cannot read {dir}: {error}"))
        })
    }

    /// Loads the playground from the binary, with files in `dir` replacing those of the same names.
    fn new(dir: Option<&Path>) -> io::Result<Self> {
        let page =
            include_str!("page/index.html").replace("<!--examples-->", &example::templates());
        let assets = asset::assets(dir)?;
        let page = assets.iter().fold(page, |page, asset| asset.link(&page));
        Ok(Self {
            page: page.into(),
            assets,
        })
    }

    /// The page itself, for `GET /` and for browsers that visit `GET /graphql`.
    ///
    /// Its links are relative, so the server may be at the root of its origin or behind a prefix that
    /// ends in a slash. A token in the fragment, `/#token=…`, signs the visitor in.
    pub fn page(&self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
            (header::CACHE_CONTROL, "no-cache"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            // The same URL answers GraphQL requests, depending on `Accept`.
            (header::VARY, "accept"),
        ];
        (headers, self.page.clone()).into_response()
    }

    /// A file of the page, by the name it is served under.
    pub fn file(&self, name: &str) -> Response {
        let Some(asset) = self.assets.iter().find(|asset| asset.is_named(name)) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        let headers = [
            (header::CONTENT_TYPE, asset.content_type),
            (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        (headers, asset.bytes.clone()).into_response()
    }
}

/// `GET /`: the page.
pub async fn page(Extract(state): Extract<State>) -> Response {
    state.playground.page()
}

/// `GET /playground/{file}`: a file of the page.
pub async fn file(Extract(state): Extract<State>, PathOf(name): PathOf<String>) -> Response {
    state.playground.file(&name)
}
