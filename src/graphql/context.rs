//! The context shared by the resolvers of one request.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_graphql::dataloader::DataLoader;
use async_graphql::parser::types::{ExecutableDocument, OperationType};
use async_graphql::{Context, Request, Response};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, Stream, StreamExt};

use super::ApiSchema;
use super::batch::{AtOnce, Batches};
use super::error::{Nullable, nullable, own};
use super::loader::{Key, Loaders};
use crate::app::App;
use crate::auth::Viewer;
use crate::db::Db;
use crate::db::types::Instant;
use crate::error::{Error, ErrorCode, Result};
use crate::id::UserId;

/// The maximum number of bytes of long values in one response.
const MOST_TOLD: usize = 16 * 1024 * 1024;

/// The context shared by the resolvers of one request.
pub struct RequestContext {
    app: App,
    course: Course,
    signed_in: Option<SignedIn>,
    batches: Batches,
}

/// A client without credentials, who sees the schema and nothing else.
pub struct SignedOut;

struct SignedIn {
    viewer: Arc<Viewer>,
    /// Load only what the viewer may see.
    loaders: DataLoader<Loaders>,
}

/// The progress of a request. Cheap to clone; clones share the same state.
#[derive(Clone)]
pub struct Course(Arc<Mutex<Stage>>);

struct Stage {
    /// When the execution began: that of the request or, for a subscription, of its latest item.
    now: Instant,
    /// How many bytes of long values the response holds so far.
    told: usize,
    is_streaming: bool,
}

