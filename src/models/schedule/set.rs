//! Setting schedules.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::json;

use super::Schedule;
use crate::access::scope::workspace::Manage;
use crate::app::App;
use crate::auth::Viewer;
use crate::db::Transaction;
use crate::db::types::Instant;
use crate::error::{Error, Result};
use crate::id::WorkspaceId;
use crate::models::event::{self, EventKind, NewEvent};
use crate::models::run::{self, Asked, Asker, RunTrigger};
use crate::models::values::cron::{Cron, Zone};
use crate::models::workspace::{VisibleWorkspace, Workspace};
use crate::run;
use crate::schema::schedules;

/// The input for a schedule.
#[derive(Clone, Debug)]
pub struct NewSchedule {
    /// The cron expression.
    pub cron: Cron,
    /// The time zone that the expression is evaluated in.
    pub zone: Zone,
}

/// The outcome of requesting a run along with setting a schedule.
#[derive(Debug)]
pub enum RunRequest {
    /// It was requested.
    Asked(Asked),
    /// It was refused. The schedule is set nevertheless.
    Refused(Error),
    /// The schedule was switched off, so no run was requested.
    NotRequested,
}

/// Sets the workspace's schedule and requests a run at once, or switches the schedule off.
///
/// # Errors
/// As [`Viewer::workspace`]; `INVALID_INPUT` if the expression never matches.
pub async fn set(
    app: &App,
    viewer: &Viewer,
    id: WorkspaceId,
    schedule: Option<&NewSchedule>,
) -> Result<(VisibleWorkspace, RunRequest)> {
    let outcome = app
        .db
        .transaction(async |tx| {
            let scope = viewer.workspace::<Manage>(tx, id).await?;
            let workspace = scope.workspace();
            let now = app.now();
            let request = match schedule {
                None => {
                    switch_off(tx, viewer, workspace, now).await?;
                    RunRequest::NotRequested
                }
                Some(schedule) => {
                    store(tx, viewer, workspace, schedule, now).await?;
                    let asker = Asker::Viewer(viewer, RunTrigger::ScheduleSet);
                    match run::ask(tx, app, workspace, asker, now).await {
                        Ok(asked) => RunRequest::Asked(asked),
                        Err(error @ Error::RateLimited(_)) => RunRequest::Refused(error),
                        Err(error) => return Err(error),
                    }
                }
            };
            Ok((scope.visible().clone(), request))
        })
        .await?;
    app.wake_worker();
    Ok(outcome)
}

async fn store(
    tx: &mut Transaction,
    viewer: &Viewer,
    workspace: &Workspace,
    schedule: &NewSchedule,
    now: Instant,
) -> Result<()> {
    let former = of_workspace(tx, workspace.id).await?;
    let next_run_at = schedule.cron.next_after(schedule.zone, now);
    if next_run_at.is_none() {
        return Err(Error::invalid("cron", "never occurs"));
    }
    let row = Schedule {
        workspace_id: workspace.id,
        cron: schedule.cron.as_str().to_owned(),
        time_zone: schedule.zone.as_str().to_owned(),
        next_run_at,
    };
    run!(
        tx,
        diesel::insert_into(schedules::table)
            .values(&row)
            .on_conflict(schedules::workspace_id)
            .do_update()
            .set(&row)
            .execute(tx)
            .await
    )?;
    let is_same = former.is_some_and(|former| {
        (former.cron, former.time_zone) == (row.cron.clone(), row.time_zone.clone())
    });
    if is_same {
        return Ok(());
    }
    let data = json!({ "cron": row.cron, "timeZone": row.time_zone });
    event::record(tx, viewer, now, event_of(workspace, data)).await
}

async fn switch_off(
    tx: &mut Transaction,
    viewer: &Viewer,
    workspace: &Workspace,
    now: Instant,
) -> Result<()> {
    let row = schedules::table.find(workspace.id);
    let deleted = run!(tx, diesel::delete(row).execute(tx).await)?;
    if deleted == 0 {
        return Ok(());
    }
    let data = json!({ "cron": null, "timeZone": null });
    event::record(tx, viewer, now, event_of(workspace, data)).await
}

async fn of_workspace(tx: &mut Transaction, id: WorkspaceId) -> Result<Option<Schedule>> {
    Ok(run!(
        tx,
        schedules::table
            .find(id)
            .select(Schedule::as_select())
            .first(tx)
            .await
            .optional()
    )?)
}

fn event_of(workspace: &Workspace, data: serde_json::Value) -> NewEvent {
    NewEvent {
        kind: EventKind::ScheduleSet,
        organization: workspace.organization_id,
        workspace: Some(workspace.id),
        subject: workspace.id.into(),
        data,
    }
}
