//! A query of somebody who came before: it does not wait to hear that they are who they were.

use async_graphql::{Request, Response as GraphqlResponse};
use futures_util::FutureExt;
use futures_util::future::try_join;

use super::credentials::Credentials;
use super::operation::{Checked, run};
use super::state::State;
use crate::auth::{Recalled, Refused};
use crate::db::types::Instant;
use crate::error::Error;
use crate::graphql::{RequestContext, copy_request};

/// Runs a query for a viewer as they were, and meanwhile looks whether they still are: where they are
/// not, it is run again. So nearly all queries wait for one answer of the database less.
///
/// # Errors
/// Where the credentials are not good any more; nothing is charged then.
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
        // Who they are by now does not matter to it, only that they are.
        let _ = credentials.authenticate(state).await?;
        return Ok(refusal);
    }
    let context = |viewer| RequestContext::new(&state.app, viewer, now, checked.kind);
    let again = copy_request(&request);
    let first = context(Ok(recalled.viewer().clone()));
    let first = run_if_confirmed(state, request, first, credentials, recalled, checked);
    let response = match first.await {
        Err(Unconfirmed::Changed) => match credentials.authenticate(state).await {
            Ok(viewer) => Ok(run(state, again, context(viewer), credentials, checked).await),
            Err(refused) => Err(refused),
        },
        Err(Unconfirmed::Failed(error)) => Err(error.into()),
        Ok(response) => Ok(response),
    };
    let response = response.inspect_err(|_| charge.give_back())?;
    Ok(checked.settle(&charge, response))
}

/// Gives the response if the viewer is as they were, and gives it up as soon as they are not.
async fn run_if_confirmed(
    state: &State,
    request: Request,
    context: RequestContext,
    credentials: &Credentials,
    recalled: &Recalled,
    checked: &Checked,
) -> Result<GraphqlResponse, Unconfirmed> {
    // A replica may not have heard of what they are.
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
    let running = run(state, request, context, credentials, checked).map(Ok);
    let ((), response) = try_join(confirming, running).await?;
    Ok(response)
}

/// Why a response is of no use.
enum Unconfirmed {
    /// The viewer is not as they were.
    Changed,
    /// That cannot be told.
    Failed(Error),
}
