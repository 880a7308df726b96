//! Running one operation of a socket.

use std::convert::Infallible;
use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::auth::Refused;
use crate::db::types::Instant;
use crate::graphql::RequestContext;
use crate::http::budget::Payer;
use crate::http::client::Client;
use crate::http::credentials::Credentials;
use crate::http::params::Params;
use crate::http::prepare::prepare;
use crate::http::request_id::RequestId;
use crate::http::state::State;
use crate::http::subscription::protocol::Close;
use crate::http::subscription::run::{Operation, Outlet, Output, Stopped};

/// How many queries and mutations of a socket may run or wait for it to take their results, so that the
/// memory of a client that does not read is bounded. One at a time takes all of them if the client is not
/// signed in: it can ask only for the schema, of which much is cached.
pub(super) const SLOTS: u32 = 8;
/// How many operations of a socket may wait for a slot before its messages are left unread.
pub(super) const WAITING: usize = 8;

/// The task of one operation.
pub(super) struct Task {
    pub(super) state: State,
    pub(super) credentials: Credentials,
    pub(super) client: Client,
    pub(super) id: RequestId,
    /// When the client asked for it.
    pub(super) arrived: Instant,
    pub(super) slots: Arc<Semaphore>,
    /// How many of them it takes.
    pub(super) permits: u32,
    /// Its place among the operations that wait for a slot.
    pub(super) place: Option<OwnedSemaphorePermit>,
    /// Dropped once it is known that the operation may go on for any time.
    pub(super) unfinished: Option<Arc<()>>,
    /// Dropped with the task.
    pub(super) _held: oneshot::Sender<Infallible>,
}

impl Task {
    /// Runs the operation. Its credentials are checked again, as for any request.
    pub(super) async fn run(mut self, params: Params, outlet: Outlet<u64>) -> Result<(), Close> {
        // Never closed, so this never fails.
        let slots = self.slots.acquire_many(self.permits).await.ok();
        self.place = None;
        let state = &self.state;
        let begun = state.app.now();
        let viewer = match self.credentials.authenticate(state).await {
            Ok(viewer) => viewer,
            Err(Refused::Invalid(_)) => return Err(Close::FORBIDDEN),
            Err(Refused::Failed(error)) => {
                // Nothing follows, so it does not matter if this fails.
                let _ = outlet.send(Output::unavailable(error, &self.id)).await;
                return Ok(());
            }
        };
        let payer = Payer::of(viewer.as_ref().ok(), self.client);
        let (request, checked) = match prepare(state, params, payer, &self.id) {
            Ok(prepared) => prepared,
            Err(refusal) => {
                let _ = outlet.send(Output::refusal(&refusal)).await;
                return Ok(());
            }
        };
        // A subscription has all events since it was asked for; what else is read, as it is now.
        let (_slots, at) = match checked.kind {
            OperationType::Subscription => {
                drop(slots);
                self.unfinished = None;
                (None, self.arrived)
            }
            OperationType::Query | OperationType::Mutation => (slots, begun),
        };
        let context = RequestContext::new(&state.app, viewer, at, checked.kind);
        let operation = Operation {
            request,
            checked,
            credentials: self.credentials.clone(),
        };
        match operation.run(state, context, &outlet).await {
            Err(Stopped::SignedOff) => Err(Close::FORBIDDEN),
            Ok(()) | Err(Stopped::Gone) => Ok(()),
        }
    }
}
