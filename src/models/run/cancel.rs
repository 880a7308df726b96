//! Cancelling runs.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::json;

use super::{Run, RunStatus, unfinished};
use crate::access::scope::workspace::Contribute;
use crate::app::App;
use crate::auth::Viewer;
use crate::db::types::Instant;
use crate::db::{Topic, Transaction};
use crate::error::{Error, Result};
use crate::id::{OrganizationId, RunId, WorkspaceId};
use crate::models::event::{self, EventKind, NewEvent};
use crate::run;
use crate::schema::{run_prompts, runs, workspaces};

/// Maximum number of runs that one statement names by id.
const BATCH: usize = 1_000;

/// Cancels a run. What it has collected stays; calls in progress are abandoned.
///
/// # Errors
/// As [`Viewer::workspace`]; `NOT_FOUND` if there is no such run; `CONFLICT` if it has ended.
pub async fn cancel(app: &App, viewer: &Viewer, id: RunId) -> Result<Run> {
    app.db
        .transaction(async |tx| {
            let workspace: Option<WorkspaceId> = run!(
                tx,
                runs::table
                    .find(id)
                    .select(runs::workspace_id)
                    .first(tx)
                    .await
                    .optional()
            )?;
            let workspace = workspace.ok_or_else(Error::not_found)?;
            let scope = viewer.workspace::<Contribute>(tx, workspace).await?;
            let now = app.now();
            let cancelled = stop(tx, scope.id(), Some(id), now).await?;
            let Some(run) = cancelled else {
                return Err(Error::conflict("The run has ended already."));
            };
            let event = event_of(&run, scope.workspace().organization_id);
            event::record(tx, viewer, now, event).await?;
            Ok(run)
        })
        .await
}

/// Cancels the unfinished run of a workspace that is being deleted, whose row the transaction has
/// locked.
///
/// # Errors
/// Database errors only.
pub(in crate::models) async fn cancel_of_workspace(
    tx: &mut Transaction,
    viewer: &Viewer,
    workspace: WorkspaceId,
    organization: OrganizationId,
    now: Instant,
) -> Result<()> {
    if let Some(run) = stop(tx, workspace, None, now).await? {
        event::record(tx, viewer, now, event_of(&run, organization)).await?;
    }
    Ok(())
}

/// Cancels the unfinished runs in workspaces of organizations that are being deleted, without events of
/// their own: the events of the deletion cover them.
///
/// # Errors
/// Database errors only.
pub(in crate::models) async fn cancel_of_organizations(
    tx: &mut Transaction,
    organizations: &[OrganizationId],
    now: Instant,
) -> Result<()> {
    let stopped: Vec<RunId> = run!(tx, {
        let theirs = workspaces::table
            .filter(workspaces::organization_id.eq_any(organizations))
            .select(workspaces::id);
        let unfinished = runs::table
            .filter(runs::workspace_id.eq_any(theirs))
            .filter(runs::finished_at.is_null());
        diesel::update(unfinished)
            .set(cancelled(now))
            .returning(runs::id)
            .get_results(tx)
            .await
    })?;
    close(tx, &stopped).await
}

/// The columns set on a cancelled run. Its worker notices that it has lost the lease.
type Cancelled = (
    diesel::dsl::Eq<runs::status, RunStatus>,
    diesel::dsl::Eq<runs::finished_at, Instant>,
    diesel::dsl::Eq<runs::lease_holder, Option<super::HolderId>>,
    diesel::dsl::Eq<runs::leased_until, Option<Instant>>,
);

fn cancelled(now: Instant) -> Cancelled {
    (
        runs::status.eq(RunStatus::Cancelled),
        runs::finished_at.eq(now),
        runs::lease_holder.eq(None),
        runs::leased_until.eq(None),
    )
}

/// Cancels the workspace's unfinished run, if there is one. If `only` is given, cancels just that run.
async fn stop(
    tx: &mut Transaction,
    workspace: WorkspaceId,
    only: Option<RunId>,
    now: Instant,
) -> Result<Option<Run>> {
    let unfinished = unfinished(tx, workspace).await?;
    let Some(run) = unfinished.filter(|run| only.is_none_or(|only| run.id == only)) else {
        return Ok(None);
    };
    // Its worker may have ended it since.
    let row = runs::table.find(run.id).filter(runs::finished_at.is_null());
    let stopped: Option<Run> = run!(
        tx,
        diesel::update(row)
            .set(cancelled(now))
            .returning(Run::as_returning())
            .get_result(tx)
            .await
            .optional()
    )?;
    if stopped.is_some() {
        close(tx, &[run.id]).await?;
    }
    Ok(stopped)
}

/// Cleans up after runs that have ended, for whatever reason: deletes the copies of their prompts, which
/// only unfinished runs need, and wakes whoever follows them.
pub(super) async fn close(tx: &mut Transaction, ended: &[RunId]) -> Result<()> {
    for batch in ended.chunks(BATCH) {
        let copies = run_prompts::table.filter(run_prompts::run_id.eq_any(batch));
        run!(tx, diesel::delete(copies).execute(tx).await)?;
    }
    for id in ended {
        tx.announce(Topic::Run(*id));
    }
    Ok(())
}

fn event_of(run: &Run, organization: OrganizationId) -> NewEvent {
    NewEvent {
        kind: EventKind::RunCancelled,
        organization,
        workspace: Some(run.workspace_id),
        subject: run.id.into(),
        data: json!({ "completed": run.completed, "failed": run.failed }),
    }
}
