//! Pausing and resuming schedules: a schedule stops when its workspace is deleted, and continues when it
//! is restored. Occurrences missed meanwhile are not made up for.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Schedule;
use crate::db::Transaction;
use crate::db::types::Instant;
use crate::error::Result;
use crate::id::{OrganizationId, WorkspaceId};
use crate::run;
use crate::schema::{schedules, workspaces};

/// Stops the schedule of a workspace that is being deleted.
///
/// # Errors
/// Database errors only.
pub(in crate::models) async fn pause(tx: &mut Transaction, id: WorkspaceId) -> Result<()> {
    run!(
        tx,
        diesel::update(schedules::table.find(id))
            .set(schedules::next_run_at.eq(None::<Instant>))
            .execute(tx)
            .await
    )?;
    Ok(())
}

/// Stops the schedules of the workspaces of organizations that are being deleted.
///
/// # Errors
/// Database errors only.
pub(in crate::models) async fn pause_of_organizations(
    tx: &mut Transaction,
    organizations: &[OrganizationId],
) -> Result<()> {
    run!(tx, {
        let theirs = workspaces::table
            .filter(workspaces::organization_id.eq_any(organizations))
            .select(workspaces::id);
        diesel::update(schedules::table.filter(schedules::workspace_id.eq_any(theirs)))
            .set(schedules::next_run_at.eq(None::<Instant>))
            .execute(tx)
            .await
    })?;
    Ok(())
}

/// Resumes the schedule of a restored workspace, with its first occurrence after now.
///
/// # Errors
/// Database errors only.
pub(in crate::models) async fn resume(
    tx: &mut Transaction,
    id: WorkspaceId,
    now: Instant,
) -> Result<()> {
    let schedule: Option<Schedule> = run!(
        tx,
        schedules::table
            .find(id)
            .select(Schedule::as_select())
            .first(tx)
            .await
            .optional()
    )?;
    let Some(schedule) = schedule else {
        return Ok(());
    };
    run!(
        tx,
        diesel::update(schedules::table.find(id))
            .set(schedules::next_run_at.eq(schedule.next_after(now)))
            .execute(tx)
            .await
    )?;
    Ok(())
}
