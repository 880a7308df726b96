//! Occurrences that are due.
//!
//! Every instance looks for them. Each takes rows that no other has locked, queues their runs and
//! writes the next occurrence, all in one transaction, so that an occurrence is run once however many
//! instances there are, and whichever of them dies.

use anyhow::anyhow;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Schedule;
use crate::app::App;
use crate::db::types::Instant;
use crate::db::{Connection, Transaction, lock_skip};
use crate::error::Result;
use crate::models::run::{self, Asked, Asker};
use crate::models::values::Invalid;
use crate::models::values::cron::{Cron, Zone};
use crate::models::workspace::Workspace;
use crate::run;
use crate::schema::{schedules, workspaces};

/// When the first occurrence is due, if anything is scheduled. Asked for in order, and not by whether
/// any is due by now, so that the index tells and nothing is read through.
///
/// # Errors
/// Only those of the database.
pub async fn first_due(conn: &mut Connection) -> Result<Option<Instant>> {
    let first: Option<Option<Instant>> = run!(
        conn,
        schedules::table
            .filter(schedules::next_run_at.is_not_null())
            .order_by((schedules::next_run_at, schedules::workspace_id))
            .select(schedules::next_run_at)
            .first(conn)
            .await
            .optional()
    )?;
    Ok(first.flatten())
}

/// Queues the runs of up to `limit` schedules that are due, those that are overdue the longest first,
/// and gives how many schedules that were. Occurrences that were missed are made up by one run.
///
/// # Errors
/// Only those of the database.
pub async fn run_due(app: &App, limit: i64) -> Result<usize> {
    app.db
        .transaction(async |tx| {
            let now = app.now();
            // The workspaces are locked with them, as whoever changes a schedule or asks for a run does.
            let due: Vec<(Schedule, Workspace)> = run!(
                tx,
                lock_skip(
                    schedules::table
                        .inner_join(
                            workspaces::table.on(workspaces::id.eq(schedules::workspace_id))
                        )
                        .filter(schedules::next_run_at.le(now))
                        .order_by((schedules::next_run_at, schedules::workspace_id))
                        .limit(limit)
                        .select((Schedule::as_select(), Workspace::as_select()))
                )
                .get_results(tx)
                .await
            )?;
            for (schedule, workspace) in &due {
                if let Some(occurrence) = schedule.next_run_at {
                    let asker = Asker::Schedule(occurrence);
                    if let Asked::Given(run) = run::ask(tx, app, workspace, asker, now).await? {
                        tracing::info!(workspace = %workspace.id, run = %run.id, %occurrence, "run scheduled");
                    }
                }
                move_on(tx, schedule, now).await?;
            }
            Ok(due.len())
        })
        .await
}

/// Writes the next occurrence after now.
async fn move_on(tx: &mut Transaction, schedule: &Schedule, now: Instant) -> Result<()> {
    let next = schedule.next_after(now);
    run!(
        tx,
        diesel::update(schedules::table.find(schedule.workspace_id))
            .set(schedules::next_run_at.eq(next))
            .execute(tx)
            .await
    )?;
    Ok(())
}

impl Schedule {
    /// The next occurrence after that instant; none where the pattern or the time zone, which were
    /// checked when they were set, are not known to this release.
    pub(super) fn next_after(&self, after: Instant) -> Option<Instant> {
        let next = || {
            let zone = Zone::parse(&self.time_zone).map_err(|Invalid(why)| anyhow!(why))?;
            anyhow::Ok(Cron::stored(&self.cron)?.next_after(zone, after))
        };
        next().unwrap_or_else(|error| {
            let (workspace, cron, zone) = (self.workspace_id, &self.cron, &self.time_zone);
            let error = format!("{error:#}");
            tracing::error!(%workspace, cron, zone, error, "schedule cannot be read, and stops");
            None
        })
    }
}