impl Course {
    /// Returns the time of the execution: see [`ContextExt::now`].
    pub fn now(&self) -> Instant {
        self.stage().now
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        // Nothing panics while holding the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A response from executing a subscription.
pub enum Streamed {
    /// Why there is nothing to follow; no other response comes.
    Refused(Response),
    /// The next item.
    Item(Response),
}

impl RequestContext {
    /// Creates the context of a request of this kind that arrived at `now`, from the viewer or from
    /// someone who is not signed in.
    ///
    /// This chooses the database that its fields read: the replica for queries. The payload of a
    /// mutation has to show what the mutation did, and a subscription must not show less than what
    /// was announced.
    pub fn new(
        app: &App,
        viewer: Result<Viewer, SignedOut>,
        now: Instant,
        kind: OperationType,
    ) -> Self {
        let db = match kind {
            OperationType::Query => app.db.for_query(),
            OperationType::Mutation | OperationType::Subscription => app.db.for_request(),
        };
        Self::of(app.with_db(db), viewer.ok().map(Arc::new), now)
    }

    fn of(app: App, viewer: Option<Arc<Viewer>>, now: Instant) -> Self {
        let batches = Batches::default();
        let course = Course(Arc::new(Mutex::new(Stage {
            now,
            told: 0,
            is_streaming: false,
        })));
        let signed_in = viewer.map(|viewer| {
            let loaders = Loaders::new(app.clone(), course.clone(), viewer.id());
            SignedIn {
                viewer,
                loaders: DataLoader::new(loaders, batches.clone(), AtOnce),
            }
        });
        Self {
            course,
            app,
            signed_in,
            batches,
        }
    }

    /// Records that a value of this many bytes is part of the response.
    ///
    /// # Errors
    /// `QUERY_TOO_COMPLEX` if it makes the response too long.
    pub(super) fn tell(&self, bytes: usize) -> Result<()> {
        let mut stage = self.course.stage();
        stage.told = stage.told.saturating_add(bytes);
        if stage.told <= MOST_TOLD {
            return Ok(());
        }
        let message = "The answer would be longer than 16 MiB; ask for less at a time.";
        Err(Error::Refused(ErrorCode::QueryTooComplex, message.into()))
    }

    /// Returns the database that the fields read.
    pub fn db(&self) -> &Db {
        &self.app.db
    }

    /// Executes a document's request in this context. If the replica fails the request, executes it
    /// again on the primary.
    pub async fn execute(
        self,
        schema: &ApiSchema,
        request: Request,
        document: &ExecutableDocument,
    ) -> Response {
        let app = self.app.clone();
        let Some(replica) = app.db.replica_in_use() else {
            return self.run(schema, request, document).await;
        };
        let (again, on_primary) = (copy_request(&request), self.on_primary());
        let response = self.run(schema, request, document).await;
        let mut failures = response.errors.iter().filter_map(own);
        let Some(failure) = failures.find(|error| error.may_do_better_elsewhere()) else {
            return response;
        };
        replica.failed(failure.is_contention(), &format_args!("{failure:?}"));
        on_primary.run(schema, again, document).await
    }

    async fn run(
        self,
        schema: &ApiSchema,
        mut request: Request,
        document: &ExecutableDocument,
    ) -> Response {
        let batches = self.batches.clone();
        request.set_parsed_query(document.clone());
        // Boxed, because it is large and would otherwise be moved from layer to layer.
        let execution = Box::pin(schema.execute(request.data(self)));
        batches.run(execution).await
    }

    /// Returns the same context, but reading the primary.
    fn on_primary(&self) -> Self {
        let app = self.app.with_db(self.app.db.for_request());
        let viewer = self.signed_in.as_ref().map(|it| it.viewer.clone());
        Self::of(app, viewer, self.course.now())
    }

    /// Executes a subscription in this context. Nothing loaded for one item is kept for the next:
    /// the loaders have no cache.
    pub fn stream(
        self,
        schema: &ApiSchema,
        mut request: Request,
        document: &ExecutableDocument,
    ) -> impl Stream<Item = Streamed> + Send + use<> {
        let (batches, course) = (self.batches.clone(), self.course.clone());
        request.set_parsed_query(document.clone());
        let responses = schema.execute_stream(request.data(self));
        stream::unfold(responses, move |mut responses| {
            let (batches, course) = (batches.clone(), course.clone());
            async move {
                let response = batches.run(responses.next()).await?;
                let is_item = course.stage().is_streaming;
                let streamed = match is_item {
                    true => Streamed::Item(response),
                    false => Streamed::Refused(response),
                };
                Some((streamed, responses))
            }
        })
    }
}

/// Copies a request, to execute it a second time. It must not have data or a parsed document yet.
pub fn copy_request(request: &Request) -> Request {
    let copy = Request::new(&request.query).variables(request.variables.clone());
    match &request.operation_name {
        Some(name) => copy.operation_name(name),
        None => copy,
    }
}

/// What resolvers take from their context.
pub trait ContextExt {
    /// Returns what all requests share.
    fn app(&self) -> &App;

    /// Returns the time of the request or, for a subscription, of its latest item. It is the same
    /// for everything that depends on the clock, so that no two fields of a response disagree, and
    /// lists that are filtered by it are read together.
    fn now(&self) -> Instant;

    /// Returns the viewer who makes the request.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    fn viewer(&self) -> Result<&Arc<Viewer>>;

    /// Loads the value for a key, if it exists and the viewer may see it. Boxed, because every
    /// object reserves room for its largest field's future.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    fn load<K: Key>(&self, key: K) -> BoxFuture<'_, async_graphql::Result<Option<K::Value>>>;

    /// Like [`ContextExt::load`], but for a field that may be `null`; `wrap` makes the object.
    fn find<K: Key, T>(
        &self,
        key: K,
        wrap: impl FnOnce(K::Value) -> T + Send,
    ) -> impl Future<Output = Nullable<T>> + Send {
        let found = self.load(key);
        found.map(|found| nullable(found.map(|found| found.map(wrap))))
    }

    /// Like [`ContextExt::load`], but for a field that is never `null`.
    ///
    /// # Errors
    /// `NOT_FOUND`, `UNAUTHENTICATED`.
    fn get<K: Key>(&self, key: K) -> impl Future<Output = async_graphql::Result<K::Value>> + Send {
        let found = self.load(key);
        found.map(|found| found?.ok_or_else(|| Error::not_found().into()))
    }

    /// Returns the viewer's id.
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
        self.data_unchecked::<RequestContext>().course.now()
    }

    fn viewer(&self) -> Result<&Arc<Viewer>> {
        signed_in(self).map(|signed_in| &signed_in.viewer)
    }

    fn load<K: Key>(&self, key: K) -> BoxFuture<'_, async_graphql::Result<Option<K::Value>>> {
        async move { Ok(key.load(&signed_in(self)?.loaders).await?) }.boxed()
    }
}

fn signed_in<'a>(ctx: &'a Context<'_>) -> Result<&'a SignedIn> {
    let context = ctx.data_unchecked::<RequestContext>();
    context
        .signed_in
        .as_ref()
        .ok_or_else(Error::unauthenticated)
}

/// Gives each item of a subscription its own time of execution. Calling this declares that there is
/// something to follow.
pub fn items<S: Stream>(ctx: &Context<'_>, items: S) -> impl Stream<Item = S::Item> + use<S> {
    let context = ctx.data_unchecked::<RequestContext>();
    let (app, course) = (context.app.clone(), context.course.clone());
    course.stage().is_streaming = true;
    items.inspect(move |_| {
        let mut stage = course.stage();
        (stage.now, stage.told) = (app.now(), 0);
    })
}
