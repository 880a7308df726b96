//! State shared by all handlers.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use tokio::sync::{Mutex, watch};
use tracing::Instrument;

use super::budget::{Budgets, Payer};
use super::documents::Documents;
use super::files::Uploads;
use super::operation::{MUTATIONS_AT_ONCE, subscribed_bytes};
use super::parsed::ParsedDocuments;
use super::places::Places;
use super::playground::Playground;
use crate::app::App;
use crate::auth::Authenticator;
use crate::error::Error;
use crate::graphql::{ApiSchema, Shape, schema, schema_of_valid, sdl};

/// State shared by all handlers. Cheap to clone.
#[derive(Clone)]
pub struct State {
    /// The application state, shared by requests and jobs.
    pub app: App,
    /// The schema.
    pub schema: ApiSchema,
    /// The schema for documents already known to be valid.
    pub schema_of_valid: ApiSchema,
    /// The most recently parsed documents.
    pub parsed: Arc<ParsedDocuments>,
    /// Held while running an operation on the schema.
    pub about_schema: Arc<Mutex<()>>,
    /// The schema as SDL, if introspection is allowed.
    pub sdl: Option<Bytes>,
    /// The shape of the schema, with the costs of its fields, for checking documents.
    pub shape: Arc<Shape>,
    /// The documents requested by their hash.
    pub documents: Arc<Documents>,
    /// What each payer may still spend.
    pub budgets: Arc<Budgets>,
    /// The mutations that each payer has running.
    pub mutations: Arc<Places<Payer>>,
    /// The subscriptions that each payer follows.
    pub subscriptions: Arc<Places<Payer>>,
    /// The bytes that the requests of these subscriptions keep in memory.
    pub subscribed: Arc<Places<Payer>>,
    /// The playground's page and files.
    pub playground: Arc<Playground>,
    /// Identifies the viewer of a request.
    pub authenticator: Arc<Authenticator>,
    /// Limits concurrent uploads.
    pub uploads: Arc<Uploads>,
    /// Whether the server has been asked to stop, and should get no more requests.
    pub draining: Arc<AtomicBool>,
    /// Whether the server is stopping, for work that would otherwise continue. The server waits until
    /// all subscribers are dropped.
    pub stopping: Arc<watch::Sender<bool>>,
}

impl State {
    /// Builds the shared state.
    pub fn new(
        app: App,
        authenticator: Authenticator,
        documents: Documents,
        playground: Playground,
    ) -> Self {
        let introspection = app.config.graphql.introspection;
        let schema = schema(introspection);
        let sdl = sdl(&schema);
        Self {
            budgets: Arc::new(Budgets::new(app.config.limits.cost_per_minute)),
            mutations: Places::new(MUTATIONS_AT_ONCE),
            subscriptions: Places::new(app.config.limits.subscriptions_per_viewer as usize),
            subscribed: Places::new(subscribed_bytes(&app.config.limits)),
            schema_of_valid: schema_of_valid(introspection),
            parsed: Arc::default(),
            about_schema: Arc::default(),
            app,
            shape: Arc::new(Shape::of(&sdl)),
            sdl: introspection.then(|| sdl.into()),
            schema,
            documents: Arc::new(documents),
            playground: Arc::new(playground),
            authenticator: Arc::new(authenticator),
            uploads: Arc::default(),
            draining: Arc::default(),
            stopping: Arc::new(watch::Sender::new(false)),
        }
    }

    /// Runs the work to its end, even if the caller is dropped, and returns its output. A stopping
    /// server waits for it.
    ///
    /// # Errors
    /// If the work panics.
    pub async fn finish<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Error> {
        let stopping = self.stopping.subscribe();
        let work = async move {
            let _waited_for = stopping;
            work.await
        };
        tokio::spawn(work.in_current_span())
            .await
            .map_err(|error| anyhow::anyhow!(error).into())
    }
}
