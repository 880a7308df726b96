//! What the resolvers of one request share.

use std::sync::Arc;

use async_graphql::dataloader::DataLoader;
use async_graphql::{Context, Request, Response};

use super::ApiSchema;
use super::batch::{AtOnce, Batches};
use super::loader::Loaders;
use crate::app::App;
use crate::auth::Viewer;
use crate::db::types::Instant;
use crate::error::{Error, Result};
use crate::id::UserId;

/// What the resolvers of one request share.
pub struct RequestContext {
    app: App,
    now: Instant,
    signed_in: Option<SignedIn>,
    batches: Batches,
}

/// Whoever comes without credentials: sees the schema and nothing else.
pub struct SignedOut;

struct SignedIn {
    viewer: Arc<Viewer>,
    loaders: DataLoader<Loaders>,
}

impl RequestContext {
    /// The context of a request of the viewer's, or of someone who is not signed in.
    pub fn new(app: App, viewer: Result<Viewer, SignedOut>) -> Self {
        let batches = Batches::default();
        let signed_in = viewer.ok().map(|viewer| {
            let loaders = Loaders::new(app.clone(), viewer.id());
            SignedIn {
                viewer: Arc::new(viewer),
                loaders: DataLoader::new(loaders, batches.clone(), AtOnce),
            }
        });
        Self {
            now: app.now(),
            app,
            signed_in,
            batches,
        }
    }

    /// Executes a request in this context.
    pub async fn execute(self, schema: &ApiSchema, request: Request) -> Response {
        let batches = self.batches.clone();
        batches.run(schema.execute(request.data(self))).await
    }
}

/// What resolvers take from their context.
pub trait ContextExt {
    /// What every request shares.
    fn app(&self) -> &App;

    /// The time of the request: the same for all that is read by the clock, so that no two fields
    /// of an answer disagree, and lists that are narrowed down by it are read together.
    fn now(&self) -> Instant;

    /// Whose request it is.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    fn viewer(&self) -> Result<&Arc<Viewer>>;

    /// The loaders of this request, which see what its viewer may see.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    fn loaders(&self) -> Result<&DataLoader<Loaders>>;

    /// The viewer's id.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    fn viewer_id(&self) -> Result<UserId> {
        Ok(self.viewer()?.id())
    }
}

impl ContextExt for Context<'_> {
    fn app(&self) -> &App {
        &self.data_unchecked::<RequestContext>().app
    }

    fn now(&self) -> Instant {
        self.data_unchecked::<RequestContext>().now
    }

    fn viewer(&self) -> Result<&Arc<Viewer>> {
        signed_in(self).map(|signed_in| &signed_in.viewer)
    }

    fn loaders(&self) -> Result<&DataLoader<Loaders>> {
        signed_in(self).map(|signed_in| &signed_in.loaders)
    }
}

fn signed_in<'a>(ctx: &'a Context<'_>) -> Result<&'a SignedIn> {
    let context = ctx.data_unchecked::<RequestContext>();
    context
        .signed_in
        .as_ref()
        .ok_or_else(Error::unauthenticated)
}
