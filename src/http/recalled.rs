//! Running queries for remembered viewers, without waiting to confirm that they are unchanged.

use async_graphql::{Request, Response as GraphqlResponse};
use futures_util::FutureExt;
use futures_util::future::try_join;

use super::credentials::Credentials;
use super::operation::{Checked, query};
use super::state::State;
use crate::auth::{Recalled, Refused};
use crate::db::types::Instant;
use crate::error::Error;
use crate::graphql::{RequestContext, copy_request};

/// Runs a query for a recalled viewer while confirming that they are unchanged. If they have changed,
/// the query is run again. This saves nearly all queries a round trip to the database.
///
/// # Errors
/// If the credentials are no longer valid. Nothing is charged then.
pub async fn execute_for_recalled(
    state: &State,
    request: Request,
    credentials: &Credentials,
    recalled: &Recalled,
    now: Instant,
    checked: &Checked,
) -> Result<GraphqlResponse, Refused> {
    let charge = checked.charge(state);
    if let Some(refusal) = charge.refusal() {
        // The refusal depends only on the credentials being valid, not on the viewer's current state.
        let _ = credentials.authenticate(state).await?;
        return Ok(refusal);
    }
    let context = |viewer| RequestContext::new(&state.app, viewer, now, checked.kind);
    let again = copy_request(&request);
    let first = context(Ok(recalled.viewer().clone()));
    let first = run_if_confirmed(state, request, first, recalled, checked);
    let response = match first.await {
        Err(Unconfirmed::Changed) => match credentials.authenticate(state).await {
            Ok(viewer) => Ok(query(state, again, context(viewer), checked).await),
            Err(refused) => Err(refused),
        },
        Err(Unconfirmed::Failed(error)) => Err(error.into()),
        Ok(response) => Ok(response),
    };
    let response = response.inspect_err(|_| charge.give_back())?;
    Ok(checked.settle(&charge, response))
}

/// Returns the response if the viewer is confirmed, and cancels the query as soon as they are not.
async fn run_if_confirmed(
    state: &State,
    request: Request,
    context: RequestContext,
    recalled: &Recalled,
    checked: &Checked,
) -> Result<GraphqlResponse, Unconfirmed> {
    // A replica may lag behind the viewer's latest changes.
    let db = match context.db().replica() {
        None => context.db().clone(),
        Some(_) => state.app.db.clone(),
    };
    let confirming = async {
        let confirmed = state.authenticator.confirm(&state.app, &db, recalled).await;
        match confirmed.map_err(Unconfirmed::Failed)? {
            true => Ok(()),
            false => Err(Unconfirmed::Changed),
        }
    };
    let running = query(state, request, context, checked).map(Ok);
    let ((), response) = try_join(confirming, running).await?;
    Ok(response)
}

/// Why a response must be discarded.
enum Unconfirmed {
    /// The viewer has changed.
    Changed,
    /// That could not be determined.
    Failed(Error),
}
