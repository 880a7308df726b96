//! What the resolvers of one request share.

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

/// How many bytes of long values one answer holds at the most.
const MOST_TOLD: usize = 16 * 1024 * 1024;

/// What the resolvers of one request share.
pub struct RequestContext {
    app: App,
    course: Course,
    signed_in: Option<SignedIn>,
    batches: Batches,
}

/// Whoever comes without credentials: sees the schema and nothing else.
pub struct SignedOut;

struct SignedIn {
    viewer: Arc<Viewer>,
    /// They see what the viewer may see.
    loaders: DataLoader<Loaders>,
}

/// How far a request has come. Cheap to clone; clones are the same.
#[derive(Clone)]
pub struct Course(Arc<Mutex<Stage>>);

struct Stage {
    /// When what is being executed began: the request or, of a subscription, its latest item.
    now: Instant,
    /// How many bytes of long values have been told of it.
    told: usize,
    is_streaming: bool,
}

impl Course {
    /// The time of what is being executed: see [`ContextExt::now`].
    pub fn now(&self) -> Instant {
        self.stage().now
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        // Nothing panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What executing a subscription gives.
pub enum Streamed {
    /// Why there is nothing to follow: the only thing that comes.
    Refused(Response),
    /// The next item.
    Item(Response),
}

impl RequestContext {
    /// The context of a request of that kind of the viewer's, or of someone who is not signed in, that
    /// came at `now`.
    ///
    /// Here it is chosen where its fields read: those of a query, the replica. What a mutation answers
    /// has to show what it did, and what is followed has to be no less than what was announced.
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

    /// Notes that a value of so many bytes is part of the answer.
    ///
    /// # Errors
    /// `QUERY_TOO_COMPLEX` where it makes the answer too long.
    pub(super) fn tell(&self, bytes: usize) -> Result<()> {
        let mut stage = self.course.stage();
        stage.told = stage.told.saturating_add(bytes);
        if stage.told <= MOST_TOLD {
            return Ok(());
        }
        let message = "The answer would be longer than 16 MiB; ask for less at a time.";
        Err(Error::Refused(ErrorCode::QueryTooComplex, message.into()))
    }

    /// Where its fields read.
    pub fn db(&self) -> &Db {
        &self.app.db
    }

    /// Executes a request of a document in this context. Where the replica fails it, it is executed
    /// again, and reads the primary.
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
        // Boxed, because it is large, and would be moved from one layer to the next.
        let execution = Box::pin(schema.execute(request.data(self)));
        batches.run(execution).await
    }

    /// The same context, reading the primary.
    fn on_primary(&self) -> Self {
        let app = self.app.with_db(self.app.db.for_request());
        let viewer = self.signed_in.as_ref().map(|it| it.viewer.clone());
        Self::of(app, viewer, self.course.now())
    }

    /// Executes a subscription in this context. Nothing that was loaded for one item is kept for the
    /// next: the loaders have no cache.
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

/// The same request, to be executed once more. It has neither data of its own nor a document yet.
pub fn copy_request(request: &Request) -> Request {
    let copy = Request::new(&request.query).variables(request.variables.clone());
    match &request.operation_name {
        Some(name) => copy.operation_name(name),
        None => copy,
    }
}

/// What resolvers take from their context.
pub trait ContextExt {
    /// What every request shares.
    fn app(&self) -> &App;

    /// The time of the request or, of a subscription, of its latest item: the same for all that is
    /// read by the clock, so that no two fields of an answer disagree, and lists that are narrowed down
    /// by it are read together.
    fn now(&self) -> Instant;

    /// Whose request it is.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    fn viewer(&self) -> Result<&Arc<Viewer>>;

    /// What has that key, if there is such a thing and the viewer may see it. Boxed, because every
    /// object that is asked for reserves the room of its largest field.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    fn load<K: Key>(&self, key: K) -> BoxFuture<'_, async_graphql::Result<Option<K::Value>>>;

    /// The same for a field that may be `null`, as the object that `wrap` makes of it.
    fn find<K: Key, T>(
        &self,
        key: K,
        wrap: impl FnOnce(K::Value) -> T + Send,
    ) -> impl Future<Output = Nullable<T>> + Send {
        let found = self.load(key);
        found.map(|found| nullable(found.map(|found| found.map(wrap))))
    }

    /// The same for a field that is never `null`.
    ///
    /// # Errors
    /// `NOT_FOUND`, `UNAUTHENTICATED`.
    fn get<K: Key>(&self, key: K) -> impl Future<Output = async_graphql::Result<K::Value>> + Send {
        let found = self.load(key);
        found.map(|found| found?.ok_or_else(|| Error::not_found().into()))
    }

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

/// Has a subscription's items each executed at a time of their own. Calling it says that there is
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
