//! What every door shares.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use tokio::sync::{Mutex, watch};
use tracing::Instrument;

use super::budget::{Budgets, Payer};
use super::documents::Documents;
use super::files::Uploads;
use super::operation::MUTATIONS_AT_ONCE;
use super::parsed::ParsedDocuments;
use super::places::Places;
use super::playground::Playground;
use crate::app::App;
use crate::auth::Authenticator;
use crate::error::Error;
use crate::graphql::{ApiSchema, Shape, schema, schema_of_valid, sdl};

/// What every door shares. Cheap to clone.
#[derive(Clone)]
pub struct State {
    /// What requests and jobs share.
    pub app: App,
    /// The schema.
    pub schema: ApiSchema,
    /// The schema, for documents that are known to be valid.
    pub schema_of_valid: ApiSchema,
    /// The documents that were parsed last.
    pub parsed: Arc<ParsedDocuments>,
    /// Held by whoever runs a document about the schema.
    pub about_schema: Arc<Mutex<()>>,
    /// The schema in GraphQL's own language, where it may be asked for.
    pub sdl: Option<Bytes>,
    /// What its fields cost, for refusing documents that cost too much.
    pub shape: Arc<Shape>,
    /// The documents that are asked for by their hash.
    pub documents: Arc<Documents>,
    /// How much each viewer may still ask for.
    pub budgets: Arc<Budgets>,
    /// How many mutations of each viewer run.
    pub mutations: Arc<Places<Payer>>,
    /// How many subscriptions each viewer follows.
    pub subscriptions: Arc<Places<Payer>>,
    /// What browsers get.
    pub playground: Arc<Playground>,
    /// Tells whose request it is.
    pub authenticator: Arc<Authenticator>,
    /// The uploads that are under way.
    pub uploads: Arc<Uploads>,
    /// Whether the server has been asked to stop, and is to be sent no more requests.
    pub draining: Arc<AtomicBool>,
    /// Whether the server is stopping, for what would otherwise go on. Whoever subscribes to it is
    /// waited for.
    pub stopping: Arc<watch::Sender<bool>>,
}

impl State {
    /// Puts together what the doors share.
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

    /// What the work gives, which goes on to its end even if whoever asked for it goes away: a server that
    /// stops waits for it.
    ///
    /// # Errors
    /// Where it panics.
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
